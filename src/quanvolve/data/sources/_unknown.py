"""What is said of files and folders that no source takes: what they are, as far as that can be seen, and what to do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from quanvolve.data._open import FORMATS
from quanvolve.data._text import plural, quoted
from quanvolve.data.sources._sources import FILES

_LOOKED_AT = 10_000
_KINDS = {
    "an archive: unpack it, and give the folder or the file that was in it": (
        ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".7z", ".rar", ".zst",
    ),
    "one picture: give the folder with all of them, those of each class in a folder of its own": tuple(FORMATS),
    "one array, without labels: save the images and labels together with np.savez": (".npy",),
    "a spreadsheet: save it as .csv": (".xlsx", ".xls", ".xlsm", ".ods", ".numbers"),
    "pickled objects, which are never loaded: save arrays with np.savez, and tables as .parquet or .csv": (
        ".pkl", ".pickle", ".pt", ".pth", ".joblib",
    ),
    "no table that is read here: save it as .parquet or .csv": (
        ".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".ipc", ".sqlite", ".db", ".txt", ".dat",
    ),
    "a file of arrays that is not read here: save the images and labels with np.savez": (
        ".h5", ".hdf5", ".nc", ".zarr", ".tfrecord",
    ),
}  # fmt: skip
_TO_CONVERT = (
    ".heic",
    ".heif",
    ".avif",
    ".jxl",
    ".jp2",
    ".svg",
    ".dcm",
    ".nii",
    ".raw",
    ".cr2",
    ".nef",
    ".dng",
    ".psd",
)
"""Pictures in formats that are not read."""


def known_files() -> str:
    """The kinds of files and folders that are read, in words."""
    return ", ".join(source.kind for source in FILES)


def unknown_path(path: Path) -> str:
    """Why a file or folder that is there is not taken, and what to do.

    Examples:
        >>> unknown_path(Path("scans.xlsx"))
        "'scans.xlsx' is a spreadsheet: save it as .csv"
    """
    if os.path.isdir(path):
        return f"{quoted(path)} is {_folder(path)}; known: {known_files()}"
    ending = path.suffix.lower()
    for what, endings in _KINDS.items():
        if ending in endings:
            return f"{quoted(path)} is {what}"
    if ending in _TO_CONVERT:
        return f"{quoted(path)} is a picture in a format that is not read: convert it to PNG or JPEG"
    return f"{quoted(path)} is a file of an unknown kind; known: {known_files()}"


def _folder(path: Path) -> str:
    endings = Counter(
        os.path.splitext(name)[1].lower() or "no ending" for name in islice(_names(path), _LOOKED_AT) if name[0] != "."
    )
    if not endings:
        return "a folder without any file in it"
    held = f"{plural(endings.total(), 'file')}: {', '.join(sorted(endings, key=lambda e: (-endings[e], e))[:4])}"
    what = f"a folder without data of a known kind ({held})"
    return what + ": convert the pictures to PNG or JPEG" * any(ending in endings for ending in _TO_CONVERT)


def _names(path: Path) -> Iterator[str]:
    for _, _, names in islice(os.walk(path), _LOOKED_AT):
        yield from names
