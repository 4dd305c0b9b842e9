"""Transforms, tracers and number types that torch's own layers take: derivatives, fake tensors, fx, shots."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call, grad, hessian, jvp, linearize, vmap

from quanvolve import Quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from tests.nn.plans import PLANS, every_kind, every_plan, images, quantum

EXACT = [plan for plan in PLANS if plan not in ("trajectories", "shots", "shots, parameter-shift")]
SHOTS = ["shots", "shots, parameter-shift"]
exact_plans = pytest.mark.parametrize("plan", EXACT)
with_shots = pytest.mark.parametrize("plan", SHOTS)
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),  # forward mode's own
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning"),  # linearize's own
]


@exact_plans
def test_linearize_and_jvp_are_the_derivative_along_a_direction(plan: str) -> None:
    layer, x = quantum("2d", plan, dtype=torch.float64), images("2d", torch.float64)
    direction = torch.linspace(-1, 1, x.numel(), dtype=torch.float64).reshape(x.shape)
    given = x.clone().requires_grad_()
    step = 1e-5 * direction
    expected = (layer(x + step) - layer(x - step)).detach() / 2e-5
    torch.testing.assert_close(layer(given).detach(), linearize(layer, x)[0])
    torch.testing.assert_close(linearize(layer, x)[1](direction), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(jvp(layer, (x,), (direction,))[1], expected, atol=1e-6, rtol=0)


def test_the_hessian_through_a_truncated_train() -> None:
    layer, x = quantum("2d", "truncated_train", dtype=torch.float64), images("2d", torch.float64)[0]
    expected = torch.autograd.functional.hessian(lambda x: layer(x).sum(), x)
    torch.testing.assert_close(hessian(lambda x: layer(x).sum())(x), expected)
    values = {"weights": layer.weights}
    with pytest.raises(PlanError, match="is for fixed filters"):
        jvp(lambda values: functional_call(layer, values, (x,)), (values,), (values,))
    with pytest.raises(PlanError, match="looks at the numbers of its weights"):
        quantum("2d", "truncated_train", device="meta")(images("2d").to("meta"))


@every_kind
@pytest.mark.parametrize("plan", [plan for plan in PLANS if plan != "truncated_train"])
def test_shapes_without_numbers(kind: str, plan: str) -> None:
    expected, mode = quantum(kind, plan)(images(kind)).shape, FakeTensorMode()
    with mode:
        assert quantum(kind, plan)(torch.rand(images(kind).shape)).shape == expected
    if plan != "polynomial, a scale for each pixel":
        assert quantum(kind, plan, device="meta")(images(kind).to("meta")).shape == expected


@every_kind
@every_plan
def test_fx_traces_a_model_that_holds_a_layer(kind: str, plan: str) -> None:
    model, x = nn.Sequential(quantum(kind, plan), nn.ReLU()), images(kind)
    traced = torch.fx.symbolic_trace(model)
    assert [(node.op, node.target) for node in traced.graph.nodes][1] == ("call_module", "0")
    torch.manual_seed(0)
    expected = model(x)
    torch.manual_seed(0)
    assert torch.equal(traced(x), expected)
    with pytest.raises(QuanvolveError, match=r"put it into an nn\.Sequential"):
        torch.fx.symbolic_trace(quantum(kind, plan))


def test_gradients_of_each_image_by_parameter_shift() -> None:
    """As many shots as leave no doubt: they agree with the exact ones."""
    exact = quantum("2d", "polynomial", dtype=torch.float64)
    layer = quantum("2d", "shots, parameter-shift", shots=200_000, dtype=torch.float64)
    values, x = {"weights": layer.weights.detach()}, images("2d", torch.float64)

    def per_image(of: nn.Module) -> dict[str, torch.Tensor]:
        def loss(values: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
            return functional_call(of, values, (x,)).sum()

        found: dict[str, torch.Tensor] = vmap(grad(loss), in_dims=(None, 0), randomness="different")(values, x)
        return found

    torch.manual_seed(0)
    torch.testing.assert_close(per_image(layer)["weights"], per_image(exact)["weights"], atol=0.05, rtol=0)
    along = jvp(layer, (x,), (torch.ones_like(x),))[1]
    torch.testing.assert_close(along, jvp(exact, (x,), (torch.ones_like(x),))[1], atol=0.1, rtol=0)
    with pytest.raises(QuanvolveError, match="second derivatives are not measured"):
        grad(lambda x: grad(lambda x: layer(x).sum())(x).sum())(x)


@with_shots
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_shots_in_half_precision(plan: str, dtype: torch.dtype) -> None:
    layer, x = quantum("2d", plan, shots=4000).to(dtype), images("2d").to(dtype)
    torch.manual_seed(0)
    out = layer(x)
    out.sum().backward()
    assert out.dtype == layer.weights.grad.dtype == dtype
    torch.testing.assert_close(out.float(), quantum("2d")(x.float()), atol=0.2, rtol=0)


@with_shots
def test_shots_in_exported_programs(plan: str) -> None:
    layer, x = quantum("2d", plan, shots=2000).eval(), images("2d")
    batch = torch.export.Dim("batch", max=64)
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: batch},)).module()
    torch.manual_seed(0)
    many = torch.cat([x, x / 2, x / 3])
    torch.testing.assert_close(program(many), quantum("2d")(many), atol=0.2, rtol=0)
    assert not torch.equal(program(x), program(x)), "drawn anew in each call"
    assert isinstance(layer, Quanv2d)
