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


def parse_size(value: int | str | None) -> int | tuple[int, int] | None:
    """A height and width, or one number for both.

    Raises:
        QuanvolveError: if it is something else.

    Examples:
        >>> parse_size(28), parse_size("28"), parse_size("28x32")
        (28, 28, (28, 32))
    """
    numbers = [] if value is None else str(value).lower().split("x")
    if not numbers:
        return None
    if len(numbers) > 2 or not all(number.isdecimal() and int(number) for number in numbers):
        raise QuanvolveError(
            f"`image_size={value}` is not a number of pixels, or a height and a width, such as 28 or 28x32",
            arguments=("image_size",),
        )
    sizes = [int(number) for number in numbers]
    return sizes[0] if len(sizes) == 1 else (sizes[0], sizes[1])


def count_or_word(value: int | str) -> int | str:
    """A whole number where a text is one, else the text.

    Examples:
        >>> count_or_word("2"), count_or_word("same"), count_or_word(1)
        (2, 'same', 1)
    """
    return int(value) if isinstance(value, int) or value.strip().lstrip("-").isdecimal() else value
