"""The MNIST family: four IDX files a data set."""

from __future__ import annotations

from pathlib import Path

from quanvolve.data._dataset import Dataset
from quanvolve.data._four_idx import FILES, Four, four_files, read_four
from quanvolve.data._info import DatasetInfo
from quanvolve.data.named._spec import Form, Found, Spec


def _find(spec: Spec, folder: Path) -> Found:
    return four_files(folder, Four(FILES))


def _read(spec: Spec, paths: list[Path]) -> Dataset:
    return read_four(spec.name, Four(FILES, spec.class_names), paths)


IDX = Form(_read, _find, "the four IDX files", telling=1)
"""The form of the family. All sets have the same names of files; the training labels tell them apart."""

# The training labels of MNIST once unpacked. Together with the checksums below they tell a data set of this
# family from another one whose files have the same names.
UNPACKED_LABELS = {"a25bea736e30d166cdddb491f175f624": "mnist"}


def idx_spec(info: DatasetInfo, mirrors: tuple[str, ...], md5: tuple[str, ...], class_names: tuple[str, ...]) -> Spec:
    """A data set of the family.

    Args:
        info: What it is.
        mirrors: The folders on the web that hold the four files, each ending with `/`.
        md5: The checksums of the four compressed files, in the order of `FILES`.
        class_names: One name for each label from 0.
    """
    return Spec(info, mirrors, md5, class_names, tuple(f"{stem}.gz" for stem in FILES), IDX)


MNIST_FAMILY = (
    idx_spec(
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
    idx_spec(
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
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    idx_spec(
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
