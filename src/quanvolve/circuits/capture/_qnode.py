"""A circuit description as a QNode of PennyLane, of which the window is the argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone
from quanvolve.circuits.capture._simulate import PENNYLANE_NAMES
from quanvolve.circuits.description import PROGRAM, Angle, Circuit, Observable, Preparation, kraus_of


@pennylane_alone()
def qnode_of(circuit: Circuit, weights: Mapping[str, Tensor], scale: Sequence[float], measured: int) -> Any:
    """A QNode that measures one of a circuit's values.

    Args:
        circuit: what runs.
        weights: by name, each of the circuit's own shape; they become constants.
        scale: what each pixel is multiplied with to become an input.
        measured: the number of the value.

    Returns:
        A QNode of one argument, `inputs`, of shape (n_inputs,) or (windows, n_inputs), on `default.qubit`, or on
        `default.mixed` where the circuit has noise channels.

    Raises:
        QuanvolveError: if the value is not an expectation value.

    Examples:
        >>> import pennylane as qp
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> node = qnode_of(circuit, {"weights": torch.tensor([[0.5, 1.5]])}, [1.0, 1.0], measured=1)
        >>> print(qp.draw(node)([0.1, 0.2]))
        0: ──RY(0.10)──RX(0.50)─╭●─┤
        1: ──RY(0.20)──RX(1.50)─╰X─┤  <Z>
    """
    import numpy as np
    import pennylane as qp

    if circuit.counts is not None:
        raise QuanvolveError(
            f"the circuit counts the ones in a bit string ({circuit.counts}), which is no expectation value: a QNode "
            "cannot return it"
        )
    constants = {name: weights[name].detach().cpu().double() for name, _ in circuit.weight_shapes}
    factors = torch.tensor(scale, dtype=torch.float64)

    def function(inputs: Any) -> Any:
        window = torch.as_tensor(inputs).to(torch.float64) * factors
        if circuit.threshold is not None:
            window = (window > circuit.threshold).to(torch.float64)
        values = _extended(circuit, window, constants)
        if circuit.preparation is not None:
            qp.StatePrep(_prepared(circuit.preparation, values), wires=circuit.preparation.wires)
        for gate in circuit.gates:
            if gate.transfer is not None:
                qp.QubitChannel(kraus_of(np.array(gate.transfer)), wires=gate.wires)
                continue
            operation = getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))
            if gate.angle is None:
                operation(wires=list(gate.wires))
            else:
                operation(_angle(gate.angle, circuit, values, constants), wires=gate.wires[0])
        return qp.expval(_operator(circuit.observables[measured]))

    device = qp.device("default.mixed" if circuit.noisy else "default.qubit", wires=circuit.n_wires)
    return qp.QNode(function, device, interface="torch")


def _extended(circuit: Circuit, window: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """The inputs, and behind them the values of the circuit's program."""
    if circuit.program is None:
        return window
    which = tuple(range(len(circuit.program.values)))
    rows = [circuit.program.run(row, weights, which) for row in window.reshape(-1, circuit.n_inputs)]
    return torch.cat([window, torch.stack(rows).reshape(*window.shape[:-1], len(which))], dim=-1)


def _angle(angle: Angle, circuit: Circuit, values: Tensor, weights: Mapping[str, Tensor]) -> Tensor | float:
    total: Tensor | float = angle.offset
    for name, index, factor in angle.weights:
        if name == PROGRAM:
            total = total + factor * values[..., circuit.n_inputs + index]
        else:
            total = total + factor * float(weights[name].reshape(-1)[index])
    for index, factor in angle.inputs:
        total = total + factor * values[..., index]
    return total


def _prepared(preparation: Preparation, values: Tensor) -> Tensor:
    """The normalised amplitudes; basis state 0 for a window of zeros."""
    size = 2 ** len(preparation.wires)
    amplitudes = values[..., list(preparation.values)]
    amplitudes = torch.nn.functional.pad(amplitudes, (0, size - amplitudes.shape[-1]))
    empty = (amplitudes == 0).all(dim=-1, keepdim=True)
    ground = torch.nn.functional.one_hot(torch.tensor(0), size).to(amplitudes)
    amplitudes = torch.where(empty, ground, amplitudes)
    norms: Tensor = torch.linalg.vector_norm(amplitudes, dim=-1, keepdim=True)
    return amplitudes / norms


def _operator(observable: Observable) -> Any:
    import pennylane as qp

    if observable.outcome:
        wires, bits = zip(*observable.outcome, strict=True)
        return qp.Projector(list(bits), wires=list(wires))
    words = [
        qp.prod(*(getattr(qp, letter)(wire) for wire, letter in word)) if word else qp.Identity(0)
        for _, word in observable.terms
    ]
    coefficients = [coefficient for coefficient, _ in observable.terms]
    if coefficients == [1.0]:
        return words[0]
    return qp.dot(coefficients, words) if words else qp.s_prod(0.0, qp.Identity(0))
