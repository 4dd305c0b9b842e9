"""A circuit with numbers for its weights, and the pixels as named parameters: what other programs take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import PROGRAM, Angle, Circuit, Preparation, factor_text, value_texts

Floats = npt.NDArray[np.float64]
RESET = "RESET"
"""The name of what takes a qubit back to the state 0, in circuits that use qubits again."""


@dataclass(frozen=True)
class BoundGate:
    """A gate whose angle in radians, where it has one, is ``offset + sum(factor * parameter)``.

    Args:
        name: from the vocabulary :data:`~quanvolve.circuits.GATES`, or "RESET".
        wires: one or two.
        offset: None for gates without an angle.
        terms: pairs of the name of a parameter and its factor.
    """

    name: str
    wires: tuple[int, ...]
    offset: float | None = None
    terms: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Bound:
    """A circuit without weights.

    Attributes:
        circuit: what it was.
        gates: in order; those of a preparation come first, and noise channels are left out.
        parameters: name and meaning of each number that a window supplies: x0, x1, ... are pixels, b0, ... their bits
            where the circuit reads these, v0, ... functions of the window, and p0, ... angles that prepare amplitudes.
        scales: that pixels are multiplied with.
        first: number of the first pixel.
        weights: by name.
    """

    circuit: Circuit
    gates: tuple[BoundGate, ...]
    parameters: tuple[tuple[str, str], ...]
    scales: tuple[float, ...]
    first: int
    weights: Mapping[str, Any]

    @property
    def n_channels_left_out(self) -> int:
        """How many noise channels the circuit has: those stand for a device, which has its own."""
        return sum(gate.transfer is not None for gate in self.circuit.gates)

    def values(self, window: Any) -> dict[str, float]:
        """The parameters for one window.

        Args:
            window: pixels, shape (inputs,).

        Raises:
            QuanvolveError: if it has another number of pixels.
        """
        pixels = np.asarray(window, dtype=np.float64).reshape(-1)
        if len(pixels) != self.circuit.n_inputs:
            raise QuanvolveError(f"`window` has {len(pixels)} pixels, the circuit reads {self.circuit.n_inputs}")
        inputs = pixels * self.scales
        if self.circuit.threshold is not None:
            inputs = (inputs > self.circuit.threshold).astype(np.float64)
        letter = "x" if self.circuit.threshold is None else "b"
        read = pixels if self.circuit.threshold is None else inputs
        values = {f"{letter}{self.first + k}": float(value) for k, value in enumerate(read)}
        extended = inputs
        if self.circuit.program is not None:
            derived = _run(self.circuit, self.weights, inputs)
            values |= {f"v{k}": float(value) for k, value in enumerate(derived)}
            extended = np.concatenate([inputs, derived])
        if self.circuit.preparation is not None:
            angles = _tree(self.circuit.preparation, extended)
            values |= {f"p{k}": float(angle) for k, angle in enumerate(angles)}
        return {name: values[name] for name, _ in self.parameters}


def bind(
    circuit: Circuit,
    weights: Mapping[str, Any],
    scale: float | Sequence[float] = 1.0,
    *,
    first: int = 0,
) -> Bound:
    """Put numbers in place of a circuit's weights.

    Args:
        circuit: a description.
        weights: by name, each of the circuit's own shape; arrays or tensors.
        scale: what pixels are multiplied with to become inputs, one for all or one for each.
        first: the number of the first pixel, for the names of the parameters.

    Raises:
        QuanvolveError: if weights or scales do not fit the circuit.

    References:
        Moettoenen et al., Quantum Inf. Comput. 5, 467 (2005), equations 3 and 5, for the preparation of amplitudes.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> bound = bind(named_circuit("basic_entangler", 2, n_layers=1), {"weights": [[0.5, 1.5]]}, scale=2.0)
        >>> bound.gates[0], bound.gates[2]
        (BoundGate(name='RY', wires=(0,), offset=0.0, terms=(('x0', 2.0),)),
         BoundGate(name='RX', wires=(0,), offset=0.5, terms=()))
        >>> bound.values([0.1, 0.2])
        {'x0': 0.1, 'x1': 0.2}
    """
    scales = tuple(float(s) for s in (scale if isinstance(scale, Sequence) else [scale] * circuit.n_inputs))
    if len(scales) != circuit.n_inputs:
        raise QuanvolveError(f"`scale` has {len(scales)} numbers, the circuit reads {circuit.n_inputs} inputs")
    arrays = {name: _array(name, shape, weights) for name, shape in circuit.weight_shapes}
    constants = _run(circuit, arrays, np.zeros(circuit.n_inputs)) if circuit.program is not None else np.zeros(0)
    binary = circuit.threshold is not None

    def named(index: int) -> tuple[str, float]:
        if index >= circuit.n_inputs:
            return f"v{index - circuit.n_inputs}", 1.0
        return (f"b{first + index}", 1.0) if binary else (f"x{first + index}", scales[index])

    def affine(angle: Angle) -> tuple[float, tuple[tuple[str, float], ...]]:
        offset = angle.offset
        for name, index, factor in angle.weights:
            offset += factor * float(constants[index] if name == PROGRAM else arrays[name].reshape(-1)[index])
        terms = []
        for index, factor in angle.inputs:
            name, scaled = named(index)
            terms.append((name, factor * scaled))
        return offset, tuple(terms)

    gates = [] if circuit.preparation is None else _preparing(circuit.preparation)
    for gate in circuit.gates:
        if gate.transfer is None:
            gates.append(BoundGate(gate.name, gate.wires, *(affine(gate.angle) if gate.angle is not None else ())))
    read = dict.fromkeys(name for gate in gates for name, _ in gate.terms)
    meanings = _meanings(circuit, arrays, scales, first)
    parameters = tuple((name, meaning) for name, meaning in meanings.items() if name in read)
    return Bound(circuit, tuple(gates), parameters, scales, first, arrays)


def _array(name: str, shape: tuple[int, ...], weights: Mapping[str, Any]) -> Floats:
    if name not in weights:
        raise QuanvolveError(f"`weights` has the names {sorted(weights)}, the circuit needs {name!r}")
    value = weights[name]
    array = np.asarray(value.detach().cpu().clone() if hasattr(value, "detach") else value, dtype=np.float64)
    if array.size != math.prod(shape):
        raise QuanvolveError(f"weight {name!r} has shape {array.shape}, the circuit's own is {shape}")
    return array.reshape(shape)


def _run(circuit: Circuit, arrays: Mapping[str, Floats], inputs: Floats) -> Floats:
    """All values of the program."""
    assert circuit.program is not None
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    which = tuple(range(len(circuit.program.values)))
    return np.asarray(circuit.program.run(torch.from_numpy(np.array(inputs)), tensors, which).numpy())


def _meanings(circuit: Circuit, arrays: Mapping[str, Floats], scales: Sequence[float], first: int) -> dict[str, str]:
    """What each parameter is, in words."""
    meanings = {}
    for k, scale in enumerate(scales):
        if circuit.threshold is None:
            meanings[f"x{first + k}"] = f"pixel {first + k} of the window"
        else:
            meanings[f"b{first + k}"] = f"1 if {scale:.17g} * pixel {first + k} > {circuit.threshold:.17g}, else 0"
    if circuit.program is not None:
        inputs = [f"{factor_text(scale)}x{first + k}" for k, scale in enumerate(scales)]
        texts = {name: np.vectorize(lambda w: f"{w:.6g}", otypes=[object])(array) for name, array in arrays.items()}
        for k, text in enumerate(value_texts(circuit.program, inputs, texts)):
            meanings[f"v{k}"] = text
    if circuit.preparation is not None:
        for k in range(2 ** len(circuit.preparation.wires) - 1):
            meanings[f"p{k}"] = f"angle {k} of the tree that prepares the window's amplitudes"
    return meanings


def _tree(preparation: Preparation, values: Floats) -> Floats:
    """The angles of the rotations that split amplitudes into halves, from the first wire on."""
    amplitudes = np.zeros(2 ** len(preparation.wires))
    amplitudes[: len(preparation.values)] = values[list(preparation.values)]
    levels: list[Floats] = []
    rest = amplitudes
    while len(rest) > 1:
        pairs = rest.reshape(-1, 2)
        levels.append(2 * np.arctan2(pairs[:, 1], pairs[:, 0]))
        rest = np.hypot(pairs[:, 0], pairs[:, 1])
    return np.concatenate(levels[::-1])


def _preparing(preparation: Preparation) -> list[BoundGate]:
    """Rotations of each wire under control of all wires before it, in RY and CNOT."""
    gates: list[BoundGate] = []
    wires = preparation.wires
    for level, target in enumerate(wires):
        count = 2**level
        names = [f"p{count - 1 + j}" for j in range(count)]
        for i in range(count):
            code = i ^ (i >> 1)
            terms = tuple((name, (-1.0) ** (j & code).bit_count() / count) for j, name in enumerate(names))
            gates.append(BoundGate("RY", (target,), 0.0, terms))
            if level:
                following = (i + 1) % count
                changed = (code ^ following ^ (following >> 1)).bit_length() - 1
                gates.append(BoundGate("CNOT", (wires[level - 1 - changed], target)))
    return gates
