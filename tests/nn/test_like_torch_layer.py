"""What `qp.qnn.TorchLayer` does with a function, a layer of the same function does too, or says why not."""

import copy
import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor, nn

from quanvolve import QuantumLinear, Quanv2d
from quanvolve._errors import CaptureError

TorchLayer = qp.qnn.TorchLayer
SHAPES = {"turns": (2, 2), "tilt": 1, "tail": [3]}
LEADING = [(), (4,), (2, 3)]


def body(inputs: Tensor, turns: Tensor, tilt: Tensor, tail: Tensor) -> None:
    qp.AngleEmbedding(inputs, wires=range(2))
    qp.BasicEntanglerLayers(turns, wires=range(2))
    qp.RX(tilt, wires=1)
    qp.Rot(*tail, wires=0)


def circuit(inputs, turns, tilt, tail):
    body(inputs, turns, tilt, tail)
    return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]


def node(function: Callable[..., Any], **options: Any) -> qp.QNode:
    return qp.QNode(function, qp.device("default.qubit", wires=2), **options)


def features(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def linear(function: Any = circuit, shapes: Any = SHAPES, n_out: int = 2, **options: Any) -> QuantumLinear:
    return QuantumLinear(2, n_out, circuit=function, weight_shapes=shapes, **options)


def conv(function: Any = circuit, shapes: Any = SHAPES, n_out: int = 2, **options: Any) -> Quanv2d:
    return Quanv2d(1, n_out, (1, 2), circuit=function, weight_shapes=shapes, **options)


def pair(function: Any = circuit, n_out: int = 2, make: Any = linear, shapes: Any = SHAPES) -> tuple[Any, Any]:
    """A layer and a `TorchLayer` of the same function and weights, in double precision."""
    theirs = TorchLayer(node(function), shapes).double()
    return make(function, shapes, n_out, weights=theirs.state_dict(), dtype=torch.float64), theirs


def values(layer: nn.Module, x: Tensor) -> Tensor:
    """What a layer makes of features (*, 2), each of them a window of a convolution."""
    if isinstance(layer, QuantumLinear):
        return layer(x)
    return layer(x.reshape(-1, 1, 1, 2)).reshape(*x.shape[:-1], -1)


def check(layer: nn.Module, theirs: nn.Module, x: Tensor, arranged: Callable[[Tensor], Tensor] = torch.clone) -> None:
    """Assert equal values, and equal gradients of features and of every weight."""
    ours_x, their_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    found, expected = values(layer, ours_x), arranged(theirs(their_x))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    factors = features(*found.shape)
    (found * factors).sum().backward()
    (expected * factors).sum().backward()
    torch.testing.assert_close(ours_x.grad, their_x.grad, rtol=0, atol=1e-9)
    assert [name for name, _ in layer.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    for name, weight in theirs.named_parameters():
        torch.testing.assert_close(getattr(layer, name).grad.sum((0, 1)), weight.grad, rtol=0, atol=1e-9)


# -- the function ------------------------------------------------------------------------------------------------------


def inputs_last(turns, tilt, tail, inputs=None):
    return circuit(inputs, turns, tilt, tail)


def inputs_between(turns, inputs, tilt, tail):
    return circuit(inputs, turns, tilt, tail)


def by_keyword(*, tail, inputs, turns, tilt):
    return circuit(inputs, turns, tilt, tail)


def with_a_default(inputs, turns, tail, tilt=0.5):
    return circuit(inputs, turns, tilt, tail)


def any_weights(inputs, **weights):
    return circuit(inputs, weights["turns"], weights["tilt"], weights["tail"])


@pytest.mark.parametrize("make", [linear, conv])
@pytest.mark.parametrize("function", [inputs_last, inputs_between, by_keyword, with_a_default, any_weights])
def test_arguments_are_given_by_name(function: Callable[..., Any], make: Callable[..., nn.Module]) -> None:
    check(*pair(function, make=make), features(5, 2))


@pytest.mark.parametrize(
    "size", [1, (), (1,), [1], 3, (2, 2), np.int64(1), np.int32(3), (np.int64(2), 2), np.array([2, 2]), torch.Size([3])]
)
def test_shapes_are_read_alike(size: Any) -> None:
    def function(inputs, w):
        qp.RX(inputs[..., 0] + w.sum(), wires=0)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Y(0))]

    layer, theirs = pair(function, shapes={"w": size})
    assert layer.w.shape == (1, 1, *theirs.w.shape)
    check(layer, theirs, features(2))


@pytest.mark.parametrize("interface", ["autograd", "jax", "torch", "auto"])
def test_the_interface_of_a_qnode_is_no_matter_and_stays(interface: str) -> None:
    given, x = node(circuit, interface=interface, diff_method="parameter-shift"), features(3, 2, dtype=torch.float32)
    assert torch.equal(linear(given, seed=0)(x), linear(seed=0)(x))
    assert given.interface == interface


# -- what is measured --------------------------------------------------------------------------------------------------

RETURNS: dict[str, tuple[int, Callable[[], Any]]] = {
    "a value": (1, lambda: qp.expval(qp.Z(0) @ qp.Z(1))),
    "a list of one": (1, lambda: [qp.expval(qp.Z(0))]),
    "a tuple": (2, lambda: (qp.expval(qp.Z(0)), qp.var(qp.Y(1)))),
    "probabilities": (4, lambda: qp.probs(wires=[1, 0])),
    "of one wire": (2, lambda: qp.probs(wires=1)),
    "of an observable": (2, lambda: qp.probs(op=qp.Z(1))),
    "both": (5, lambda: [qp.expval(qp.Z(1)), qp.probs(wires=range(2))]),
}


@pytest.mark.parametrize("leading", LEADING, ids=str)
@pytest.mark.parametrize("name", RETURNS)
def test_values_and_shapes_of_what_is_returned(name: str, leading: tuple[int, ...]) -> None:
    """Values are the last axis, as in `nn.Linear`: `TorchLayer` has none for one value and puts a tuple's first."""

    def function(inputs, turns, tilt, tail):
        body(inputs, turns, tilt, tail)
        return RETURNS[name][1]()

    def arranged(out: Tensor) -> Tensor:
        if name == "a tuple":
            return out.squeeze(-1).movedim(0, -1)
        return out.unsqueeze(-1) if name == "a value" else out

    check(*pair(function, RETURNS[name][0]), features(*leading, 2), arranged)


def test_shots_give_means_of_as_many_results() -> None:
    given = node(circuit, shots=5)
    found, expected = linear(given)(features(2, 3, 2).float()), TorchLayer(given, SHAPES)(features(2, 3, 2).float())
    assert found.shape == expected.shape
    for drawn in (found, expected):
        counts = (drawn.detach() + 1) * 2.5
        torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-5)


def test_second_derivatives() -> None:
    layer, theirs = pair()
    expected, found = (torch.autograd.functional.hessian(lambda x, f=f: f(x)[0], features(2)) for f in (theirs, layer))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


# -- first weights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "init",
    [
        nn.init.ones_,
        lambda weight: torch.full_like(weight, 0.3),
        functools.partial(nn.init.uniform_, a=0.5, b=0.5),
        {"turns": torch.eye(2), "tilt": torch.tensor(0.7), "tail": torch.arange(3.0)},
        {"turns": nn.init.eye_, "tilt": nn.init.ones_, "tail": torch.arange(3.0)},
    ],
)
def test_init_is_init_method(init: Any) -> None:
    theirs, layer = TorchLayer(node(circuit), SHAPES, init_method=init), linear(n_out=4, init=init)
    for name, weight in theirs.named_parameters():
        assert torch.equal(getattr(layer, name), weight.expand(2, 1, *weight.shape))


def test_weights_that_init_leaves_out_are_drawn() -> None:
    with pytest.raises(KeyError):
        TorchLayer(node(circuit), SHAPES, init_method={"tilt": nn.init.ones_})
    assert (linear(init={"tilt": nn.init.ones_}).turns != 0).all()


# -- in models ---------------------------------------------------------------------------------------------------------


def hybrid(make: Callable[[], nn.Module], dtype: torch.dtype) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 2), make(), nn.Linear(2, 2), make(), nn.Linear(2, 1)).to(dtype)


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_model_takes_the_state_of_one_with_torch_layers_and_the_same_steps(dtype: torch.dtype, atol: float) -> None:
    theirs, ours = hybrid(lambda: TorchLayer(node(circuit), SHAPES), dtype), hybrid(linear, dtype)
    ours.load_state_dict(theirs.state_dict())
    assert set(ours.state_dict()) == {*theirs.state_dict(), "1._extra_state", "3._extra_state"}
    x, wanted = features(6, 3, dtype=dtype), features(6, 1, dtype=dtype)
    for model in (theirs, ours):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), wanted).backward()
            optimizer.step()
    ours_by_name = dict(ours.named_parameters())
    assert ours_by_name.keys() == dict(theirs.named_parameters()).keys()
    for name, weight in theirs.named_parameters():
        torch.testing.assert_close(ours_by_name[name].reshape(weight.shape), weight, rtol=0, atol=atol)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("make", [linear, conv])
def test_all_filters_take_the_state_of_a_torch_layer(make: Callable[..., nn.Module], device: str) -> None:
    theirs = TorchLayer(node(circuit), SHAPES)
    layer = make(n_out=4, device=device)
    layer.load_state_dict(theirs.state_dict(), assign=device == "meta")
    x = features(3, 2, dtype=torch.float32)
    torch.testing.assert_close(values(layer, x), theirs(x).repeat(1, 2), rtol=0, atol=1e-5)


def test_states_that_are_not_of_such_a_torch_layer_are_refused_as_torch_does() -> None:
    state = TorchLayer(node(circuit), SHAPES).state_dict()
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "tilt"'):
        linear().load_state_dict({name: value for name, value in state.items() if name != "tilt"})
    with pytest.raises(RuntimeError, match="size mismatch for tail"):
        linear().load_state_dict({**state, "tail": torch.zeros(4)})
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "bias"'):
        linear(bias=True).load_state_dict(state)
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "_extra_state"'):
        linear(lambda inputs: qp.RX(inputs[0], 0) and qp.expval(qp.Z(0)), None, 1).load_state_dict({})


def test_a_layer_that_is_used_twice() -> None:
    layer, theirs = pair()
    twice, expected = nn.Sequential(layer, layer), nn.Sequential(theirs, theirs)
    x = features(4, 2)
    twice(x).sum().backward()
    expected(x).sum().backward()
    for name, weight in theirs.named_parameters():
        torch.testing.assert_close(getattr(layer, name).grad[0, 0], weight.grad, rtol=0, atol=1e-9)


def test_layers_of_a_function_are_copied_pickled_and_named() -> None:
    def local(inputs, turns, tilt, tail):
        return circuit(inputs, turns, tilt, tail)

    theirs = TorchLayer(node(local), SHAPES)
    with pytest.raises((AttributeError, pickle.PicklingError), match="local"):
        pickle.dumps(theirs)
    x = features(3, 2, dtype=torch.float32)
    for layer in (linear(local), linear(node(local)), QuantumLinear(2, 2, circuit=theirs)):
        assert "circuit='local'" in repr(layer)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(twin(x), layer(x))


# -- a TorchLayer as the circuit ---------------------------------------------------------------------------------------


def test_what_a_torch_layer_computes_with_counts() -> None:
    theirs = TorchLayer(node(circuit), SHAPES).double()
    theirs.qnode_weights["turns"] = nn.Parameter(torch.zeros(2, 2, dtype=torch.float64))
    theirs.tilt.requires_grad_(False)
    layer = QuantumLinear(2, 2, circuit=theirs, dtype=torch.float64)
    torch.testing.assert_close(layer(features(3, 2)), theirs(features(3, 2)), rtol=0, atol=1e-10)
    assert layer.tilt.requires_grad, "weights are trained, or all fixed by `trainable`"


@pytest.mark.parametrize("shots", [None, 7])
def test_a_torch_layer_may_call_its_window_otherwise(shots: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TorchLayer, "_input_arg", "x")

    def function(turns, x, tilt, tail):
        return circuit(x, turns, tilt, tail)

    def taken(x, inputs):
        qp.RX(x[0] + inputs, wires=0)
        return qp.expval(qp.Z(0))

    theirs = TorchLayer(node(function, shots=shots), SHAPES).double()
    layer = QuantumLinear(2, 2, circuit=theirs, dtype=torch.float64)
    assert layer.shots == shots
    assert "circuit='function'" in repr(layer)
    assert "inputs" not in theirs.qnode.func.__code__.co_varnames, "the QNode stays what it is"
    if shots is None:
        check(layer, theirs, features(3, 2))
    with pytest.raises(CaptureError, match=r"calls its window 'x' and a weight 'inputs', .*: rename the weight"):
        QuantumLinear(2, 1, circuit=TorchLayer(node(taken), {"inputs": 1}))
