"""The inner loops: for each family of computations and each device a kernel, loaded when it is first needed.

A kernel for a further device is a folder here, and a line of `_FOLDERS`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path

from quanvolve.compile.kernels._kernel import Kernel as Kernel

FAMILIES = ("polynomial", "coefficients", "filters", "network", "states", "cartan", "leaves", "tree", "sample")

_FOLDERS = {"cpu": ("numba", "numba"), "cuda": ("triton", "triton")}
"""For each device the folder of its kernels, and the package that they need."""

_stand_ins: dict[str, str] = {}
"""Devices whose kernels are those of another one, for a while."""


@cache
def devices(family: str) -> tuple[str, ...]:
    """The devices that there is a kernel of this family for.

    Examples:
        >>> devices("states")[0]
        'cpu'
    """
    if family not in FAMILIES:
        return ()
    here = Path(__file__).parent
    return tuple(
        device
        for device, (folder, package) in _FOLDERS.items()
        if (here / folder / f"_{family}.py").exists() and importlib.util.find_spec(package) is not None
    )


def why_none(family: str, device: str) -> str | None:
    """Why there is no kernel of a family for a device; None where there is one.

    Examples:
        >>> why_none("states", "mps")
        'there are no kernels for mps'
    """
    if exists(family, device):
        return None
    if device not in _FOLDERS:
        return f"there are no kernels for {device}"
    _, package = _FOLDERS[device]
    if importlib.util.find_spec(package) is None:
        return f"{package.capitalize()} is not installed"
    return f"there is no kernel for its {family} on {device}"


def exists(family: str, device: str) -> bool:
    """Whether there is a kernel of a family for a device."""
    return _stand_ins.get(device, device) in devices(family)


def kernel(family: str, device: str) -> Kernel:
    """The kernel of a family on a device."""
    return _loaded(family, _stand_ins.get(device, device))


@contextmanager
def interpreted() -> Iterator[None]:
    """Kernels for CUDA on tensors of the CPU for a while, in the whole process, step by step: for tests without a GPU.

    Raises:
        RuntimeError: if Triton's interpreter is not on, which it must be before Triton is imported.
    """
    if os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError("set the environment variable TRITON_INTERPRET=1 before Python starts")
    _stand_ins["cpu"] = "cuda"
    try:
        yield
    finally:
        del _stand_ins["cpu"]


def compiling() -> AbstractContextManager[list[str]]:
    """A list that grows by the name of each function that is compiled for the CPU meanwhile, in this process."""
    watched: AbstractContextManager[list[str]] = import_module(f"{__name__}.numba._watch").compiling()
    return watched


def kept_in() -> str | None:
    """The folder of what is compiled for the CPU; None while no kernel is loaded."""
    folder: str | None = import_module(f"{__name__}.numba._watch").folder()
    return folder


@cache
def _loaded(family: str, device: str) -> Kernel:
    folder, _ = _FOLDERS[device]
    module = import_module(f"{__name__}.{folder}._{family}")
    import_module(f"{__name__}.{folder}").ready()
    made: Kernel = module.kernel
    return made
