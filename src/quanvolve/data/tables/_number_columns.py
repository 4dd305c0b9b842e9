"""What columns of numbers are: features in a row, pixels of images, values of series."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._text import plural
from quanvolve.data.tables._names import listed

_PIXEL = re.compile(r"(?:pixels?|pix|px)[ _.-]?(\d+)", re.IGNORECASE)
_PLACE = re.compile(r"(\d+)[x_](\d+)", re.IGNORECASE)
_NAMELESS = re.compile(r"(?:column )?\d+")
"""As the reader of CSV calls columns of a file without names, and pandas those of a frame without."""
_FEWEST = 64
"""Columns without names that may be pixels."""
_STEP = re.compile(r"(?:(.+?)[ _.-])?(?:t|time|step)[ _.-]?(\d+)", re.IGNORECASE)


class Shaped(NamedTuple):
    """Values as they are learned from, along how many axes windows slide, and what was understood."""

    values: NDArray[np.generic]
    dims: int
    notes: tuple[str, ...]


def shaped(numbers: NDArray[np.generic], names: Sequence[str], asked: Asked, source: str) -> Shaped:
    """Columns of numbers as features, images or series.

    Args:
        numbers: (n, columns).
        names: One a column.
        asked: Whose `columns` and `image_size` come before the names.
        source: How messages name the table.

    Raises:
        DataError: Columns that do not make what was asked for; one of pixels or moments that is missing.

    Examples:
        >>> numbers = np.arange(8.0).reshape(2, 4)
        >>> shaped(numbers, ["t0", "t1", "t2", "t3"], Asked(), "'a.csv'").values.shape
        (2, 1, 4)
        >>> shaped(numbers, ["1x1", "1x2", "2x1", "2x2"], Asked(), "'a.csv'").values.shape
        (2, 2, 2)
        >>> shaped(numbers, ["a", "b", "c", "d"], Asked(), "'a.csv'").values.shape
        (2, 4)
    """
    if asked.columns == "features":
        return _features(numbers, names)
    steps = [_STEP.fullmatch(name) for name in names]
    if asked.columns == "series" or (asked.columns == "auto" and asked.size is None and all(steps)):
        return _series(numbers, names, [match for match in steps if match is not None], source)
    pixels = [_PIXEL.fullmatch(name) for name in names]
    places = [_PLACE.fullmatch(name) for name in names]
    if all(places):
        return _placed(numbers, names, [(int(m[1]), int(m[2])) for m in places if m is not None], source)
    if all(pixels):
        order = _counted(names, [int(m[1]) for m in pixels if m is not None], source)
        return _images(numbers[:, order], [names[k] for k in order], asked, source)
    if asked.columns == "pixels" or asked.size is not None:
        return _images(numbers, names, asked, source)
    if all(_NAMELESS.fullmatch(name) for name in names) and _may_be_pixels(numbers):
        images = _images(numbers, names, asked, source)
        how = ": a square of whole numbers up to 255 each; `columns='features'` takes them as features"
        return images._replace(notes=(images.notes[0] + how,))
    features = _features(numbers, names)
    some = [name for name, pixel, place in zip(names, pixels, places, strict=True) if not (pixel or place)]
    if len(some) < len(names):
        also = f"some columns are called like pixels, but {listed(some)} are not: leave these out to have images"
        return features._replace(notes=(*features.notes, also))
    return features


def _may_be_pixels(numbers: NDArray[np.generic]) -> bool:
    """Whether each row is a square of whole numbers from 0 to 255, of which some are beyond 127."""
    count = numbers.shape[1]
    if count < _FEWEST or math.isqrt(count) ** 2 != count:
        return False
    return bytes_if_such(numbers).dtype == np.uint8


def _features(numbers: NDArray[np.generic], names: Sequence[str]) -> Shaped:
    said = f"{plural(len(names), 'column')} of numbers ({listed(names)}): features in a row, along which windows slide"
    if len(names) > 1:
        said += "; `image_size` or `columns='pixels'` makes images of them, `columns='series'` series"
    return Shaped(numbers, 1, (said,))


def _counted(names: Sequence[str], order: Sequence[int], source: str) -> list[int]:
    """The columns in the order of their numbers, of which none may be missing."""
    first = min(order)
    places = {number: k for k, number in enumerate(order)}
    for number in range(first, first + len(order)):
        if number not in places:
            raise DataError(
                f"{source} has columns {listed(names)}, but none with the number {number} or one twice: expected each "
                "number once; give all of them, or say `columns='features'`",
                arguments=("columns",),
            )
    return [places[number] for number in sorted(order)]


def _series(numbers: NDArray[np.generic], names: Sequence[str], steps: Sequence[re.Match[str]], source: str) -> Shaped:
    if len(steps) < len(names):
        said = f"{plural(len(names), 'column')} ({listed(names)}): the values of a series in time, in this order"
        return Shaped(numbers[:, None, :], 1, (said,))
    channels = list(dict.fromkeys(match[1] for match in steps))
    rows = []
    for channel in channels:
        own = [k for k, match in enumerate(steps) if match[1] == channel]
        rows.append([own[k] for k in _counted([names[k] for k in own], [int(steps[k][2]) for k in own], source)])
    if len({len(row) for row in rows}) > 1:
        lengths = ", ".join(f"{channel}: {len(row)}" for channel, row in zip(channels, rows, strict=True))
        raise DataError(f"{source} has channels of unequal length ({lengths}): series must be equally long")
    said = f"series of {plural(len(rows[0]), 'value')} in time"
    if len(channels) > 1:
        said += f" in {len(channels)} channels ({listed([str(channel) for channel in channels])})"
    said += f", from the columns {listed(names)}; `columns='features'` takes them as features"
    return Shaped(np.stack([numbers[:, row] for row in rows], axis=1), 1, (said,))


def _placed(
    numbers: NDArray[np.generic], names: Sequence[str], places: Sequence[tuple[int, int]], source: str
) -> Shaped:
    """Pixels whose columns are called by row and column, as in 1x1, 1x2."""
    start = (min(row for row, _ in places), min(column for _, column in places))
    height, width = (max(place[axis] for place in places) - start[axis] + 1 for axis in (0, 1))
    flat = [(row - start[0]) * width + column - start[1] for row, column in places]
    if sorted(flat) != list(range(height * width)):
        raise DataError(
            f"{source} has columns {listed(names)}, which are not the pixels of one image of {height}x{width}: give "
            "each once, or say `columns='features'`",
            arguments=("columns",),
        )
    images = bytes_if_such(numbers[:, np.argsort(flat)]).reshape(-1, height, width)
    return Shaped(images, 2, (f"images of {height}x{width}, from the columns {listed(names)}",))


def _images(numbers: NDArray[np.generic], names: Sequence[str], asked: Asked, source: str) -> Shaped:
    count, side = len(names), math.isqrt(len(names))
    named = all(_PIXEL.fullmatch(name) for name in names)
    sizes = [] if asked.size is None else [asked.size]
    if named or asked.size is None:
        # Where names say that there are pixels, those of another size are resized afterwards.
        sizes += [(side, side), (math.isqrt(count // 3),) * 2]
    for height, width in sizes:
        for channels in (1, 3):
            if height * width * channels == count:
                images = bytes_if_such(numbers)
                kind = f"{height}x{width}{' in colour' if channels == 3 else ''}"
                said = f"images of {kind}, from the columns {listed(names)}"
                if channels == 1:
                    return Shaped(images.reshape(-1, height, width), 2, (said,))
                return Shaped(_coloured(images, (height, width), asked, source), 2, (said,))
    if named and asked.size is None and asked.columns == "auto":
        features = _features(numbers, names)
        return features._replace(notes=(*features.notes, f"{count} pixels make no square: say `image_size=(H, W)`"))
    wanted = "a square" if asked.size is None else f"an image of {asked.size[0]}x{asked.size[1]}"
    raise DataError(
        f"{source} has {plural(count, 'column')} of numbers ({listed(names)}), which do not make {wanted}, grey or in "
        "three colours: say another `image_size`, or `columns='features'`",
        arguments=("image_size", "columns"),
    )


def _coloured(images: NDArray[np.generic], size: tuple[int, int], asked: Asked, source: str) -> NDArray[np.generic]:
    if asked.channels == "auto":
        raise DataError(
            f"{source} has three numbers for each of {size[0]}x{size[1]} pixels: say `channels='first'` if all of the "
            "first colour come before the second, `channels='last'` if the three of a pixel stand together",
            arguments=("channels",),
        )
    if asked.channels == "first":
        return images.reshape(-1, 3, *size)
    return np.ascontiguousarray(np.moveaxis(images.reshape(-1, *size, 3), 3, 1))


def bytes_if_such(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Whole numbers up to 255 as uint8, if they go beyond 127: of others it cannot be told that 255 is white."""
    if pixels.dtype == np.uint8 or not pixels.size:
        return pixels
    if not 127 < pixels.max() <= 255 or pixels.min() < 0:
        return pixels
    whole = pixels.astype(np.uint8)
    return whole if np.array_equal(whole, pixels) else pixels
