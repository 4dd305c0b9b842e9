"""The MNIST family: four IDX files a data set, from a folder, the cache or a mirror."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._cache import cache_dir
from quanvolve.data._dataset import Dataset
from quanvolve.data._download import Progress, download, file_md5
from quanvolve.data._idx import read_idx
from quanvolve.data._info import DatasetInfo
from quanvolve.data._text import quoted, reason

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Spec:
    """One data set of the family.

    Args:
        info: What it is.
        mirrors: The folders on the web that hold the four files, each ending with `/`.
        md5: The checksums of the four compressed files, in the order of `FILES`.
        class_names: One name for each label from 0.
    """

    info: DatasetInfo
    mirrors: tuple[str, ...]
    md5: tuple[str, str, str, str]
    class_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """As `load_dataset` takes it."""
        return self.info.name


SPECS = {
    spec.name: spec
    for spec in (
        Spec(
            DatasetInfo("mnist", 70000, (28, 28), 10, "LeCun, Cortes and Burges, 1998", "CC BY-SA 3.0"),
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
            tuple("0123456789"),
        ),
        Spec(
            DatasetInfo("fashion-mnist", 70000, (28, 28), 10, "Xiao, Rasul and Vollgraf, 2017; Zalando", "MIT"),
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ),
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            (
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
        ),
        Spec(
            DatasetInfo("kmnist", 70000, (28, 28), 10, "Clanuwat et al., 2018; CODH", "CC BY-SA 4.0"),
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
            ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        ),
    )
}

# The training labels of MNIST once unpacked. Together with the checksums above they tell a data set of this
# family from another one whose files have the same names.
_UNPACKED_LABELS = {"a25bea736e30d166cdddb491f175f624": "mnist"}


def load_mnist(
    name: str, *, data_dir: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Dataset:
    """Load `mnist`, `fashion-mnist` or `kmnist`.

    Looked for in `data_dir` alone where that is given; else in `QUANVOLVE_DATA`, then in the cache, and what
    the cache lacks is downloaded. In a folder the four files may lie directly or in a subfolder of the data
    set's name, compressed or not.

    Args:
        name: A key of `SPECS`.
        data_dir: The folder that holds the files.
        progress: See `quanvolve.data.download`.

    Returns:
        The data set, with uint8 pixels and int64 labels.

    Raises:
        DataError: The files are not in `data_dir`, cannot be downloaded, are damaged or do not fit together.
    """
    spec = SPECS[name]
    paths = _in_folders(spec, data_dir)
    if paths is None:
        folder = cache_dir() / name
        paths = [folder / f"{stem}.gz" for stem in FILES]
        for path, md5 in zip(paths, spec.md5, strict=True):
            if not os.path.exists(path):
                download([mirror + path.name for mirror in spec.mirrors], path, md5, progress=progress)
            elif (actual := _cached_md5(path)) != md5:
                raise DataError(f"{quoted(path)} is damaged (MD5 {actual}, expected {md5}): delete it and run again")
    arrays = [read_idx(path) for path in paths]
    _check(spec, paths, arrays)
    train_images, train_labels, test_images, test_labels = arrays
    return Dataset(
        name,
        train_images,
        train_labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        spec.class_names,
    )


def find_mnist(name: str, data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder that holds the four files, or None where `load_mnist` would download or fail."""
    spec = SPECS[name]
    try:
        paths = _in_folders(spec, data_dir)
    except DataError:
        return None
    if paths is not None:
        return paths[0].parent
    folder = cache_dir() / name
    return folder if all(os.path.isfile(folder / f"{stem}.gz") for stem in FILES) else None


def _cached_md5(path: Path) -> str:
    try:
        return file_md5(path)
    except OSError as error:
        raise DataError(f"{quoted(path)} cannot be read ({reason(error)}): delete it and run again") from None


def _in_folders(spec: Spec, data_dir: str | os.PathLike[str] | None) -> list[Path] | None:
    """The four files in `data_dir`, which must have them, or in `QUANVOLVE_DATA`, which may."""
    if data_dir is not None:
        return _in_folder(spec, Path(data_dir).expanduser())
    common = os.environ.get("QUANVOLVE_DATA")
    try:
        return _in_folder(spec, Path(common).expanduser()) if common else None
    except DataError:
        return None


def _in_folder(spec: Spec, folder: Path) -> list[Path]:
    remedy = f"put the four IDX files of {spec.name} there, or leave out `data_dir` to download them"
    if not os.path.isdir(folder):
        raise DataError(f"the data folder {quoted(folder)} does not exist: {remedy}")
    missing = list(FILES)
    for place in (folder / spec.name, folder):
        paths = {stem: path for stem in FILES if (path := _variant(place, stem)) is not None}
        if len(paths) < len(FILES):
            missing = min(missing, [stem for stem in FILES if stem not in paths], key=len)
            continue
        other = _other_owner(spec, paths[FILES[1]])
        if other is not None:
            raise DataError(f"the data folder {quoted(place)} holds {other}, expected {spec.name}: {remedy}")
        return [paths[stem] for stem in FILES]
    names = ", ".join(f"{stem}.gz" for stem in missing)
    raise DataError(f"the data folder {quoted(folder)} lacks {names}: {remedy}")


def _variant(folder: Path, stem: str) -> Path | None:
    """The file under any of the names in use: with `-idx` or `.idx`, with `.gz` or without."""
    for base in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / f"{base}.gz", folder / base):
            # Unlike `Path.is_file`, this is False too where the folder may not be searched.
            if os.path.isfile(path):
                return path
    return None


def _other_owner(spec: Spec, labels: Path) -> str | None:
    """The other data set to which this file of training labels belongs, where its checksum says so."""
    known = {other.md5[1]: other.name for other in SPECS.values()} | _UNPACKED_LABELS | {spec.md5[1]: spec.name}
    try:
        owner = known.get(file_md5(labels))
    except OSError:
        return None  # Reading it will say what is wrong.
    return None if owner == spec.name else owner


def _check(spec: Spec, paths: list[Path], arrays: list[NDArray[Any]]) -> None:
    """Raise where the four arrays are no data set of the family."""
    for path, array, rank in zip(paths, arrays, (3, 1, 3, 1), strict=True):
        if array.dtype != np.uint8 or array.ndim != rank or array.size == 0:
            raise DataError(
                f"{quoted(path)} holds {array.dtype} of shape {array.shape}, expected uint8 of rank {rank} "
                f"and not empty: check that this is the right file"
            )
    for images, labels in ((0, 1), (2, 3)):
        if len(arrays[images]) != len(arrays[labels]):
            raise DataError(
                f"{quoted(paths[labels])} holds {len(arrays[labels])} labels, expected {len(arrays[images])} "
                f"as there are images in {paths[images].name}: get both files from one source"
            )
        highest, classes = int(arrays[labels].max()), len(spec.class_names)
        if highest >= classes:
            raise DataError(
                f"{quoted(paths[labels])} holds the label {highest}, expected 0 to {classes - 1}: "
                f"check that this is the right file"
            )
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise DataError(
            f"{quoted(paths[2])} holds images of {arrays[2].shape[1:]} pixels, expected "
            f"{arrays[0].shape[1:]} as in {paths[0].name}: get both files from one source"
        )
