"""Many picture files of any size and kind as one array, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._open import FORMATS, opened_picture, quiet_pillow
from quanvolve.data._preparation import GREY_MODES, MOST_PIXELS, Preparation
from quanvolve.data._text import plural, quoted

_LARGE = 20_000
"""Bytes of a file from which on threads pay: Pillow decodes without Python's lock, and opens with it."""
_AHEAD = 32
"""Pictures that threads may be ahead of what is kept."""
_SAMPLE = 50
_NAMED = 3
"""Files that a note names."""
_DIM = 32
"""Pictures of 16 bits that stay below this one, of 255, have most likely fewer bits than that."""


def prepared_picture(path: str | os.PathLike[str], preparation: Preparation) -> NDArray[np.uint8]:
    """A picture file as an array; to be called within `quiet_pillow`.

    Raises:
        DataError: naming the file, if it is missing, damaged or too large.
    """
    with opened_picture(path, MOST_PIXELS) as picture:
        try:
            return preparation.array(picture)
        except DataError as error:
            raise _of_file(path, error) from None


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a number of files became.

    Args:
        array: uint8, (n, H, W) or (n, 3, H, W): those that could be read, in their order.
        read: for each file, whether it could be read.
        preparation: what was done, and can be done to others.
        faults: a line for each that could not be read.
        notes: what else there is to say, a line each.
    """

    array: NDArray[np.uint8]
    read: NDArray[np.bool_]
    preparation: Preparation
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def read_pictures(paths: Sequence[str], asked: Asked) -> Pictures:
    """Read picture files into one array, which is there before the second of them is decoded.

    They become grey if none of them has colours, or if that is asked for, and colour if that is.

    Args:
        paths: of the files.
        asked: size, fit and colours.

    Raises:
        DataError: if none can be read, they are of different sizes and none is asked for, or the array is larger than
            the memory of this machine.
    """
    rows = _Rows(len(paths), paths, asked)
    with quiet_pillow():
        colour = Preparation(asked.size, asked.fit, 3)
        grey = replace(colour, channels=1)
        ways = _Ways(grey, grey if asked.grayscale else colour, rows)
        for number, result in enumerate(_decoded(paths, ways)):
            rows.take(number, result)
    return rows.all()


class _Decoded(NamedTuple):
    """A picture, (H, W) or (H, W, 3), and what is to be told of it."""

    array: NDArray[np.uint8]
    moves: bool
    deep: bool
    kind: str


class _Ways(NamedTuple):
    """How pictures are prepared: in one way if they have no colours and in another if they may, among these rows."""

    grey: Preparation
    colour: Preparation
    rows: _Rows


def _decoded(paths: Sequence[str], ways: _Ways) -> Iterator[_Decoded | DataError]:
    """Pictures in their order."""

    def decode(path: str) -> _Decoded | DataError:
        try:
            return _decode(path, ways)
        except DataError as error:
            return error

    if (os.cpu_count() or 1) < 2 or _mean_size(paths[:: max(1, len(paths) // _SAMPLE)]) < _LARGE:
        yield from map(decode, paths)
        return
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        try:
            pending = [pool.submit(decode, path) for path in paths[:_AHEAD]]
            for number in range(len(paths)):
                yield pending[number % _AHEAD].result()
                if number + _AHEAD < len(paths):
                    pending[number % _AHEAD] = pool.submit(decode, paths[number + _AHEAD])
        finally:
            # Whoever stops early does not wait for what nobody wants.
            pool.shutdown(cancel_futures=True)


def _mean_size(paths: Sequence[str]) -> float:
    return float(np.mean([os.path.getsize(path) for path in paths]))


def _decode(path: str, ways: _Ways) -> _Decoded:
    with opened_picture(path, MOST_PIXELS) as picture:
        mode, kind = picture.mode, picture.format
        try:
            plain = (ways.grey if mode in GREY_MODES else ways.colour).picture(picture)
        except DataError as error:
            raise _of_file(path, error) from None
        array = np.asarray(plain)
        if array.ndim == 3 and not ways.rows.coloured and not _has_colours(array):
            array = array[:, :, 0]  # many a grey picture is saved as one of colours
        moves = kind in ("GIF", "WEBP", "PNG", "TIFF") and getattr(picture, "is_animated", False)
        # Cameras write several pictures into one JPEG file, which Pillow then calls MPO.
        return _Decoded(array, moves, mode[0] == "I", "JPEG" if kind == "MPO" else kind or "")


def _has_colours(array: NDArray[np.uint8]) -> bool:
    red = array[:, :, :1]
    return bool((array[:, :, 1:] != red).any())


def _of_file(path: str | os.PathLike[str], error: DataError) -> DataError:
    return DataError(f"{quoted(path)}: {error}")


class _Rows:
    """The array that pictures are put into, one after the other."""

    def __init__(self, total: int, paths: Sequence[str], asked: Asked) -> None:
        self._paths, self._asked = paths, asked
        self._array: NDArray[np.uint8] | None = None
        self._size: tuple[int, ...] = ()
        self.coloured = asked.grayscale is False
        self._filled = self._first = 0
        self._read = np.zeros(total, dtype=bool)
        self._faults: list[str] = []
        self._moving: list[str] = []
        self._misnamed: list[str] = []
        self._deep = self._brightest = 0

    def take(self, number: int, result: _Decoded | DataError) -> None:
        if isinstance(result, DataError):
            self._faults.append(str(result))
            return
        image = result.array
        if self._array is None:
            self._first, self._size = number, image.shape[:2]
            self.coloured = self.coloured or image.ndim == 3
            self._array = self._room((3, *self._size) if self.coloured else self._size)
        elif image.shape[:2] != self._size:
            first, other = (
                f"{quoted(self._paths[i])} is {'x'.join(map(str, size))}"
                for i, size in ((self._first, self._size), (number, image.shape[:2]))
            )
            raise DataError(
                f"the pictures are of different sizes, and have to be of one ({first}, {other}): give the height and "
                "width that all are brought to, such as `image_size=28`"
            )
        if image.ndim == 3:
            image = image.transpose(2, 0, 1)
            if not self.coloured:
                # The first with colours; only what is filled takes memory.
                colours = self._room(image.shape)
                colours[: self._filled] = self._array[: self._filled, None]
                self._array, self.coloured = colours, True
        self._array[self._filled] = image
        self._filled += 1
        self._read[number] = True
        path = self._paths[number]
        if result.moves:
            self._moving.append(path)
        if FORMATS.get(os.path.splitext(path)[1].lower(), result.kind) != result.kind:
            self._misnamed.append(path)
        if result.deep:
            self._deep, self._brightest = self._deep + 1, max(self._brightest, int(image.max()))

    def _room(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        size = (len(self._read), *shape)
        need = int(np.prod(size, dtype=np.int64))
        have = _memory()
        try:
            if have is not None and need > have:
                raise MemoryError
            return np.empty(size, dtype=np.uint8)
        except MemoryError:
            raise DataError(
                f"{len(self._read):,} pictures of {'x'.join(map(str, shape))} take {need / 1e9:.1f} GB, more than the "
                "memory of this machine: give a smaller height and width, such as `image_size=28`"
            ) from None

    def all(self) -> Pictures:
        """What has been read.

        Raises:
            DataError: if that is nothing.
        """
        if self._array is None:
            more = f"; so it is with all {len(self._faults)}" if len(self._faults) > 1 else ""
            raise DataError(f"{min(self._faults)}{more}")
        height, width = self._size
        channels = 3 if self.coloured else 1
        notes = []
        if self._moving:
            notes.append(
                f"{plural(len(self._moving), 'file')} of several pictures: the first was taken ({_some(self._moving)})"
            )
        if self._misnamed:
            notes.append(
                f"{plural(len(self._misnamed), 'picture')} of another kind than the ending says, read all the same "
                f"({_some(self._misnamed)})"
            )
        if self._deep and self._brightest < _DIM:
            notes.append(
                f"{plural(self._deep, 'picture')} of 16 bits: none is brighter than {self._brightest / 255:.0%} of "
                "their range, so that little of them is left in 8 bits; stretch them to the whole range first"
            )
        elif self._deep:
            notes.append(f"{plural(self._deep, 'picture')} of 16 bits: brought to 8 bits")
        preparation = Preparation((height, width), self._asked.fit, channels)
        return Pictures(self._array[: self._filled], self._read, preparation, tuple(sorted(self._faults)), tuple(notes))


def _some(paths: Sequence[str]) -> str:
    """The first paths, quoted; a set of pictures may have thousands."""
    return ", ".join(map(quoted, sorted(paths)[:_NAMED])) + (", ..." if len(paths) > _NAMED else "")


def _memory() -> int | None:
    """Bytes of memory of this machine, where that is known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
