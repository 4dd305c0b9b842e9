"""Post-selection: expectation values given that some wires hold some bits.

<M> given b = <Pi M Pi> / <Pi>,    Pi = prod_w (1 + (-1)^b_w Z_w) / 2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from quanvolve.circuits.description import Observable

if TYPE_CHECKING:
    from quanvolve.circuits.capture._combine import Outputs


def selecting(outputs: Outputs, bits: Mapping[int, int]) -> Outputs:
    """The outputs in the runs in which wires hold these bits.

    Args:
        outputs: in all runs.
        bits: by wire.

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, equation 2.103.
    """
    together = Observable((), outcome=tuple(sorted(bits.items())))
    each = tuple((_given(output), what) for output, what in outputs.each)
    observables = (*(restricted(observable, bits) for observable in outputs.observables), together)
    return replace(outputs, observables=observables, each=each)


def _given(output: int | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    if isinstance(output, int):
        place = output
        return lambda measured: measured[place] / measured[-1]
    function = output
    return lambda measured: function(measured[:-1] / measured[-1])


def restricted(observable: Observable, bits: Mapping[int, int]) -> Observable:
    """An observable between projectors onto the bits of some wires.

    Examples:
        >>> restricted(Observable(((1.0, ((0, "Z"), (1, "X"))),)), {0: 1}).terms
        ((-0.5, ((1, 'X'),)), (0.5, ((0, 'Z'), (1, 'X'))))
    """
    if observable.outcome:
        wanted = dict(observable.outcome)
        if any(wanted.get(wire, bit) != bit for wire, bit in bits.items()):
            return Observable(())
        return Observable((), outcome=tuple(sorted({**wanted, **bits}.items())))
    projector = Observable((), outcome=tuple(sorted(bits.items()))).pauli_terms()
    terms: list[tuple[float, tuple[tuple[int, str], ...]]] = []
    for coefficient, word in observable.terms:
        selected = [(wire, letter) for wire, letter in word if wire in bits]
        if any(letter != "Z" for _, letter in selected):
            continue  # <b| X |b> and <b| Y |b> are zero
        sign = (-1.0) ** sum(bits[wire] for wire, _ in selected)
        rest = tuple(entry for entry in word if entry[0] not in bits)
        terms += [(sign * coefficient * c, tuple(sorted((*rest, *more)))) for c, more in projector]
    return Observable(tuple(terms))
