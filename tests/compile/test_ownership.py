"""What circuits become belongs to the layer that made it, and goes with it."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest
import torch

from quanvolve import Quanv2d
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._parsed import Parsed

KINDS: dict[str, dict[str, Any]] = {
    "polynomial": {},
    "sparse polynomial": {"circuit": "random"},
    "tensor train": {"engine": "tensor_train"},
    "state vector": {"engine": "statevector"},
    "state vectors of their own": {"engine": "statevector", "circuit": "random"},
    "program": {"encoding": "iqp"},
    "density": {"encoding": "iqp", "noise": {"depolarizing": 0.01}},
    "trajectories": {"engine": "trajectories:3", "noise": {"depolarizing": 0.01}},
    "table": {"encoding": "threshold"},
    "truncated": {"engine": "truncated_train", "trainable": False},
    "shots": {"shots": 5},
    "shifts": {"shots": 5, "diff_method": "parameter-shift"},
}


def used(**options: Any) -> Quanv2d:
    layer = Quanv2d(1, 8, 2, seed=3, **options)
    images = torch.rand(2, 1, 4, 4)
    out = layer(images)
    if out.requires_grad:
        out.sum().backward()
    return layer


def alive() -> int:
    for _ in range(2):  # what goes with one of torch's nodes is seen to be gone at the next turn
        gc.collect()
    return sum(isinstance(one, (Tables, Parsed)) for one in gc.get_objects())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_when_the_layer_is_gone(kind: str) -> None:
    before = alive()
    layer = used(**KINDS[kind])
    planner = weakref.ref(layer._planner)
    assert alive() > before
    del layer
    assert alive() == before
    assert planner() is None


@pytest.mark.parametrize("kind", KINDS)
def test_copies_compute_the_same(kind: str) -> None:
    layer = used(**KINDS[kind])
    images = torch.rand(2, 1, 4, 4)
    values = []
    for one in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.manual_seed(0)
        values.append(one(images).detach())
    assert torch.equal(values[0], values[1])
    assert torch.equal(values[0], values[2])


def test_layers_alike_share_tables() -> None:
    one, other = used(), used()
    (tables,) = one._planner.choose(None)._windows._made.values()  # type: ignore[attr-defined]
    (others,) = other._planner.choose(None)._windows._made.values()  # type: ignore[attr-defined]
    assert tables is others


def test_a_gradient_outlives_its_layer() -> None:
    images = torch.rand(2, 1, 4, 4, requires_grad=True)
    out = Quanv2d(1, 4, 2, seed=3)(images)
    gc.collect()
    out.sum().backward()
    layer = Quanv2d(1, 4, 2, seed=3)
    given = images.detach().requires_grad_()
    layer(given).sum().backward()
    assert images.grad is not None
    torch.testing.assert_close(images.grad, given.grad)


def test_more_structures_than_any_cache_holds() -> None:
    """Each structure is parsed once, however many there are."""
    layer = Quanv2d(1, 4 * 70, 2, circuit="random", n_layers=1, seed=0)
    images = torch.rand(2, 1, 16, 16)
    layer(images).sum().backward()
    tables = layer._planner.choose(None)._rows  # type: ignore[attr-defined]
    kept = [dict(vars(recipe)) for recipe in tables.recipes]
    layer(images).sum().backward()
    for recipe, before in zip(tables.recipes, kept, strict=True):
        assert all(vars(recipe)[name] is value for name, value in before.items())
    assert len(tables.recipes) == 70
