"""What a person says about data of their own, where it does not speak for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._preparation import FITS, Preparation
from quanvolve.data._task import TASKS

CHANNELS = ("auto", "first", "last")
COLUMNS = ("auto", "features", "pixels", "series")


@dataclass(frozen=True)
class Asked:
    """How data are to be read; every field has a default that lets the data speak.

    Args:
        image_size: Height and width to which pictures are resized, or one number for both; None if all are of one
            size. For a table with one column a pixel, the height and width of its images.
        fit: How a picture becomes that size: "crop" (what is too long is cut off), "pad" (black bars) or "stretch".
        grayscale: True turns colours into grey, False makes all pictures colour; None leaves colours where any picture
            has some.
        label: The column, field or file that holds the labels; None if it is found by its name.
        columns: What the columns of numbers in a table are: "features" in a row, the "pixels" of an image, the values
            of a "series" in time; "auto" goes by their names, and takes them for features where those say nothing.
        channels: Which axis of an array holds the channels: "first", "last", or "auto" where only one can.
        test_fraction: The share of each class that becomes the test set where there is none.
        seed: Fixes which.
        task: What the labels are for: "classification", "regression", "multilabel", or "auto" where they speak for
            themselves.

    Raises:
        DataError: A value that has no meaning.

    Examples:
        >>> Asked(image_size=28).size
        (28, 28)
    """

    image_size: int | tuple[int, int] | None = None
    fit: str = "crop"
    grayscale: bool | None = None
    label: str | None = None
    columns: str = "auto"
    channels: str = "auto"
    test_fraction: float = 0.2
    seed: int = 0
    task: str = "classification"

    def __post_init__(self) -> None:
        for name, known in (("fit", FITS), ("columns", COLUMNS), ("channels", CHANNELS), ("task", TASKS)):
            if getattr(self, name) not in known:
                raise DataError(f"`{name}` (={getattr(self, name)!r}) must be one of {', '.join(map(repr, known))}")
        if not 0 < self.test_fraction < 1:
            raise DataError(f"`test_fraction` (={self.test_fraction!r}) must be between 0 and 1")
        if self.size is not None and (len(self.size) != 2 or not all(_is_length(n) for n in self.size)):
            raise DataError(
                f"`image_size` (={self.image_size!r}) must be a whole number of at least 1, or two of them, height and "
                "width"
            )

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, or None."""
        if self.image_size is None:
            return None
        given: Any = self.image_size
        return tuple(given) if isinstance(given, tuple | list) else (given, given)

    @property
    def about_pictures(self) -> str | None:
        """The first field that only pictures have and that is not left as it is."""
        default = Asked()
        names = ("image_size", "fit", "grayscale")
        return next((name for name in names if getattr(self, name) != getattr(default, name)), None)

    def as_before(self, preparation: Preparation) -> Asked:
        """The same, with pictures made as those that a model was trained on.

        Examples:
            >>> Asked().as_before(Preparation((28, 20), "pad", 1)).size
            (28, 20)
        """
        return replace(self, image_size=preparation.size, fit=preparation.fit, grayscale=preparation.channels == 1)


def _is_length(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
