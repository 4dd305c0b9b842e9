"""What a first training takes: no kernels and no compiler where it is small, and the same bits whatever is compiled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import quanvolve
from quanvolve import QuanvClassifier, load_dataset
from quanvolve.compile import plain_work, use_kernels
from quanvolve.estimators import _kernels
from quanvolve.estimators._adamw import AdamW
from quanvolve.estimators._kernels import choose_kernels, has_kernels
from quanvolve.estimators._save import config_digest
from quanvolve.estimators._threads import is_small, one_thread
from quanvolve.nn import CoherentTree, HybridModel, Quanv2d
from tests.waiting import PATIENCE

DIGITS = load_dataset("digits")
X, Y = DIGITS.train_images[:120], DIGITS.train_labels[:120]


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has said whether kernels are to be used."""
    monkeypatch.setattr("quanvolve.estimators._kernels.switched", lambda: None)


def small(**params: object) -> QuanvClassifier:
    return QuanvClassifier(n_filters=2, max_epochs=2, random_state=0, **{"trainable": True, **params})


PROGRAM = """
import hashlib, sys
from quanvolve import load_dataset
from quanvolve import QuanvClassifier
if {before}:
    import torch
    from quanvolve import Quanv2d
    Quanv2d(1, 4, 2, seed=0)(torch.rand(2, 1, 8, 8)).sum().backward()
digits = load_dataset("digits")
clf = QuanvClassifier(n_filters=2, max_epochs=2, random_state=0, trainable=True)
clf.fit(digits.train_images[:120], digits.train_labels[:120])
digest = hashlib.sha256(clf.predict_proba(digits.test_images[:50]).tobytes())
for tensor in clf.module_.state_dict().values():
    digest.update(tensor.numpy().tobytes())
print(digest.hexdigest(), *(name for name in ("numba", "torch._dynamo") if name in sys.modules))
"""


def test_a_small_training_compiles_nothing_and_gives_the_bits_of_a_process_that_has_kernels(tmp_path: Path) -> None:
    def said(before: bool, **more: str) -> list[str]:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(before=before)], env={**os.environ, **more}, capture_output=True,
            text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        return run.stdout.split()

    empty = said(False, NUMBA_CACHE_DIR=str(tmp_path / "empty"))
    assert len(empty) == 1
    assert not (tmp_path / "empty").exists()
    with_kernels = said(True)
    assert with_kernels[1:] == ["numba"]
    assert with_kernels[0] == empty[0]


def test_the_choice_is_the_works_alone() -> None:
    model = HybridModel(Quanv2d(1, 4, 2, stride=2, seed=0), nn.Flatten())
    few = choose_kernels(model, (1, 8, 8), images=100, steps=10, epochs=1)
    assert few and not has_kernels(model)
    assert not choose_kernels(model, (1, 8, 8), images=100, steps=10**6, epochs=10**5)
    assert has_kernels(model)
    choose_kernels(model, (1, 8, 8), images=100_000_000, steps=0, epochs=0)
    assert has_kernels(model)


def test_work_too_large_to_be_counted_is_worth_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HybridModel(CoherentTree(1, (8, 8), seed=0), nn.Flatten())
    choose_kernels(model, (1, 8, 8), images=10, steps=0, epochs=0)
    assert not has_kernels(model)
    monkeypatch.setattr(_kernels, "WORTH", 1e-9)
    choose_kernels(model, (1, 8, 8), images=10, steps=0, epochs=0)
    assert has_kernels(model)


def test_a_count_changes_neither_the_model_nor_random_numbers() -> None:
    layer = nn.Sequential(Quanv2d(1, 2, 2, seed=0, shots=5), nn.BatchNorm2d(2))
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    torch.manual_seed(3)
    drawn = torch.rand(2)
    torch.manual_seed(3)
    choose_kernels(HybridModel(layer, nn.Flatten()), (1, 4, 4), images=10, steps=3, epochs=1)
    is_small(layer, torch.rand(2, 1, 4, 4, generator=torch.Generator()))
    assert torch.equal(torch.rand(2), drawn)
    assert layer.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in layer.state_dict().items())


def test_the_choice_is_saved_with_the_model(tmp_path: Path) -> None:
    clf = small().fit(X, Y)
    assert not has_kernels(clf.module_)
    clf.save(tmp_path)
    assert not has_kernels(quanvolve.load(tmp_path).module_)
    assert (quanvolve.load(tmp_path).predict_proba(X) == clf.predict_proba(X)).all()
    config = json.loads((tmp_path / "config.json").read_text())
    assert config.pop("kernels") is False  # as in models from before there was the choice
    config["config_sha256"] = config_digest(config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert has_kernels(quanvolve.load(tmp_path).module_)


def test_a_layer_without_kernels_obeys_who_asks_for_them() -> None:
    layer, images = Quanv2d(1, 4, 2, seed=0), torch.rand(3, 1, 5, 5)
    with use_kernels(False):
        plain = layer(images).detach()
    layer.kernels = False
    assert torch.equal(layer(images), plain)
    with use_kernels(True):
        kernel = layer(images)
        assert torch.equal(kernel, Quanv2d(1, 4, 2, seed=0)(images))
    torch.testing.assert_close(kernel, plain, atol=1e-5, rtol=0)


def test_a_count_can_be_given_up() -> None:
    assert plain_work(lambda: torch.ones(100).sin(), most=100) is None
    work = plain_work(lambda: torch.ones(4, 32) @ torch.ones(32, 8))
    assert work is not None
    assert work.operations == 3
    assert work.numbers == 4 * 32 + 32 * 8 + 4 * 8 * 3


@pytest.mark.parametrize("alone", [True, False])
def test_one_thread_for_a_while(alone: bool) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(RuntimeError), one_thread(alone):
            assert torch.get_num_threads() == (1 if alone else 2)
            raise RuntimeError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_is_small() -> None:
    assert is_small(nn.Linear(64, 10), torch.rand(32, 64))
    assert not is_small(nn.Conv2d(1, 64, 3), torch.rand(32, 1, 28, 28))


def test_adamw_is_that_of_torch() -> None:
    ends = []
    for kind in (AdamW, torch.optim.AdamW):
        torch.manual_seed(0)
        module = nn.Linear(5, 3)
        optimizer = kind(module.parameters(), lr=0.1, weight_decay=0.02)
        for _ in range(4):
            optimizer.zero_grad()
            module(torch.rand(7, 5)).square().sum().backward()
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        ends.append(module.weight.detach())
    assert torch.equal(*ends)
