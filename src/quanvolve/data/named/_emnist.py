"""EMNIST: one archive with the files of six data sets, of which the two with letters that people use are listed."""

from __future__ import annotations

from pathlib import Path

from quanvolve._errors import DataError
from quanvolve.data._blob import is_archive, read_members
from quanvolve.data._dataset import Dataset
from quanvolve.data._four_idx import EMNIST, four_files, read_four
from quanvolve.data._info import DatasetInfo
from quanvolve.data._text import quoted
from quanvolve.data.named._spec import Form, Found, Spec, files_by_name


def _find(spec: Spec, folder: Path) -> Found:
    unpacked = four_files(folder, EMNIST[spec.name.removeprefix("emnist-")])
    return unpacked if not unpacked[1] else files_by_name(spec, folder)


def _read(spec: Spec, paths: list[Path]) -> Dataset:
    four = EMNIST[spec.name.removeprefix("emnist-")]
    if not is_archive(paths[0]):
        return read_four(spec.name, four, paths)
    wanted = {f"{stem}.gz": place for place, stem in enumerate(four.stems)}
    files = {wanted[file.name]: file for file in read_members(paths[0], wanted.__contains__)}
    if len(files) < len(wanted):
        lacking = next(name for name, place in wanted.items() if place not in files)
        raise DataError(f"{quoted(paths[0])} lacks {lacking}: check that this is EMNIST's archive gzip.zip")
    return read_four(spec.name, four, [files[place] for place in range(len(files))])


_FORM = Form(_read, _find)


def _spec(split: str, images: int) -> Spec:
    classes = EMNIST[split].class_names or ()
    return Spec(
        DatasetInfo(f"emnist-{split}", images, (28, 28), len(classes), "Cohen et al., 2017; NIST", "not stated"),
        ("https://biometrics.nist.gov/cs_links/EMNIST/",),
        # As torchvision has it.
        ("58c8d27c78d21e728a6bc7b3cc06412e",),
        classes,
        ("gzip.zip",),
        _FORM,
        folder="emnist",
    )


EMNIST_SPECS = (_spec("balanced", 131600), _spec("letters", 145600))
