"""Uploaded files as images of a model: pictures, drawings, and arrays and tables in files."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.runs import images_of
from quanvolve.studio._loaded import Floats, Loaded
from quanvolve.studio._pictures import as_drawn, decoded, opened
from quanvolve.studio._problems import Refused
from quanvolve.studio._settings import Limits
from quanvolve.studio._wanted import still_wanted

_MARKS = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz", b"PK\x05\x06": ".npz"}
_TABLES = (".csv", ".tsv")
_NAME = 200  # characters of a file's name that are said again


class Upload(NamedTuple):
    """A file as it came."""

    name: str
    content: bytes


@dataclass(frozen=True, eq=False)
class Read:
    """What files hold.

    Args:
        names: of the images.
        images: in the units of the training data.
        faults: the names of files that could not be used, and why.
    """

    names: list[str]
    images: Floats
    faults: list[tuple[str, str]]


class _TooMuch(Refused):
    """The files together are too many: none of them is used."""


def from_files(
    loaded: Loaded, files: list[Upload], drawing: bool | None, fit: str | None, dataset: str, limits: Limits
) -> Read:
    """Files as images in the units of the training data.

    Args:
        loaded: the model.
        files: pictures; arrays of images, series or volumes in the form of NumPy's `.npy` or `.npz`; tables with an
            image, a series or features a row.
        drawing: whether pictures are drawings, to be cut out, scaled and centred. If not, they are prepared as those
            of the training were, or as `fit` says; without either they must be of the model's size. If that is not
            said, a model of grey arrays gets drawings, and others pictures as just said; if neither the training nor
            `fit` says how, they are scaled to the size that the model takes, their middle if the proportions differ.
        fit: how pictures are brought to the size of a model of arrays: "crop", "pad" or "stretch".
        dataset: that the model was trained on.
        limits: of a request.

    Raises:
        Refused: naming the first file that does not fit, if none does; or if they are too many.
        GivenUp: if nobody waits for them any longer.
    """
    if drawing:
        must_be_drawable(loaded)
    reader = _Reader(loaded, drawing, fit, dataset, limits)
    names: list[str] = []
    images: list[Any] = []
    faults: list[tuple[str, Refused]] = []
    for number, file in enumerate(files, 1):
        still_wanted()
        name = one_line(file.name)[:_NAME] or f"file {number}"
        try:
            found = reader.read(file.content, name)
            if len(images) + len(found) > limits.batch:
                raise _TooMuch(413, "large", f"more than {limits.batch} images, at most {limits.batch} are taken")
            loaded.images(np.stack([image for _, image in found]))
        except _TooMuch as error:
            raise Refused(error.status, error.kind, f"files: number {number}: {error.detail}") from None
        except Refused as error:
            faults.append((name, error))
            continue
        names += [name for name, _ in found]
        images += [image for _, image in found]
    if not images:
        first = faults[0][1]
        detail = f"files: number 1: {first.detail}"
        rest = "" if len(faults) == 1 else f"; none of the {len(faults)} files can be used"
        errors = [{"where": name, "what": error.detail, "kind": error.kind} for name, error in faults]
        raise Refused(first.status, first.kind, detail + rest, errors=errors)
    return Read(names, loaded.images(np.stack(images)), [(name, error.detail) for name, error in faults])


def must_be_drawable(loaded: Loaded) -> None:
    """Refuse drawings for models of other things than pictures.

    Raises:
        Refused: saying what to do.
    """
    if not loaded.drawable:
        size = "x".join(map(str, loaded.shape))
        raise Refused(409, "drawing", f"this model takes {size} (channels first), which cannot be drawn: leave "
                      "`drawing` out, or say drawing=false")  # fmt: skip


def coloured(drawing: Floats, loaded: Loaded) -> Floats:
    """A drawing in grey (rows, columns) or in colour (3, rows, columns), in [0, 1], as an image in colour."""
    planes = drawing if drawing.ndim == 3 else drawing[None]
    return loaded.scaled(np.broadcast_to(_fitted(planes, *loaded.shape[1:]), loaded.shape))


class _Reader:
    """Reads the files of a request, one after the other."""

    def __init__(self, loaded: Loaded, drawing: bool | None, fit: str | None, dataset: str, limits: Limits) -> None:
        self._loaded, self._fit, self._dataset, self._limits = loaded, fit, dataset, limits
        self._left = limits.pixels
        self._exact = drawing is False
        prepared = loaded.clf.preparation_ is not None or fit is not None
        self._drawn = drawing is True or (drawing is None and not prepared and loaded.of_drawings)
        self._prepared = prepared and not self._drawn

    def read(self, content: bytes, name: str) -> list[tuple[str, Floats]]:
        """Names and images of a file."""
        suffix = next((ending for mark, ending in _MARKS.items() if content.startswith(mark)), None)
        table = Path(name).suffix.lower()
        if suffix is None and table in _TABLES:
            suffix = table
            most = self._limits.body_bytes // 4  # each number becomes an object
            if len(content) > most:
                raise Refused(413, "large", f"a table may have {most:,} bytes: send fewer rows, or arrays")
        if suffix is not None:
            if suffix == ".npz":
                self._check_unpacked(content)
            return self._by_form(content, suffix, name, 415, "array")
        return [(name, self._picture(content))] if not self._prepared else self._as_in_training(content, name)

    def _by_form(self, content: bytes, suffix: str, name: str, status: int, kind: str) -> list[tuple[str, Floats]]:
        """As `quanvolve predict` reads it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"upload{suffix}"
            path.write_bytes(content)
            try:
                # No more than one too many are made.
                made = islice(images_of(path, self._loaded.clf, self._fit), self._limits.batch + 1)
                found = [(one, image) for one, image, _ in made]
            except DataError as error:
                raise Refused(status, kind, str(error).replace(str(path), name)) from None
        if not found:
            raise Refused(status, kind, f"{name!r} holds no image")
        return [(one.replace(str(path), name), image) for one, image in found]

    def _check_unpacked(self, content: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return  # whoever reads it says what is wrong
        if size > self._limits.body_bytes:
            raise Refused(413, "large", f"the arrays have {size:,} bytes when they are unpacked, at most "
                          f"{self._limits.body_bytes:,} are taken: send fewer")  # fmt: skip

    def _as_in_training(self, content: bytes, name: str) -> list[tuple[str, Floats]]:
        self._require_pictures()
        with opened(content, self._limits.image_pixels, in_part=self._limits.pixels) as picture:
            self._count(picture.size[::-1])
            suffix = f".{str(picture.format).lower()}"
        return self._by_form(content, suffix, name, 415, "picture")

    def _picture(self, content: bytes) -> Floats:
        self._require_pictures()
        channels, *size = self._loaded.shape
        colour = channels == 3
        picture = decoded(content, self._limits.image_pixels, colour=colour, allowed=self._allowed)
        if colour or not self._drawn:
            return coloured(picture, self._loaded)
        return self._loaded.drawn(as_drawn(picture, (size[0], size[1]), self._dataset))

    def _require_pictures(self) -> None:
        if len(self._loaded.shape) != 3 or self._loaded.shape[0] not in (1, 3):
            shape = "x".join(map(str, self._loaded.shape))
            raise Refused(415, "picture", f"this model takes {shape} (channels first), which no picture holds: send an "
                          "array of that shape, or of several, as a .npy file (`numpy.save`)")  # fmt: skip

    def _count(self, size: tuple[int, int]) -> None:
        self._left -= size[0] * size[1]
        if self._left < 0:
            raise _TooMuch(
                413, "large", f"more than {self._limits.pixels:,} pixels in all: send fewer or smaller pictures"
            )

    def _allowed(self, size: tuple[int, int]) -> None:
        self._count(size)
        if self._exact and size != self._loaded.shape[1:]:
            sent, expected = ("x".join(map(str, shape)) for shape in (size, self._loaded.shape[1:]))
            raise Refused(422, "invalid", f"a picture is {sent}, this model takes {expected}: make it that large, or "
                          "leave `drawing` out")  # fmt: skip


def _fitted(picture: Floats, rows: int, columns: int) -> Floats:
    """The middle of a picture (channels, rows, columns), in the proportions of an image and of its size."""
    tall, wide = picture.shape[-2:]
    if (tall, wide) == (rows, columns):
        return picture
    high, broad = min(tall, max(1, round(wide * rows / columns))), min(wide, max(1, round(tall * columns / rows)))
    top, left = (tall - high) // 2, (wide - broad) // 2
    cut = picture[:, top : top + high, left : left + broad]
    way = Image.Resampling.BOX if high >= rows else Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(channel).resize((columns, rows), way)) for channel in cut])
