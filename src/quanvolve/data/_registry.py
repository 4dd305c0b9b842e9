"""Data sets by name: what there is, where it lies, and loading it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._digits import load_digits
from quanvolve.data._download import Progress
from quanvolve.data._info import DatasetInfo
from quanvolve.data._mnist import SPECS, find_mnist, load_mnist
from quanvolve.data._moons import load_moons
from quanvolve.data._preparation import Preparation
from quanvolve.data._task import with_task
from quanvolve.data._text import quoted
from quanvolve.data.sources import SOURCES, find_source


class Bundled(NamedTuple):
    """A data set that comes with a package."""

    info: DatasetInfo
    load: Callable[[], Dataset]


BUNDLED = {
    bundled.info.name: bundled
    for bundled in (
        Bundled(
            DatasetInfo(
                "digits", 1797, (8, 8), 10, "Alpaydin and Kaynak, 1998; bundled with scikit-learn", "CC BY 4.0"
            ),
            load_digits,
        ),
        Bundled(
            DatasetInfo(
                "moons", 1000, (2,), 2, "two interleaved half circles, made by scikit-learn", "no rights reserved"
            ),
            load_moons,
        ),
    )
}
"""Those that need no files, by name; those of the MNIST family are in `_mnist.SPECS`."""


def list_datasets() -> list[DatasetInfo]:
    """The data sets `load_dataset` knows by name.

    Returns:
        One description each.

    Examples:
        >>> from quanvolve.data import list_datasets
        >>> [info.name for info in list_datasets()]
        ['digits', 'moons', 'mnist', 'fashion-mnist', 'kmnist']
    """
    return [*(bundled.info for bundled in BUNDLED.values()), *(spec.info for spec in SPECS.values())]


def dataset_key(name: str | os.PathLike[str]) -> str | Path:
    """What `load_dataset` takes a name for: a data set it knows, or else a file.

    Args:
        name: As for `load_dataset`.

    Returns:
        The data set's name in its usual spelling, as a `str`; or the path of the file, which need not exist.

    Raises:
        DataError: An unknown name.

    Examples:
        >>> from quanvolve.data import dataset_key
        >>> dataset_key("Fashion_MNIST")
        'fashion-mnist'
    """
    text = os.fspath(name)
    known = [*BUNDLED, *SPECS]
    key = text.lower().replace("_", "-")
    if key in known:
        return key
    path = Path(text)
    if text and (find_source(path) is not None or os.path.exists(path)):
        return path
    near = difflib.get_close_matches(key, known)
    hint = f"did you mean {' or '.join(repr(other) for other in near)}? " if near else ""
    raise DataError(
        f"unknown data set {text!r}: {hint}Known: {', '.join(known)}, or the path of an .npz or .ts file, or of a "
        "folder with pictures in folders of classes, or with NAME_TRAIN.ts and NAME_TEST.ts"
    )


def load_dataset(
    name: Any,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    preparation: Preparation | None = None,
    **asked: Any,
) -> Dataset:
    """Load a data set by its name, from files, or from an object of a library.

    `digits` and `moons` come with scikit-learn. The others are taken from `data_dir` alone where it is given; else
    from the folder `QUANVOLVE_DATA`, from the cache (`cache_dir()`), or from the web, unless `QUANVOLVE_OFFLINE=1`
    is set.

    Args:
        name: `digits`, `moons`, `mnist`, `fashion-mnist`, `kmnist`, the path of an `.npz` file (see `load_npz`), of a
            `.ts` or `.txt` file with series, or of a folder with a pair of them (see `load_series`); or of a folder
            with pictures (PNG, JPEG, WebP, TIFF, BMP, GIF), those of each class in a folder of its own, in one tree or
            in `train`, `val` and `test`, or with a table such as Kaggle's `labels.csv` beside them.
        data_dir: The folder with the four IDX files of the MNIST family, directly or in a subfolder named
            like the data set. Without meaning for `digits` and files.
        progress: Called as `progress(file, done_bytes, total_bytes)` while downloading.
        preparation: What was done to the pictures that a model was trained on: it is done to these in place of what
            `asked` says of their size and colours. Without meaning for what is no pictures.
        asked: How data of one's own are to be read: the fields of :class:`quanvolve.data.Asked`.

    Returns:
        The data set.

    Raises:
        DataError: An unknown name; files that are missing, damaged or cannot be downloaded.

    Examples:
        >>> from quanvolve.data import load_dataset
        >>> load_dataset("digits")
        Dataset('digits': 1437 train + 360 test, 8x8 float32, 10 classes)
    """
    how = Asked(**asked)
    key = dataset_key(name) if isinstance(name, str | os.PathLike) else name
    source = None if isinstance(key, str) else find_source(key)
    if source is not None:
        data = source.load(key, how if preparation is None else how.as_before(preparation))
    elif not isinstance(key, str):
        raise DataError(_not_understood(key))
    elif how.label is not None:
        raise DataError(f"`label={how.label}` has no meaning for {key!r}, whose labels are known: leave it out")
    else:
        data = BUNDLED[key].load() if key in BUNDLED else load_mnist(key, data_dir=data_dir, progress=progress)
    if how.about_pictures is not None and data.preparation is None:
        raise DataError(
            f"`{how.about_pictures}` has no meaning for {data.name!r}, which does not consist of picture files: leave "
            "it out"
        )
    return with_task(data, how.task)


def source_of(name: str | os.PathLike[str]) -> str:
    """What kind of source `load_dataset` takes a name for, in words. Nothing is loaded.

    Args:
        name: As for `load_dataset`.

    Raises:
        DataError: An unknown name.

    Examples:
        >>> from quanvolve.data import source_of
        >>> source_of("digits"), source_of("shapes.npz")
        ('bundled with scikit-learn', 'an .npz file')
    """
    key = dataset_key(name)
    if isinstance(key, str):
        return "bundled with scikit-learn" if key in BUNDLED else SPECS[key].info.source
    source = find_source(key)
    return "an unknown kind of file" if source is None else source.kind


def _not_understood(data: Any) -> str:
    if not isinstance(data, Path):
        return f"data of the type {type(data).__name__} cannot be read; see load_dataset for what can"
    what = "a folder without data of a known kind" if os.path.isdir(data) else "a file of an unknown kind"
    return f"{quoted(data)} is {what}; known: {', '.join(source.kind for source in SOURCES)}"


def where(name: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None) -> str:
    """Where `load_dataset` would take a data set from. Nothing is loaded and no connection made.

    Args:
        name: As for `load_dataset`.
        data_dir: As for `load_dataset`.

    Returns:
        `bundled`, the folder that holds the files, `to download`, or `not in DIR` for a `data_dir` that lacks
        them.

    Raises:
        DataError: An unknown name, or an `.npz` file that does not exist.

    Examples:
        >>> from quanvolve.data import where
        >>> where("digits")
        'bundled'
    """
    key = dataset_key(name)
    if isinstance(key, Path):
        if not os.path.exists(key):
            raise DataError(f"{quoted(key)} does not exist, expected an .npz file: check the path")
        return str(key.parent)
    if key in BUNDLED:
        return "bundled"
    folder = find_mnist(key, data_dir)
    if folder is not None:
        return str(folder)
    return "to download" if data_dir is None else f"not in {os.fspath(data_dir)}"
