"""Single images to classify: picture files and arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._npy import open_npz, read_npy
from quanvolve.data._npz_keys import data_to_predict
from quanvolve.data._open import FORMATS, opened_picture, quiet_pillow, too_large
from quanvolve.data._pictures import prepared_picture
from quanvolve.data._preparation import Preparation
from quanvolve.data._shapes import channel_first, checked_pixels
from quanvolve.data._text import quoted

if TYPE_CHECKING:
    from PIL import Image

_USUAL = ("images", "X", "data", "test_images", "x_test")

MAX_PIXELS = 16_000_000
MAX_ARRAY_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class ImageInput:
    """One image and where it comes from.

    Args:
        name: The path as given, with the index where the file holds several, as in `file.npy[3]`.
        pixels: (H, W) or (C, H, W).
    """

    name: str
    pixels: NDArray[Any]


def read_images(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    size: tuple[int, int] | None = None,
    preparation: Preparation | None = None,
) -> list[ImageInput]:
    """Read images from picture files (PNG, JPEG, BMP, GIF, TIFF, WebP, PGM, PPM), `.npy` and `.npz` files.

    Grey pictures come as uint8 of shape (H, W), colour ones as uint8 of shape (3, H, W). Transparent pixels
    are laid on black. Grey pictures of 16 bits come as float32 in [0, 1]. Of an animation, the first frame is
    read.

    An array is one image (H, W), or several: (n, H, W), (n, C, H, W) or (n, H, W, C) with 1, 3 or 4 channels.
    An `.npz` file has it under a name as `load_npz` knows them (`images`, `X`, `test_images` and so on), or has no
    other array.

    Args:
        paths: One path or several.
        size: Height and width that the model takes; images of another size are refused, pictures before they
            are decoded. None takes any.
        preparation: What was done to the pictures that the model was trained on, and is done to picture files of any
            size here; arrays are taken as they are.

    Returns:
        One input an image, in the order given.

    Raises:
        DataError: A file that is missing, damaged, of another kind or another size, or larger than 16
            megapixels (64 where there is a preparation; 1 GiB for arrays).

    Examples:
        >>> import tempfile, numpy as np
        >>> from quanvolve.data import read_images
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/batch.npy", np.zeros((2, 8, 8)))
        ...     inputs = read_images(f"{folder}/batch.npy")
        >>> [(image.name[-12:], image.pixels.shape) for image in inputs]
        [('batch.npy[0]', (8, 8)), ('batch.npy[1]', (8, 8))]
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    return [image for path in paths for image in _read_file(Path(path), size, preparation)]


def _read_file(path: Path, size: tuple[int, int] | None, preparation: Preparation | None) -> list[ImageInput]:
    kind = path.suffix.lower()
    if kind not in FORMATS and kind not in (".npy", ".npz"):
        known = ", ".join((*FORMATS, ".npy", ".npz"))
        what = "is a folder" if os.path.isdir(path) else f"has the extension {kind!r}"
        raise DataError(f"{quoted(path)} {what}, expected a file with one of: {known}")
    if kind in FORMATS and preparation is not None:
        with quiet_pillow():
            return [ImageInput(str(path), prepared_picture(path, preparation))]
    if kind in FORMATS:
        return [ImageInput(str(path), _read_picture(path, size))]
    images = _split(read_npy(path, MAX_ARRAY_BYTES) if kind == ".npy" else _read_npz(path), path)
    for image in images:
        _require_size(image.name, image.pixels.shape, size)
    return images


def read_arrays(path: str | os.PathLike[str], shape: tuple[int, ...]) -> list[ImageInput]:
    """Read series or volumes to classify from an `.npy` or `.npz` file.

    Args:
        path: the file; an `.npz` file has the array under a name as `load_npz` knows them, or has no other array.
        shape: of one item, (C, *size). The array is one such item or several; a single channel may be left out.

    Returns:
        The items, each of that shape.

    Raises:
        DataError: a file that is missing, damaged, of another kind, or with an array of another shape.

    Examples:
        >>> import tempfile, numpy as np
        >>> from quanvolve.data import read_arrays
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/batch.npy", np.zeros((2, 50)))
        ...     [item.pixels.shape for item in read_arrays(f"{folder}/batch.npy", (1, 50))]
        [(1, 50), (1, 50)]
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in (".npy", ".npz"):
        raise DataError(f"{quoted(file)} has the extension {kind!r}, expected a file with one of: .npy, .npz")
    array = checked_pixels(read_npy(file, MAX_ARRAY_BYTES) if kind == ".npy" else _read_npz(file), quoted(file))
    single = (shape, shape[1:]) if shape[0] == 1 else (shape,)
    if array.shape in single:
        return [ImageInput(str(file), array.reshape(shape))]
    if array.shape[1:] not in single:
        raise DataError(
            f"{quoted(file)} holds an array of shape {array.shape}, but the model takes (n, "
            f"{', '.join(map(str, single[-1]))}): reshape it"
        )
    return [ImageInput(f"{file}[{i}]", item.reshape(shape)) for i, item in enumerate(array)]


def _require_size(name: str | Path, shape: tuple[int, ...], size: tuple[int, int] | None) -> None:
    if size is not None and shape[-2:] != size:
        actual, wanted = ("x".join(map(str, numbers)) for numbers in (shape, size))
        raise DataError(f"{quoted(name)} is {actual}, but the model takes images of {wanted}: resize it")


def _read_npz(path: Path) -> NDArray[Any]:
    with open_npz(path, MAX_ARRAY_BYTES) as file:
        key = data_to_predict(file.keys)
        if key is not None:
            return file[key]
        present = one_line(", ".join(file.keys)) or "none"
    raise DataError(
        f"{quoted(path)} has the keys: {present}; expected one such as {', '.join(_USUAL)}, or one array alone: save "
        "it with np.savez under such a name"
    )


def _split(array: NDArray[Any], path: Path) -> list[ImageInput]:
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"{quoted(path)} holds an array of shape {array.shape}, expected (H, W), (n, H, W), (n, C, H, W) "
            f"or (n, H, W, C): reshape it"
        )
    array = channel_first(checked_pixels(array, quoted(path)))
    if array.ndim == 2:
        return [ImageInput(str(path), array)]
    return [ImageInput(f"{path}[{i}]", image) for i, image in enumerate(array)]


def _read_picture(path: Path, size: tuple[int, int] | None) -> NDArray[Any]:
    with quiet_pillow(), opened_picture(path, MAX_PIXELS) as picture:
        # So far only the head of the file has been read: a small file may hold an enormous picture.
        width, height = picture.size
        _require_size(path, (height, width), size)
        if width * height > MAX_PIXELS:
            raise DataError(f"{quoted(path)} has {too_large(f'{width}x{height} pixels', MAX_PIXELS)}")
        picture.load()
        return _pixels(picture, path)


def _pixels(picture: Image.Image, path: Path) -> NDArray[Any]:
    mode = picture.mode
    if mode == "F" or mode == "I" or mode.startswith("I;16"):
        return _deep_grey(np.asarray(picture), path)
    if mode in ("LA", "La"):
        picture = _on_black(picture, "L")
    elif mode in ("RGBA", "RGBa", "PA") or (mode == "P" and "transparency" in picture.info):
        picture = _on_black(picture, "RGB")
    elif mode == "1":
        picture = picture.convert("L")
    elif mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    array: NDArray[Any] = np.array(picture)
    return array if array.ndim == 2 else np.ascontiguousarray(np.moveaxis(array, 2, 0))


def _on_black(picture: Image.Image, mode: str) -> Image.Image:
    """Colours times opacity, rounded; Pillow does it without the wider numbers that arrays would need."""
    from PIL import Image

    rgba = picture.convert("RGBA")
    black = Image.new(mode, picture.size)
    black.paste(rgba, mask=rgba)
    return black


def _deep_grey(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """Whole numbers of 16 bits as float32 in [0, 1]; floating-point pictures as they are."""
    array = checked_pixels(array, quoted(path))
    if array.dtype.kind == "f":
        return np.array(array, dtype=np.float32)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 65535:
        raise DataError(
            f"{quoted(path)} holds grey values from {low} to {high}, expected 0 to 65535 (16 bits): "
            f"save it with 8 or 16 bits, or as .npy"
        )
    return (array / np.float32(65535)).astype(np.float32)
