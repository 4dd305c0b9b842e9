"""Which circuits a layer's filters run, and the random numbers behind them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import unset_fake_temporarily

from quanvolve._errors import QuanvolveError
from quanvolve._warn import warn_user
from quanvolve.circuits import ANSATZE, Captured, Circuit, captured, look_up, named_circuit
from quanvolve.nn._apply import check_plain
from quanvolve.nn._brought import brought
from quanvolve.nn._limits import CONES, MOST_GATES, check_inputs, check_weights, check_width, shown, whole

CircuitLike = str | Circuit | Sequence[Circuit] | Callable[..., Any]
NoiseLike = Any
"""What :func:`quanvolve.circuits.with_noise` takes."""

_ATTEMPTS = 50

INITS = ("auto", "uniform", "small")
_WIDE = 9
"""Up to so many qubits "auto" is "uniform": with more, values and gradients of global circuits all but vanish."""


@dataclass(frozen=True)
class Made:
    """The circuits of a layer's filters, and what else came with them.

    Attributes:
        circuits: one for all, or one for each filter and channel it reads.
        brought: values of the weights that a function closes over.
        shots: of a QNode.
    """

    circuits: tuple[Circuit, ...]
    brought: Mapping[str, Tensor] = field(default_factory=dict)
    shots: int | None = None


def make_circuits(
    circuit: CircuitLike,
    n_inputs: int,
    count: Callable[[int], tuple[int, int]],
    *,
    encoding: str,
    readout: str,
    n_qubits: int | None,
    n_layers: int,
    weight_shapes: Mapping[str, Any] | None,
    generator: torch.Generator | None,
    columns: int | None = None,
) -> Made:
    """One circuit that all filters share, or, where the structure is random, a different one for each.

    Args:
        circuit: a name, a function, a description or one description for each filter and channel it reads.
        n_inputs: values in a window.
        count: filters of the layer, and circuits that each sums over, from the number of values that one measures.
        columns: pixels in a row of the window.

    Raises:
        QuanvolveError: if the circuit does not fit the window or the number of filters.
    """
    if not isinstance(circuit, str) and (encoding, readout, n_layers) != ("ry", "z", 2):
        raise QuanvolveError(
            "`encoding`, `readout` and `n_layers` belong to named circuits; a function or Circuit has its own: leave "
            "them out"
        )
    if weight_shapes is not None and (isinstance(circuit, str) or not callable(circuit)):
        raise QuanvolveError(
            f"`weight_shapes` belongs to circuit functions; {circuit if isinstance(circuit, str) else 'a Circuit'!r} "
            "has its own: leave it out"
        )
    check_inputs(n_inputs)
    if isinstance(circuit, str):
        varied = look_up(ANSATZE, "circuit", circuit).random_structure
        check_width(circuit, encoding, readout, n_inputs, n_qubits, n_layers)

        def named(seed: int) -> Circuit:
            return named_circuit(
                circuit,
                n_inputs,
                encoding=encoding,
                readout=readout,
                n_wires=n_qubits,
                n_layers=n_layers,
                seed=seed,
                columns=columns,
            )

        first = named(0)
        rows = count(first.n_outputs)
        check_weights(rows, dict(first.weight_shapes), varied)
        return Made(_distinct(named, math.prod(rows), generator) if varied else (first,))
    if isinstance(circuit, Circuit):
        return Made(_checked((circuit,), n_inputs, n_qubits, count))
    if isinstance(circuit, list | tuple) and circuit:
        return Made(_checked(tuple(circuit), n_inputs, n_qubits, count))
    if callable(circuit):
        _check_asked(weight_shapes, n_qubits)
        found = captured(circuit, n_inputs, weight_shapes, n_wires=n_qubits)
        check_weights(count(found.circuit.n_outputs), dict(found.circuit.weight_shapes), False)
        _warn_of_unread(found, circuit)
        return Made((found.circuit,), found.values, found.shots)
    raise QuanvolveError(
        f"`circuit` (={circuit!r}) must be a name from list_circuits(), a function, script or TorchLayer of "
        "PennyLane, a QuantumCircuit of Qiskit, OpenQASM or a Circuit"
    )


def _warn_of_unread(found: Captured, function: Callable[..., Any]) -> None:
    """Warn where a function reads less than half of the window: it may have been meant for another one."""
    read, n_inputs = found.circuit.inputs_read(), found.circuit.n_inputs
    if 2 * len(read) < n_inputs:
        name = getattr(function, "__name__", "circuit")
        warn_user(
            f"the circuit function {name!r} reads {len(read)} of the {n_inputs} values of its window: "
            f"{_numbers(read)}; if it is meant for a smaller one, change `kernel_size`"
        )


def _numbers(read: Sequence[int]) -> str:
    if not read:
        return "none"
    return ", ".join(f"inputs[{k}]" for k in read[:6]) + (", ..." if len(read) > 6 else "")


def _check_asked(weight_shapes: Mapping[str, Any] | None, n_qubits: int | None) -> None:
    """Raise where a function is to be captured with more qubits or weights than can be meant."""
    if n_qubits is not None and not whole(n_qubits, 1, CONES):
        raise QuanvolveError(f"`n_qubits` (={shown(n_qubits)}) must be a whole number from 1 to {CONES}")
    for name, shape in weight_shapes.items() if isinstance(weight_shapes, Mapping) else ():
        extents = [int(n) for n in (shape if isinstance(shape, Sequence) else (shape,)) if isinstance(n, Integral)]
        if math.prod(max(1, n) for n in extents) > MOST_GATES:
            raise QuanvolveError(
                f"`weight_shapes` gives {name!r} more than {MOST_GATES} weights: a circuit has at most as many gates"
            )


def measured_values(
    circuit: CircuitLike,
    n_inputs: int,
    *,
    encoding: str = "ry",
    readout: str = "z",
    n_qubits: int | None = None,
    n_layers: int = 2,
    weight_shapes: Mapping[str, Any] | None = None,
) -> int:
    """How many values a circuit measures: the channels that each filter of a layer gives.

    Examples:
        >>> measured_values("strongly_entangling", n_inputs=4)
        4
    """
    circuit, weight_shapes, *_ = brought(circuit, weight_shapes)
    made = make_circuits(
        circuit if isinstance(circuit, str | Circuit) or callable(circuit) else circuit[:1],
        n_inputs,
        lambda _: (1, 1),
        encoding=encoding,
        readout=readout,
        n_qubits=n_qubits,
        n_layers=n_layers,
        weight_shapes=weight_shapes,
        generator=torch.Generator("cpu").manual_seed(0),
    )
    return made.circuits[0].n_outputs


DESCRIBED = tuple(inspect.signature(measured_values).parameters.keys() - {"n_inputs"})
"""The options of a layer that describe the circuit of its filters."""


def _checked(
    circuits: tuple[Circuit, ...], n_inputs: int, n_qubits: int | None, count: Callable[[int], tuple[int, int]]
) -> tuple[Circuit, ...]:
    if not all(isinstance(circuit, Circuit) for circuit in circuits):
        raise QuanvolveError("`circuit` must be one Circuit or a sequence of them, got other things in the sequence")
    shape = count(circuits[0].n_outputs)
    check_weights(shape, dict(circuits[0].weight_shapes), False)
    rows = math.prod(shape)
    if len(circuits) not in (1, rows):
        raise QuanvolveError(
            f"`circuit` has {len(circuits)} circuits, expected one for all filters or {rows} (one for each filter "
            "and input channel that it reads)"
        )
    for circuit in circuits:
        if circuit.n_inputs != n_inputs:
            raise QuanvolveError(
                f"the circuit reads {circuit.n_inputs} inputs, but a window has {n_inputs}: choose `kernel_size` and "
                "`channel_mixing` so that they agree"
            )
        if n_qubits not in (None, circuit.n_wires):
            raise QuanvolveError(f"`n_qubits` (={n_qubits}) differs from the circuit's {circuit.n_wires} qubits")
    return circuits


def _distinct(make: Callable[[int], Circuit], rows: int, generator: torch.Generator | None) -> tuple[Circuit, ...]:
    """Draw structures until all differ; the few possible ones of tiny windows may have to repeat."""
    circuits: list[Circuit] = []
    known: set[Circuit] = set()
    for _ in range(rows):
        for _ in range(_ATTEMPTS):
            with unset_fake_temporarily():  # a structure is no tensor, and so none of those without numbers
                seed = int(torch.randint(2**31 - 1, (), generator=generator, device="cpu"))
            circuit = make(seed)
            if circuit not in known:
                break
        circuits.append(circuit)
        known.add(circuit)
    return tuple(circuits)


def spread_of(init: str, circuit: Circuit, shape: tuple[int, ...]) -> float | None:
    """The standard deviation in radians of normally distributed first weights; None where they are uniform.

    Args:
        init: "uniform"; "small" (Zhang et al., arXiv:2203.09376 (2022), theorem 4.1, for observables on one qubit); or
            "auto", which is one of them by the number of qubits.
        circuit: whose weights they are.
        shape: of the weight in the circuit, layers first.

    Raises:
        QuanvolveError: if there is no such way.
    """
    if init not in INITS:
        raise QuanvolveError(f"`init` (={init!r}) must be one of {', '.join(map(repr, INITS))}")
    if init == "uniform" or (init == "auto" and circuit.n_wires <= _WIDE):
        return None
    return 0.5 / math.sqrt((shape[0] if len(shape) > 1 else 1) + 2)


def draw_weights(
    shape: tuple[int, ...],
    generator: torch.Generator | None,
    device: Any,
    dtype: torch.dtype | None,
    spread: float | None = None,
) -> Tensor:
    """Angles uniform in [0, 2 pi), as `qp.qnn.TorchLayer` draws them; the same on every device for one seed.

    Args:
        spread: standard deviation of normally distributed angles, in place of uniform ones.
    """
    target = torch.device(device) if device is not None else torch.get_default_device()
    if target.type == "meta":
        return torch.empty(shape, device="meta", dtype=dtype)
    if spread is None:
        numbers = 2 * math.pi * torch.rand(shape, generator=generator, device="cpu", dtype=torch.float64)
    else:
        numbers = spread * torch.randn(shape, generator=generator, device="cpu", dtype=torch.float64)
    return numbers.to(device=target, dtype=dtype or torch.get_default_dtype())


def given_weights(given: Any, shapes: Mapping[str, tuple[int, ...]], rows: tuple[int, int]) -> dict[str, Tensor]:
    """Weights given by hand, one tensor for each name, as shape (filters, channels, *shape).

    Raises:
        QuanvolveError: if a name is missing or unknown, or a shape does not fit.
    """
    if not isinstance(given, Mapping):
        if len(shapes) != 1:
            raise QuanvolveError(
                f"the circuit has the weights {list(shapes)}: give `weights` as a mapping from these names to arrays"
            )
        given = {next(iter(shapes)): given}
    if set(given) != set(shapes):
        raise QuanvolveError(f"`weights` has the names {sorted(given)}, the circuit has {sorted(shapes)}")
    tensors = {}
    for name, value in given.items():
        if isinstance(value, Tensor):
            check_plain(value, f"weight {name!r}")
        tensor = (
            value.detach().clone() if isinstance(value, Tensor) else torch.from_numpy(np.array(value, float)).clone()
        )
        full = (*rows, *shapes[name])
        if tuple(tensor.shape) == shapes[name] and rows == (1, 1):
            tensor = tensor.reshape(full)
        if tuple(tensor.shape) != full:
            raise QuanvolveError(
                f"weight {name!r} has shape {tuple(tensor.shape)}, expected {full}: filters, input channels a "
                f"filter reads, then the circuit's own {shapes[name]}"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise QuanvolveError(f"weight {name!r} has values that are not finite")
        tensors[name] = tensor
    return tensors
