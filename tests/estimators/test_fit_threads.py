"""How many threads training uses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from quanvolve import QuanvClassifier
from quanvolve.estimators import _training
from quanvolve.estimators._batches import TensorData
from quanvolve.estimators._threads import as_many_as_needed, work_of


def test_small_networks_are_trained_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    run = _training._run_epoch
    monkeypatch.setattr(_training, "_run_epoch", lambda *given: seen.append(torch.get_num_threads()) or run(*given))
    rng = np.random.default_rng(0)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        QuanvClassifier(max_epochs=1, random_state=0).fit(rng.random((20, 8, 8)), np.arange(20) % 2)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert seen == [1]


def test_large_networks_keep_their_threads() -> None:
    module, data = nn.Linear(1000, 1000), TensorData(torch.zeros(9, 1000), torch.zeros(9))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with as_many_as_needed(module, data, 9, "cpu"):
            assert torch.get_num_threads() == 2, "nine million products"
        with as_many_as_needed(module, data, 4, "cpu"):
            assert torch.get_num_threads() == 1, "four million"
        with as_many_as_needed(module, data, 4, "cuda"):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_counting_leaves_a_module_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(32, 3)).train()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(0)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert work_of(module, torch.zeros(1, 1, 6, 6)) == 32 * 9 + 3 * 4 * 32 + 3 * 32
    assert torch.equal(torch.rand(1), after)
    assert all(layer.training and not layer._forward_hooks for layer in module.modules())
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
