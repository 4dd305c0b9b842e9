"""What torch offers to any layer works with coherent trees too."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from quanvolve import CoherentTree, QuantumLinear, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.compile import use_kernels
from quanvolve.testing import check_gradients, check_independence, check_physicality, check_round_trip

DOUBLE = torch.float64
KINDS: dict[str, dict[str, Any]] = {
    "su4": {"input_size": (4, 4)},
    "shared, two kept": {"input_size": (2, 4), "shared": True, "keep": 2, "readout": "paulis"},
    "a map of a named circuit": {"input_size": (4, 4), "window": 2, "block": "hardware_efficient", "n_levels": 1},
    "noise": {"input_size": 4, "noise": {"depolarizing": 0.02}},
    "fixed": {"input_size": (4, 4), "trainable": False},
}
every = pytest.mark.parametrize("kind", KINDS)


def build(kind: str, **more: Any) -> tuple[CoherentTree, Tensor]:
    options: dict[str, Any] = {"n_trees": 2, "seed": 0, "init": "uniform", "dtype": DOUBLE, **KINDS[kind], **more}
    tree = CoherentTree(1, **options)
    generator = torch.Generator().manual_seed(1)
    return tree, torch.rand(3, 1, *tree.input_size, generator=generator, dtype=options["dtype"])


@every
def test_first_and_second_derivatives(kind: str) -> None:
    tree, x = build(kind, n_trees=1, scale=nn.Parameter(torch.tensor([1.3], dtype=DOUBLE)))
    names = [name for name, _ in tree.named_parameters()]

    def function(x: Tensor, *values: Tensor) -> Tensor:
        return functional_call(tree, dict(zip(names, values, strict=True)), (x,))

    leaves = [x[:1].requires_grad_(), *(p.detach().clone().requires_grad_() for p in tree.parameters())]
    assert torch.autograd.gradcheck(function, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, leaves, fast_mode=True)


@every
def test_transforms(kind: str) -> None:
    tree, x = build(kind)
    torch.testing.assert_close(vmap(tree)(x), tree(x))
    x.requires_grad_()
    out = tree(x).square().sum()
    leaves = [x, *tree.parameters()]
    expected = torch.autograd.grad(out, leaves)
    values = {name: value.detach() for name, value in (*tree.named_parameters(), *tree.named_buffers())}

    def loss(values: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(tree, values, (x,)).square().sum()

    by_name, by_image = grad(loss, argnums=(0, 1))(values, x.detach())
    found = [by_image, *(by_name[name] for name, _ in tree.named_parameters())]
    torch.testing.assert_close(found, list(expected))
    single = vmap(grad(loss), in_dims=(None, 0))(values, x.detach())
    for name, parameter in tree.named_parameters():
        torch.testing.assert_close(single[name].sum(0), by_name[name], msg=str(parameter.shape))


@pytest.fixture
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("_fresh_compiler")
@every
def test_compiled_models_compute_the_same(kind: str) -> None:
    tree, x = build(kind)
    model = nn.Sequential(tree, nn.ReLU())
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
    if not tree.trainable:
        return
    pairs = [torch.autograd.grad(one(x).sum(), list(model.parameters())) for one in (compiled, model)]
    torch.testing.assert_close(*pairs)
    torch.testing.assert_close(compiled(x[:1]), model(x[:1]), msg="another size of the batch")
    with torch.no_grad():
        next(model.parameters()).add_(0.5)
    torch.testing.assert_close(compiled(x), model(x), msg="other weights")


def test_exported_models_compute_the_same() -> None:
    tree, x = build("su4")
    program = torch.export.export(nn.Sequential(tree).eval(), (x,))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    torch.testing.assert_close(torch.export.load(buffer).module()(x), tree(x))


@every
def test_copies_and_files(kind: str) -> None:
    tree, x = build(kind)
    expected = tree(x)
    for other in (copy.deepcopy(tree), pickle.loads(pickle.dumps(tree))):
        assert torch.equal(other(x), expected)
    fresh, _ = build(kind, seed=7)
    assert not torch.equal(fresh(x), expected)
    fresh.load_state_dict(tree.state_dict())
    assert torch.equal(fresh(x), expected)


def test_the_state_of_another_tree_is_refused() -> None:
    tree, _ = build("su4")
    other, _ = build("su4", encoding="rx", scale=1.0)
    with pytest.raises(
        QuanvolveError, match="weights of another tree, which differs in scale, encoding: build the tree"
    ):
        other.load_state_dict(tree.state_dict())
    state = tree.state_dict()
    state["_extra_state"] = state["_extra_state"][:-3]
    with pytest.raises(QuanvolveError, match="the state's description of the tree is damaged"):
        tree.load_state_dict(state)


@every
def test_without_kernels_the_same(kind: str) -> None:
    tree, x = build(kind)
    with use_kernels(False):
        expected = tree(x)
    tree._compiled = None
    torch.testing.assert_close(tree(x), expected, rtol=0, atol=1e-12)


@every
def test_precisions(kind: str) -> None:
    tree, x = build(kind)
    expected = tree(x)
    single = copy.deepcopy(tree).float()
    found = single(x.float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(single.double()(x), expected, rtol=0, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(tree(x), expected)


def test_without_gradients_the_blocks_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tree, x = build("su4")
    with torch.no_grad():
        expected = tree(x)
        kept = tree._compiled
        assert torch.equal(tree(x / 1), expected)
        assert tree._compiled is kept
        next(tree.parameters()).add_(0.5)
        assert not torch.allclose(tree(x), expected)
    torch.testing.assert_close(tree(x), tree(x.requires_grad_()))


def test_empty_single_and_strided_images() -> None:
    tree, x = build("su4")
    expected = tree(x)
    assert tree(x[:0]).shape == (0, 6)
    assert tree(x[:0].requires_grad_()).sum().backward() is None
    torch.testing.assert_close(tree(x[1]), expected[1])
    torch.testing.assert_close(tree(x.transpose(2, 3).contiguous().transpose(2, 3)), expected)
    torch.testing.assert_close(tree(images=x), expected)
    many = torch.cat([x] * 40)
    torch.testing.assert_close(tree(many)[-3:], expected, rtol=0, atol=1e-14)


def test_shapes_without_numbers() -> None:
    tree, x = build("a map of a named circuit", device="meta")
    out = tree(x.to("meta"))
    assert out.shape == (3, 6, 2, 2)
    assert out.device.type == "meta"


def test_new_first_weights() -> None:
    tree, x = build("su4", init="auto")
    before = tree(x)
    torch.manual_seed(1)
    tree.reset_parameters()
    assert not torch.allclose(tree(x), before)
    interactions = torch.cat([level.weights[..., 6:].flatten() for level in tree.levels]).detach()
    assert float((interactions - torch.pi / 4).abs().max()) <= 0.05


def test_a_network_of_layers() -> None:
    """A quantum convolution, trees on its channels, a dense quantum layer on what they measure."""
    torch.manual_seed(0)
    model = nn.Sequential(
        Quanv2d(1, 2, 2, stride=2, circuit="basic_entangler", n_layers=1),
        CoherentTree(2, (4, 4), encoding="dense", n_trees=2, readout="z"),
        QuantumLinear(2, 3),
    )
    x, labels = torch.rand(6, 1, 8, 8), torch.arange(6) % 3
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())
    assert losses[-1] < losses[0]


def test_fx_sees_a_tree_as_one_module() -> None:
    tree, x = build("su4")
    traced = torch.fx.symbolic_trace(nn.Sequential(tree, nn.ReLU()))
    assert [node.op for node in traced.graph.nodes] == ["placeholder", "call_module", "call_module", "output"]
    torch.testing.assert_close(traced(x), tree(x).relu())


def test_the_conformance_kit_as_far_as_it_fits() -> None:
    """One level with shared weights is a quantum convolution; deeper trees have no window that slides."""
    options: dict[str, Any] = {"window": (2, 2), "block": "strongly_entangling", "shared": True, "n_levels": 1}
    level = CoherentTree(1, (4, 6), n_trees=2, seed=0, **options)
    where = {"kernel_size": (2, 2), "stride": (2, 2), "padding": 0, "size": (4, 6)}
    for check in (check_independence, check_round_trip, check_gradients, check_physicality):
        result = check(level, **where)
        assert result.passed, result


@pytest.mark.parametrize("frozen", [False, True])
def test_trees_of_several_scales_are_compiled_one_after_the_other(frozen: bool) -> None:
    """A number that changes between two calls becomes a symbol in `torch.compile`."""
    torch._dynamo.reset()
    images = torch.rand(2, 1, 4, 4)
    for scale in (0.5, 1.0, 0.25):
        tree = CoherentTree(1, (4, 4), scale=scale, seed=0)
        module: Any = tree.frozen() if frozen else tree
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(images), tree(images))
