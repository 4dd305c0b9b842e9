"""Sines and cosines of pixels, a vector at a time; tables for pixels that are bytes."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import overload


def fill(source: Any, first: int, count: int, factor: float, cosines: Any, sines: Any, to: int) -> None:
    """Cosines and sines of factor * source[first : first + count], written from `to` on; flat arrays."""
    raise TypeError("compiled code only")


@overload(fill, inline="never")  # type: ignore[untyped-decorator]
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
    if source.dtype is types.float64:

        def of_doubles(source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any) -> None:
            for k in range(count):
                angle = source[first + k] * factor
                cosines[to + k] = math.cos(angle)
                sines[to + k] = math.sin(angle)

        return of_doubles

    def of_floats(source: Any, first: Any, count: Any, factor: Any, cosines: Any, sines: Any, to: Any) -> None:
        # In quarter turns, where the nearest whole number comes off exactly; on [-pi/4, pi/4] short polynomials
        # (Cephes, sinf.c) are exact to float32. As with torch.cos(x * factor), the product is rounded once.
        quarter = factor * 0.6366197723675814
        high = np.float32(quarter)
        low = np.float32(quarter - np.float64(high))
        for k in range(count):
            x = source[first + k]
            turned = x * high
            whole = np.rint(turned)
            r = ((turned - whole) + x * low) * np.float32(1.5707963267948966)
            quadrant = np.int32(whole) & np.int32(3)
            z = r * r
            s = np.float32(-1.9515295891e-4)
            s = s * z + np.float32(8.3321608736e-3)
            s = s * z + np.float32(-1.6666654611e-1)
            s = s * z * r + r
            c = np.float32(2.443315711809948e-5)
            c = c * z + np.float32(-1.388731625493765e-3)
            c = c * z + np.float32(4.166664568298827e-2)
            c = c * z * z + (np.float32(1.0) - np.float32(0.5) * z)
            odd = (quadrant & np.int32(1)) != 0
            sine = c if odd else s
            cosine = s if odd else c
            sines[to + k] = -sine if (quadrant & np.int32(2)) != 0 else sine
            cosines[to + k] = -cosine if ((quadrant + np.int32(1)) & np.int32(2)) != 0 else cosine

    return of_floats


@numba.njit(cache=True, nogil=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def trig(source: Any, first: int, count: int, factor: float, cosines: Any, sines: Any, to: int) -> None:
    """:func:`fill`, compiled on its own."""
    fill(source, first, count, factor, cosines, sines, to)
