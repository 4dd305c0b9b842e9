"""Numbers of verdicts in words, rounded so that they never say something else than what was decided."""

from __future__ import annotations

from collections.abc import Sequence

from quanvolve.study._exchange import LEVEL


def percent(share: float) -> str:
    """A share in percent, with one digit where it has some.

    Examples:
        >>> percent(0.95), percent(0.99583)
        ('95', '99.6')
    """
    return f"{100 * share:.1f}".removesuffix(".0")


def p_value(p: float) -> str:
    """A p, on its side of the level.

    Examples:
        >>> p_value(0.0312), p_value(0.04999), p_value(0.0001)
        ('= 0.031', '= 0.04999', '< 0.001')
    """
    if p < 0.0005:
        return "< 0.001"
    digits = 3
    while p < LEVEL <= round(p, digits) and digits < 9:
        digits += 1
    return f"= {p:.{digits}f}"


def count(number: int, what: str) -> str:
    """So many of something.

    Examples:
        >>> count(1, "seed"), count(1200, "seed")
        ('1 seed', '1,200 seeds')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"


def listed(names: Sequence[str]) -> str:
    """Names with commas, and an "and".

    Examples:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
