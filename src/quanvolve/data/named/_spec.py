"""What is known of a data set before any file of it is here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from quanvolve.data._dataset import CLASSIFICATION, Dataset
from quanvolve.data._info import DatasetInfo

Found = tuple[list[Path], list[str]]
"""The files of a data set that a folder has, and the names of those that it lacks."""


@dataclass(frozen=True)
class Spec:
    """One data set.

    Args:
        info: What it is.
        mirrors: The folders on the web that hold the files, each ending with `/`.
        md5: The published checksum of each file; None where nobody published one, for a `.zip` archive.
        class_names: One name for each label from 0; empty where the files say it.
        files: The names of the files on the web and in the cache.
        form: How they are read.
        task: What its labels are for: "classification" or "multilabel".
        folder: Its folder in the cache, where it shares its files with other sets; "" for its name.
    """

    info: DatasetInfo
    mirrors: tuple[str, ...]
    md5: tuple[str | None, ...]
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    form: Form
    task: str = CLASSIFICATION
    folder: str = ""

    @property
    def name(self) -> str:
        """As `load_dataset` takes it."""
        return self.info.name

    @property
    def what(self) -> str:
        """The files, for messages that say which to put into a folder."""
        return self.form.noun or " and ".join(self.files)


def files_by_name(spec: Spec, folder: Path) -> Found:
    """The files under the names that they have on the web."""
    paths = [folder / name for name in spec.files]
    # Unlike `Path.is_file`, this is False too where the folder may not be searched.
    return [p for p in paths if os.path.isfile(p)], [p.name for p in paths if not os.path.isfile(p)]


class Form(NamedTuple):
    """How the files of a data set are found in a folder, and read.

    Args:
        read: Makes the data set of the files, in the order of `find`.
        find: What a folder has of them, under any of the names in use, packed or unpacked.
        noun: How messages name the files together; "" for their names.
        telling: Which file tells data sets apart that have files of the same names, by its checksum.
    """

    read: Callable[[Spec, list[Path]], Dataset]
    find: Callable[[Spec, Path], Found] = files_by_name
    noun: str = ""
    telling: int | None = None
