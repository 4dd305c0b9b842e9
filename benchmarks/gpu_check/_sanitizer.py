"""NVIDIA's compute-sanitizer over one training step of each family of kernels, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

from benchmarks.gpu_check._table import ROOT, Table

_STEP = """
import torch
from quanvolve import CoherentTree, Quanv2d
x = torch.rand(2, 1, 8, 8, device="cuda")
layers = [Quanv2d(1, 4, 2, stride=2, seed=0, **o) for o in (
    {}, {"circuit": "random"}, {"engine": "statevector"}, {"engine": "tensor_train"}, {"noise": {"depolarizing": 0.01}},
    {"shots": 10, "diff_method": "parameter-shift"},
)]
for layer in [*layers, CoherentTree(1, (8, 8), n_trees=2, seed=0)]:
    layer.cuda()(x).sum().backward()
torch.cuda.synchronize()
"""


def sanitizer(table: Table) -> None:
    """Reads and writes outside of tensors."""
    tool = shutil.which("compute-sanitizer")
    if tool is None or not table.gpu:
        table.line("compute-sanitizer", "memcheck", beside="not installed")
        return
    table.attempt("compute-sanitizer", "memcheck", lambda: _checked(tool, table.patience))


def _checked(tool: str, patience: int) -> dict[str, Any]:
    command = [tool, "--tool", "memcheck", "--error-exitcode", "9", sys.executable, "-c", _STEP]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, cwd=ROOT, check=False)
    last = (done.stdout.strip().splitlines() or [""])[-1]
    return {"beside": last, "result": "good" if done.returncode == 0 else f"failed: {done.stderr.strip()[-200:]}"}
