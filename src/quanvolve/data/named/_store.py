"""The files of a data set that is known by name: in a folder, the cache, or on the web."""

from __future__ import annotations

import os
from pathlib import Path

from quanvolve._errors import DataError
from quanvolve.data._cache import cache_dir
from quanvolve.data._check import file_md5
from quanvolve.data._dataset import Dataset
from quanvolve.data._download import Progress, download
from quanvolve.data._text import quoted, reason
from quanvolve.data.named._mnist import UNPACKED_LABELS
from quanvolve.data.named._spec import Spec
from quanvolve.data.named._specs import SPECS


def load_named(
    spec: Spec, *, data_dir: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Dataset:
    """Load a data set.

    Looked for in `data_dir` alone where that is given; else in `QUANVOLVE_DATA`, then in the cache, and what
    the cache lacks is downloaded. In a folder the files may lie directly or in a subfolder of the data
    set's name, packed or not.

    Args:
        spec: Which one.
        data_dir: The folder that holds the files.
        progress: See `quanvolve.data.download`.

    Raises:
        DataError: The files are not in `data_dir`, cannot be downloaded, are damaged or do not fit together.
    """
    paths = _in_folders(spec, data_dir)
    if paths is None:
        paths = [_folder(spec) / name for name in spec.files]
        for path, md5 in zip(paths, spec.md5, strict=True):
            if not os.path.exists(path):
                urls = [mirror + path.name for mirror in spec.mirrors]
                download(urls, path, md5, progress=progress, files="the four files" if spec.form.noun else spec.what)
            elif md5 is not None and (actual := _cached_md5(path)) != md5:
                raise DataError(f"{quoted(path)} is damaged (MD5 {actual}, expected {md5}): delete it and run again")
    return spec.form.read(spec, paths)


def find_named(spec: Spec, data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder that holds the files, or None where `load_named` would download or fail."""
    try:
        paths = _in_folders(spec, data_dir)
    except DataError:
        return None
    if paths is not None:
        return paths[0].parent
    folder = _folder(spec)
    return folder if all(os.path.isfile(folder / name) for name in spec.files) else None


def _folder(spec: Spec) -> Path:
    return cache_dir() / (spec.folder or spec.name)


def _cached_md5(path: Path) -> str:
    try:
        return file_md5(path)
    except OSError as error:
        raise DataError(f"{quoted(path)} cannot be read ({reason(error)}): delete it and run again") from None


def _in_folders(spec: Spec, data_dir: str | os.PathLike[str] | None) -> list[Path] | None:
    """The files in `data_dir`, which must have them, or in `QUANVOLVE_DATA`, which may."""
    if data_dir is not None:
        return _in_folder(spec, Path(data_dir).expanduser())
    common = os.environ.get("QUANVOLVE_DATA")
    try:
        return _in_folder(spec, Path(common).expanduser()) if common else None
    except DataError:
        return None


def _in_folder(spec: Spec, folder: Path) -> list[Path]:
    remedy = f"put {spec.what} of {spec.name} there, or leave out `data_dir` to download"
    remedy += " it" if len(spec.files) == 1 else " them"
    if not os.path.isdir(folder):
        raise DataError(f"the data folder {quoted(folder)} does not exist: {remedy}")
    missing: list[str] | None = None
    for place in (folder / spec.name, folder / (spec.folder or spec.name), folder):
        paths, lacking = spec.form.find(spec, place)
        if lacking:
            missing = lacking if missing is None else min(missing, lacking, key=len)
            continue
        other = _other_owner(spec, paths)
        if other is not None:
            raise DataError(f"the data folder {quoted(place)} holds {other}, expected {spec.name}: {remedy}")
        return paths
    raise DataError(f"the data folder {quoted(folder)} lacks {', '.join(missing or spec.files)}: {remedy}")


def _other_owner(spec: Spec, paths: list[Path]) -> str | None:
    """The other data set to which these files belong, where a checksum says so."""
    telling = spec.form.telling
    if telling is None:
        return None
    known = {other.md5[telling]: other.name for other in SPECS.values() if other.form == spec.form}
    known[spec.md5[telling]] = spec.name
    try:
        md5 = file_md5(paths[telling])
    except OSError:
        return None  # Reading it will say what is wrong.
    owner = known.get(md5, UNPACKED_LABELS.get(md5))
    return None if owner == spec.name else owner
