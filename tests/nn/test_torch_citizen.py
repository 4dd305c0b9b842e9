"""What torch offers to any layer works with these too: derivatives, `torch.func`, compilation, export, copies."""

import copy
import io
import pickle
import shutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from functorch.compile import make_boxed_func
from torch import Tensor, nn
from torch._dynamo.backends.common import aot_autograd
from torch._dynamo.backends.registry import lookup_backend
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d

LAYERS: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "1d": (lambda **more: Quanv1d(2, 3, 2, groups=1, n_layers=1, **more), (2, 2, 4)),
    "2d": (lambda **more: Quanv2d(1, 3, (1, 2), padding=(0, 1), n_layers=1, **more), (2, 1, 2, 3)),
    "3d": (lambda **more: Quanv3d(1, 2, (2, 1, 1), stride=2, n_layers=1, **more), (2, 1, 2, 1, 3)),
    "linear": (lambda **more: QuantumLinear(2, 3, n_layers=1, **more), (2, 2)),
}
ENGINES = ("polynomial", "statevector")

every_layer = pytest.mark.parametrize("name", LAYERS)
fixed_or_not = pytest.mark.parametrize("trainable", [True, False])


def build(name: str, **more: Any) -> tuple[Any, Tensor]:
    make, shape = LAYERS[name]
    options = {"seed": 0, "bias": True, "dtype": torch.float64, **more}
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=options["dtype"])
    return make(**options), x


def tensors(layer: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in (*layer.named_parameters(), *layer.named_buffers())}


# -- derivatives -------------------------------------------------------------------------------------------------------


@every_layer
@fixed_or_not
@pytest.mark.parametrize("engine", ENGINES)
def test_first_and_second_derivatives(name: str, trainable: bool, engine: str) -> None:
    scale = nn.Parameter(torch.tensor([1.3], dtype=torch.float64))
    layer, x = build(name, trainable=trainable, scale=scale, engine=engine)
    names = [name for name, _ in layer.named_parameters()]
    assert set(names) == ({"weights", "scale", "bias"} if trainable else {"scale", "bias"})

    def function(x: Tensor, *values: Tensor) -> Tensor:
        return functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    leaves = [x.requires_grad_(), *(p.detach().clone().requires_grad_() for p in layer.parameters())]
    assert torch.autograd.gradcheck(function, leaves)
    assert torch.autograd.gradgradcheck(function, leaves)


# -- torch.func --------------------------------------------------------------------------------------------------------


@every_layer
@fixed_or_not
@pytest.mark.parametrize("engine", ENGINES)
def test_vmap_over_images(name: str, trainable: bool, engine: str) -> None:
    layer, x = build(name, trainable=trainable, engine=engine)
    torch.testing.assert_close(vmap(layer)(x), layer(x))
    batches = torch.stack([x, x / 2, x / 3])
    torch.testing.assert_close(vmap(layer)(batches)[1], layer(x / 2))


@every_layer
@fixed_or_not
@pytest.mark.parametrize("engine", ENGINES)
def test_vmap_over_an_ensemble_of_weights(name: str, trainable: bool, engine: str) -> None:
    layers = [build(name, trainable=trainable, engine=engine, seed=seed)[0] for seed in range(3)]
    x = build(name)[1]
    parameters, buffers = stack_module_state(layers)

    def call(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        return functional_call(layers[0], (parameters, buffers), (x,))

    found = vmap(call)(parameters, buffers)
    for member, layer in zip(found, layers, strict=True):
        torch.testing.assert_close(member, layer(x))
    with torch.no_grad():
        torch.testing.assert_close(layers[0](x), found[0], msg="no member's filters stay in the layer")


@every_layer
@pytest.mark.parametrize("engine", ENGINES)
def test_functional_gradients_equal_autograds(name: str, engine: str) -> None:
    layer, x = build(name, engine=engine)
    layer(x).square().sum().backward()
    expected = {name: p.grad for name, p in layer.named_parameters()}
    values = tensors(layer)

    def loss(values: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(layer, values, (x,)).square().sum()

    torch.testing.assert_close(grad(loss)(values, x), expected)
    single = vmap(grad(loss), in_dims=(None, 0))(values, x)
    torch.testing.assert_close({name: g.sum(0) for name, g in single.items()}, expected, msg="gradients of each image")
    jacobian = jacrev(lambda values: functional_call(layer, values, (x,)))(values)["weights"]
    out = layer(x)
    assert jacobian.shape == (*out.shape, *layer.weights.shape)
    (first,) = torch.autograd.grad(out.flatten()[0], layer.weights)
    torch.testing.assert_close(jacobian.reshape(out.numel(), *layer.weights.shape)[0], first)


@every_layer
def test_the_hessian_of_the_inputs(name: str) -> None:
    layer, x = build(name, trainable=False)
    one = x[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)  # forward mode's own
        hessian = torch.func.hessian(lambda x: layer(x).sum())(one)
    expected = torch.autograd.functional.hessian(lambda x: layer(x).sum(), one)
    torch.testing.assert_close(hessian, expected)


def test_large_batches_in_chunks_under_transforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks are recomputed in the backward pass, which `torch.func` does not allow."""
    from quanvolve.compile.batch import _chunks

    layer, x = build("2d")
    values = tensors(layer)

    def loss(values: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(layer, values, (x,)).square().sum()

    expected = grad(loss)(values, x)
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 1)
    torch.testing.assert_close(grad(loss)(values, x), expected)
    torch.testing.assert_close(vmap(layer)(x), layer(x))


# -- torch.compile and torch.export ------------------------------------------------------------------------------------


@pytest.fixture
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class Model(nn.Module):
    """A layer among torch's own."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.layer(2 * x)).square()


def gradients(model: nn.Module, call: Callable[[Tensor], Tensor], x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    model.zero_grad()
    call(x).sum().backward()
    found = [x.grad, *(p.grad for p in model.parameters())]
    assert all(g is not None for g in found)
    return [g.clone() for g in found if g is not None]


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize(
    ("name", "trainable", "engine"),
    [
        ("1d", True, "polynomial"),
        ("2d", True, "polynomial"),
        ("2d", False, "polynomial"),
        ("2d", True, "statevector"),
        ("3d", False, "statevector"),
        ("3d", True, "polynomial"),
        ("linear", True, "polynomial"),
    ],
)
def test_compiled_models_compute_the_same(name: str, trainable: bool, engine: str) -> None:
    layer, x = build(name, trainable=trainable, engine=engine)
    model = Model(layer)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
    torch.testing.assert_close(gradients(model, compiled, x), gradients(model, model, x))
    torch.testing.assert_close(compiled(x[:1]), model(x[:1]), msg="another size of the batch")


@pytest.mark.usefixtures("_fresh_compiler")
def test_sizes_of_batches_are_compiled_twice_at_most() -> None:
    for options in ({}, {"encoding": "threshold"}):
        graphs: list[torch.fx.GraphModule] = []

        def count(graph: torch.fx.GraphModule, inputs: Any, graphs: list[Any] = graphs) -> Any:
            graphs.append(graph)
            return lookup_backend("aot_eager")(graph, inputs)

        layer = Quanv2d(1, 4, 2, stride=2, seed=0, **options)
        compiled = torch.compile(layer, fullgraph=True, backend=count)
        for size in (4, 6, 9, 5):
            x = torch.rand(size, 1, 6, 6)
            torch.testing.assert_close(gradients(layer, compiled, x), gradients(layer, layer, x))
        assert len(graphs) == 2, "one graph for the first size, one for every other"
        torch._dynamo.reset()


NOISE = {"depolarizing": 0.01}
SEEN_WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "noise": ("density", {"encoding": "iqp", "noise": NOISE}),
    "noise, fixed": ("density", {"encoding": "iqp", "noise": NOISE, "trainable": False}),
    "noise, a scale for each pixel": ("density", {"encoding": "iqp", "noise": NOISE, "scale": torch.rand(2, 2)}),
    "noisy coefficients": ("polynomial", {"noise": NOISE}),
    "amplitudes": ("statevector", {"encoding": "amplitude", "bias": True}),
    "amplitudes, random circuits": ("statevector", {"encoding": "amplitude", "circuit": "random"}),
    "products of pixels": ("statevector", {"encoding": "iqp"}),
    "products of pixels, joint": ("statevector", {"encoding": "iqp", "channel_mixing": "joint", "kernel_size": 1}),
    "uploaded again": ("statevector", {"encoding": "reupload", "n_layers": 2, "scale": torch.rand(2, 2)}),
    "bits": ("table", {"encoding": "threshold", "n_layers": 2}),
    "trains": ("tensor_train", {"kernel_size": 3}),
}


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize("what", SEEN_WHOLE)
def test_compilers_see_few_operators_for_any_size_of_batches(what: str) -> None:
    """Graphs of hundreds of steps take a compiler up to a minute, and again for a second size."""
    plan, options = SEEN_WHOLE[what]
    seen: list[list[str]] = []

    def note(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        seen.append([str(node.target) for node in graph.graph.nodes])
        return make_boxed_func(graph.forward)

    layer = Quanv2d(2, 4, **{"kernel_size": 2, "n_layers": 1, "seed": 0, **options})
    assert layer.plan.startswith(plan)
    compiled = torch.compile(layer, fullgraph=True, backend=aot_autograd(fw_compiler=note, bw_compiler=note))
    for size in (2, 3, 5):
        x = torch.rand(size, 2, 4, 5)
        torch.testing.assert_close(gradients(layer, compiled, x), gradients(layer, layer, x))
        x.requires_grad_()
        torch.testing.assert_close(compiled(x), layer(x))
    assert len(seen) == 4, "forward and backward, for the first size and for every other"
    for names in seen:
        assert sum(name.startswith("quanvolve.") for name in names) >= 1
        assert len(names) <= 40
        assert not any("cos" in name for name in names)


@pytest.mark.usefixtures("_fresh_compiler")
@fixed_or_not
def test_compiled_models_follow_their_weights(trainable: bool) -> None:
    model = Model(Quanv2d(1, 4, (1, 2), circuit="random", trainable=trainable, seed=0))
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = torch.rand(2, 1, 3, 4)
    before = compiled(x)
    with torch.no_grad():
        model.layer.weights.add_(1.0)
    assert not torch.allclose(compiled(x), before)
    torch.testing.assert_close(compiled(x), model(x))
    model.layer.load_state_dict(Quanv2d(1, 4, (1, 2), circuit="random", trainable=trainable, seed=9).state_dict())
    torch.testing.assert_close(compiled(x), model(x), msg="other weights and other circuits")


@pytest.mark.usefixtures("_fresh_compiler")
def test_tracing_leaves_nothing_behind_for_eager_calls() -> None:
    """What is cached by circuit while tensors are imaginary must not reach real ones."""
    for engine in ENGINES:
        model = Model(Quanv1d(1, 2, 2, n_layers=7, seed=0, engine=engine))  # a circuit that no other test compiles
        x = torch.rand(2, 1, 5)
        exported = torch.export.export(model, (x,)).module()
        torch.testing.assert_close(exported(x), model(x))
        gradients(model, model, x)


@pytest.mark.usefixtures("_fresh_compiler")
def test_the_default_compiler(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    backend = "inductor" if shutil.which("g++") or shutil.which("clang++") else "aot_eager"
    model = Model(QuantumLinear(1, 1, circuit="basic_entangler", n_layers=1, seed=0))
    x = torch.rand(3, 1)
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)  # inductor's own
        torch.testing.assert_close(gradients(model, compiled, x), gradients(model, model, x))
        torch.testing.assert_close(compiled(x), model(x))


@every_layer
@fixed_or_not
@pytest.mark.parametrize("engine", ENGINES)
def test_exported_models_compute_the_same(name: str, trainable: bool, engine: str) -> None:
    layer, x = build(name, trainable=trainable, engine=engine)
    model = Model(layer).eval()
    program = torch.export.export(model, (x,))
    torch.testing.assert_close(program.module()(x), model(x))
    torch.testing.assert_close(program.module()(x / 2), model(x / 2))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    loaded = torch.export.load(buffer).module()
    torch.testing.assert_close(loaded(x), model(x), msg="the exported program needs this package no more")


@every_layer
def test_exported_models_take_any_batch(name: str) -> None:
    layer, x = build(name)
    model = Model(layer)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("batch", max=4096)},))
    many = torch.cat([x, x / 2, x / 3])
    torch.testing.assert_close(program.module()(many), model(many))


# -- precision ---------------------------------------------------------------------------------------------------------


@every_layer
@fixed_or_not
def test_autocast_computes_in_the_layers_own_precision(name: str, trainable: bool) -> None:
    layer, x = build(name, trainable=trainable, dtype=torch.float32)
    expected = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
        half = layer(x.bfloat16())
    assert out.dtype == half.dtype == torch.float32
    assert torch.equal(out, expected)
    assert torch.equal(half, layer(x.bfloat16().float()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(x).sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in layer.parameters())


# -- copies ------------------------------------------------------------------------------------------------------------


@every_layer
@fixed_or_not
@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("travel", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_compute_the_same_and_are_independent(
    name: str, trainable: bool, used: bool, travel: Callable[[Any], Any]
) -> None:
    layer, x = build(name, trainable=trainable)
    with torch.no_grad():
        expected = layer(x) if used else build(name, trainable=trainable)[0](x)
        twin = travel(layer)
        assert torch.equal(twin(x), expected)
        twin.weights.add_(1.0)
        assert not torch.allclose(twin(x), expected)
        assert torch.equal(layer(x), expected)


@pytest.mark.parametrize(
    ("kind", "arguments"), [(Quanv1d, (1, 4, 2)), (Quanv2d, (1, 4, 2)), (Quanv3d, (1, 4, 1)), (QuantumLinear, (2, 4))]
)
@fixed_or_not
def test_skip_init_and_then_a_state(kind: type[nn.Module], arguments: tuple[int, ...], trainable: bool) -> None:
    options = {"circuit": "random", "bias": True, "trainable": trainable, "n_layers": 1}
    layer = nn.utils.skip_init(kind, *arguments, **options)
    source = kind(*arguments, **options, seed=0)
    assert {p.device.type for p in (*layer.parameters(), *layer.buffers())} == {"cpu"}
    layer.load_state_dict(source.state_dict())
    shape = (3, 2) if kind is QuantumLinear else (3, 1, *(4,) * layer.dims)
    x = torch.rand(shape)
    assert torch.equal(layer(x), source(x))


# -- nothing stale -----------------------------------------------------------------------------------------------------


def _step(layer: Any, x: Tensor, optimizer: type[torch.optim.Optimizer]) -> None:
    layer.weights.requires_grad_()
    with torch.enable_grad():
        chosen = optimizer([layer.weights], lr=0.3)
        layer(x).square().sum().backward()
        chosen.step()


CHANGES: dict[str, Callable[[Any, Tensor], object]] = {
    "in place": lambda layer, x: layer.weights.add_(1.0),
    "data": lambda layer, x: setattr(layer.weights, "data", layer.weights.data + 1.0),
    "data in place": lambda layer, x: layer.weights.data.mul_(0.5),
    "one entry": lambda layer, x: layer.weights.data.view(-1).__setitem__(1, 0.7),
    "state": lambda layer, x: layer.load_state_dict({**layer.state_dict(), "weights": layer.weights + 0.5}),
    "assigned state": lambda layer, x: layer.load_state_dict(
        {**layer.state_dict(), "weights": layer.weights + 0.5}, assign=True
    ),
    "sgd": lambda layer, x: _step(layer, x, torch.optim.SGD),
    "adam": lambda layer, x: _step(layer, x, torch.optim.Adam),
    "vector": lambda layer, x: nn.utils.vector_to_parameters(
        torch.ones(layer.weights.numel()).double(), [layer.weights]
    ),
    "reset": lambda layer, x: layer.reset_parameters(),
}


@every_layer
@fixed_or_not
@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_no_filter_outlives_its_weights(name: str, trainable: bool, mode: bool, change: str) -> None:
    layer, x = build(name, trainable=trainable, bias=False)
    layer.train(mode)
    with torch.no_grad():
        before = layer(x)
        CHANGES[change](layer, x)
        layer.train(not mode)
        after = layer(x)
        fresh = build(name, weights=layer.weights.detach().clone(), seed=5, bias=False)[0](x)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, fresh)


@every_layer
@fixed_or_not
def test_transforms_leave_no_wrapped_tensor_in_the_layer(name: str, trainable: bool) -> None:
    layer, x = build(name, trainable=trainable)
    values = tensors(layer)
    with torch.no_grad():
        expected = layer(x)
        vmap(layer)(x)
        doubled = {name: torch.stack([value, 2 * value]) for name, value in values.items()}
        vmap(lambda values: functional_call(layer, values, (x,)))(doubled)
    grad(lambda x: layer(x).sum())(x)
    with torch.no_grad():
        assert torch.equal(layer(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), layer(x))


def test_replaced_weights_of_a_functional_call_do_not_stay() -> None:
    layer, x = build("2d", trainable=False)
    with torch.no_grad():
        before = layer(x)
        other = functional_call(layer, {"weights": layer.weights + 1.0}, (x,))
        assert not torch.allclose(before, other)
        assert torch.equal(layer(x), before)
