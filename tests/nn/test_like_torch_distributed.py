"""Layers in several processes, as torch's own: sharded by FSDP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.processes import run_processes

MODEL = """
from quanvolve import QuantumLinear, Quanv2d

def make():
    torch.manual_seed(0)
    return nn.Sequential(
        Quanv2d(1, 4, 2, n_layers=1, seed=0, bias=True, {options}), nn.Flatten(), nn.Linear(16, 4),
        QuantumLinear(4, 3, n_layers=1, seed=1),
    )

x = torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(1))
"""

SHARDED = """
import json
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

model, mesh = make(), init_device_mesh("cpu", (2,))
for layer in (model[0], model[3], model):
    fully_shard(layer, mesh=mesh)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(3):
    optimizer.zero_grad()
    model(x[2 * rank : 2 * rank + 2]).square().mean().backward()
    optimizer.step()
whole = {name: value.full_tensor().tolist() for name, value in model.named_parameters()}
with torch.no_grad():
    own = model(x[2 * rank : 2 * rank + 2])
print(json.dumps([own.tolist(), whole]))
"""


@pytest.mark.parametrize("options", ["engine='polynomial'", "engine='statevector'", "circuit='random'"])
def test_sharded_layers_learn_as_whole_ones_do(tmp_path: Path, options: str) -> None:
    known = {"torch": torch, "nn": nn}
    exec(MODEL.format(options=options), known)
    model, x = known["make"](), known["x"]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    printed = run_processes(MODEL.format(options=options) + SHARDED, tmp_path)
    for rank, (own, whole) in enumerate(map(json.loads, printed)):
        torch.testing.assert_close(torch.tensor(own), model(x)[2 * rank : 2 * rank + 2], msg="the same values")
        for name, value in model.named_parameters():
            torch.testing.assert_close(torch.tensor(whole[name]), value.detach())
