"""Whole layers by the kernels for GPUs, run by Triton's interpreter, against plain torch; and what the contract's small
cases do not reach: work that is cut into pieces."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from quanvolve import CoherentTree, Quanv2d
from quanvolve.compile import kernels, use_kernels
from quanvolve.compile.kernels.triton import _network, _states, _tree
from tests.compile import kernel_contract as contract

LAYERS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "tree": lambda: (CoherentTree(1, (2, 4), n_trees=2, seed=1), contract.drawn(3, 1, 2, 4)),
    "statevector": lambda: (
        Quanv2d(1, 2, 2, stride=2, circuit="basic_entangler", n_layers=1, engine="statevector", seed=1),
        contract.drawn(2, 1, 4, 2),
    ),
    "amplitudes": lambda: (
        Quanv2d(1, 2, 2, stride=1, circuit="basic_entangler", encoding="amplitude", n_layers=1, seed=1),
        contract.drawn(1, 1, 3, 3),
    ),
    "tensor train": lambda: (
        Quanv2d(2, 2, 2, circuit="random", channel_mixing="joint", encoding="dense", engine="tensor_train", seed=1),
        contract.drawn(1, 2, 2, 3),
    ),
}


def results(layer: nn.Module, images: Tensor) -> list[Tensor]:
    """Values and gradients by pixels and weights."""
    given = images.detach().clone().requires_grad_()
    out = layer(given)
    shape = torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)
    return [out, *torch.autograd.grad((out * shape).sum(), [given, *layer.parameters()])]


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("tree", {"leaves", "cartan", "tree"}),
        ("statevector", {"states"}),
        ("amplitudes", {"states"}),
        ("tensor train", {"network"}),
    ],
    ids=LAYERS,
)
def test_layers_are_those_of_plain_torch(name: str, families: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, images = LAYERS[name]()
    layer.double()
    with use_kernels(False):
        expected = results(layer, images)
    kernel, used = kernels.kernel, set[str]()
    monkeypatch.setattr(kernels, "kernel", lambda family, device: (used.add(family), kernel(family, device))[1])
    with contract.kernels_of("cuda"):
        found = results(layer, images)
    assert used == families
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def as_whole(family: str, kind: str, count: int, monkeypatch: pytest.MonkeyPatch, **to: tuple[object, object]) -> None:
    """Values and gradients stay what they are where numbers of a kernel's module are others."""
    case, tensors = contract.case_on(family, kind, "cuda", count)

    def run() -> list[Tensor]:
        with contract.kernels_of("cuda"):
            out = case.operator.call(case.tables, *tensors)
            return [out, *torch.autograd.grad((out * out.detach().cos()).sum(), tensors)]

    expected = run()
    for name, (module, number) in to.items():
        monkeypatch.setattr(module, name, number)
    for one, other in zip(run(), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["one circuit", "amplitudes, one for each row"])
def test_states_in_parts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is a launch of its own, of several programs for every block of windows."""
    launches, parts = _states._launches, set[int]()
    monkeypatch.setattr(_states, "_launches", lambda circuits, n: (parts.add(n), launches(circuits, n))[1])
    as_whole("states", kind, 2, monkeypatch, _PART=(_states, 2), _TILE=(_states, 1), _TILE_BACK=(_states, 1))
    assert min(parts) == 1
    assert max(parts) > 1


def test_states_of_some_windows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("states", "amplitudes, one for each row", 3, monkeypatch, _ROOM=(_states, 1), _BLOCK=(_states, 2))


def test_trees_of_some_images_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("tree", "shared numbers", 5, monkeypatch, _ROOM=(_tree, 1), _BLOCK=(_tree, 4))


def test_numbers_of_trees_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("tree", "one input", 5, monkeypatch, _BLOCK=(_tree, 2), _CHUNK=(_tree, 4))


def test_networks_of_some_images_and_words_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("network", "one for each row", 2, monkeypatch, _BLOCK=(_network, 16), _PROGRAMS=(_network, 3))
