"""Colour and large images, forward and backward, each in a process of its own whose memory is measured."""

import json
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE

LIMIT = 1.5 * 2**30

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


# Each case is a child of a process that has computed nothing: the memory it starts with is that of the imports.
CODE = """
import json, os, resource, sys
from pathlib import Path
import torch
from quanvolve import Quanv2d
from quanvolve.circuits import named_circuit

def peak():
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    own = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return 1024 * (own or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0]

def case(layer, shape, convolution):
    layer = eval(f"Quanv2d({layer}, seed=0)")
    x = torch.rand(shape, requires_grad=True)
    out = layer(x)
    assert out.shape == eval(f"torch.nn.Conv2d({convolution})")(x).shape
    out.square().mean().backward()
    for gradient in (x.grad, layer.weights.grad):
        assert bool(torch.isfinite(gradient).all()) and float(gradient.abs().max()) > 0
    return peak()

torch.set_num_threads(1)
named_circuit("strongly_entangling", 4)
for name, arguments in json.load(sys.stdin).items():
    child = os.fork()
    if not child:
        print(json.dumps([name, case(*arguments)]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, name
"""


@pytest.fixture(scope="module")
def peaks() -> dict[str, int]:
    """The most memory that each case took, in bytes."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], input=json.dumps(CASES), capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("case", CASES)
def test_memory_is_bounded(case: str, peaks: dict[str, int]) -> None:
    assert peaks[case] < LIMIT
