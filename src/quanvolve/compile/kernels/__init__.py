"""The inner loops: for each family of computations and each device a kernel, loaded when it is first needed.

A kernel for a further device is a folder here, and a column of `_KERNELS`.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib import import_module

from quanvolve.compile.kernels._kernel import Kernel as Kernel

FAMILIES = ("polynomial", "coefficients", "network", "states", "cartan", "leaves", "tree", "sample")

_FOLDERS = {"cpu": ("numba", "numba")}
"""For each device the folder of its kernels, and the package that they need."""


@cache
def devices(family: str) -> tuple[str, ...]:
    """The devices that there is a kernel of this family for.

    Examples:
        >>> devices("states")
        ('cpu',)
    """
    available = [device for device, (_, package) in _FOLDERS.items() if importlib.util.find_spec(package) is not None]
    return tuple(available) if family in FAMILIES else ()


@cache
def kernel(family: str, device: str) -> Kernel:
    """The kernel of a family on a device."""
    folder, _ = _FOLDERS[device]
    module = import_module(f"{__name__}.{folder}._{family}")
    import_module(f"{__name__}.{folder}").ready()
    made: Kernel = module.kernel
    return made
