"""CIFAR-10 and CIFAR-100 in their binary form."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import plural

_PIXELS = 3 * 32 * 32

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip


class Form(NamedTuple):
    """What tells the two sets apart: the names of the files, and the labels before each image.

    Args:
        train: A pattern of the names of the files to train with.
        test: The name of the file for the test.
        label_classes: How many classes each byte before an image tells apart; the last is the label.
        class_names: One name for each label.
        archive: The name under which the files are published.
        folder: The folder in it.
    """

    train: str
    test: str
    label_classes: tuple[int, ...]
    class_names: tuple[str, ...]
    archive: str
    folder: str


FORMS = {
    "cifar10": Form(
        r"data_batch_\d+\.bin", "test_batch.bin", (10,), CIFAR10, "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
    ),
    # The first byte is one of 20 groups, the second one of 100 classes.
    "cifar100": Form(r"train\.bin", "test.bin", (20, 100), CIFAR100, "cifar-100-binary.tar.gz", "cifar-100-binary"),
}


def belongs(form: Form, name: str) -> bool:
    """Whether a file of this name is part of the set."""
    return name == form.test or re.fullmatch(form.train, name) is not None


def read_cifar(name: str, form: Form, files: list[Blob], place: str) -> Dataset:
    """The data set of the files that :func:`belongs` takes.

    Args:
        name: What it is to be called.
        form: Which of the two.
        files: All of them.
        place: How messages name where they come from.

    Raises:
        DataError: A file is missing, damaged, or of the wrong size.

    References:
        A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    test = [file for file in files if file.name == form.test]
    train = [file for file in files if file.name != form.test]
    if not train or not test:
        lacking = form.test if train else form.train.replace("\\d+", "1").replace("\\", "")
        raise DataError(f"{place} lacks {lacking}: get {form.archive} and unpack it")
    parts = [_read(file, form) for file in train]
    train_images, train_labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    test_images, test_labels = _read(test[0], form)
    return Dataset(name, train_images, train_labels, test_images, test_labels, form.class_names)


def _read(file: Blob, form: Form) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    n_labels = len(form.label_classes)
    record = n_labels + _PIXELS
    if file.content[:1] == b"\x80" and len(file.content) % record:
        raise DataError(pickled(file.what, form))
    if not file.content or len(file.content) % record:
        raise DataError(
            f"{file.what} has {plural(len(file.content), 'byte')}, expected a multiple of {record}, as each image "
            "takes: it is cut short or something else; get the file again"
        )
    records = np.frombuffer(file.content, np.uint8).reshape(-1, record)
    for byte, classes in enumerate(form.label_classes):
        highest = int(records[:, byte].max())
        if highest >= classes:
            raise DataError(
                f"{file.what} holds the label {highest}, expected 0 to {classes - 1}: check that this is the right file"
            )
    # A copy, which may be written to, unlike the bytes of the file.
    return records[:, n_labels:].copy().reshape(-1, 3, 32, 32), records[:, n_labels - 1].astype(np.int64)


def pickled(what: str, form: Form) -> str:
    """Why the form for Python is not read."""
    return (
        f"{what} is CIFAR in its form for Python, pickled objects, which could run code and are never loaded: get "
        f"{form.archive} in its place"
    )


def cifar_files(folder: Path, form: Form) -> list[Path]:
    """The files of a set that lie in a folder, or in the one inside it that the archive makes; none where any lacks."""
    for place in (folder, folder / form.folder):
        names = os.listdir(place) if os.path.isdir(place) else []
        found = sorted(place / name for name in names if belongs(form, name))
        if form.test in names and len(found) > 1:
            return found
    return []
