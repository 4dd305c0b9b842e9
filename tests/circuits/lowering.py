"""Gates of the vocabulary on states of torch, and PennyLane's own values and gradients beside them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._deferred import deferred, flattened
from quanvolve.circuits.capture._lowering import exact, lowered
from quanvolve.circuits.capture._measure import observables_of
from quanvolve.circuits.capture._multiplexed import PHASE
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import GATES, PAULIS

PAULI = {name: torch.tensor(matrix) for name, matrix in PAULIS.items()}


def wants_gradients(tensor: Tensor) -> frozenset[str]:
    """What a tensor reads, if all that want gradients come from the inputs."""
    return frozenset({"inputs"} if tensor.requires_grad else ())


def unitary_of(gate: Traced) -> Tensor:
    kind = GATES[gate.name]
    if kind.axis is None:
        return torch.tensor(kind.unitary())
    half = torch.as_tensor(gate.angle, dtype=torch.float64) / 2
    return torch.cos(half) * PAULI["I"] - 1j * torch.sin(half) * PAULI[kind.axis]


def turned(state: Tensor, matrix: Tensor, places: Sequence[int]) -> Tensor:
    """The state, of shape (2,) * n and a last axis of columns, after a gate."""
    k = len(places)
    out = torch.tensordot(matrix.reshape((2,) * (2 * k)), state, dims=(list(range(k, 2 * k)), list(places)))
    return torch.movedim(out, list(range(k)), list(places))


def run(gates: list[Traced], wires: Sequence[Any], columns: Tensor) -> Tensor:
    """Columns of shape (2^n, m) after the gates."""
    n = len(wires)
    index = {wire: place for place, wire in enumerate(wires)}
    state = columns.to(torch.complex128).reshape((2,) * n + (-1,))
    for gate in gates:
        places = [index[wire] for wire in gate.wires]
        if gate.name == PHASE:
            state = state * torch.exp(1j * torch.as_tensor(gate.angle, dtype=torch.float64))
        elif gate.name == PREPARE:
            vector = torch.as_tensor(gate.angle).to(torch.complex128)
            matrix = torch.zeros(len(vector), len(vector), dtype=torch.complex128)
            matrix = torch.cat([vector[:, None], matrix[:, 1:]], dim=1)  # on basis state 0, where it acts
            state = turned(state, matrix, places)
        else:
            state = turned(state, unitary_of(gate), places)
    return state.reshape(2**n, -1)


def matrix_of(gates: list[Traced], wires: Sequence[Any]) -> np.ndarray:
    return run(gates, wires, torch.eye(2 ** len(wires))).detach().numpy()


def same_matrix(operation: Any, wires: Sequence[Any] | None = None) -> None:
    """The gates must be the operation, with its phase."""
    wires = list(operation.wires) if wires is None else wires
    gates = exact([operation], reads=wants_gradients)
    assert all(gate.name in GATES or gate.name == PHASE for gate in gates)
    np.testing.assert_allclose(matrix_of(gates, wires), qp.matrix(operation, wire_order=wires), atol=1e-10)


def agree(
    function: Callable[..., Any],
    n_inputs: int = 2,
    weight_shapes: dict[str, Any] | None = None,
    *,
    wires: Sequence[Any] = range(3),
    extra: int = 0,
    seed: int = 3,
    point: dict[str, Any] | None = None,
    reference: Callable[..., Any] | None = None,
) -> list[Traced]:
    """Values and gradients of the lowered function must be those of `default.qubit`.

    Args:
        function: as capture takes it.
        n_inputs: how many inputs it reads.
        weight_shapes: the shapes of its weights.
        wires: its wires.
        extra: wires behind these that mid-circuit measurements take.
        seed: of the values.
        point: values, instead of random ones.
        reference: the same in other operations, where PennyLane does not compute those of the function right.
    """
    torch.manual_seed(seed)
    shapes = {"inputs": (n_inputs,), **(weight_shapes or {})}
    names = list(shapes)
    leaves = [
        (torch.rand(shapes[name], dtype=torch.float64) * 2.4 - 1.0)
        if point is None
        else torch.as_tensor(point[name], dtype=torch.float64)
        for name in names
    ]
    wires = [*wires, *range(len(wires), len(wires) + extra)]

    def theirs(*values: Tensor) -> Tensor:
        device = qp.device("default.qubit", wires=wires)
        node = qp.QNode(reference or function, device, interface="torch", diff_method="backprop")
        return joined(node(**dict(zip(names, values, strict=True))))

    gates: list[Traced] = []

    def ours(*values: Tensor) -> Tensor:
        with qp.queuing.AnnotatedQueue() as queue:
            returned = function(**dict(zip(names, values, strict=True)))
        operations, measurements = deferred(qp.tape.QuantumScript.from_queue(queue).operations, flattened(returned))
        gates[:] = lowered(operations, reads=wants_gradients)
        index = {wire: place for place, wire in enumerate(wires)}
        state = run(gates, wires, torch.eye(2 ** len(wires))[:, :1])
        observables = [o for k, measured in enumerate(measurements) for o in observables_of(measured, index, k)]
        return torch.stack([expected(state, o.pauli_terms(), len(wires)) for o in observables])

    points = tuple(leaf.requires_grad_() for leaf in leaves)
    with torch.no_grad():
        torch.testing.assert_close(ours(*points), theirs(*points).double(), atol=1e-9, rtol=0)
    assert all(gate.name in GATES or gate.name == PREPARE for gate in gates)
    mine = torch.autograd.functional.jacobian(ours, points)
    for got, wanted in zip(mine, torch.autograd.functional.jacobian(theirs, points), strict=True):
        torch.testing.assert_close(got, wanted.double(), atol=1e-8, rtol=0)
    return list(gates)


def refused(message: str) -> Any:
    """The context in which a CaptureError of this text is raised."""
    return pytest.raises(CaptureError, match=message)


def joined(values: Any) -> Tensor:
    if isinstance(values, list | tuple):
        return torch.cat([joined(value) for value in values])
    return torch.as_tensor(values).reshape(-1)


def expected(state: Tensor, terms: Any, n: int) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for coefficient, word in terms:
        image = state.reshape((2,) * n + (-1,))
        for wire, letter in word:
            image = turned(image, PAULI[letter], [wire])
        total = total + coefficient * (state.conj() * image.reshape(state.shape)).sum().real
    return total
