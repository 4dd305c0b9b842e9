"""Sines and cosines of pixels of any size; tables for pixels that are bytes."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import overload

_FAR = 2.0**26
"""Quarter turns up to which double precision leaves enough digits of the rest for a result in single precision."""


def fill(source: Any, first: int, count: int, factor: float, cosines: Any, sines: Any, to: int) -> None:
    """Cosines and sines of factor * source[first : first + count], written from `to` on; flat arrays.

        cosines[to + k] = cos(factor * source[first + k]),  sines[to + k] = sin(factor * source[first + k])

    They are those of the product in double precision, whatever its size.
    """
    raise TypeError("compiled code only")


@overload(fill, inline="never", jit_options={"fastmath": {"contract"}})  # type: ignore[untyped-decorator]
def _fill(source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any) -> Any:
    if isinstance(source.dtype, types.Integer):

        def of_bytes(
            source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any
        ) -> None:  # each value of a byte once
            table_c = np.empty(256, cosines.dtype)
            table_s = np.empty(256, cosines.dtype)
            for k in range(256):
                table_c[k] = math.cos(k * factor)
                table_s[k] = math.sin(k * factor)
            for k in range(count):
                cosines[to + k] = table_c[source[first + k]]
                sines[to + k] = table_s[source[first + k]]

        return of_bytes
    if cosines.dtype is types.float64:

        def of_doubles(source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any) -> None:
            for k in range(count):
                angle = source[first + k] * factor
                cosines[to + k] = math.cos(angle)
                sines[to + k] = math.sin(angle)

        return of_doubles

    def in_single(source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any) -> None:
        # x = whole * pi / 2 + rest in double precision, so that the rest is exact to single precision.
        pixels, row_c, row_s = source[first : first + count], cosines[to : to + count], sines[to : to + count]
        quarter = factor * 0.6366197723675814  # 2 / pi
        far = False
        for k in range(count):
            turned = np.float64(pixels[k]) * quarter
            far = far | (abs(turned) > _FAR)
            whole = np.rint(turned)
            _of_rest(np.float32((turned - whole) * 1.5707963267948966), np.int32(whole), row_c, row_s, k)
        if far:
            for k in range(count):
                angle = np.float64(pixels[k]) * factor
                if not abs(angle * 0.6366197723675814) <= _FAR:
                    row_c[k] = math.cos(angle)
                    row_s[k] = math.sin(angle)

    return in_single


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, inline="always")  # type: ignore[untyped-decorator]
def _of_rest(r: Any, whole: Any, cosines: Any, sines: Any, place: Any) -> None:
    """Cosine and sine of r + whole * pi / 2; on [-pi/4, pi/4] short polynomials (Cephes, sinf.c) are exact to float32.

        sin r = r + r^3 (s1 + s2 r^2 + s3 r^4),  cos r = 1 - r^2 / 2 + r^4 (c1 + c2 r^2 + c3 r^4)

    whole mod 4 turns them: (cos, sin) -> (-sin, cos) -> (-cos, -sin) -> (sin, -cos).
    """
    z = r * r
    s = np.float32(-1.9515295891e-4)
    s = s * z + np.float32(8.3321608736e-3)
    s = s * z + np.float32(-1.6666654611e-1)
    s = (s * z) * r + r
    c = np.float32(2.443315711809948e-5)
    c = c * z + np.float32(-1.388731625493765e-3)
    c = c * z + np.float32(4.166664568298827e-2)
    c = c * z + np.float32(-0.5)
    c = c * z + np.float32(1.0)
    # Numba's integers are of 64 bits after any operation: as such they would halve the vectors of this loop.
    odd = np.int32(whole & np.int32(1)) == np.int32(1)
    sine, cosine = c if odd else s, s if odd else c
    sines[place] = -sine if np.int32(whole & np.int32(2)) == np.int32(2) else sine
    turned = np.int32(whole + np.int32(1))
    cosines[place] = -cosine if np.int32(turned & np.int32(2)) == np.int32(2) else cosine
