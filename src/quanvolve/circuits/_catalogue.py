"""The named circuits: an encoding, an ansatz and a readout, each one entry, put together and captured.

To add one, add an entry to its table here; the layer, the estimators and the command line find it by its name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import pi
from numbers import Integral
from typing import Any, TypeVar

from quanvolve._errors import QuanvolveError
from quanvolve.circuits._capture import capture
from quanvolve.circuits._description import Circuit

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Encoding:
    """How a window becomes a state: `apply(inputs, n_inputs)` queues PennyLane operations."""

    summary: str
    reference: str
    apply: Callable[[Any, int], None] = field(repr=False)
    threshold: float | None = None


@dataclass(frozen=True)
class Ansatz:
    """The weighted part: `apply(weights, n_wires, seed)` queues operations, `shape(n_layers, n_wires)` the weights."""

    summary: str
    reference: str
    apply: Callable[[Any, int, int], None] = field(repr=False)
    shape: Callable[[int, int], tuple[int, ...]] = field(repr=False)
    random_structure: bool = False


@dataclass(frozen=True)
class Readout:
    """What is measured: `measure(n_wires)` returns PennyLane measurements."""

    summary: str
    reference: str
    measure: Callable[[int], list[Any]] = field(repr=False)


def _angle_embedding(rotation: str) -> Callable[[Any, int], None]:
    def apply(inputs: Any, n_inputs: int) -> None:
        import pennylane as qp

        qp.AngleEmbedding(inputs, wires=range(n_inputs), rotation=rotation)

    return apply


def _threshold(inputs: Any, n_inputs: int) -> None:
    import pennylane as qp

    # The description replaces each input by its bit, so RX(pi * bit) flips the qubit of a bright pixel.
    qp.AngleEmbedding(pi * inputs, wires=range(n_inputs), rotation="X")


def _random_layers(weights: Any, n_wires: int, seed: int) -> None:
    import pennylane as qp

    qp.RandomLayers(weights, wires=range(n_wires), seed=seed)


def _basic_entangler(weights: Any, n_wires: int, seed: int) -> None:
    import pennylane as qp

    qp.BasicEntanglerLayers(weights, wires=range(n_wires))


def _strongly_entangling(weights: Any, n_wires: int, seed: int) -> None:
    import pennylane as qp

    qp.StronglyEntanglingLayers(weights, wires=range(n_wires))


def _all_z(n_wires: int) -> list[Any]:
    import pennylane as qp

    return [qp.expval(qp.Z(wire)) for wire in range(n_wires)]


ENCODINGS: dict[str, Encoding] = {
    "ry": Encoding(
        "RY(input) on one qubit for each input",
        "Mari, 'Quanvolutional Neural Networks', PennyLane demos (2020)",
        _angle_embedding("Y"),
    ),
    "rx": Encoding(
        "RX(input) on one qubit for each input",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.3",
        _angle_embedding("X"),
    ),
    "threshold": Encoding(
        "state 1 for an angle above pi/2 (a pixel above one half), state 0 otherwise",
        "Henderson et al., arXiv:1904.04767 (2019), section 3",
        _threshold,
        threshold=pi / 2,
    ),
}
ANSATZE: dict[str, Ansatz] = {
    "random": Ansatz(
        "random rotations and CNOTs (RandomLayers), another structure for every filter",
        "Henderson et al., arXiv:1904.04767 (2019), section 3",
        _random_layers,
        lambda n_layers, n_wires: (n_layers, n_wires),
        random_structure=True,
    ),
    "basic_entangler": Ansatz(
        "one RX a qubit, then a ring of CNOTs, per layer (BasicEntanglerLayers)",
        "PennyLane templates, 'BasicEntanglerLayers'",
        _basic_entangler,
        lambda n_layers, n_wires: (n_layers, n_wires),
    ),
    "strongly_entangling": Ansatz(
        "three rotations a qubit, then CNOTs of growing range, per layer (StronglyEntanglingLayers)",
        "Schuld et al., Phys. Rev. A 101, 032308 (2020), arXiv:1804.00633",
        _strongly_entangling,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
    ),
}
READOUTS: dict[str, Readout] = {
    "z": Readout(
        "the expectation value of Pauli Z on every qubit",
        "Mari, 'Quanvolutional Neural Networks', PennyLane demos (2020)",
        _all_z,
    ),
}


def list_circuits() -> tuple[str, ...]:
    """The names that a layer's `circuit=` takes.

    Examples:
        >>> list_circuits()
        ('random', 'basic_entangler', 'strongly_entangling')
    """
    return tuple(ANSATZE)


def named_circuit(
    circuit: str = "strongly_entangling",
    n_inputs: int = 4,
    *,
    encoding: str = "ry",
    readout: str = "z",
    n_wires: int | None = None,
    n_layers: int = 2,
    seed: int = 42,
) -> Circuit:
    """A circuit of the catalogue: encoding, then ansatz, then readout.

    Args:
        circuit: the ansatz, one of :func:`list_circuits`.
        n_inputs: values in a window; each is encoded on a qubit of its own.
        encoding: one of `ENCODINGS`. Inputs are angles in radians.
        readout: one of `READOUTS`.
        n_wires: number of qubits, `n_inputs` if not given; further ones start in state 0.
        n_layers: layers of the ansatz.
        seed: the structure seed of a random ansatz; others have only one structure.

    Returns:
        The description, with its weights under the name ``"weights"``.

    Raises:
        QuanvolveError: for an unknown name or numbers that do not fit, naming the valid values.

    Examples:
        >>> circuit = named_circuit("strongly_entangling", 4, n_layers=2)
        >>> circuit.weight_shapes, circuit.n_outputs
        ((('weights', (2, 4, 3)),), 4)
    """
    look_up(ANSATZE, "circuit", circuit)
    look_up(ENCODINGS, "encoding", encoding)
    look_up(READOUTS, "readout", readout)
    wires = n_inputs if n_wires is None else n_wires
    for argument, value in (("n_layers", n_layers), ("n_inputs", n_inputs), ("n_qubits", wires)):
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise QuanvolveError(f"`{argument}` (={value!r}) must be a whole number of at least 1")
    if wires < n_inputs:
        raise QuanvolveError(
            f"`n_qubits` (={wires}) must be at least {n_inputs}, the values in a window: the {encoding!r} encoding "
            f"puts each on a qubit of its own; use `n_qubits={n_inputs}` or a smaller `kernel_size`"
        )

    return _build(circuit, encoding, readout, int(n_inputs), int(wires), int(n_layers), int(seed))


@lru_cache(maxsize=4096)
def _build(circuit: str, encoding: str, readout: str, n_inputs: int, wires: int, n_layers: int, seed: int) -> Circuit:
    ansatz, entry, measured = ANSATZE[circuit], ENCODINGS[encoding], READOUTS[readout]

    def function(inputs: Any, weights: Any) -> list[Any]:
        entry.apply(inputs, n_inputs)
        ansatz.apply(weights, wires, seed)
        return measured.measure(wires)

    shapes = {"weights": ansatz.shape(n_layers, wires)}
    return capture(function, n_inputs, shapes, threshold=entry.threshold, n_wires=wires)


def look_up(table: dict[str, _Entry], argument: str, name: str) -> _Entry:
    """The entry of that name, or an error that names the argument and the valid names."""
    try:
        return table[name]
    except (KeyError, TypeError):
        near = difflib.get_close_matches(str(name), table, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise QuanvolveError(f"`{argument}` (={name!r}) must be one of {', '.join(map(repr, table))}{hint}") from None
