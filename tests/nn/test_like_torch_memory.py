"""Memory stays the caller's: tensors that went through a layer can still be resized and freed, as FSDP does."""

from __future__ import annotations

import torch

from quanvolve import Quanv2d
from quanvolve.explain import reading
from tests.nn.plans import every_kind, every_plan, images, quantum


@every_kind
@every_plan
def test_images_weights_values_and_gradients_can_be_resized(kind: str, plan: str) -> None:
    layer, x = quantum(kind, plan, bias=True), images(kind).requires_grad_()
    state = layer.state_dict()
    out = layer(x)
    out.sum().backward()
    layer.load_state_dict(state)
    tensors = {"images": x, "values": out, "gradient by images": x.grad, **state}
    for name, parameter in (*layer.named_parameters(), *layer.named_buffers()):
        tensors[name], tensors[f"gradient by {name}"] = parameter, parameter.grad
    fixed = [name for name, one in tensors.items() if one is not None and not one.untyped_storage().resizable()]
    assert fixed == []
    assert not out._is_view(), "FSDP warns of values that are views"
    for one in (out, x):
        one.untyped_storage().resize_(0)


def test_what_explains_a_layer_leaves_memory_alone() -> None:
    given = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    layer = Quanv2d(1, 2, 2, weights=torch.rand(1, 1, 2, 4, 3), dtype=torch.float64)
    from_lists = Quanv2d(1, 2, 2, weights=torch.rand(1, 1, 2, 4, 3).tolist(), dtype=torch.float64)
    assert from_lists.weights.untyped_storage().resizable()
    reading(layer, given)
    assert given.untyped_storage().resizable()
    assert layer.weights.untyped_storage().resizable()


def test_negated_views_are_read_as_they_count() -> None:
    """torch may keep a sign beside the memory."""
    turned = torch.complex(torch.zeros(2, 1, 3, 3), torch.rand(2, 1, 3, 3)).conj().imag
    assert turned.is_neg()
    layer = Quanv2d(1, 4, 2, n_layers=1, seed=0)
    assert torch.equal(layer(turned), layer(turned.resolve_neg()))
