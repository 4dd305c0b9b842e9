"""Cosines and sines of angles, which are computed in double precision, as everywhere (see `batch._precision`)."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def turned(value, factor):
    """Cosines and sines of value * factor, in the precision of the value."""
    angle = value.to(tl.float64) * factor
    return tl.cos(angle).to(value.dtype), tl.sin(angle).to(value.dtype)


@triton.jit
def turned_all(angles, DTYPE: tl.constexpr):
    """Cosines and sines, of type DTYPE, of a tuple of blocks of angles in double precision.

    In single precision only the reduction of the angles is done in double, which is a fifth of the work; where one of
    a program's angles is beyond the range of that, it is done in integers first.
    """
    cosines = ()
    sines = ()
    for r in tl.static_range(len(angles)):
        if DTYPE == tl.float64:
            cosine, sine = tl.cos(angles[r]), tl.sin(angles[r])
        else:
            cosine, sine = _in_single(angles[r])
        cosines = cosines + (cosine,)
        sines = sines + (sine,)
    return cosines, sines


@triton.jit
def _in_single(angle):
    if tl.max(tl.abs(angle), axis=0) <= 1048576.0:
        cosine, sine = _quarter(angle)
    else:
        cosine, sine = _in_double(angle)
    return cosine, sine


@triton.jit
def _in_double(angle):
    return tl.cos(angle).to(tl.float32), tl.sin(angle).to(tl.float32)


@triton.jit
def _quarter(angle):
    """Of an angle of at most 2^20: angle = n pi / 2 + rest, |rest| <= pi / 4, where short polynomials are exact enough.

    The first 33 bits of pi / 2 times n are exact in double (Cody and Waite). The polynomials are those of S. Moshier's
    Cephes library (sinf.c, cosf.c): errors below 2^-24.
    """
    shifted = angle * 0.6366197723675814 + 6755399441055744.0  # 2 / pi, and 1.5 * 2^52: its last bits are n
    quarters = shifted - 6755399441055744.0
    rest = angle - quarters * 1.5707963267341256 - quarters * 6.077100506506192e-11
    n = shifted.to(tl.int64, bitcast=True).to(tl.int32)
    x = rest.to(tl.float32)
    square = x * x
    sine = ((-1.9515295891e-4 * square + 8.3321608736e-3) * square - 1.6666654611e-1) * square * x + x
    cosine = ((2.443315711809948e-5 * square - 1.388731625493765e-3) * square + 4.166664568298827e-2) * square * square
    cosine = cosine - 0.5 * square + 1.0
    odd = (n & 1) != 0
    flipped = tl.where(odd, cosine, sine)
    turned_back = tl.where(odd, sine, cosine)
    return tl.where(((n + 1) & 2) != 0, -turned_back, turned_back), tl.where((n & 2) != 0, -flipped, flipped)
