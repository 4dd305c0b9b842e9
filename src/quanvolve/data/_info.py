"""What a data set is, without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is, without loading it.

    Args:
        name: The name `load_dataset` takes.
        images: How many images, training and test together.
        shape: Height and width of one image.
        classes: How many classes.
        source: Who made it.
        licence: Under which terms it is distributed.
    """

    name: str
    images: int
    shape: tuple[int, ...]
    classes: int
    source: str
    licence: str
