"""Pictures as people hold them (files, bytes, objects of Pillow, tensors) as arrays of one size and kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._asked import Asked
from quanvolve.data._open import FORMATS, opened_picture, quiet_pillow
from quanvolve.data._preparation import GREY_MODES, MOST_PIXELS, Preparation
from quanvolve.data._shapes import checked_pixels
from quanvolve.data._text import quoted

if TYPE_CHECKING:
    from PIL import Image

_CHANNELS = (1, 3, 4)


class Items(NamedTuple):
    """What a model learns from: arrays of one shape, along how many axes windows slide, what was done to pictures."""

    values: NDArray[Any]
    dims: int
    preparation: Preparation | None
    notes: tuple[str, ...]


class Collector:
    """Takes pictures or arrays one by one and keeps of each its array alone.

    Args:
        asked: How pictures are resized.
        folder: What relative paths begin at.

    Examples:
        >>> from PIL import Image
        >>> collector = Collector(Asked(image_size=8))
        >>> collector.add(Image.new("L", (20, 30)), "picture 0")
        >>> collector.add(Image.new("RGB", (9, 9), "red"), "picture 1")
        >>> collector.items("the list").values.shape
        (2, 3, 8, 8)
    """

    def __init__(self, asked: Asked, folder: Path | None = None) -> None:
        self._asked, self._folder = asked, folder
        self._arrays: list[NDArray[Any]] = []
        self._pictures = False
        self._first = ""

    def add(self, item: Any, where: str) -> None:
        """One more.

        Args:
            item: A picture of Pillow, its path or bytes, a mapping with `bytes` or `path`, an array or a tensor.
            where: Names it in messages.

        Raises:
            DataError: Something else, a damaged picture, or one of another size than the first.
        """
        if isinstance(item, Mapping) and (item.get("bytes") is not None or item.get("path") is not None):
            item = item["bytes"] if item.get("bytes") is not None else item["path"]
        picture = isinstance(item, str | os.PathLike | bytes) or _is_picture(item)
        if not self._arrays:
            self._pictures, self._first = picture, where
        elif picture is not self._pictures:
            raise DataError(
                f"{where} is {_called(picture)}, but {self._first} is {_called(self._pictures)}: give one kind"
            )
        array = self._prepared(item, where) if picture else _array(item, where)
        size = array.shape[-2:] if picture else array.shape
        if self._arrays:
            before = self._arrays[0].shape[-2:] if picture else self._arrays[0].shape
            if size != before:
                raise DataError(_unequal(where, size, self._first, before, picture), arguments=("image_size",))
        self._arrays.append(array)

    def _prepared(self, item: Any, where: str) -> NDArray[Any]:
        if _is_picture(item):
            return self._array_of(item, where)
        name = where
        if not isinstance(item, bytes):
            item = Path(item) if self._folder is None else self._folder / item
            name = f"{where}: {quoted(item)}"
        with quiet_pillow(), opened_picture(item, MOST_PIXELS, name) as picture:
            return self._array_of(picture, name)

    def _array_of(self, picture: Image.Image, name: str) -> NDArray[np.uint8]:
        asked = self._asked
        grey = asked.grayscale or picture.mode in GREY_MODES
        try:
            array = Preparation(asked.size, asked.fit, 1 if grey else 3).array(picture)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        # Many a grey picture is saved as one of colours.
        return array[0] if array.ndim == 3 and not (array != array[0]).any() else array

    def items(self, source: str) -> Items:
        """All of them as one array.

        Raises:
            DataError: None at all; arrays that hold no finite numbers, or of a shape with no meaning.
        """
        if not self._arrays:
            raise DataError(f"{source} is empty, expected pictures or arrays with labels")
        if not self._pictures:
            return _of_arrays(np.stack(self._arrays), self._asked, source)
        coloured = self._asked.grayscale is False or any(array.ndim == 3 for array in self._arrays)
        # Grey pictures among coloured ones have the same value in each colour.
        whole = [np.stack([array] * 3) if coloured and array.ndim == 2 else array for array in self._arrays]
        height, width = self._arrays[0].shape[-2:]
        preparation = Preparation((height, width), self._asked.fit, 3 if coloured else 1)
        return Items(np.stack(whole), 2, preparation, (f"pictures, {preparation}",))


def is_item(cell: Any) -> bool:
    """Whether a cell of a table holds a picture or an array, or says where one is."""
    if isinstance(cell, str | os.PathLike):
        return Path(cell).suffix.lower() in FORMATS
    if isinstance(cell, Mapping):
        return {"bytes", "path"} <= set(cell)
    return isinstance(cell, bytes | np.ndarray | list) or _is_picture(cell) or hasattr(cell, "detach")


def _is_picture(item: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(item, pillow.Image)


def _called(picture: bool) -> str:
    return "a picture" if picture else "an array"


def _unequal(where: str, size: tuple[int, ...], first: str, before: tuple[int, ...], picture: bool) -> str:
    this, that = ("x".join(map(str, lengths)) or "a single number" for lengths in (size, before))
    remedy = "say to which `image_size` all are resized" if picture else "make all equal, such as by a transform"
    return f"{where} is {this}, but {first} is {that}: {remedy}"


def _array(item: Any, where: str) -> NDArray[Any]:
    if hasattr(item, "detach"):
        item = item.detach().cpu().numpy()
    try:
        array = np.asarray(item)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "buif":
        raise DataError(
            f"{where} holds {one_line(repr(item))[:60]} ({type(item).__name__}), expected a picture of Pillow, its "
            "path, an array of numbers or a tensor"
        )
    return array


def _of_arrays(values: NDArray[Any], asked: Asked, source: str) -> Items:
    """Arrays as features (n, features), series, images or volumes, by how many axes they have."""
    values = checked_pixels(values, source)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim > 5:
        raise DataError(
            f"{source} holds arrays of shape {values.shape[1:]}, expected at most (C, D, H, W): reshape them"
        )
    if values.ndim == 2:
        return Items(
            values, 1, None, (f"arrays of {values.shape[1]} numbers: features in a row, along which windows slide",)
        )
    if asked.columns == "series":
        if values.ndim > 3:
            raise DataError(f"{source} holds arrays of shape {values.shape[1:]}, expected series (C, L): reshape them")
        return Items(values, 1, None, (f"series of {values.shape[2]} values in {values.shape[1]} channels",))
    if values.ndim == 5:
        return Items(values, 3, None, (f"volumes of shape {values.shape[1:]}",))
    if values.ndim == 3:
        said = f"images of {values.shape[1]}x{values.shape[2]}; `columns='series'` takes them as series (C, L)"
        return resized(values, asked, source, (said,))
    first, last = (values.shape[axis] in _CHANNELS for axis in (1, 3))
    if asked.channels == "auto" and first and last:
        raise DataError(
            f"{source} holds images of shape {values.shape[1:]}, of which the first axis or the last may be the "
            "channels: say `channels='first'` or `channels='last'`",
            arguments=("channels",),
        )
    moved = asked.channels == "last" or (asked.channels == "auto" and last)
    if moved:
        values = np.ascontiguousarray(np.moveaxis(values, 3, 1))
    said = f"images of {values.shape[2]}x{values.shape[3]} in {values.shape[1]} channels"
    said += ", which stood last and are moved to the front" if moved else ""
    return resized(values, asked, source, (said,))


def resized(values: NDArray[Any], asked: Asked, source: str, notes: tuple[str, ...]) -> Items:
    """Arrays of whole numbers from 0 to 255 as pictures of the size that was asked for."""
    if asked.size in (None, values.shape[-2:]):
        return Items(values, 2, None, notes)
    if values.dtype != np.uint8 or (values.ndim == 4 and values.shape[1] != 3):
        raise DataError(
            f"{source} holds images of {values.shape[-2]}x{values.shape[-1]} as {values.dtype}, and only pictures and "
            "grey or coloured images of uint8 are resized: leave out `image_size`, or resize them before",
            arguments=("image_size",),
        )
    from PIL import Image

    channels = 1 if values.ndim == 3 or asked.grayscale else 3
    preparation = Preparation(asked.size, asked.fit, channels)
    pictures = values if values.ndim == 3 else np.moveaxis(values, 1, 3)
    made = np.stack([preparation.array(Image.fromarray(np.ascontiguousarray(picture))) for picture in pictures])
    return Items(made, 2, preparation, (*notes, f"pictures, {preparation}"))
