"""The named circuits: an encoding, an ansatz and a readout, each one entry, put together.

To add one, add an entry to its table (`_encodings`, `_ansatze`, `_readouts`); the layer, the estimators and the command
line find it by its name.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.catalogue._ansatz import Ansatz
from quanvolve.circuits.catalogue._ansatze import ANSATZE
from quanvolve.circuits.catalogue._blocks import BLOCKS, Block
from quanvolve.circuits.catalogue._encodings import ENCODINGS
from quanvolve.circuits.catalogue._parts import WEIGHTS, Layer
from quanvolve.circuits.catalogue._qcnn import POOLINGS, most_levels, qcnn_ansatz
from quanvolve.circuits.catalogue._readouts import READOUTS
from quanvolve.circuits.description import Circuit, Gate, Observable

_Entry = TypeVar("_Entry")


def list_circuits() -> tuple[str, ...]:
    """The names that a layer's `circuit=` takes.

    Examples:
        >>> list_circuits()
        ('random', 'basic_entangler', 'strongly_entangling', 'hardware_efficient', 'brickwork', 'grid',
        'identity_blocks', 'qcnn', 'qcnn_su4', 'qcnn_u_ttn', 'qcnn_u_5', 'qcnn_u_6', 'qcnn_u_9', 'qcnn_u_13',
        'qcnn_u_14', 'qcnn_u_15', 'qcnn_u_so4', 'qcnn_u_su4', 'qcnn_pennylane_mps', 'qcnn_pennylane_ttn',
        'qcnn_pennylane_qcnn', 'qcnn_u_su4_no_pooling', 'qcnn_su4_feed_forward', 'none')
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
    columns: int | None = None,
) -> Circuit:
    """A circuit of the catalogue: encoding, then ansatz, then readout.

    Args:
        circuit: the ansatz, one of :func:`list_circuits`.
        n_inputs: values in a window.
        encoding: one of `ENCODINGS`. Inputs are angles in radians.
        readout: one of `READOUTS`.
        n_wires: number of qubits; further ones than the encoding needs are ancillas that start in state 0. If not
            given, what the encoding needs: one for each input, half as many with "dense", log2 with "amplitude".
        n_layers: layers of the ansatz, levels of a QCNN; with "reupload" each uploads the window again.
        seed: the structure seed of a random ansatz; others have only one structure.
        columns: pixels in a row of the window, for ansatze that couple neighbours; if not given, or if qubits are not
            pixels, all are in one row.

    Returns:
        The description, with its weights under the name ``"weights"``.

    Raises:
        QuanvolveError: for an unknown name or numbers that do not fit, naming the valid values.

    Examples:
        >>> circuit = named_circuit("strongly_entangling", 4, n_layers=2)
        >>> circuit.weight_shapes, circuit.n_outputs
        ((('weights', (2, 4, 3)),), 4)
    """
    ansatz = look_up(ANSATZE, "circuit", circuit)
    return _checked(ansatz, repr(circuit), n_inputs, encoding, readout, n_wires, n_layers, seed, columns)


def qcnn_circuit(
    block: str = "su4",
    n_inputs: int = 8,
    *,
    pooling: str = "zx",
    ring: bool = True,
    encoding: str = "ry",
    readout: str = "z",
    n_wires: int | None = None,
    n_levels: int | None = None,
) -> Circuit:
    """A quantum convolutional network of any block and pooling: :func:`named_circuit` has names for the usual ones.

    On each level the block acts on all neighbouring qubits, with the same weights; then every second qubit leaves the
    network. Of an odd number the last one stays. Of the last two the second one stays, as in the paper's program.

    Args:
        block: one of `BLOCKS`, the convolution.
        n_inputs: values in a window.
        pooling: one of `POOLINGS`; of a measured qubit nothing but the decision over its neighbour is kept.
        ring: whether the last and the first qubit are neighbours, too.
        encoding: one of `ENCODINGS`.
        readout: one of `READOUTS`, of the qubits that are left.
        n_wires: number of qubits; if not given, what the encoding needs.
        n_levels: how often the qubits are halved; if not given, until one is left.

    Returns:
        The description. Its weights have the shape (levels, weights of block and pooling).

    Raises:
        QuanvolveError: for an unknown name or numbers that do not fit, naming the valid values.

    References:
        Hur, Kim and Park, "Quantum convolutional neural network for classical data classification", Quantum Machine
        Intelligence 4, 3 (2022), arXiv:2108.00661, figures 1 and 2.

    Examples:
        >>> circuit = qcnn_circuit("u_so4", 16, pooling="feed_forward", encoding="dense")
        >>> circuit.n_wires, circuit.weight_shapes, circuit.observables[0].terms
        (8, (('weights', (3, 9)),), ((1.0, ((4, 'Z'),)),))
    """
    look_up(BLOCKS, "block", block)
    look_up(POOLINGS, "pooling", pooling)
    wires = n_wires if n_wires is not None else look_up(ENCODINGS, "encoding", encoding).usual(max(1, int(n_inputs)))
    levels = max(1, most_levels(int(wires))) if n_levels is None else n_levels
    ansatz = qcnn_ansatz(block, pooling, bool(ring), name="a QCNN")
    return _checked(ansatz, "a QCNN", n_inputs, encoding, readout, n_wires, levels, 0, None)


def named_block(name: str = "su4", n_wires: int = 2, *, n_layers: int = 1, seed: int = 42) -> Circuit:
    """A circuit without an encoding, as coherent networks put it on the qubits of their windows.

    Args:
        name: one of `BLOCKS`, on two qubits, or one of :func:`list_circuits`.
        n_wires: number of qubits; 2 for one of `BLOCKS`.
        n_layers: layers of an ansatz; 1 for one of `BLOCKS`.
        seed: the structure seed of a random ansatz.

    Returns:
        A circuit with no inputs, whose weights are called ``"weights"``: of one of `BLOCKS` the shape is (n,). It
        measures Z on each qubit; who puts it into a network reads its gates alone.

    Raises:
        QuanvolveError: for an unknown name or numbers that do not fit.

    Examples:
        >>> block = named_block("u_so4")
        >>> block.n_wires, block.n_inputs, block.weight_shapes
        (2, 0, (('weights', (6,)),))
        >>> named_block("strongly_entangling", 3, n_layers=2).weight_shapes
        (('weights', (2, 3, 3)),)
    """
    entries: dict[str, Block | Ansatz] = {**BLOCKS, **ANSATZE}
    entry = look_up(entries, "block", name)
    _check_whole(n_qubits=n_wires, n_layers=n_layers)
    if isinstance(entry, Ansatz):
        gates, shape = _weighed(entry, n_wires, n_layers, seed, n_wires, ())
    else:
        if (n_wires, n_layers) != (entry.n_qubits, 1):
            raise QuanvolveError(
                f"the block {name!r} is one layer on {entry.n_qubits} qubits, got `n_qubits` (={n_wires}) and "
                f"`n_layers` (={n_layers}): leave them out, or use an ansatz such as 'strongly_entangling'"
            )
        shape = (entry.n_weights,)
        gates = tuple(entry.gates(np.arange(entry.n_weights), (0, 1)))
    measured = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(n_wires))
    return Circuit(int(n_wires), 0, gates, measured, ((WEIGHTS, shape),))


def _check_whole(**values: object) -> None:
    for argument, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise QuanvolveError(f"`{argument}` (={value!r}) must be a whole number of at least 1")


def _checked(
    ansatz: Ansatz,
    called: str,
    n_inputs: int,
    encoding: str,
    readout: str,
    n_wires: int | None,
    n_layers: int,
    seed: int,
    columns: int | None,
) -> Circuit:
    """The circuit with this ansatz, if its parts fit."""
    entry, measured = look_up(ENCODINGS, "encoding", encoding), look_up(READOUTS, "readout", readout)
    _check_whole(n_layers=n_layers, n_inputs=n_inputs, **({} if n_wires is None else {"n_qubits": n_wires}))
    wires = entry.usual(int(n_inputs)) if n_wires is None else int(n_wires)
    least = entry.least(int(n_inputs))
    if wires < least:
        others = [name for name, other in ENCODINGS.items() if other.least(int(n_inputs)) <= wires]
        raise QuanvolveError(
            f"`n_qubits` (={wires}) must be at least {least}, which the {encoding!r} encoding needs for the {n_inputs} "
            f"values in a window; use `n_qubits={least}`, a smaller `kernel_size`, or an encoding that needs fewer: "
            f"{', '.join(map(repr, others))}"
        )
    if entry.repeats and not ansatz.layered:
        layered = ", ".join(repr(name) for name, other in ANSATZE.items() if other.layered)
        raise QuanvolveError(
            f"the {encoding!r} encoding uploads the window before each layer of all qubits, which {called} does not "
            f"have: use one of {layered}"
        )
    if measured.counts is not None and ansatz.remaining is not None:
        raise QuanvolveError(
            f"the readout {readout!r} counts the ones of all qubits, and {called} measures only those that are left: "
            "use readout='popcount_expected', 'z' or 'probs'"
        )
    row = wires
    if ansatz.local and columns is not None and wires == n_inputs and wires % columns == 0:
        row = columns
    structure = int(seed) if ansatz.random_structure else 0
    if structure < 0:
        raise QuanvolveError(f"`seed` (={seed}) must be a whole number of at least 0")
    return _build(ansatz, encoding, readout, int(n_inputs), wires, int(n_layers), structure, row)


@lru_cache(maxsize=4096)
def _build(
    ansatz: Ansatz, encoding: str, readout: str, n_inputs: int, wires: int, n_layers: int, seed: int, columns: int
) -> Circuit:
    entry, measured = ENCODINGS[encoding], READOUTS[readout]
    upload = tuple(entry.gates(n_inputs, wires))
    gates, shape = _weighed(ansatz, wires, n_layers, seed, columns, upload if entry.repeats else ())
    remaining = range(wires) if ansatz.remaining is None else ansatz.remaining(n_layers, wires)
    return Circuit(
        n_wires=wires,
        n_inputs=n_inputs,
        gates=upload + gates,
        observables=tuple(measured.observables(remaining)),
        weight_shapes=((WEIGHTS, shape),),
        threshold=entry.threshold,
        program=None if entry.program is None else entry.program(n_inputs),
        preparation=None if entry.preparation is None else entry.preparation(n_inputs),
        counts=measured.counts,
    )


def _weighed(
    ansatz: Ansatz, wires: int, n_layers: int, seed: int, columns: int, between: tuple[Gate, ...]
) -> tuple[tuple[Gate, ...], tuple[int, ...]]:
    """The gates of an ansatz, with others between its layers, and the shape of its weights."""
    shape = ansatz.shape(n_layers, wires)
    numbers = np.arange(prod(shape)).reshape(shape)
    gates: list[Gate] = []
    rng = np.random.default_rng(seed)
    for number in range(n_layers):
        if number and between:
            gates += between
            rng = np.random.default_rng(seed + number)
        gates += ansatz.gates(Layer(number, n_layers, wires, columns, numbers, rng))
    return tuple(gates), shape


def plans_for(circuit: str, encoding: str, readout: str) -> tuple[str, ...]:
    """The names of the plans that can run a combination of entries.

    Examples:
        >>> plans_for("strongly_entangling", "ry", "z")
        ('polynomial', 'tensor_train', 'statevector')
    """
    tables: tuple[tuple[Mapping[str, Any], str], ...] = (
        (ENCODINGS, encoding),
        (ANSATZE, circuit),
        (READOUTS, readout),
    )
    first, *others = (table[name].plans for table, name in tables)
    return tuple(plan for plan in first if all(plan in other for other in others))


def look_up(table: Mapping[str, _Entry], argument: str, name: str) -> _Entry:
    """The entry of that name, or an error that names the argument and the valid names."""
    try:
        return table[name]
    except (KeyError, TypeError):
        near = difflib.get_close_matches(str(name), table, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise QuanvolveError(f"`{argument}` (={name!r}) must be one of {', '.join(map(repr, table))}{hint}") from None
