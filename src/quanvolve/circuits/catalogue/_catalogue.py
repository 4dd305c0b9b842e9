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
from quanvolve.circuits.catalogue._ansatze import ANSATZE
from quanvolve.circuits.catalogue._encodings import ENCODINGS
from quanvolve.circuits.catalogue._parts import WEIGHTS, Layer
from quanvolve.circuits.catalogue._readouts import READOUTS
from quanvolve.circuits.description import Circuit

_Entry = TypeVar("_Entry")


def list_circuits() -> tuple[str, ...]:
    """The names that a layer's `circuit=` takes.

    Examples:
        >>> list_circuits()
        ('random', 'basic_entangler', 'strongly_entangling', 'hardware_efficient', 'brickwork', 'grid',
        'identity_blocks', 'qcnn', 'none')
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
        n_layers: layers of the ansatz (levels of "qcnn"); with "reupload" each uploads the window again.
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
    look_up(ANSATZE, "circuit", circuit)
    look_up(ENCODINGS, "encoding", encoding)
    look_up(READOUTS, "readout", readout)
    for argument, value in (("n_layers", n_layers), ("n_inputs", n_inputs), ("n_qubits", n_wires)):
        if value is None and argument == "n_qubits":
            continue
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise QuanvolveError(f"`{argument}` (={value!r}) must be a whole number of at least 1")
    entry = ENCODINGS[encoding]
    wires = entry.usual(int(n_inputs)) if n_wires is None else int(n_wires)
    least = entry.least(int(n_inputs))
    if wires < least:
        others = [name for name, other in ENCODINGS.items() if other.least(int(n_inputs)) <= wires]
        raise QuanvolveError(
            f"`n_qubits` (={wires}) must be at least {least}, which the {encoding!r} encoding needs for the {n_inputs} "
            f"values in a window; use `n_qubits={least}`, a smaller `kernel_size`, or an encoding that needs fewer: "
            f"{', '.join(map(repr, others))}"
        )
    if entry.repeats and not ANSATZE[circuit].layered:
        layered = ", ".join(repr(name) for name, other in ANSATZE.items() if other.layered)
        raise QuanvolveError(
            f"the {encoding!r} encoding uploads the window before each layer of all qubits, which {circuit!r} does not "
            f"have: use one of {layered}"
        )
    row = wires
    if ANSATZE[circuit].local and columns is not None and wires == n_inputs and wires % columns == 0:
        row = columns
    structure = int(seed) if ANSATZE[circuit].random_structure else 0
    if structure < 0:
        raise QuanvolveError(f"`seed` (={seed}) must be a whole number of at least 0")
    return _build(circuit, encoding, readout, int(n_inputs), wires, int(n_layers), structure, row)


@lru_cache(maxsize=4096)
def _build(
    circuit: str, encoding: str, readout: str, n_inputs: int, wires: int, n_layers: int, seed: int, columns: int
) -> Circuit:
    ansatz, entry, measured = ANSATZE[circuit], ENCODINGS[encoding], READOUTS[readout]
    shape = ansatz.shape(n_layers, wires)
    numbers = np.arange(prod(shape)).reshape(shape)
    upload = tuple(entry.gates(n_inputs, wires))
    gates = list(upload)
    rng = np.random.default_rng(seed)
    for number in range(n_layers):
        if number and entry.repeats:
            gates += upload
            rng = np.random.default_rng(seed + number)
        gates += ansatz.gates(Layer(number, n_layers, wires, columns, numbers, rng))
    return Circuit(
        n_wires=wires,
        n_inputs=n_inputs,
        gates=tuple(gates),
        observables=tuple(measured.observables(wires)),
        weight_shapes=((WEIGHTS, shape),),
        threshold=entry.threshold,
        program=None if entry.program is None else entry.program(n_inputs),
        preparation=None if entry.preparation is None else entry.preparation(n_inputs),
        counts=measured.counts,
    )


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
