"""What a model takes files for: thousands of them in blocks, with a line for each that cannot be used."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import DataError
from quanvolve.runs._source import size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Asked, ImageInput

BLOCK = 256
"""Files that are read before the model sees them."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_ARRAYS = (".npy", ".npz")
_TABLES = (".csv", ".tsv")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a block of files gave.

    Args:
        names: of the images, in order: the path, with a number where a file holds several.
        outputs: probabilities of the classes or labels, (n, classes), or the numbers of a regressor, (n, targets).
        faults: an error for each file that could not be used.
        said: what the model warned of.
    """

    names: list[str]
    outputs: NDArray[Any]
    faults: list[DataError]
    said: list[str]


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Files, all files with images or arrays below folders, and what patterns with `*`, `?` or `[` match.

    Raises:
        DataError: if a folder holds none, or a pattern matches none.
    """
    files: list[Path] = []
    for path in paths:
        text = os.fspath(path)
        if os.path.isdir(path):
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in (*_PICTURES, *_ARRAYS) and p.is_file())
            if not found:
                raise DataError(f"{text!r} is a folder without an image ({', '.join((*_PICTURES, *_ARRAYS))})")
            files += found
        elif glob.has_magic(text) and not os.path.lexists(path):
            matched = sorted(Path(match) for match in glob.glob(text, recursive=True) if os.path.isfile(match))
            if not matched:
                raise DataError(f"no file matches {text!r}: check the pattern")
            files += matched
        else:
            files.append(path)
    return files


def predictions(
    clf: Any,
    files: Sequence[Path],
    *,
    fit: str | None = None,
    invert: bool = False,
    strict: bool = False,
    asked: Asked | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Predicted]:
    """What a model says of files, block by block.

    Args:
        clf: a fitted classifier or regressor.
        files: pictures, `.npy` and `.npz` files, tables as `.csv`, `.tsv` and `.parquet`.
        fit: how pictures of any size are brought to that of the model ("crop", "pad" or "stretch"), where it was
            trained on arrays; None refuses those of another size.
        invert: whether dark and bright are exchanged first.
        asked: how the data of the training were read, where that is known; tables are read likewise.
        strict: raise on the first file that cannot be used, in place of an entry in `faults`.
        progress: called as `progress(done, total)` with numbers of files.

    Raises:
        DataError: if `strict`, or an image is so far beyond the training images that the model gives no answer.
    """
    for start in range(0, len(files), BLOCK):
        names: list[str] = []
        pixels: list[NDArray[Any]] = []
        scaled: list[bool] = []
        faults: list[DataError] = []
        for path in files[start : start + BLOCK]:
            try:
                images = list(images_of(path, clf, fit, invert, asked))
            except DataError as error:
                fault = _with_remedy(error, path, fit)
                if strict:
                    raise fault from None
                faults.append(fault)
                continue
            for name, image, in_range in images:
                names.append(name)
                pixels.append(image)
                scaled.append(in_range)
        outputs, said = _outputs(clf, pixels, scaled)
        _require_finite(outputs, names, pixels, clf)
        yield Predicted(names, outputs, faults, said)
        if progress is not None:
            progress(min(start + BLOCK, len(files)), len(files))


def images_of(
    path: Path, clf: Any, fit: str | None = None, invert: bool = False, asked: Asked | None = None
) -> Iterator[tuple[str, NDArray[Any], bool]]:
    """The images of a file, in the form of the model: their names, pixels, and whether they were brought to its range.

    Args:
        path: a picture, an `.npy` or `.npz` file, or a table with an image a row.
        clf: a fitted classifier or regressor.
        fit: as in :func:`predictions`.
        invert: whether dark and bright are exchanged.
        asked: how tables are read.

    Raises:
        DataError: if the file cannot be read, or does not fit.
    """
    import numpy as np

    from quanvolve.data import Preparation, is_table, read_arrays, read_images, read_table  # loads numpy

    low, high = clf.input_range_
    if is_table(path):
        # Their numbers are those of the training.
        for item in read_table(path, tuple(clf.image_shape_), asked):
            yield item.name, low + high - item.pixels if invert else item.pixels, False
        return
    if len(clf.image_shape_) != 3:
        for item in read_arrays(path, tuple(clf.image_shape_)):
            yield item.name, low + high - item.pixels if invert else item.pixels, False
        return
    is_array = path.suffix.lower() in _ARRAYS
    if is_array and clf.image_shape_[1] == 1:  # rows of features, as images of one row
        with suppress(DataError):
            for item in read_arrays(path, (clf.n_features_in_,)):
                row = np.asarray(item.pixels, float).reshape(clf.image_shape_)
                yield item.name, low + high - row if invert else row, False
            return
    height_width = tuple(clf.image_shape_[1:])
    preparation = getattr(clf, "preparation_", None)
    if preparation is None and fit is not None and clf.image_shape_[0] in (1, 3):
        preparation = Preparation(height_width, fit, clf.image_shape_[0])
    images: list[ImageInput] = []
    if is_array and clf.image_shape_[0] != 1:  # (C, H, W) is one image here, and no stack of grey ones
        with suppress(DataError):
            images = read_arrays(path, tuple(clf.image_shape_))
    for image in images or read_images(path, size=height_width, preparation=preparation):
        in_steps = image.pixels.dtype == "uint8"
        prepared = _prepared(image, clf, in_steps, in_steps or not is_array)
        yield image.name, low + high - prepared if invert else prepared, in_steps or not is_array


def _with_remedy(error: DataError, path: Path, fit: str | None) -> DataError:
    text = str(error)
    if fit is not None or path.suffix.lower() in (*_ARRAYS, *_TABLES) or not text.endswith(": resize it"):
        return error
    return DataError(f"{text}, or say how with `fit='crop'`, pad or stretch", arguments=("fit",))


def _prepared(given: ImageInput, clf: Any, in_steps: bool, scale: bool) -> NDArray[Any]:
    """An image of the model's form and range, (C, H, W)."""
    import numpy as np

    expected, pixels, name = tuple(clf.image_shape_), given.pixels, given.name
    image = pixels[None] if pixels.ndim == 2 else pixels
    if image.shape[0] == 3 and expected[0] == 1:
        image = np.tensordot(np.array(_LUMA), image, axes=1)[None]
    if image.shape != expected and image.shape[1:] == expected[1:]:
        raise DataError(
            f"{name!r} has {image.shape[0]} channel(s), but the model takes {expected[0]}: give a picture in RGB, or "
            f"an array of shape (n, {', '.join(map(str, expected))})"
        )
    if image.shape != expected:
        raise DataError(f"{name!r} is {size(pixels.shape)}, but the model takes images of {size(expected)}: resize it")
    if not scale:
        return image.astype(np.float64)
    values = image / 255 if in_steps else image.astype(np.float64)
    if values.min() < 0 or values.max() > 1:
        raise DataError(
            f"{name!r} has values from {values.min():g} to {values.max():g}, expected a picture with values in [0, 1]"
        )
    low, high = clf.input_range_
    return np.asarray(low + values * (high - low))


def _outputs(clf: Any, pixels: list[NDArray[Any]], scaled: list[bool]) -> tuple[NDArray[Any], list[str]]:
    import numpy as np

    classifies = hasattr(clf, "classes_")
    outputs = np.empty((len(pixels), len(clf.classes_) if classifies else clf.n_outputs_))
    said: list[str] = []
    for in_range in (True, False):
        chosen = np.flatnonzero(np.array(scaled) == in_range)
        if not len(chosen):
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            images = np.stack([pixels[k] for k in chosen])
            found = clf.predict_proba(images) if classifies else clf.predict(images)
            outputs[chosen] = found.reshape(len(chosen), -1)
        # A dark picture looks as if it were on another scale, but its scale has just been set.
        said += [str(w.message) for w in caught if not (in_range and "bring X to that range" in str(w.message))]
    return outputs, said


def _require_finite(outputs: NDArray[Any], names: list[str], pixels: list[NDArray[Any]], clf: Any) -> None:
    """Refuse images so far beyond the training images that the model's arithmetic overflows."""
    import numpy as np

    for name, image, row in zip(names, pixels, outputs, strict=True):
        if not np.isfinite(row).all():
            low, high = clf.input_range_
            raise DataError(
                f"{name!r} has values from {image.min():g} to {image.max():g}, for which the model gives no "
                f"answer: bring it to the range of the training images, [{low:g}, {high:g}]"
            )
