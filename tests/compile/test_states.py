"""State vectors: what a step leaves out, products of inputs as one multiplication, and when training takes them."""

from __future__ import annotations

import pytest
import torch

from quanvolve import QuantumLinear
from quanvolve.circuits import named_circuit
from quanvolve.compile import use_kernels
from quanvolve.compile.batch import _values
from quanvolve.compile.tables._factored import factored
from quanvolve.compile.tables._parsed import Parsed

torch.manual_seed(0)


def layer_of(encoding: str, circuit: str = "strongly_entangling", n_qubits: int = 3) -> QuantumLinear:
    n_inputs = {"amplitude": 2**n_qubits, "dense": 2 * n_qubits, "reupload": 2 * n_qubits}.get(encoding, n_qubits)
    options = {"n_qubits": n_qubits, "dtype": torch.float64, "engine": "statevector", "seed": 0}
    return QuantumLinear(n_inputs, n_qubits, circuit=circuit, encoding=encoding, **options)


@pytest.mark.parametrize("encoding", ["ry", "dense", "amplitude", "iqp", "zz_feature_map", "reupload"])
@pytest.mark.parametrize("circuit", ["strongly_entangling", "hardware_efficient", "none"])
def test_gradients_of_weights_are_the_same_where_inputs_want_none(encoding: str, circuit: str) -> None:
    layer = layer_of(encoding, circuit)
    inputs = torch.rand(19, layer.in_features, dtype=torch.float64)
    slopes = torch.randn(19, 3, dtype=torch.float64)
    (alone,) = torch.autograd.grad((layer(inputs) * slopes).sum(), layer.weights)
    watched = inputs.clone().requires_grad_()
    both, _ = torch.autograd.grad((layer(watched) * slopes).sum(), (layer.weights, watched))
    assert torch.equal(alone, both)


@pytest.mark.parametrize("windows", [1, 7, 8, 9, 33])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_amplitudes_of_any_number_of_windows_and_of_any_size(windows: int, dtype: torch.dtype) -> None:
    layer = QuantumLinear(8, 3, encoding="amplitude", scale=1.0, dtype=dtype, seed=0)
    inputs = torch.randn(windows, 8, dtype=dtype)
    inputs[0] = 0.0
    inputs[-1] *= 1e30 if dtype == torch.float32 else 1e200
    inputs.requires_grad_()
    values = layer(inputs)
    one_by_one = torch.cat([layer(row.unsqueeze(0)) for row in inputs])
    assert torch.equal(values, one_by_one)
    gradient, single = (torch.autograd.grad(out.sum(), inputs)[0] for out in (values, one_by_one))
    assert torch.equal(gradient, single)
    if windows > 1:
        assert gradient[0].abs().max() == 0
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("encoding", ["iqp", "zz_feature_map"])
def test_products_of_inputs_are_what_the_program_computes(encoding: str) -> None:
    parsed = Parsed(named_circuit("none", 4, encoding=encoding))
    inputs = (6 * torch.rand(2, 4, 5, dtype=torch.float64) - 3).requires_grad_()
    assert factored(parsed) is not None
    program = parsed.circuit.program
    assert program is not None
    which = tuple(range(len(program.values)))
    expected = torch.stack([torch.stack([program.run(w, {}, which) for w in image.mT], -1) for image in inputs])
    found = _values.extended(parsed, inputs)
    assert torch.equal(found[:, :4], inputs)
    torch.testing.assert_close(found[:, 4:], expected, rtol=1e-14, atol=1e-14)
    slopes = torch.randn_like(expected)
    gradients = [torch.autograd.grad((out * slopes).sum(), inputs)[0] for out in (found[:, 4:], expected)]
    torch.testing.assert_close(*gradients, rtol=1e-13, atol=1e-13)


def test_sums_and_products_of_a_function_are_factored() -> None:
    import pennylane as qp

    def circuit(inputs, weights):  # type: ignore[no-untyped-def]
        qp.RX((inputs[0] - 2 * inputs[-1]) * (1 - inputs[1]), wires=0)
        qp.RY(-inputs[0] * weights[0], wires=1)
        qp.RZ(inputs[1] * inputs[1], wires=1)
        return qp.expval(qp.Z(0)), qp.expval(qp.X(1))

    parsed = Parsed(QuantumLinear(3, 2, circuit=circuit, n_qubits=2, weight_shapes={"weights": (1,)}).circuits[0])
    assert factored(parsed) is None  # one value reads inputs and weights

    def simpler(inputs, weights):  # type: ignore[no-untyped-def]
        qp.RX((inputs[0] - 2 * inputs[-1]) * (1 - inputs[1]), wires=0)
        qp.RZ(weights[0], wires=0)
        return qp.expval(qp.Y(0))

    parsed = Parsed(QuantumLinear(3, 1, circuit=simpler, n_qubits=1, weight_shapes={"weights": (1,)}).circuits[0])
    inputs = torch.rand(3, 6, dtype=torch.float64)
    found = _values.extended(parsed, inputs)
    torch.testing.assert_close(found[3], (inputs[0] - 2 * inputs[2]) * (1 - inputs[1]))


@pytest.mark.parametrize("function", [torch.sin, torch.sqrt, lambda x: x**3])
def test_other_functions_are_left_to_the_program(function) -> None:  # type: ignore[no-untyped-def]
    import pennylane as qp

    def circuit(inputs, weights):  # type: ignore[no-untyped-def]
        qp.RX(function(inputs[0]) * inputs[1], wires=0)
        qp.RY(weights[0], wires=0)
        return qp.expval(qp.Z(0))

    layer = QuantumLinear(2, 1, circuit=circuit, n_qubits=1, weight_shapes={"weights": (1,)}, dtype=torch.float64)
    parsed = Parsed(layer.circuits[0])
    assert factored(parsed) is None
    inputs = torch.rand(2, 4, dtype=torch.float64)
    torch.testing.assert_close(_values.extended(parsed, inputs)[2], function(inputs[0]) * inputs[1])


@pytest.mark.parametrize("readout", ["probs", "z", "x"])
@pytest.mark.parametrize("circuit", ["strongly_entangling", "qcnn_su4"])
def test_every_readout_is_that_of_plain_torch(readout: str, circuit: str) -> None:
    outputs = QuantumLinear(8, 1, circuit=circuit, encoding="amplitude", readout=readout).circuits[0].n_outputs
    layer = QuantumLinear(
        8, outputs, circuit=circuit, encoding="amplitude", readout=readout, dtype=torch.float64, seed=0
    )  # fmt: skip
    inputs = torch.rand(11, 8, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn(11, outputs, dtype=torch.float64)

    def run() -> list[torch.Tensor]:
        values = layer(inputs)
        return [values, *torch.autograd.grad((values * slopes).sum(), (inputs, layer.weights))]

    found = run()
    with use_kernels(False):
        expected = run()
    for kernel, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(kernel, plain, rtol=1e-10, atol=1e-12)


def test_small_training_steps_run_as_state_vectors() -> None:
    planner = QuantumLinear(8, 8, seed=0)._planner
    assert planner.choose(None).name == planner.choose(10_000).name == "tensor_train"
    assert planner.choose(64).name == "statevector"
