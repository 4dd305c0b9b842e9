"""Cosines and sines of angles, which are computed in double precision, as everywhere (see `batch._precision`)."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def turned(value, factor):  # type: ignore[no-untyped-def]
    """Cosines and sines of value * factor, in the precision of the value."""
    angle = value.to(tl.float64) * factor
    return tl.cos(angle).to(value.dtype), tl.sin(angle).to(value.dtype)
