"""Layers made of users' circuits equal PennyLane's own torch layer, in value and in every gradient."""

import warnings
from typing import Any

import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from tests.circuits.user_circuits import USER_CIRCUITS
from tests.nn.oldest import NOT_EXPORTED, exports_computed_angles


@pytest.mark.parametrize("name", USER_CIRCUITS)
def test_equals_torch_layer_in_value_and_gradient(name: str) -> None:
    user = USER_CIRCUITS[name]
    options = {"circuit": user.function, "weight_shapes": user.weight_shapes, "dtype": torch.float64, "seed": 0}
    measured = Quanv2d(1, 1, (1, user.n_inputs), **options).circuits[0].n_outputs
    layer = Quanv2d(1, measured, (1, user.n_inputs), **options)
    node = qp.QNode(user.function, qp.device("default.qubit", wires=user.n_wires), diff_method="backprop")
    twin = qp.qnn.TorchLayer(node, user.weight_shapes).double()
    with torch.no_grad():
        for weight in twin.qnode_weights:
            getattr(twin, weight).copy_(getattr(layer, weight)[0, 0])
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(3, 1, 1, user.n_inputs, generator=generator, dtype=torch.float64, requires_grad=True)
    vectors = images.detach().reshape(3, -1).clone().requires_grad_()
    factors = torch.rand(measured, generator=generator, dtype=torch.float64)

    ours = layer(images)[:, :, 0, 0]
    theirs = torch.cat([twin(vector[None] if "[:, " in _source(user) else vector).reshape(1, -1) for vector in vectors])
    (ours @ factors).sum().backward()
    (theirs @ factors).sum().backward()

    torch.testing.assert_close(ours, theirs.to(ours.dtype), rtol=0, atol=1e-10)
    torch.testing.assert_close(images.grad.reshape(3, -1), vectors.grad, rtol=0, atol=1e-9)
    for weight in twin.qnode_weights:
        torch.testing.assert_close(getattr(layer, weight).grad[0, 0], getattr(twin, weight).grad, rtol=0, atol=1e-9)
    description = layer.circuits[0]
    assert Circuit.from_json(description.to_json()) == description


def _source(user: object) -> str:
    import inspect

    return inspect.getsource(user.function)


@pytest.mark.parametrize("name", ["arctan_encoding", "data_reuploading", "amplitudes_padded"])
def test_many_filters_and_channels_share_or_not_what_they_read(name: str) -> None:
    """Programs run on each filter's weights and each channel's windows: two filters, two channels, one by one."""
    user = USER_CIRCUITS[name]
    options = {"circuit": user.function, "weight_shapes": user.weight_shapes, "dtype": torch.float64}
    measured = Quanv2d(1, 1, (1, user.n_inputs), **options).circuits[0].n_outputs
    layer = Quanv2d(2, 2 * measured, (1, user.n_inputs), **options, seed=0)
    images = torch.rand(2, 2, 3, user.n_inputs + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = layer(images)
    for f in range(2):
        total = torch.zeros(())
        for c in range(2):
            own = {n: w[f : f + 1, c : c + 1].detach() for n, w in layer.circuit_weights().items()}
            single = Quanv2d(1, measured, (1, user.n_inputs), **options, weights=own)
            total = total + single(images[:, c : c + 1])
        torch.testing.assert_close(found[:, f * measured : (f + 1) * measured], total, rtol=0, atol=1e-12)


def test_angles_that_are_not_affine_stay_in_the_saved_circuit() -> None:
    user = USER_CIRCUITS["arctan_encoding"]
    layer = Quanv2d(1, 3, (1, 3), circuit=user.function, weight_shapes=user.weight_shapes, seed=0)
    again = Quanv2d(1, 3, (1, 3), circuit=Circuit.from_json(layer.circuits[0].to_json()))
    again.load_state_dict(layer.state_dict())
    images = torch.rand(2, 1, 4, 5)
    assert torch.equal(again(images), layer(images))
    assert layer.plan.startswith("polynomial: 3 qubits in a product encoding")


def recorded(name: str) -> tuple[Quanv2d, torch.Tensor]:
    user = USER_CIRCUITS[name]
    layer = Quanv2d(1, 1, (1, user.n_inputs), circuit=user.function, weight_shapes=user.weight_shapes, seed=0)
    return layer, torch.rand(2, 1, 3, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["arctan_encoding", "data_reuploading", "amplitudes_padded"])
def test_recorded_angles_work_under_torchs_transforms(name: str) -> None:
    layer, images = recorded(name)
    expected = layer(images)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(images), expected)
    torch.testing.assert_close(torch.func.vmap(layer)(images[:, None])[:, 0], expected)

    def total(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.func.functional_call(layer, weights, (images,)).sum()

    found = torch.func.grad(total)(dict(layer.named_parameters()))
    layer(images).sum().backward()
    for weight, gradient in found.items():
        torch.testing.assert_close(gradient, getattr(layer, weight).grad)


@pytest.mark.parametrize("name", ["arctan_encoding", "data_reuploading", "amplitudes_padded"])
def test_recorded_angles_are_exported(name: str) -> None:
    layer, images = recorded(name)
    expected = layer(images)
    if not exports_computed_angles():
        with pytest.raises(QuanvolveError, match=NOT_EXPORTED):
            torch.export.export(layer, (images,))
        return
    with warnings.catch_warnings():
        # Export looks at the gradients of what it lifts out of nested `vmap`s; nothing of it stays in the program.
        warnings.filterwarnings("ignore", "The .grad attribute of a Tensor that is not a leaf")
        exported = torch.export.export(layer, (images,)).module()
    torch.testing.assert_close(exported(images), expected)
    with torch.no_grad():
        for weight in exported.parameters():
            weight.add_(0.3)
    assert not torch.allclose(exported(images), expected), "weights are parameters and no constants"


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", ["arctan_encoding", "data_reuploading", "amplitudes_padded", "default"])
def test_layers_of_several_scales_are_compiled_one_after_the_other(name: str, frozen: bool) -> None:
    """A number that changes between two calls becomes a symbol in `torch.compile`."""
    torch._dynamo.reset()
    for scale in (0.5, 1.0, 0.25):
        if name == "default":
            layer, images = Quanv2d(1, 2, 2, scale=scale, seed=0), torch.rand(2, 1, 3, 6)
        else:
            user, images = USER_CIRCUITS[name], torch.rand(2, 1, 3, 6)
            shape = (1, user.n_inputs)
            layer = Quanv2d(1, 1, shape, circuit=user.function, weight_shapes=user.weight_shapes, scale=scale, seed=0)
        module: Any = layer.frozen() if frozen else layer
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(images), layer(images))
