"""What the blocks of a coherent tree run: circuits with weights on the qubits of a window, and no inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import (
    ANSATZE,
    BLOCKS,
    ENCODINGS,
    Angle,
    Circuit,
    Gate,
    captured,
    list_circuits,
    named_block,
)
from quanvolve.nn._brought import brought
from quanvolve.nn._tree_readout import kept_words

BlockLike = str | Circuit | Callable[..., Any]
SU4 = "su4"
MOST_QUBITS = 9
"""Of a block: its map has 4^n numbers for each word that it keeps."""
MOST_KEPT = 3
SU4_WEIGHTS = 9
INTERACTIONS = slice(6, 9)
"""Those of the weights of "su4" that are interactions."""


@dataclass(frozen=True)
class TreeBlock:
    """What all blocks of a level run.

    Args:
        circuit: on the qubits of a window, without inputs; it measures all words of the qubits that it keeps.
        name: of the block.
        values: first weights that a function brings with it.
    """

    circuit: Circuit
    name: str
    values: Mapping[str, Tensor] = field(default_factory=dict)


def block_names() -> tuple[str, ...]:
    """The names that a tree's `block=` takes.

    Examples:
        >>> block_names()[:3]
        ('su4', 'u_ttn', 'u_5')
    """
    return (*BLOCKS, *list_circuits())


def make_block(
    block: BlockLike,
    n_qubits: int,
    keep: int,
    *,
    last: bool,
    n_layers: int,
    weight_shapes: Mapping[str, Any] | None,
    structure: int,
) -> TreeBlock:
    """The circuit of the blocks of a level.

    Args:
        block: a name, a function with the contract of `qp.qnn.TorchLayer` whose `inputs` and measurements are not
            used, or a description.
        n_qubits: of a window.
        keep: how many of them, the first ones, go on to the next level.
        last: whether it is the level that is read.
        n_layers: of a named circuit other than "su4".
        weight_shapes: of a function.
        structure: the seed of a random structure.

    Raises:
        QuanvolveError: if there is no such block, or it does not fit the window.
    """
    if isinstance(block, str):
        if block in BLOCKS:
            return TreeBlock(_pairs(block, n_qubits, keep, last), block)
        if block not in ANSATZE:
            raise QuanvolveError(f"`block` (={block!r}) must be one of {', '.join(map(repr, block_names()))}")
        whole = named_block(block, n_wires=n_qubits, n_layers=n_layers, seed=structure)
        return TreeBlock(replace(whole, observables=kept_words(keep)), block)
    plain, shapes, name, values = brought(block, weight_shapes)
    if isinstance(plain, Circuit):
        circuit = plain
    elif callable(plain):
        found = captured(plain, n_qubits, shapes, n_wires=n_qubits)
        circuit, values = found.circuit, {**found.values, **values}
    else:
        raise QuanvolveError(
            f"`block` (={block!r}) must be a name ({', '.join(map(repr, block_names()))}), a function of PennyLane, a "
            "QuantumCircuit of Qiskit, OpenQASM or a Circuit"
        )
    return TreeBlock(_without_inputs(circuit, n_qubits, keep, name), name, values)


def _without_inputs(circuit: Circuit, n_qubits: int, keep: int, name: str) -> Circuit:
    if circuit.n_wires < n_qubits:
        raise QuanvolveError(
            f"the block {name!r} has {circuit.n_wires} qubits, but a window has {n_qubits}: choose `window`, `keep` "
            "and the number of channels so that they agree, or give `block` one circuit for each level"
        )
    if circuit.inputs_read() or circuit.preparation is not None:
        raise QuanvolveError(
            f"the block {name!r} reads inputs, but its qubits come from the level before, and the first level has "
            "`encoding` for images: use weights only"
        )
    if circuit.noisy:
        raise QuanvolveError(f"the block {name!r} has noise channels of its own: give `noise` to the layer instead")
    return replace(circuit, n_inputs=0, observables=kept_words(keep), threshold=None, counts=None, postprocessing=None)


def _pairs(name: str, n_qubits: int, keep: int, last: bool) -> Circuit:
    """A two-qubit block; on more than two qubits neighbours are joined one after the other, the first qubit at last.

    Of "su4" the rotations behind the interactions are left out: those of a qubit that is kept are part of the next
    block, and on the others they do nothing. The last level has them.
    """
    entry = BLOCKS[name]
    if n_qubits < entry.n_qubits:
        raise QuanvolveError(
            f"the block {name!r} acts on {entry.n_qubits} qubits, but a window has {n_qubits}: use a larger `window`"
        )
    count = SU4_WEIGHTS if name == SU4 else entry.n_weights
    gates: list[Gate] = []
    for pair in reversed(range(n_qubits - 1)):
        numbers = np.arange(entry.n_weights) + pair * count
        of_pair = list(entry.gates(numbers, (pair, pair + 1)))
        gates += of_pair[:-6] if name == SU4 else of_pair
    shapes: list[tuple[str, tuple[int, ...]]] = [("weights", (n_qubits - 1, count))]
    if name == SU4 and last:
        shapes.append(("turns", (keep, 3)))
        for wire in range(keep):
            for number, rotation in enumerate(("RZ", "RY", "RZ")):
                gates.append(Gate(rotation, (wire,), Angle(0.0, (), (("turns", 3 * wire + number, 1.0),))))
    return Circuit(n_qubits, 0, tuple(gates), kept_words(keep), tuple(shapes))


def encoding_gates(encoding: Any, channels: int) -> tuple[int, tuple[Gate, ...], Circuit]:
    """How the values of one pixel become qubits: their number, the gates, and a circuit that has the same encoding.

    Args:
        encoding: a name of a product encoding, a function with the contract of `qp.qnn.TorchLayer` that has no weights,
            or a description; what it measures is not used.
        channels: values of a pixel.

    Raises:
        QuanvolveError: if it is no product encoding.
    """
    if isinstance(encoding, str):
        names = [name for name, entry in ENCODINGS.items() if not entry.repeats and "polynomial" in entry.plans]
        if encoding not in names:
            raise QuanvolveError(
                f"`encoding` (={encoding!r}) must make a product of one-qubit states, as {', '.join(map(repr, names))} "
                "do, or be a function or Circuit that does"
            )
        entry = ENCODINGS[encoding]
        n_qubits = entry.usual(channels)
        gates = tuple(entry.gates(channels, n_qubits))
        circuit = Circuit(n_qubits, channels, gates, kept_words(1), threshold=entry.threshold)
        return n_qubits, gates, circuit
    plain, _, name, values = brought(encoding, None)
    if callable(plain) and not isinstance(plain, Circuit):
        found = captured(plain, channels)
        plain, values = found.circuit, found.values
    if not isinstance(plain, Circuit):
        raise QuanvolveError(f"`encoding` (={encoding!r}) must be a name, a function of PennyLane or a Circuit")
    if plain.n_inputs != channels or plain.weight_shapes or values:
        raise QuanvolveError(
            f"the encoding {name!r} reads {plain.n_inputs} values and has the weights "
            f"{[weight for weight, _ in plain.weight_shapes]}, expected one that reads the {channels} channel(s) of a "
            "pixel and has no weights"
        )
    if plain.preparation is not None or plain.program is not None or any(len(gate.wires) > 1 for gate in plain.gates):
        raise QuanvolveError(
            f"the encoding {name!r} must make a product of one-qubit states with angles that are sums of the channels' "
            "multiples: use rotations of single qubits"
        )
    return plain.n_wires, plain.gates, plain


def encoded(block: Circuit, encoding: Circuit, pixels: int) -> Circuit:
    """The circuit of the first level: all pixels of a window are encoded, then the block acts.

    Input ``p * channels + c`` is channel c of pixel p, whose qubits are next to each other.
    """
    gates: list[Gate] = []
    for pixel in range(pixels):
        for gate in encoding.gates:
            angle = gate.angle
            if angle is not None:
                moved = tuple((index + pixel * encoding.n_inputs, factor) for index, factor in angle.inputs)
                angle = replace(angle, inputs=moved)
            wires = tuple(wire + pixel * encoding.n_wires for wire in gate.wires)
            gates.append(replace(gate, wires=wires, angle=angle))
    return replace(
        block,
        n_inputs=pixels * encoding.n_inputs,
        gates=(*gates, *block.gates),
        threshold=encoding.threshold,
    )


def check_width(n_qubits: int, n_wires: int, keep: int, number: int) -> None:
    """Raise unless a block of a level can have so many qubits and keep so many of them."""
    if n_wires > MOST_QUBITS:
        raise QuanvolveError(
            f"the blocks of level {number} have {n_wires} qubits, at most {MOST_QUBITS} are possible: use a smaller "
            "`window` or `keep`, or fewer channels"
        )
    if keep > n_qubits:
        raise QuanvolveError(
            f"`keep` (={keep}) must be at most {n_qubits}, the qubits of a block of level {number}: use a larger "
            "`window`"
        )
