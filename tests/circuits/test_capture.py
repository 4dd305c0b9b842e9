"""Functions in the styles of PennyLane's demos, captured, against themselves on default.qubit."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, capture, simulate
from tests.compile.reference import run_compiled, run_description, run_qnode


@dataclass(frozen=True)
class Case:
    """A function, the number of its inputs and what `TorchLayer` would be told."""

    function: Callable[..., Any]
    n_inputs: int
    weight_shapes: dict[str, Any] = field(default_factory=dict)
    wires: Any = 4
    batched: bool = False
    product: bool = True


CASES: dict[str, Case] = {}


def case(n_inputs: int, weight_shapes: dict[str, Any] | None = None, **options: Any) -> Callable[..., Any]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES[function.__name__] = Case(function, n_inputs, weight_shapes or {}, **options)
        return function

    return register


def all_z(n: int) -> list[Any]:
    return [qp.expval(qp.PauliZ(wire)) for wire in range(n)]


@case(4, {"weights": (2, 4)})
def angle_embedding_x_and_basic_entangler(inputs, weights):
    qp.AngleEmbedding(inputs, wires=range(4))
    qp.BasicEntanglerLayers(weights, wires=range(4))
    return all_z(4)


@case(4, {"weights": (2, 4, 3)})
def angle_embedding_y_and_strongly_entangling(inputs, weights):
    qp.AngleEmbedding(inputs, wires=range(4), rotation="Y")
    qp.StronglyEntanglingLayers(weights, wires=range(4))
    return [qp.expval(qp.PauliZ(wires=i)) for i in range(4)]


@case(3, {"weights": (3, 3, 3)}, wires=3)
def angle_embedding_z_after_hadamards(inputs, weights):
    for wire in range(3):
        qp.Hadamard(wires=wire)
    qp.AngleEmbedding(inputs, wires=range(3), rotation="Z")
    qp.StronglyEntanglingLayers(weights, wires=range(3), ranges=[1, 2, 1])
    return tuple(all_z(3))


@case(4, {"weights": (1, 4)})
def quanvolution_demo(inputs, weights):
    for j in range(4):
        qp.RY(np.pi * inputs[j], wires=j)
    qp.RandomLayers(weights, wires=list(range(4)), seed=42)
    return [qp.expval(qp.PauliZ(j)) for j in range(4)]


@case(2, {"weights_0": 3, "weight_1": 1}, wires=2)
def torch_layer_documentation(inputs, weights_0, weight_1):
    qp.RX(inputs[0], wires=0)
    qp.RX(inputs[1], wires=1)
    qp.Rot(*weights_0, wires=0)
    qp.RY(weight_1, wires=1)
    qp.CNOT(wires=[0, 1])
    return qp.expval(qp.Z(0)), qp.expval(qp.Z(1))


@case(2, {"weights": (2,)}, wires=2, batched=True)
def batch_axis_in_front(inputs, weights):
    qp.RX(inputs[:, 0], wires=0)
    qp.RY(2 * inputs[:, 1], wires=1)
    qp.CNOT(wires=[0, 1])
    qp.RZ(weights[0], wires=1)
    qp.RX(weights[1], wires=1)
    return [qp.expval(qp.X(0)), qp.expval(qp.Z(1))]


@case(3, {"weights": (3,)}, wires=3)
def ellipsis_indexing(inputs, weights):
    for i in range(inputs.shape[-1]):
        qp.RY(inputs[..., i], wires=i)
    for i in range(3):
        qp.RX(weights[..., i], wires=i)
        qp.CZ(wires=[i, (i + 1) % 3])
    return all_z(3)


@case(2, {"theta": (1,), "phi": 1, "zeta": (2, 1)}, wires=2)
def several_weights_of_one_entry(inputs, theta, phi, zeta):
    qp.RY(inputs[0], wires=0)
    qp.RY(inputs[1], wires=1)
    qp.RX(theta, wires=0)
    qp.RX(phi, wires=1)
    qp.CNOT(wires=[1, 0])
    qp.RY(zeta[1, 0], wires=0)
    qp.RY(zeta[0, 0], wires=1)
    return [qp.expval(qp.Z(0) @ qp.Z(1)), qp.expval(qp.Y(1))]


@case(4, {"initial": (4,), "layers": (2, 3, 2)})
def simplified_two_design(inputs, initial, layers):
    qp.AngleEmbedding(np.pi * inputs, wires=range(4), rotation="Y")
    qp.SimplifiedTwoDesign(initial_layer_weights=initial, weights=layers, wires=range(4))
    return all_z(4)


@case(2, {"w": (4,)}, wires=3)
def weighted_controlled_rotations(inputs, w):
    qp.AngleEmbedding(inputs, wires=[0, 1], rotation="Y")
    qp.CRX(w[0], wires=[0, 1])
    qp.CRY(w[1], wires=[1, 2])
    qp.CRZ(w[2], wires=[2, 0])
    qp.ControlledPhaseShift(w[3], wires=[0, 2])
    qp.Hadamard(wires=0)
    return all_z(3)


@case(2, {"w": (5,)}, wires=3)
def ising_and_pauli_rotations(inputs, w):
    qp.AngleEmbedding(inputs, wires=[0, 2], rotation="Y")
    qp.IsingXX(w[0], wires=[0, 1])
    qp.IsingYY(w[1], wires=[1, 2])
    qp.IsingZZ(-w[2], wires=[0, 2])
    qp.MultiRZ(w[3], wires=[0, 1, 2])
    qp.PauliRot(w[4] / 2, "XYZ", wires=[2, 0, 1])
    return all_z(3)


@case(3, {"w": (3,)}, wires=3)
def toffoli_swap_and_fixed_gates(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(3), rotation="Y")
    qp.T(wires=0)
    qp.SX(wires=1)
    qp.S(wires=2)
    qp.Toffoli(wires=[0, 1, 2])
    qp.RX(w[0], wires=2)
    qp.CSWAP(wires=[2, 0, 1])
    qp.PauliY(wires=1)
    qp.PhaseShift(w[1], wires=0)
    qp.ISWAP(wires=[0, 2])
    qp.SISWAP(wires=[1, 2])
    qp.CY(wires=[2, 1])
    qp.RX(w[2], wires=0)
    qp.Barrier(wires=range(3))
    qp.Identity(wires=1)
    return [qp.expval(qp.X(0)), qp.expval(qp.Y(1)), qp.expval(qp.Z(2))]


@case(2, {"w": (1, 2, 3), "v": (2,)}, wires=3)
def adjoints_and_controls(inputs, w, v):
    qp.AngleEmbedding(inputs, wires=[0, 1], rotation="X")
    qp.adjoint(qp.StronglyEntanglingLayers)(w, wires=[0, 1])
    qp.adjoint(qp.S(wires=0))
    qp.adjoint(qp.T)(wires=1)
    qp.adjoint(qp.RX)(v[0], wires=1)
    qp.ctrl(qp.RY, control=0)(v[1], wires=2)
    qp.ctrl(qp.PauliX, control=[1, 2], control_values=[0, 1])(wires=0)
    return [*all_z(3), qp.expval(qp.X(2))]


@case(3, {"w": (3,), "u": (2, 3)}, wires=3)
def universal_rotations(inputs, w, u):
    qp.Rot(0.1, inputs[0], w[0], wires=0)
    qp.U3(inputs[1], w[1], w[2], wires=1)
    qp.U2(0.4, 0.2, wires=2)
    qp.RY(inputs[2], wires=2)
    qp.CNOT(wires=[0, 1])
    qp.U3(*u[0], wires=1)
    qp.CNOT(wires=[1, 2])
    qp.Rot(*u[1], wires=2)
    return all_z(3)


@case(2, {"w": (2,)}, wires=["left", "right", "ancilla"])
def string_labels(inputs, w):
    qp.RY(inputs[0], wires="left")
    qp.RY(inputs[1], wires="right")
    qp.CNOT(wires=["left", "ancilla"])
    qp.CRX(w[0], wires=["ancilla", "right"])
    qp.RX(w[1], wires="left")
    return [qp.expval(qp.Z("ancilla")), qp.expval(qp.Z("right")), qp.expval(qp.Z("left") @ qp.X("right"))]


@case(2, {"w": (1, 3)}, wires=3)
def probabilities(inputs, w):
    qp.AngleEmbedding(inputs, wires=[0, 1], rotation="Y")
    qp.BasicEntanglerLayers(w, wires=range(3))
    return qp.probs(wires=[2, 0])


@case(3, {"w": (1, 3)}, wires=3)
def probabilities_of_everything(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(3), rotation="Y")
    qp.BasicEntanglerLayers(w, wires=range(3))
    return qp.probs()


@case(2, {"w": (1, 2)}, wires=2)
def values_and_probabilities(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.BasicEntanglerLayers(w, wires=range(2))
    return qp.expval(qp.Z(0)), qp.probs(wires=1), qp.expval(qp.X(1))


@case(2, {"w": (1, 2)}, wires=2)
def hamiltonians_and_matrices(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.BasicEntanglerLayers(w, wires=range(2))
    hermitian = np.array([[1.0, 2.0 - 1.0j], [2.0 + 1.0j, -0.5]])
    two = np.kron(hermitian, np.diag([0.3, -0.7])) + 0.1 * np.eye(4)
    return [
        qp.expval(qp.Hamiltonian([0.5, -1.5, 2.0], [qp.Z(0), qp.X(0) @ qp.Y(1), qp.Identity(0)])),
        qp.expval(0.3 * qp.Z(0) + 0.7 * qp.X(1) @ qp.X(0)),
        qp.expval(qp.Hermitian(hermitian, wires=1)),
        qp.expval(qp.Hermitian(two, wires=[1, 0])),
        qp.expval(qp.Projector([0, 1], wires=[0, 1])),
        qp.expval(qp.Hadamard(0)),
        qp.expval(qp.prod(qp.Z(0), qp.Z(1))),
        qp.expval(2.0 * qp.Z(1)),
    ]


@case(3, {"w": (3,)}, wires=3)
def affine_angles(inputs, w):
    qp.RY(np.pi * inputs[0] + w[0], wires=0)
    qp.RX(inputs[0] - 2 * inputs[1] + w.sum() / 3 - 0.7, wires=1)
    qp.RZ(torch.pi * (inputs[2] - 0.5), wires=2)
    qp.RY((inputs * torch.tensor([1.0, 0.0, 2.0])).sum(), wires=2)
    qp.CNOT(wires=[0, 1])
    qp.CNOT(wires=[1, 2])
    qp.RX(w @ torch.tensor([0.5, -1.0, 0.0], dtype=w.dtype), wires=1)
    return all_z(3)


@case(4, {"w": (2, 2)}, wires=2)
def dense_angle_encoding(inputs, w):
    """Two inputs on each qubit."""
    for wire in range(2):
        qp.RY(inputs[2 * wire], wires=wire)
        qp.RZ(inputs[2 * wire + 1], wires=wire)
    qp.BasicEntanglerLayers(w, wires=range(2))
    return [qp.expval(qp.X(0)), qp.expval(qp.X(1))]


@case(2, {"w": (2, 2)}, wires=2)
def trainable_encoding(inputs, w):
    """A weight between two encodings of one qubit."""
    for wire in range(2):
        qp.RY(inputs[wire], wires=wire)
        qp.RX(w[0, wire], wires=wire)
        qp.RZ(inputs[1 - wire], wires=wire)
        qp.Hadamard(wires=wire)
    qp.CNOT(wires=[0, 1])
    qp.RY(w[1, 0], wires=0)
    qp.RY(w[1, 1], wires=1)
    return all_z(2)


@case(2, {}, wires=2)
def no_weights(inputs):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.CNOT(wires=[0, 1])
    return all_z(2)


@case(2, {"w": (2,)}, wires=2)
def gates_from_a_matrix(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.QubitUnitary(np.array([[0.6, -0.8j], [0.8, 0.6j]]), wires=0)
    qp.CNOT(wires=[0, 1])
    qp.RX(w[0], wires=0)
    qp.RY(w[1], wires=1)
    return all_z(2)


@case(2, {"w": (2, 2)}, wires=2, product=False)
def data_reuploading(inputs, w):
    for layer in w:
        qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
        qp.BasicEntanglerLayers(layer[None], wires=range(2))
    return all_z(2)


@case(2, {}, wires=2, product=False)
def controlled_encoding(inputs):
    qp.Hadamard(wires=0)
    qp.CRX(inputs[0], wires=[0, 1])
    qp.IsingZZ(inputs[1], wires=[0, 1])
    qp.Hadamard(wires=0)
    return all_z(2)


@case(3, {}, wires=3, product=False)
def iqp_with_linear_angles(inputs):
    for wire in range(3):
        qp.Hadamard(wires=wire)
        qp.RZ(inputs[wire], wires=wire)
    qp.MultiRZ(0.5 * inputs[0] + inputs[1], wires=[0, 1])
    qp.PauliRot(inputs[2], "XY", wires=[1, 2])
    return all_z(3)


def _point(shown: Case, seed: int) -> tuple[np.ndarray, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    inputs = 4 * torch.rand(shown.n_inputs, generator=generator, dtype=torch.float64) - 2
    weights = {}
    for name, shape in shown.weight_shapes.items():
        full = (() if shape == 1 else (shape,)) if isinstance(shape, int) else shape
        weights[name] = 9 * torch.rand(full, generator=generator, dtype=torch.float64) - 3
    return inputs.numpy(), weights


def _check(circuit: Circuit, shown: Case, function: Callable[..., Any] | None = None) -> None:
    windows, values = [], []
    for seed in range(3):
        inputs, weights = _point(shown, seed)
        given = torch.from_numpy(inputs)
        reference = run_qnode(function or shown.function, given[None] if shown.batched else given, weights, shown.wires)
        reference = reference.reshape(-1)
        assert circuit.n_outputs == len(reference)
        np.testing.assert_allclose(run_description(circuit, inputs, weights), reference, rtol=0, atol=1e-10)
        windows.append(given)
        if shown.product:
            batch = {name: weight[None] for name, weight in weights.items()}
            found = run_compiled(circuit, given[None], batch)[0, 0]
            np.testing.assert_allclose(found.numpy(), reference, rtol=0, atol=1e-10)
        values.append(reference)
    assert not np.allclose(values[0], values[1]), "the check needs a function that does something"


@pytest.mark.parametrize("name", CASES)
def test_captured_circuit_equals_the_qnode(name: str) -> None:
    shown = CASES[name]
    circuit = capture(shown.function, shown.n_inputs, shown.weight_shapes)
    assert [n for n, _ in circuit.weight_shapes] == list(shown.weight_shapes)
    _check(circuit, shown)
    assert Circuit.from_json(circuit.to_json()) == circuit


@pytest.mark.parametrize("name", [name for name, shown in CASES.items() if not shown.product])
def test_what_is_no_product_encoding_is_captured_and_then_refused_by_the_plan(name: str) -> None:
    shown = CASES[name]
    circuit = capture(shown.function, shown.n_inputs, shown.weight_shapes)
    with pytest.raises(PlanError, match=r"gate \d+ \(R[XYZ] on wire \d\) reads an input after its qubit met"):
        run_compiled(circuit, torch.zeros(1, shown.n_inputs), {})


def test_a_qnode_is_captured_like_its_function() -> None:
    shown = CASES["angle_embedding_y_and_strongly_entangling"]
    node = qp.QNode(shown.function, qp.device("default.qubit", wires=4), interface="torch")
    circuit = capture(node, 4, shown.weight_shapes)
    assert circuit == capture(shown.function, 4, shown.weight_shapes)
    _check(circuit, shown)


def test_a_decorated_qnode_is_captured() -> None:
    @qp.qnode(qp.device("default.qubit", wires=2), interface="torch")
    def node(inputs, weights):
        qp.AngleEmbedding(inputs, wires=range(2))
        qp.BasicEntanglerLayers(weights, wires=range(2))
        return all_z(2)

    _check(capture(node, 2, {"weights": (3, 2)}), Case(node.func, 2, {"weights": (3, 2)}, wires=2))


@pytest.mark.parametrize(
    ("wires", "used"), [(3, (0, 1)), (["b", "a"], ("a", "b")), ([1, 0], (0, 1))], ids=["more", "named", "reversed"]
)
def test_probabilities_of_all_wires_of_a_qnode_are_those_of_its_device(wires: Any, used: tuple[Any, Any]) -> None:
    device = qp.device("default.qubit", wires=wires)

    @qp.qnode(device)
    def node(inputs):
        qp.RY(inputs[0], wires=used[0])
        qp.RX(2 * inputs[1], wires=used[1])
        return qp.probs()

    inputs = np.array([0.4, 0.9])
    found = run_description(capture(node, 2), inputs, {})
    np.testing.assert_allclose(found, np.asarray(node(inputs)), rtol=0, atol=1e-10)


def test_probabilities_of_all_wires_include_the_ancillas() -> None:
    circuit = capture(CASES["probabilities_of_everything"].function, 3, {"w": (1, 3)}, n_wires=4)
    assert circuit.n_outputs == 16


def test_weights_with_a_default_may_stay_out() -> None:
    def function(inputs, w, shift=0.25, *, layers=2):
        qp.RY(inputs[0] + shift, wires=0)
        for _ in range(layers):
            qp.RX(w[0], wires=0)
        return qp.expval(qp.Z(0))

    _check(capture(function, 1, {"w": (1,)}), Case(function, 1, {"w": (1,)}, wires=1))


def test_partial_functions_and_keyword_weights() -> None:
    def function(inputs, rotation, **weights):
        qp.AngleEmbedding(inputs, wires=range(2), rotation=rotation)
        qp.BasicEntanglerLayers(weights["a"], wires=range(2))
        qp.BasicEntanglerLayers(weights["b"], wires=range(2), rotation=qp.RY)
        return all_z(2)

    shapes = {"a": (1, 2), "b": (2, 2)}
    partial = functools.partial(function, rotation="Y")
    _check(capture(partial, 2, shapes), Case(partial, 2, shapes, wires=2))


def test_a_threshold_replaces_inputs_by_bits() -> None:
    def function(inputs, w):
        qp.AngleEmbedding(math.pi * inputs, wires=range(2))
        qp.BasicEntanglerLayers(w, wires=range(2))
        return all_z(2)

    circuit = capture(function, 2, {"w": (1, 2)}, threshold=0.5)
    weights = {"w": torch.tensor([[0.3, 1.1]], dtype=torch.float64)}
    windows = torch.tensor([[0.2, 0.7], [0.9, 0.1], [1.0, 0.6]], dtype=torch.float64)
    found = run_compiled(circuit, windows, {"w": weights["w"][None]})
    for window, values in zip(windows, found, strict=True):
        reference = run_qnode(function, (window > 0.5).double(), weights, 2)
        np.testing.assert_allclose(values[0].numpy(), reference, rtol=0, atol=1e-10)


def test_wires_without_gates_stay_in_their_places() -> None:
    def function(inputs):
        qp.RY(inputs[0], wires=2)
        return qp.expval(qp.Z(2)), qp.expval(qp.Z(1))

    circuit = capture(function, 1, n_wires=5)
    assert circuit.n_wires == 5
    assert circuit.gates[0].wires == (2,)
    np.testing.assert_allclose(run_description(circuit, [0.4], {}), [math.cos(0.4), 1.0], atol=1e-12)


def test_capture_leaves_no_trace() -> None:
    state, numpy_state = torch.get_rng_state(), np.random.get_state()
    with torch.no_grad(), torch.device("meta"):
        circuit = capture(CASES["quanvolution_demo"].function, 4, {"weights": (1, 4)})
    assert torch.equal(state, torch.get_rng_state())
    assert np.array_equal(numpy_state[1], np.random.get_state()[1])
    assert circuit == capture(CASES["quanvolution_demo"].function, 4, {"weights": (1, 4)})
    with torch.inference_mode():
        assert circuit == capture(CASES["quanvolution_demo"].function, 4, {"weights": (1, 4)})


def merged(inputs):
    qp.RX(inputs[0], wires=0)
    qp.RX(inputs[1], wires=0)
    qp.X(1)
    qp.X(1)
    return qp.expval(qp.Z(0))


def test_transforms_of_a_qnode_are_applied() -> None:
    node = qp.transforms.cancel_inverses(qp.transforms.merge_rotations(qp.QNode(merged, qp.device("default.qubit"))))
    circuit = capture(node, 2)
    assert [gate.name for gate in circuit.gates] == ["RX"]
    assert simulate(circuit, [0.3, 0.5], {})[0] == pytest.approx(math.cos(0.8))


@pytest.mark.parametrize("on_the_node", [True, False])
def test_shots_of_a_qnode_are_those_of_the_layer(on_the_node: bool) -> None:
    node = qp.QNode(merged, qp.device("default.qubit", wires=2), **({"shots": 10} if on_the_node else {}))
    if not on_the_node:
        node = qp.set_shots(node, shots=10)
    layer = Quanv2d(1, 1, (1, 2), circuit=node)
    assert layer.shots == 10
    assert "shots=10" in repr(layer)
    assert Quanv2d(1, 1, (1, 2), circuit=node, shots=20).shots == 20
    assert Quanv2d(1, 1, (1, 2), circuit=merged).shots is None


def test_weight_shapes_may_be_numbers_of_numpy() -> None:
    def function(inputs, weights, angle):
        qp.RX(inputs[0] + weights[0] + angle, wires=0)
        return qp.expval(qp.Z(0))

    shapes = {"weights": np.int64(3), "angle": np.int32(1)}
    assert capture(function, 1, shapes).weight_shapes == (("weights", (3,)), ("angle", ()))
    assert capture(function, 1, {"weights": (np.int64(3),), "angle": 1}).weight_shapes[0] == ("weights", (3,))


@pytest.mark.parametrize("labels", [(0, 7, 3), (3, 1, 2), (2, 0, 1), ("b", "a", 5)])
def test_probabilities_of_everything_follow_pennylane_in_the_order_of_wires(labels: tuple[Any, ...]) -> None:
    def function(inputs):
        for wire, value in zip(labels, inputs, strict=True):
            qp.RY(value, wires=wire)
        qp.CNOT(wires=labels[:2])
        return qp.probs()

    window = [0.3, 1.1, 2.0]
    expected = qp.QNode(function, qp.device("default.qubit"))(torch.tensor(window, dtype=torch.float64))
    np.testing.assert_allclose(simulate(capture(function, 3), window, {}), expected, atol=1e-12)


@pytest.mark.parametrize("engine", ["auto", "polynomial", "statevector", "tensor_train"])
def test_an_observable_may_be_zero(engine: str) -> None:
    def function(inputs):
        qp.RX(inputs[0], wires=0)
        return qp.expval(0.0 * qp.Z(0)), qp.expval(qp.Z(0))

    layer = Quanv2d(1, 2, (1, 1), circuit=function, engine=engine)
    assert ":" in layer.plan
    images = torch.rand(2, 1, 3, 3, requires_grad=True)
    out = layer(images)
    torch.testing.assert_close(out[:, 0], torch.zeros(2, 3, 3))
    torch.testing.assert_close(out[:, 1], torch.cos(images[:, 0]).detach())
