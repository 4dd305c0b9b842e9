"""Numbers as people write them in front of an angle."""

from __future__ import annotations

import math
from fractions import Fraction


def factor_text(value: float, digits: str = ".6g", pi: str = "pi") -> str:
    """A factor as a simple multiple of pi where it is one, with a space behind it; nothing for 1.

    Examples:
        >>> factor_text(1.0), factor_text(3 * math.pi / 2), factor_text(0.25)
        ('', '3 pi/2 ', '0.25 ')
    """
    if abs(value - 1) < 1e-9:
        return ""
    ratio = Fraction(value / math.pi).limit_denominator(12)
    if ratio and abs(float(ratio) * math.pi - value) < 1e-6 * value:
        top = "" if ratio.numerator == 1 else f"{ratio.numerator} "
        bottom = "" if ratio.denominator == 1 else f"/{ratio.denominator}"
        return f"{top}{pi}{bottom} "
    return f"{value:{digits}} "
