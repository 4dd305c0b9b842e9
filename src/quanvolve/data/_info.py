"""What a data set is, without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is, without loading it.

    Args:
        name: The name `load_dataset` takes.
        images: How many images, those for training, validation and test together; 0 where only the files say it.
        shape: Height and width of one image, with the channels before them where it is in colour; the length of series.
        classes: How many classes; 0 where only the files say it.
        source: Who made it.
        licence: Under which terms it is distributed.
    """

    name: str
    images: int
    shape: tuple[int, ...]
    classes: int
    source: str
    licence: str
