"""Data sets by name: what there is, where it lies, and loading it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import MULTILABEL, Dataset
from quanvolve.data._digits import load_digits
from quanvolve.data._download import Progress
from quanvolve.data._info import DatasetInfo
from quanvolve.data._moons import load_moons
from quanvolve.data._preparation import Preparation
from quanvolve.data._task import AUTO, with_task
from quanvolve.data._text import quoted
from quanvolve.data.named import SPECS, UCR_NAMES, find_named, find_spec, load_named, ucr_name
from quanvolve.data.sources import find_source, known_files, unknown_path


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
"""Those that need no files, by name; those that come as files are in `named.SPECS`."""


def list_datasets() -> list[DatasetInfo]:
    """The data sets `load_dataset` knows by name; beside them those of :func:`list_ucr`.

    Returns:
        One description each.

    Examples:
        >>> from quanvolve.data import list_datasets
        >>> [info.name for info in list_datasets()][:6]
        ['digits', 'moons', 'mnist', 'fashion-mnist', 'kmnist', 'emnist-balanced']
    """
    return [*(bundled.info for bundled in BUNDLED.values()), *(spec.info for spec in SPECS.values())]


def list_ucr() -> list[str]:
    """The 128 data sets of the UCR archive of time series, under the names that `load_dataset` takes.

    Examples:
        >>> from quanvolve.data import list_ucr
        >>> len(list_ucr()), list_ucr()[15]
        (128, 'ucr/Coffee')

    References:
        Dau et al., "The UCR Time Series Archive", IEEE/CAA J. Autom. Sinica 6, 1293 (2019), arXiv:1810.07758.
    """
    return [f"ucr/{name}" for name in UCR_NAMES]


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
    if text and os.path.exists(path):
        return path
    series = ucr_name(text)
    if series is not None:
        return series
    if text and find_source(path) is not None:
        return path
    spelled = {name.lower(): name for name in (*known, *list_ucr())}
    parts_of = [other for other in spelled if key and other.startswith(f"{key}-")]
    near = [spelled[other] for other in parts_of or difflib.get_close_matches(key, spelled)]
    hint = f"did you mean {' or '.join(repr(other) for other in near)}? " if near else ""
    if not hint and len(path.parts) > 1:
        raise DataError(f"{quoted(text)} does not exist: check the path; known: {known_files()}")
    raise DataError(
        f"unknown data set {text!r}: {hint}Known: {', '.join(known)}, ucr/NAME for the UCR archive, or the path of "
        f"{known_files()}"
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

    `digits` and `moons` come with scikit-learn. The others with a name are taken from `data_dir` alone where it is
    given; else from the folder `QUANVOLVE_DATA`, from the cache (`cache_dir()`), or from the web, unless
    `QUANVOLVE_OFFLINE=1` is set.

    Args:
        name: A name of `list_datasets()` or `list_ucr()`; or a path:

            - an `.npz` file (see `load_npz`);
            - time series as `.ts`, `.tsv`, `.txt` or `.arff`: one of the two files or their folder (see `load_series`);
            - four IDX files as the MNIST family and EMNIST have them: one of them or their folder;
            - the binary form of CIFAR-10 or CIFAR-100: its archive, one of its files, or their folder;
            - SVHN's `train_32x32.mat` and `test_32x32.mat`: one of them or their folder;
            - USPS' `usps.bz2` and `usps.t.bz2`: one of them or their folder;
            - a table: `.csv`, `.tsv` or `.parquet`;
            - a folder saved by Hugging Face's `datasets`;
            - a folder with pictures (PNG, JPEG, WebP, TIFF, BMP, GIF), those of each class in a folder of its own, in
              one tree or in `train`, `val` and `test`, or with a table such as Kaggle's `labels.csv` beside them;

            or an object: a frame of pandas or polars, a data set of Hugging Face or torch, `(images, labels)`, or a
            tuple of data for training and test.
        data_dir: The folder with the files of a data set with a name, as they are downloaded or unpacked, directly or
            in a subfolder of that name. Without meaning for `digits`, `moons` and paths.
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
    elif key in BUNDLED:
        data = BUNDLED[key].load()
    else:
        spec = find_spec(key)
        if spec.task == MULTILABEL and how.task not in (AUTO, MULTILABEL):
            raise DataError(
                f"{key!r} has several labels for one image, and `task` is {how.task!r}: say `task='multilabel'`",
                arguments=("task",),
            )
        data = load_named(spec, data_dir=data_dir, progress=progress)
    # Columns of a table are images of the size that was asked for.
    of_size = source is not None and data.dims == 2 and data.train_images.shape[-2:] == how.size
    sized = how.about_pictures == "image_size" and of_size
    if how.about_pictures is not None and data.preparation is None and not sized:
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
        return "bundled with scikit-learn" if key in BUNDLED else find_spec(key).info.source
    source = find_source(key)
    return "an unknown kind of file" if source is None else source.kind


def _not_understood(data: Any) -> str:
    if not isinstance(data, Path):
        return f"data of the type {type(data).__name__} cannot be read; see load_dataset for what can"
    return unknown_path(data)


def where(name: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None) -> str:
    """Where `load_dataset` would take a data set from. Nothing is loaded and no connection made.

    Args:
        name: As for `load_dataset`.
        data_dir: As for `load_dataset`.

    Returns:
        `bundled`, the folder that holds the files, `to download`, or `not in DIR` for a `data_dir` that lacks
        them.

    Raises:
        DataError: An unknown name, or a file that does not exist.

    Examples:
        >>> from quanvolve.data import where
        >>> where("digits")
        'bundled'
    """
    key = dataset_key(name)
    if isinstance(key, Path):
        if not os.path.exists(key):
            source = find_source(key)
            kind = source.kind if source is not None else "a file or a folder"
            raise DataError(f"{quoted(key)} does not exist, expected {kind}: check the path")
        return str(key.parent)
    if key in BUNDLED:
        return "bundled"
    folder = find_named(find_spec(key), data_dir)
    if folder is not None:
        return str(folder)
    return "to download" if data_dir is None else f"not in {os.fspath(data_dir)}"
