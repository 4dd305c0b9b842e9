"""How fast a coherent tree of 1,024 qubits is, beside the same maps of Bloch vectors written in plain PyTorch by hand.

Eight trees on 32x32 images, a two-qubit unitary with weights of its own in each block, one qubit kept; forward without
gradients, and a training step of 100 images with a linear head, cross-entropy and AdamW. The contenders take turns in
one process; a line of the table is the median over the rounds. Both compute the same values, which is checked first.

Usage: python benchmarks/coherent_tree.py [--rounds N] [--threads N] [--compile] [--output CSV]

With --compile the plain PyTorch goes through torch.compile as well, which needs a C++ compiler and minutes.
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve import CoherentTree

HERE = Path(__file__).parent
TREES, SIDE, BATCH = 8, 32, 100


def rotation(w: Tensor) -> Tensor:
    """Of Bloch vectors by RZ, RY, RZ."""
    (c0, c1, c2), (s0, s1, s2) = w.cos().unbind(-1), w.sin().unbind(-1)
    rows = [
        [c2 * c1 * c0 - s2 * s0, -c2 * c1 * s0 - s2 * c0, c2 * s1],
        [s2 * c1 * c0 + c2 * s0, -s2 * c1 * s0 + c2 * c0, s2 * s1],
        [-s1 * c0, s1 * s0, c1],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


class ByHand(nn.Module):
    """The tree in Bloch vectors, level by level, with the weights of another one."""

    def __init__(self, tree: CoherentTree) -> None:
        super().__init__()
        self.weights = nn.ParameterList(level.weights.detach().clone() for level in tree.levels)
        self.turns = nn.Parameter(tree.levels[-1].turns.detach().clone())
        self.places = [level.places for level in tree.levels]

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 32, 32) to X, Y and Z of every tree."""
        angles = math.pi * images[:, 0].permute(1, 2, 0)
        pixels = torch.stack([angles.sin(), torch.zeros_like(angles), angles.cos()], 2)
        bloch = pixels.expand(TREES, -1, -1, -1, -1)
        for number, (weight, places) in enumerate(zip(self.weights, self.places, strict=True)):
            w = weight.reshape(TREES, *places, 9)
            first, second = (
                (bloch[:, :, 0::2], bloch[:, :, 1::2]) if number % 2 == 0 else (bloch[:, 0::2], bloch[:, 1::2])
            )
            p, q = rotation(w[..., 0:3]) @ first, rotation(w[..., 3:6]) @ second
            (ca, cb, cc), (sa, sb, sc) = w[..., 6:, None].cos().unbind(-2), w[..., 6:, None].sin().unbind(-2)
            (px, py, pz), (qx, qy, qz) = p.unbind(-2), q.unbind(-2)
            bloch = torch.stack(
                [
                    cb * cc * px + sb * sc * qx - cb * sc * py * qz + sb * cc * pz * qy,
                    cc * ca * py + sc * sa * qy - cc * sa * pz * qx + sc * ca * px * qz,
                    ca * cb * pz + sa * sb * qz - ca * sb * px * qy + sa * cb * py * qx,
                ],
                -2,
            )
        return (rotation(self.turns[:, 0, 0]) @ bloch[:, 0, 0]).permute(2, 0, 1).flatten(1)


def forward_of(tree: nn.Module, images: Tensor) -> Callable[[], None]:
    """A call without gradients."""

    def run() -> None:
        with torch.no_grad():
            tree(images)

    return run


def step_of(tree: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """A training step."""
    head = nn.Linear(3 * TREES, 10)
    optimizer = torch.optim.AdamW([*tree.parameters(), *head.parameters()], lr=1e-3, fused=True)

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(tree(images)), labels).backward()
        optimizer.step()

    return run


def main() -> None:
    """Measure all contenders in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--output", type=Path, default=HERE / "coherent_tree.csv")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    images, labels = torch.rand(BATCH, 1, SIDE, SIDE), torch.randint(10, (BATCH,))
    ours = CoherentTree(1, (SIDE, SIDE), n_trees=TREES, seed=0)
    contenders: dict[str, nn.Module] = {"quanvolve": ours, "plain PyTorch by hand": ByHand(ours)}
    if given.compile:
        contenders["plain PyTorch by hand, torch.compile"] = torch.compile(ByHand(ours))  # type: ignore[assignment]
    for tree in contenders.values():
        torch.testing.assert_close(tree(images), ours(images), rtol=0, atol=1e-5)
    runs = {(name, "forward"): forward_of(tree, images) for name, tree in contenders.items()}
    trained = {name: copy.deepcopy(tree) for name, tree in contenders.items()}
    runs |= {(name, "training step"): step_of(tree, images, labels) for name, tree in trained.items()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    processor: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for number in range(given.rounds + 2):
        for key, run in runs.items():
            begun, used = time.perf_counter(), time.process_time()
            run()
            if number >= 2:  # the first calls compile
                seconds[key].append(time.perf_counter() - begun)
                processor[key].append(time.process_time() - used)
    rows: list[dict[str, Any]] = []
    for name, what in runs:
        wall = statistics.median(seconds[name, what])
        rows.append(
            {
                "contender": name,
                "what": what,
                "threads": given.threads,
                "milliseconds": round(1e3 * wall, 2),
                "processor ms": round(1e3 * statistics.median(processor[name, what]), 2),
                "images a second": f"{BATCH / wall:.3g}",
                "times ours": round(wall / statistics.median(seconds["quanvolve", what]), 1),
            }
        )
        print(rows[-1], flush=True)
    with given.output.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
