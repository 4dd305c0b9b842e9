"""Small photographs in colour: CIFAR-10, CIFAR-100 and SVHN."""

from __future__ import annotations

from pathlib import Path

from quanvolve.data import _svhn
from quanvolve.data._blob import is_archive, read_blob, read_members
from quanvolve.data._cifar import FORMS, belongs, cifar_files, read_cifar
from quanvolve.data._dataset import Dataset
from quanvolve.data._info import DatasetInfo
from quanvolve.data._text import quoted
from quanvolve.data.named._spec import Form, Found, Spec, files_by_name


def _find_cifar(spec: Spec, folder: Path) -> Found:
    unpacked = cifar_files(folder, FORMS[spec.name])
    return (unpacked, []) if unpacked else files_by_name(spec, folder)


def _read_cifar(spec: Spec, paths: list[Path]) -> Dataset:
    form = FORMS[spec.name]
    if not is_archive(paths[0]):
        return read_cifar(spec.name, form, [read_blob(path) for path in paths], quoted(paths[0].parent))
    return read_cifar(spec.name, form, read_members(paths[0], lambda name: belongs(form, name)), quoted(paths[0]))


def _read_svhn(spec: Spec, paths: list[Path]) -> Dataset:
    return _svhn.read_svhn(spec.name, *(read_blob(path) for path in paths))


def _cifar(name: str, classes: int, md5: str) -> Spec:
    form = FORMS[name]
    return Spec(
        DatasetInfo(name, 60000, (3, 32, 32), classes, "Krizhevsky, 2009", "not stated"),
        ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
        (md5,),
        form.class_names,
        (form.archive,),
        Form(_read_cifar, _find_cifar),
    )


COLOUR = (
    # The checksums are those of the page of the data sets.
    _cifar("cifar10", 10, "c32a1d4ab5d03f1284b67883e8d87530"),
    _cifar("cifar100", 100, "03b5dce01913d631647c71ecec9e9cb8"),
    Spec(
        DatasetInfo(
            "svhn", 99289, (3, 32, 32), 10, "Netzer et al., 2011; Stanford and Google", "non-commercial use only"
        ),
        ("http://ufldl.stanford.edu/housenumbers/",),
        # As torchvision has them.
        ("e26dedcc434d2e4c54c9b2d4a06d8373", "eb5a983be6a315427106f1b164d9cef3"),
        _svhn.CLASSES,
        _svhn.FILES,
        Form(_read_svhn),
    ),
)
