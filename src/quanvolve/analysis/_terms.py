"""Terms of a trigonometric polynomial: products of cosines and sines of the window's pixels, with a coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanvolve.circuits import factor_text


@dataclass(frozen=True)
class Part:
    """What a number in an angle is multiplied with.

    Args:
        name: as it is printed: a pixel "x3", a bit "[x3 > 0.5]", or a function such as "arctan(2 x0)".
        pixel: its number, where it is a pixel or a bit; None for other functions.
        exact: the same with all digits.
    """

    name: str
    pixel: int | None
    exact: str


@dataclass(frozen=True)
class Factor:
    """A cosine or sine of an angle.

    Args:
        function: "cos" or "sin".
        angle: pairs of a number and what it is multiplied with; the angle in radians is their sum.
    """

    function: str
    angle: tuple[tuple[float, Part], ...]

    def __str__(self) -> str:
        text = ""
        for number, part in self.angle:
            glue = " - " if number < 0 else " + "
            text += (glue if text else "-" if number < 0 else "") + f"{factor_text(abs(number))}{part.name}"
        return f"{self.function}({text})"


@dataclass(frozen=True)
class Term:
    """A coefficient times a product of factors; none of them for a constant."""

    coefficient: float
    factors: tuple[Factor, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.factors))


def sum_text(terms: Sequence[Term], digits: int) -> str:
    """The terms as text; those that would print as zero are left out."""
    text = ""
    for term in terms:
        if abs(term.coefficient) < 0.5 * 10**-digits:
            continue
        number, name = f"{abs(term.coefficient):.{digits}f}", str(term)
        body = name if name and number == f"{1:.{digits}f}" else f"{number} {name}".rstrip()
        glue = " - " if term.coefficient < 0 else " + "
        text += (glue if text else "-" if term.coefficient < 0 else "") + body
    return text or "0"
