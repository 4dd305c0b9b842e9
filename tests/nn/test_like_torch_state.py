"""States travel as those of torch's layers do: averaged, converted, and through distributed checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributed import checkpoint
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from tests.nn.plans import every_kind, images, quantum

State = dict[str, Tensor]
AVERAGES: dict[str, Callable[[State, State], State]] = {
    "mean": lambda a, b: {key: (a[key] + b[key]) / 2 for key in a},
    "weighted": lambda a, b: {key: 0.3 * a[key] + 0.7 * b[key] for key in a},
    "stacked": lambda a, b: {key: torch.stack([a[key].float(), b[key].float()]).mean(0) for key in a},
    "lerp": lambda a, b: {key: torch.lerp(a[key].double(), b[key].double(), 0.4) for key in a},
    "half precision": lambda a, b: {key: ((a[key].half() + b[key].half()) / 2) for key in a},
    "bfloat16": lambda a, b: {key: a[key].bfloat16() for key in a},
}
circuits = pytest.mark.parametrize("circuit", ["strongly_entangling", "random"])


@every_kind
@circuits
@pytest.mark.parametrize("average", AVERAGES)
def test_averages_of_states_load(kind: str, circuit: str, average: str) -> None:
    one, other = (quantum(kind, circuit=circuit, bias=True) for _ in range(2))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.5)
    state = AVERAGES[average](one.state_dict(), other.state_dict())
    layer = quantum(kind, circuit=circuit, bias=True, **({"seed": 5} if circuit == "random" else {}))
    layer.load_state_dict(state)
    assert layer.circuits == one.circuits
    torch.testing.assert_close(layer.weights.detach(), state["weights"].to(layer.weights), rtol=0, atol=0)
    assert layer.state_dict()["_extra_state"].dtype == torch.uint8, "saved as ever"


@every_kind
@pytest.mark.parametrize("more", [{}, {"use_buffers": True}, {"multi_avg_fn": get_ema_multi_avg_fn(0.9)}])
def test_averaged_models(kind: str, more: dict[str, Any]) -> None:
    model = nn.Sequential(quantum(kind, bias=True))
    averaged = AveragedModel(model, **more)
    for _ in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.3)
        averaged.update_parameters(model)
    loaded = AveragedModel(nn.Sequential(quantum(kind, bias=True, seed=4)))
    loaded.load_state_dict(averaged.state_dict())
    x = images(kind)
    assert torch.equal(loaded(x), averaged(x))
    assert not torch.allclose(averaged(x), model(x))


def test_the_average_of_different_random_circuits_says_what_to_do() -> None:
    one, other = (Quanv2d(1, 4, 2, circuit="random", seed=seed).state_dict() for seed in (0, 1))
    size = min(len(state["_extra_state"]) for state in (one, other))
    state = {"weights": one["weights"], "_extra_state": (one["_extra_state"][:size] + other["_extra_state"][:size]) / 2}
    layer = Quanv2d(1, 4, 2, circuit="random", seed=0)
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises(QuanvolveError, match="have no average: make these layers with the same `seed`"):
        layer.load_state_dict(state)
    assert torch.equal(layer.weights, before["weights"])


@every_kind
@circuits
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.filterwarnings("ignore:torch.distributed is")  # torch's own: in one process
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")  # what torch 2.8 does itself
def test_distributed_checkpoints(tmp_path: Path, kind: str, circuit: str, trainable: bool) -> None:
    source, target = (nn.Sequential(quantum(kind, circuit=circuit, bias=True, trainable=trainable)) for _ in range(2))
    with torch.no_grad():
        source[0].weights.add_(0.5)
    checkpoint.save({"model": source.state_dict()}, checkpoint_id=tmp_path)
    state = {"model": target.state_dict()}
    checkpoint.load(state, checkpoint_id=tmp_path)
    target.load_state_dict(state["model"])
    assert torch.equal(target(images(kind)), source(images(kind)))
