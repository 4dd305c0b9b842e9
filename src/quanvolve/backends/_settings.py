"""What one run of a circuit is: numbers for its angles, and how its observables are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import PROGRAM, Basis, Circuit

Floats = npt.NDArray[np.float64]
Weights = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Measured:
    """Measured values and their standard errors, both of shape (settings, outputs); errors are zero where exact."""

    values: Floats
    errors: Floats


def check_circuit(circuit: Circuit, where: str) -> None:
    """Raise unless a device can run the circuit.

    Raises:
        QuanvolveError: if it has channels of its own, counts bits, or has outputs other than expectation values.
    """
    if circuit.noisy:
        raise QuanvolveError(f"the circuit has noise channels; {where} has noise of its own: give the circuit without")
    if circuit.counts is not None:
        raise QuanvolveError(
            f"the circuit's output is the number of ones in a bit string ({circuit.counts}); {where} gives "
            "expectation values: use readout='popcount_expected'"
        )
    if circuit.postprocessing is not None:
        raise QuanvolveError(
            "the circuit's outputs are functions of its expectation values, such as variances, purities or sums with "
            f"trained coefficients; {where} gives expectation values and errors of these: run "
            "circuit.without_postprocessing() there, and compute the outputs of what it measures"
        )


def settings_of(circuit: Circuit, inputs: Floats) -> Floats:
    """The inputs of each setting, written in the same way wherever the circuit reads the same.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("none", 2, encoding="threshold")
        >>> settings_of(circuit, np.array([[0.1, 2.0], [0.2, 3.0]])) - circuit.threshold
        array([[-1.,  1.],
               [-1.,  1.]])
    """
    settings = np.ascontiguousarray(np.atleast_2d(np.asarray(inputs, float))) + 0.0  # -0.0 becomes 0.0
    if circuit.threshold is None:
        return settings
    return np.asarray(circuit.threshold + 2.0 * (settings > circuit.threshold) - 1.0, np.float64)


def angles_of(circuit: Circuit, weights: Weights, inputs: Floats) -> tuple[Floats, Floats]:
    """The angle of every rotation in every setting.

    Args:
        circuit: to run.
        weights: by name, each of the circuit's own shape.
        inputs: shape (settings, inputs), as the circuit reads them.

    Returns:
        Angles in radians, shape (settings, rotations in order), and all values that angles may read, shape (settings,
        values).

    Raises:
        QuanvolveError: if the number of inputs does not fit.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 1, n_layers=1)
        >>> angles_of(circuit, {"weights": np.array([[0.5]])}, np.array([[0.1], [0.2]]))[0]
        array([[0.1, 0.5],
               [0.2, 0.5]])
    """
    settings = np.atleast_2d(np.asarray(inputs, float))
    if settings.shape[1] != circuit.n_inputs:
        raise QuanvolveError(f"the settings have {settings.shape[1]} inputs, the circuit reads {circuit.n_inputs}")
    if circuit.threshold is not None:
        settings = (settings > circuit.threshold).astype(float)
    arrays = {name: np.asarray(weights[name], float).reshape(shape) for name, shape in circuit.weight_shapes}
    flat: dict[str, Any] = {name: array.reshape(-1) for name, array in arrays.items()}
    values, derived = settings, np.zeros((len(settings), 0))
    if circuit.program is not None:
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        which = tuple(range(len(circuit.program.values)))
        rows = [circuit.program.run(torch.from_numpy(row.copy()), tensors, which).numpy() for row in settings]
        derived = np.array(rows, float).reshape(len(settings), len(which))
        values = np.concatenate([settings, derived], axis=1)
    columns = []
    for gate in circuit.gates:
        if gate.angle is None:
            continue
        column = np.full(len(settings), gate.angle.offset)
        for index, factor in gate.angle.inputs:
            column += factor * values[:, index]
        for name, index, factor in gate.angle.weights:
            column += factor * (derived[:, index] if name == PROGRAM else flat[name][index])
        columns.append(column)
    return np.array(columns).T.reshape(len(settings), len(columns)), values


def values_of_bits(basis: Basis, bits: npt.NDArray[np.bool_], n_outputs: int) -> tuple[Floats, Floats]:
    """Means over shots of what the words of a basis add to each output, and the variances of these means.

    The words of an output are evaluated shot by shot, so that their correlations are in the variance.

    Args:
        basis: in which the bits were measured.
        bits: shape (settings, shots, wires).
        n_outputs: of the circuit.

    References:
        Knill et al., Phys. Rev. A 75, 012328 (2007), section II, for expectation values from samples.
    """
    settings, shots = bits.shape[:2]
    values, variances = np.zeros((settings, n_outputs)), np.zeros((settings, n_outputs))
    for output in sorted({output for output, _, _ in basis.words}):
        each = np.zeros((settings, shots))
        for word_output, coefficient, wires in basis.words:
            if word_output == output:
                each += coefficient * (1.0 - 2.0 * (bits[:, :, list(wires)].sum(-1) % 2))
        values[:, output] = each.mean(1)
        variances[:, output] = each.var(1, ddof=1) / shots if shots > 1 else 0.0
    return values, variances
