"""OpenQASM 3: a bound circuit as a program of other tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quanvolve.circuits.description import QISKIT_NAMES, Circuit, value_texts
from quanvolve.circuits.write._bound import RESET, Bound, BoundGate

_ISWAP = "gate iswap a, b { s a; s b; h a; cx a, b; cx b, a; h b; }"


def openqasm(bound: Bound, title: str = "") -> str:
    """The circuit in OpenQASM 3, with its parameters as inputs.

    Args:
        bound: from :func:`bind`.
        title: for the comment at its head.

    Returns:
        A program that declares each parameter as ``input float[64]``. It ends with a measurement of all qubits where
        that tells all outputs; otherwise comments say what is to be measured.

    References:
        Cross et al., ACM Trans. Quantum Comput. 3, 12 (2022), arXiv:2104.14722, for the language.

    Examples:
        >>> from quanvolve.circuits import bind, named_circuit
        >>> print(openqasm(bind(named_circuit("none", 1, n_layers=1), {"weights": [[[0.1, 0.2, 0.3]]]})))
        OPENQASM 3.0;
        include "stdgates.inc";
        // output 0: Z of q[0]
        input float[64] x0; // pixel 0 of the window
        qubit[1] q;
        ry(1.0 * x0) q[0];
        rz(0.1) q[0];
        ry(0.2) q[0];
        rz(0.3) q[0];
        bit[1] c;
        c = measure q;
        <BLANKLINE>
    """
    circuit = bound.circuit
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";']
    lines += [f"// {line}" for line in title.splitlines()]
    if bound.n_channels_left_out:
        lines.append(f"// {bound.n_channels_left_out} noise channels are left out: a device has its own")
    lines += [f"// {text}" for text in outputs_in_words(circuit, bound.weights)]
    if any(gate.name == "ISWAP" for gate in bound.gates):
        lines.append(_ISWAP)
    lines += [f"input float[64] {name}; // {' '.join(meaning.split())}" for name, meaning in bound.parameters]
    lines.append(f"qubit[{circuit.n_wires}] q;")
    lines += [_line(gate) for gate in bound.gates]
    if all(letter == "Z" for o in circuit.observables for _, word in o.pauli_terms() for _, letter in word):
        lines += [f"bit[{circuit.n_wires}] c;", "c = measure q;"]
    return "\n".join(lines) + "\n"


def outputs_in_words(circuit: Circuit, weights: Mapping[str, Any] | None = None) -> list[str]:
    """What is measured, a line for each output; with a post-processing, first a line for each measured value.

    Args:
        circuit: any.
        weights: by name, arrays of the circuit's own shapes, which a post-processing may read.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> outputs_in_words(named_circuit("none", 2, readout="zz"))[2]
        'output 2: Z of q[0] times Z of q[1]'
    """
    if circuit.counts is not None:
        which = "the most probable bit string" if circuit.counts == "most_probable" else "a bit string drawn at random"
        return [f"output 0: the number of ones in {which}"]
    after = circuit.postprocessing
    if after is not None:
        measured = outputs_in_words(circuit.without_postprocessing())
        numbers = {name: np.vectorize(_number, otypes=[object])(array) for name, array in (weights or {}).items()}
        texts = value_texts(after, [f"m{j}" for j in range(len(measured))], numbers, letter="m")
        return [
            *(f"m{j}: {line.split(': ', 1)[1]}" for j, line in enumerate(measured)),
            *(
                f"output {j}: a function of the measured values above without a short form: see Circuit.postprocessing"
                if text.startswith(f"f{j}(")
                else f"output {j}: {text}, of the measured values above"
                for j, text in enumerate(texts)
            ),
        ]
    lines = []
    for number, observable in enumerate(circuit.observables):
        if observable.outcome:
            bits = ", ".join(f"q[{wire}] = {bit}" for wire, bit in observable.outcome)
            lines.append(f"output {number}: the probability of {bits}")
            continue
        terms = []
        for coefficient, word in observable.terms:
            product = " times ".join(f"{letter} of q[{wire}]" for wire, letter in word) or "1"
            terms.append(product if coefficient == 1 else f"{coefficient:.17g} * {product}")
        lines.append(f"output {number}: {' + '.join(terms)}")
    return lines


def _number(value: float) -> str:
    return f"{value:.6g}"


def _line(gate: BoundGate) -> str:
    wires = ", ".join(f"q[{wire}]" for wire in gate.wires)
    if gate.name == RESET:
        return f"reset {wires};"
    if gate.offset is None:
        return f"{QISKIT_NAMES[gate.name]} {wires};"
    angle = repr(gate.offset) if gate.offset or not gate.terms else ""
    for name, factor in gate.terms:
        glue = (" - " if factor < 0 else " + ") if angle else ("-" if factor < 0 else "")
        angle += f"{glue}{abs(factor)!r} * {name}"
    return f"{QISKIT_NAMES[gate.name]}({angle}) {wires};"
