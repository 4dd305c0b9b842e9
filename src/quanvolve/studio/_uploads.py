"""Uploaded files as images of a model: pictures, drawings, and arrays in files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quanvolve._errors import DataError
from quanvolve.data import read_arrays
from quanvolve.studio._loaded import Floats, Loaded
from quanvolve.studio._pictures import as_drawn, decoded
from quanvolve.studio._problems import Refused
from quanvolve.studio._settings import Limits
from quanvolve.studio._wanted import still_wanted

_NPY = b"\x93NUMPY"


def from_files(loaded: Loaded, contents: list[bytes], drawing: bool | None, dataset: str, limits: Limits) -> Floats:
    """Files as images in the units of the training data.

    Args:
        loaded: the model.
        contents: of the files: pictures, or arrays of images, series or volumes in the form of NumPy's `.npy`.
        drawing: whether pictures are drawings, to be cut out, scaled and centred. If not, they must be of the model's
            size. If that is not said, a model that can be drawn for gets drawings, and for others pictures are scaled
            to the size they take, their middle if the proportions differ.
        dataset: that the model was trained on.
        limits: of a request.

    Raises:
        Refused: naming the first file that does not fit.
        GivenUp: if nobody waits for them any longer.
    """
    if drawing:
        must_be_drawable(loaded)
    left = limits.pixels
    images: list[Any] = []

    def allowed(size: tuple[int, int]) -> None:
        nonlocal left
        left -= size[0] * size[1]
        if left < 0:
            raise Refused(413, "large", f"more than {limits.pixels:,} pixels in all: send fewer or smaller pictures")
        if drawing is False and size != loaded.shape[1:]:
            sent, expected = ("x".join(map(str, shape)) for shape in (size, loaded.shape[1:]))
            raise Refused(422, "invalid", f"a picture is {sent}, this model takes {expected}: make it that large, or "
                          "leave `drawing` out")  # fmt: skip

    for number, content in enumerate(contents):
        still_wanted()
        try:
            if content.startswith(_NPY):
                images += _arrays(content, loaded.shape)
            else:
                images.append(_picture(loaded, content, drawing, dataset, limits, allowed))
            if len(images) > limits.batch:
                raise Refused(413, "large", f"more than {limits.batch} images, at most {limits.batch} are taken")
        except Refused as error:
            raise Refused(error.status, error.kind, f"files: number {number + 1}: {error.detail}") from None
    return loaded.images(np.stack(images))


def must_be_drawable(loaded: Loaded) -> None:
    """Refuse drawings for models of colour, series or volumes.

    Raises:
        Refused: saying what to do.
    """
    if not loaded.drawable:
        size = "x".join(map(str, loaded.shape))
        raise Refused(409, "drawing", f"this model takes {size} (channels first), which cannot be drawn: leave "
                      "`drawing` out, or say drawing=false")  # fmt: skip


def _picture(loaded: Loaded, content: bytes, drawing: bool | None, dataset: str, limits: Limits, allowed: Any) -> Any:
    channels, *size = loaded.shape
    if len(size) != 2 or channels not in (1, 3):
        shape = "x".join(map(str, loaded.shape))
        raise Refused(415, "picture", f"this model takes {shape} (channels first), which no picture holds: send an "
                      "array of that shape, or of several, as a .npy file (`numpy.save`)")  # fmt: skip
    picture = decoded(content, limits.image_pixels, colour=channels == 3, allowed=allowed)
    if drawing or (drawing is None and loaded.drawable):
        picture = as_drawn(picture, (size[0], size[1]), dataset)
    elif picture.shape[-2:] != tuple(size):
        picture = _fitted(picture, size[0], size[1])
    return loaded.scaled(picture.reshape(loaded.shape))


def _fitted(picture: Floats, rows: int, columns: int) -> Floats:
    """The middle of a picture (channels, rows, columns), in the proportions of an image and of its size."""
    tall, wide = picture.shape[-2:]
    high, broad = min(tall, max(1, round(wide * rows / columns))), min(wide, max(1, round(tall * columns / rows)))
    top, left = (tall - high) // 2, (wide - broad) // 2
    cut = picture[:, top : top + high, left : left + broad]
    way = Image.Resampling.BOX if high >= rows else Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(channel).resize((columns, rows), way)) for channel in cut])


def _arrays(content: bytes, shape: tuple[int, ...]) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.npy"
        path.write_bytes(content)
        try:
            return [item.pixels for item in read_arrays(path, shape)]
        except DataError as error:
            raise Refused(415, "array", str(error).replace(repr(str(path)), "the array")) from None
