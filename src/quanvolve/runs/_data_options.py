"""How data of one's own are read, as far as that is typed: options of every command that reads some."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

from quanvolve._options import DATA, Said, count_or_word, parse_size


@dataclass(frozen=True)
class DataOptions:
    """What a person says of data where they do not speak for themselves; see :class:`quanvolve.data.Asked`."""

    image_size: Annotated[
        int | str | None,
        Said("Pixels that pictures are resized to, one number or two.", DATA, "N or HxW", parser=count_or_word),
    ] = None
    fit: Annotated[str, Said("How pictures become that size: crop, pad (black bars) or stretch.", DATA, "NAME")] = (
        "crop"
    )
    grayscale: Annotated[bool, Said("Turn colour pictures grey.", DATA, None)] = False
    label: Annotated[str | None, Said("The column that holds the labels, where there is a choice.", DATA, "NAME")] = (
        None
    )
    columns: Annotated[
        str, Said("What the columns of a table are: features, pixels, series, or auto by their names.", DATA, "NAME")
    ] = "auto"
    channels: Annotated[
        str, Said("Which axis of an array holds the channels: first, last, or auto where only one can.", DATA, "NAME")
    ] = "auto"
    task: Annotated[
        str,
        Said(
            "classification, regression or multilabel; auto takes labels that are not whole for regression.",
            DATA,
            "NAME",
        ),
    ] = "auto"

    def asked(self) -> dict[str, Any]:
        """The same as arguments of :func:`quanvolve.load_dataset`.

        Raises:
            QuanvolveError: if the size of the pictures is none.

        Examples:
            >>> DataOptions("28x32", fit="pad").asked()
            {'image_size': (28, 32), 'fit': 'pad', 'task': 'auto'}
        """
        chosen = {field.name: getattr(self, field.name) for field in fields(DataOptions)}
        usual = {field.name: field.default for field in fields(DataOptions)}
        chosen["image_size"] = parse_size(self.image_size)
        # Python's functions are for classification unless they are told.
        return {name: value for name, value in chosen.items() if value != usual[name] or name == "task"}

    def asked_by_study(self) -> dict[str, Any]:
        """As :meth:`asked`, for studies and searches, which find out by themselves whether data are for them."""
        return {name: value for name, value in self.asked().items() if (name, value) != ("task", "auto")}


OF_DATA = tuple(field.name for field in fields(DataOptions))
"""Their names."""
