"""All kernels compiled before they are needed, such as for the image of a container."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.compile import compiling, kept_in, use_kernels
from quanvolve.nn._coherent_tree import CoherentTree
from quanvolve.nn._layers import Quanv2d

_IMAGES = (2, 64)
"""Images of a small batch, which runs on one thread, and of a large one."""
Made = Callable[[torch.dtype], nn.Module]


def _layer(in_channels: int = 1, out_channels: int = 8, kernel_size: int = 2, **options: Any) -> Made:
    def made(dtype: torch.dtype) -> nn.Module:
        return Quanv2d(in_channels, out_channels, kernel_size, stride=2, seed=0, dtype=dtype, **options)

    return made


def _tree(**options: Any) -> Made:
    def made(dtype: torch.dtype) -> nn.Module:
        return CoherentTree(1, (8, 8), n_trees=2, seed=0, dtype=dtype, **options)

    return made


WORK: Mapping[str, Made] = {
    "polynomials": _layer(),
    "polynomials of several channels": _layer(2, channel_mixing="joint", n_layers=1),
    "sparse polynomials": _layer(circuit="random", n_layers=1),
    "angles of two axes": _layer(encoding="dense"),
    "thresholds": _layer(encoding="threshold"),
    "networks": _layer(kernel_size=3, out_channels=9, engine="tensor_train"),
    "state vectors": _layer(encoding="iqp"),
    "state vectors of several structures": _layer(circuit="random", encoding="iqp"),
    "data re-uploading": _layer(encoding="reupload"),
    "amplitudes": _layer(encoding="amplitude", out_channels=2, n_qubits=2),
    "shots": _layer(shots=16),
    "shots of state vectors": _layer(encoding="iqp", shots=16),
    "noise": _layer(noise={"depolarizing": 0.01}),
    "coherent trees": _tree(),
    "coherent trees of other blocks": _tree(block="strongly_entangling"),
    "coherent trees that keep two qubits": _tree(window=(2, 2), keep=2, block="strongly_entangling"),
}
"""Layers that between them run all kernels."""


@dataclass(frozen=True)
class Warmed:
    """What was compiled.

    Args:
        compiled: for each kind of work, the names of the functions that were not there yet.
        seconds: that it took.
        folder: where they are kept; None where nothing is compiled.
    """

    compiled: Mapping[str, tuple[str, ...]]
    seconds: float
    folder: str | None

    @property
    def total(self) -> int:
        """How many functions."""
        return sum(map(len, self.compiled.values()))


def warm_up(told: Callable[[int, int, str], None] | None = None, *, work: Mapping[str, Made] | None = None) -> Warmed:
    """Compile all kernels of the CPU, in single and double precision, unless they are there.

    They are kept in the `__pycache__` of their package, in the user's cache where that cannot be written, or where
    `NUMBA_CACHE_DIR` says; they serve processors of the same kind as this one.

    Args:
        told: called with (done, of how many, what is next).
        work: what to run, by name; all if not given.

    Raises:
        QuanvolveError: if kernels are switched off, or cannot be kept.

    Examples:
        >>> from quanvolve.nn import warm_up
        >>> warm_up(work={}).total
        0
    """
    began, compiled = time.perf_counter(), dict[str, tuple[str, ...]]()
    work = WORK if work is None else work
    for done, (name, made) in enumerate(work.items()):
        if told is not None:
            told(done, len(work), name)
        with compiling() as names, use_kernels(True), torch.random.fork_rng(devices=[]):
            _run(made)
        compiled[name] = tuple(names)
    if told is not None:
        told(len(work), len(work), "")
    return Warmed(compiled, time.perf_counter() - began, kept_in())


def _run(made: Made) -> None:
    try:
        for dtype in (torch.float32, torch.float64):
            layer = made(dtype)
            channels: int = layer.in_channels  # type: ignore[assignment]
            for count in _IMAGES:
                images = torch.rand(count, channels, 8, 8, dtype=dtype)
                layer(images.requires_grad_()).square().sum().backward()
                with torch.no_grad():
                    layer(images.detach())
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        raise QuanvolveError(
            f"compiled kernels cannot be kept ({str(error).splitlines()[0]}): set NUMBA_CACHE_DIR to a folder that can "
            "be written"
        ) from error
