"""Values of options from the texts that stand for them."""

from __future__ import annotations

from quanvolve._errors import QuanvolveError


def parse_noise(text: str | None) -> dict[str, float] | None:
    """The strengths in a text.

    Raises:
        QuanvolveError: if it is not a list of names and numbers.

    Examples:
        >>> parse_noise("depolarizing=0.01,readout=0.02")
        {'depolarizing': 0.01, 'readout': 0.02}
    """
    if text is None:
        return None
    strengths = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            strengths[name.strip()] = float(number)
        except ValueError:
            raise QuanvolveError(
                f"`noise={text}` is not a list of names and strengths, such as depolarizing=0.01,readout=0.02",
                arguments=("noise",),
            ) from None
    return strengths


def count_or_word(value: int | str) -> int | str:
    """A whole number where a text is one, else the text.

    Examples:
        >>> count_or_word("2"), count_or_word("same"), count_or_word(1)
        (2, 'same', 1)
    """
    return int(value) if isinstance(value, int) or value.strip().lstrip("-").isdecimal() else value
