"""What the arrays of the loops hold, for signatures: Numba compiles each function for the number types that it gets.

Shapes are in the docstrings of the functions. One call may take both kinds of `Floats`: angles stay float64. An array
is copied into another by a loop over its numbers: `into[:] = array` compiles an error message of Numba's, in 3 seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
"""float32 or float64."""
Integers = NDArray[np.integer]
"""int64, or int32 where a table is large."""
Numbers = NDArray[np.number]
"""Pixels: floats or bytes."""
Flags = NDArray[np.bool_]
RandomState = NDArray[np.uint64]
"""Of random numbers, shape (1,)."""
