"""Names that users of torch's layers know: of the argument, and of attributes that a quantum layer has not."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from tests.nn.plans import classical, every_kind, every_plan, images, quantum


@every_kind
@every_plan
def test_the_argument_is_called_input(kind: str, plan: str) -> None:
    layer, x = quantum(kind, plan), images(kind)
    torch.manual_seed(0)
    expected = layer(x)
    for named in ({"input": x}, {"features" if kind == "linear" else "images": x}):
        torch.manual_seed(0)
        assert torch.equal(layer(**named), expected)
    assert classical(kind)(input=x).shape == layer(input=x).shape


@every_kind
def test_an_argument_under_two_names_or_none_is_refused(kind: str) -> None:
    layer, x, own = quantum(kind), images(kind), "features" if kind == "linear" else "images"
    with pytest.raises(QuanvolveError, match=f"`input` and `{own}` are two names of one argument"):
        layer(x, **{own: x})
    with pytest.raises(QuanvolveError, match=r"expected a torch\.Tensor.*got NoneType"):
        layer()


@every_kind
@every_plan
def test_weight_says_which_weights_there_are(kind: str, plan: str) -> None:
    layer = quantum(kind, plan)
    assert not hasattr(layer, "weight")
    for same in (layer, copy.deepcopy(layer)):
        with pytest.raises(AttributeError, match=r"has no attribute 'weight': .* of shape .*: `weights`"):
            _ = same.weight.shape


@every_kind
def test_what_only_convolutions_have_is_explained(kind: str) -> None:
    layer = quantum(kind)
    with pytest.raises(AttributeError, match="'transposed': it is never transposed"):
        _ = layer.transposed
    with pytest.raises(AttributeError, match="'output_padding': only transposed convolutions"):
        _ = layer.output_padding
    with pytest.raises(AttributeError, match=r"has no attribute 'wieght'$"):
        _ = layer.wieght


def test_a_circuit_may_call_its_weight_weight() -> None:
    import pennylane as qp

    def circuit(inputs, weight):
        qp.AngleEmbedding(inputs, wires=range(2))
        qp.BasicEntanglerLayers(weight, wires=range(2))
        return [qp.expval(qp.PauliZ(wire)) for wire in range(2)]

    layer = Quanv2d(1, 2, (1, 2), circuit=circuit, weight_shapes={"weight": (1, 2)})
    assert layer.weight.shape == (1, 1, 1, 2)
    assert isinstance(layer.weight, nn.Parameter)


def test_a_circuit_may_have_no_weights() -> None:
    import pennylane as qp

    def circuit(inputs):
        qp.AngleEmbedding(inputs, wires=range(2))
        return [qp.expval(qp.PauliZ(wire)) for wire in range(2)]

    with pytest.raises(AttributeError, match="the circuits of its filters have no weights"):
        _ = Quanv2d(1, 2, (1, 2), circuit=circuit).weight
