"""The module under test: a private copy in double precision, and where its windows are."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError

_GEOMETRY: dict[str, Any] = {"stride": None, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}


class Subject:
    """A module under test.

    The module itself is never changed: a copy is, in evaluation mode and, where it can be, in double precision.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        kernel_size: of the window, a number for each axis. It and the following are read from the attributes of the
            same names where they are not given, as torch's convolutions have them.
        stride, padding, dilation, groups, padding_mode: as in `torch.nn.Conv2d`; the stride is 1 if nothing says
            otherwise.
        in_channels: channels of the input, 1 if nothing says otherwise.
        size: of the images; small and with different extents, if not given.

    Raises:
        QuanvolveError: if there is no `kernel_size`.
    """

    def __init__(
        self,
        layer: nn.Module,
        *,
        kernel_size: Any = None,
        in_channels: int | None = None,
        size: tuple[int, ...] | None = None,
        **geometry: Any,
    ) -> None:
        unknown = sorted(set(geometry) - set(_GEOMETRY))
        if unknown:
            raise QuanvolveError(f"unknown argument(s) {', '.join(unknown)}: expected {', '.join(_GEOMETRY)}")
        self.layer = layer
        self.module = copy.deepcopy(layer).eval()
        kernel = kernel_size if kernel_size is not None else getattr(layer, "kernel_size", None)
        if kernel is None:
            raise QuanvolveError(
                f"{type(layer).__name__} has no attribute `kernel_size`: give it, such as kernel_size=(2, 2)"
            )
        rank = getattr(layer, "dims", 2 if size is None else len(size))
        self.kernel_size: tuple[int, ...] = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
        self.dims = len(self.kernel_size)
        settings = {name: geometry.get(name, getattr(layer, name, default)) for name, default in _GEOMETRY.items()}
        self.stride = self._tuple(1 if settings["stride"] is None else settings["stride"])
        self.dilation = self._tuple(settings["dilation"])
        self.groups, self.padding_mode = int(settings["groups"]), str(settings["padding_mode"])
        self.span = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))
        self.sides = self._sides(settings["padding"])
        self.in_channels = int(in_channels if in_channels is not None else getattr(layer, "in_channels", 1))
        # Extents differ and leave a rest behind the last step, so that rows, columns and steps cannot be mixed up.
        self.size = size or tuple(
            max(1, s + t * (2 + axis) + (t > 1) - sum(side))
            for axis, (s, t, side) in enumerate(zip(self.span, self.stride, self.sides, strict=True))
        )
        self.dtype = self._precision()

    def _tuple(self, value: Any) -> tuple[int, ...]:
        return (int(value),) * self.dims if isinstance(value, int) else tuple(int(n) for n in value)

    def _sides(self, padding: Any) -> tuple[tuple[int, int], ...]:
        if padding == "same":
            return tuple(((s - 1) // 2, s - 1 - (s - 1) // 2) for s in self.span)
        return tuple((p, p) for p in self._tuple(0 if padding == "valid" else padding))

    def _precision(self) -> torch.dtype:
        try:
            self.module.double()
            self.run(self.images(1))
        except Exception:
            # Some modules compute in single precision whatever they are given.
            self.module = copy.deepcopy(self.layer).eval()
            return torch.float32
        return torch.float64

    @property
    def tolerance(self) -> float:
        """How far values may be apart that should be equal."""
        return 1e-7 if self.run(self.images(1)).dtype == torch.float64 else 1e-4

    @property
    def places(self) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        return tuple(
            (n + sum(side) - s) // t + 1
            for n, side, s, t in zip(self.size, self.sides, self.span, self.stride, strict=True)
        )

    def images(self, count: int, seed: int = 0, size: tuple[int, ...] | None = None) -> Tensor:
        """Random images (count, C, *size) in [0, 1]."""
        generator = torch.Generator().manual_seed(seed)
        shape = (count, self.in_channels, *(size or self.size))
        return torch.rand(shape, generator=generator, dtype=torch.float64).to(getattr(self, "dtype", torch.float64))

    def run(self, images: Tensor, seed: int = 0) -> Tensor:
        """What the module makes of images, without gradients; the global generator is left as it was."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            out: Tensor = self.module(images)
        return out
