"""Colour and large images, forward and backward, each in a process of its own whose memory is measured."""

import subprocess
import sys

import pytest

from tests.waiting import PATIENCE

LIMIT = 1.5 * 2**30

CODE = """
import resource
from pathlib import Path
import torch
from quanvolve import Quanv2d

torch.set_num_threads(1)
layer = Quanv2d({layer}, seed=0)
x = torch.rand({shape}, requires_grad=True)
out = layer(x)
assert out.shape == torch.nn.Conv2d({convolution})(x).shape
out.square().mean().backward()
for gradient in (x.grad, layer.weights.grad):
    assert bool(torch.isfinite(gradient).all()) and float(gradient.abs().max()) > 0
# Linux counts the parent's memory at the fork in ru_maxrss, and that of the tests may be large.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
own = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
print(1024 * (own or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0])
"""

CASES = {
    "colour, sum": ("3, 8, 3", (4, 3, 32, 32), "3, 8, 3"),
    "colour, joint": ("3, 8, (1, 2), channel_mixing='joint'", (4, 3, 32, 32), "3, 8, (1, 2)"),
    "colour, joint, stride": ("3, 6, (2, 1), 2, channel_mixing='joint'", (16, 3, 32, 32), "3, 6, (2, 1), 2"),
    "224, four qubits": ("1, 4, 2", (1, 1, 224, 224), "1, 4, 2"),
    "224, nine qubits": ("1, 4, 3, 2", (1, 1, 224, 224), "1, 4, 3, 2"),
    "colour, joint, twelve values": (
        "3, 6, 2, 2, channel_mixing='joint', encoding='dense'",
        (4, 3, 32, 32),
        "3, 6, 2, 2",
    ),
    "224, state vectors": ("1, 4, 2, encoding='iqp'", (1, 1, 224, 224), "1, 4, 2"),
    "sixteen qubits": ("1, 16, 4, 4, n_layers=1", (1, 1, 12, 12), "1, 16, 4, 4"),
    "224, many images": ("1, 4, 2, 2", (32, 1, 224, 224), "1, 4, 2, 2"),
}


@pytest.mark.parametrize("case", CASES)
def test_memory_is_bounded(case: str) -> None:
    layer, shape, convolution = CASES[case]
    code = CODE.format(layer=layer, shape=shape, convolution=convolution)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < LIMIT
