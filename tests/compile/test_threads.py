"""Values and gradients are the same, bit by bit, on any number of threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import torch
from torch import nn
from quanvolve import Quanv2d

torch.use_deterministic_algorithms(sys.argv[1] == "deterministic")
NOISE = {"depolarizing": 0.01}
LAYERS = {
    "dense polynomial": {"engine": "polynomial"},
    "sparse polynomial": {"circuit": "random", "n_layers": 1, "engine": "polynomial"},
    "tensor train": {"engine": "tensor_train"},
    "state vector": {"engine": "statevector"},
    "structures of their own": {"circuit": "random", "engine": "statevector"},
    "reupload": {"encoding": "reupload"},
    "shots": {"shots": 3},
    "fixed": {"trainable": False},
    "table": {"encoding": "threshold", "engine": "table"},
}
SHAPES = {"many": (24, 2, 13, 14), "large": (1, 2, 40, 41), "small": (300, 2, 3, 3)}


def run(layer, images):
    torch.manual_seed(0)
    out = layer(images)
    leaves = [images, *layer.parameters()]
    loss = (out * torch.arange(out.numel()).cos().reshape(out.shape)).sum()
    return [out.detach(), *torch.autograd.grad(loss, leaves)]


for name, options in LAYERS.items():
    layer = Quanv2d(2, 3, 2, seed=0, **options)
    for size, shape in SHAPES.items():
        images = torch.rand(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(run(layer, images))
        torch.set_num_threads(1)
        for other in found[1:]:
            same = [torch.equal(a, b) for a, b in zip(found[0], other, strict=True)]
            assert all(same), (name, size, same)
print("fine")
"""


@pytest.mark.parametrize("mode", ["deterministic", "free"])
def test_bits_do_not_depend_on_threads(mode: str, tmp_path: Path) -> None:
    script = tmp_path / "threads.py"
    script.write_text(SCRIPT)
    # More threads than processors: those that wait by spinning keep the others from working.
    environment = {**os.environ, "OMP_NUM_THREADS": "3", "NUMBA_NUM_THREADS": "3", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run([sys.executable, script, mode], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "fine\n", done.stderr


def test_shares_know_nothing_of_threads() -> None:
    from quanvolve.compile.kernels.numba._launch import shares

    assert shares(work=1e3, tasks=100, size=4) == 4
    assert shares(work=4e7, tasks=100, size=4) == 10
    assert shares(work=1e12, tasks=100, size=4) == 64
    assert shares(work=1e12, tasks=7, size=4) == 7, "a part has a task at least"
    assert shares(work=1e12, tasks=100, size=2**26) == 1, "and all of them together little memory"
