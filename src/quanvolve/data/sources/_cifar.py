"""CIFAR-10 and CIFAR-100 in their binary form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._blob import is_archive, read_blob, read_members
from quanvolve.data._cifar import FORMS, Form, belongs, cifar_files, pickled, read_cifar
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import quoted

# Files that only the form for Python has.
_PICKLED = {
    "cifar10": ("cifar-10-python.tar.gz", "data_batch_1", "cifar-10-batches-py"),
    "cifar100": ("cifar-100-python.tar.gz", "cifar-100-python"),
}


class Cifar:
    """The archive, one of its files, or the folder that holds them."""

    kind = "CIFAR in its binary form"

    def takes(self, data: Any) -> bool:
        """By the names of the files; the form for Python is taken to be refused with the reason."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return any(cifar_files(data, form) for form in FORMS.values()) or _pickled_in(data) is not None
        return _form_of(data) is not None or any(data.name in names for names in _PICKLED.values())

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data._cifar.read_cifar`."""
        for name, form in FORMS.items():
            if data.name in _PICKLED[name] or (os.path.isdir(data) and not cifar_files(data, form)):
                continue
            if os.path.isdir(data) or _form_of(data) == name:
                return _read(name, form, data)
        name = _pickled_in(data) or next(name for name, names in _PICKLED.items() if data.name in names)
        raise DataError(pickled(quoted(data), FORMS[name]))


def _read(name: str, form: Form, path: Path) -> Dataset:
    if is_archive(path):
        return read_cifar(name, form, read_members(path, lambda member: belongs(form, member)), quoted(path))
    folder = path if os.path.isdir(path) else path.parent
    files = cifar_files(folder, form) or sorted(file for file in folder.iterdir() if belongs(form, file.name))
    return read_cifar(name, form, [read_blob(file) for file in files], quoted(folder))


def _form_of(path: Path) -> str | None:
    """Which of the two a file belongs to, by its name."""
    return next((name for name, form in FORMS.items() if path.name == form.archive or belongs(form, path.name)), None)


def _pickled_in(folder: Path) -> str | None:
    """Which of the two a folder holds in the form for Python."""
    for name, files in _PICKLED.items():
        if folder.name == files[-1] or any(os.path.exists(folder / file) for file in files):
            return name
    return None
