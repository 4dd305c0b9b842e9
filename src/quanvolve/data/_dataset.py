"""`Dataset`: images and labels, split into training and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._preparation import Preparation
from quanvolve.data._text import plural

CLASSIFICATION, REGRESSION, MULTILABEL = "classification", "regression", "multilabel"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels, split into training and test.

    Args:
        name: What the data set is called.
        train_images: Pixels of shape (n, H, W) or (n, C, H, W); (n, features) for data that are no
            images; (n, L) or (n, C, L) for series, (n, D, H, W) or (n, C, D, H, W) for volumes.
        train_labels: The classes, of shape (n,): integers or strings. For regression numbers, (n,) or (n, targets);
            where a sample has several labels 0 and 1, (n, labels).
        test_images: As `train_images`; only n may differ.
        test_labels: As `train_labels`.
        class_names: One name a class, in the order of the sorted labels; for several labels a sample one each, or none.
        dims: Along how many axes a window can slide: 2 for images, 1 for series and features, 3 for volumes.
        valid_images: Images to choose the best epoch by, where they come apart from the others; else None.
        valid_labels: Their labels.
        preparation: What was done to pictures to make the arrays, and is to be done to those that are predicted.
        notes: What was understood or changed while reading, a line each, to be told to people.
        task: "classification", "regression" or "multilabel".

    Raises:
        DataError: Images and labels of different number.

    Examples:
        >>> import numpy as np
        >>> from quanvolve.data import Dataset
        >>> images, labels = np.zeros((6, 8, 8)), np.arange(6) % 2
        >>> Dataset("tiny", images, labels, images[:2], labels[:2], ("no", "yes"))
        Dataset('tiny': 6 train + 2 test, 8x8 float64, 2 classes)
    """

    name: str
    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    test_images: NDArray[Any]
    test_labels: NDArray[Any]
    class_names: tuple[str, ...]
    dims: int = 2
    valid_images: NDArray[Any] | None = None
    valid_labels: NDArray[Any] | None = None
    preparation: Preparation | None = None
    notes: tuple[str, ...] = ()
    task: str = CLASSIFICATION

    def __post_init__(self) -> None:
        for part, images, labels in (
            ("train", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
            ("valid", self.valid_images, self.valid_labels),
        ):
            if images is None or labels is None:
                continue
            rows = (1,) if self.task == CLASSIFICATION else (1, 2)
            if labels.ndim not in rows or images.shape[:1] != labels.shape[:1]:
                raise DataError(
                    f"data set {self.name!r}: `{part}_images` has shape {images.shape} and `{part}_labels` "
                    f"has shape {labels.shape}; give one label for each image, in an array of shape (n,)"
                )

    def __repr__(self) -> str:
        size = "x".join(str(length) for length in self.train_images.shape[1:])
        return (
            f"Dataset({self.name!r}: {len(self.train_labels)} train + {len(self.test_labels)} test, "
            f"{size} {self.train_images.dtype}, {self.learned})"
        )

    @property
    def learned(self) -> str:
        """What is to be learned, in words."""
        if self.task == CLASSIFICATION:
            return f"{len(self.class_names)} classes"
        columns = 1 if self.train_labels.ndim == 1 else self.train_labels.shape[1]
        return plural(columns, "target" if self.task == REGRESSION else "label")

    def names_of(self, labels: NDArray[Any]) -> list[str]:
        """Names for people of these labels.

        Examples:
            >>> import numpy as np
            >>> from quanvolve.data import load_digits
            >>> load_digits().names_of(np.array([3, 1]))
            ['3', '1']
        """
        own = [self.train_labels, self.test_labels, *([] if self.valid_labels is None else [self.valid_labels])]
        known = np.unique(np.concatenate(own))
        if len(known) == len(self.class_names):
            names = dict(zip(known.tolist(), self.class_names, strict=True))
        else:
            # Some class has no image: the labels themselves are the numbers of the names.
            names = dict(enumerate(self.class_names))
        return [names.get(label, str(label)) for label in labels.tolist()]

    def subset(self, n_train: int | None = None, n_test: int | None = None) -> Dataset:
        """The first images of each part, in their order; all of them where there are fewer.

        Args:
            n_train: How many training images, at least 1; None keeps all.
            n_test: How many test images, at least 1; None keeps all.

        Returns:
            A data set that shares the memory of this one.

        Raises:
            DataError: A number below 1.

        Examples:
            >>> from quanvolve.data import load_digits
            >>> load_digits().subset(100, 50)
            Dataset('digits': 100 train + 50 test, 8x8 float32, 10 classes)
        """
        for part, count in (("train", n_train), ("test", n_test)):
            if count is not None and (not isinstance(count, Integral) or count < 1):
                have = len(self.train_labels) if part == "train" else len(self.test_labels)
                raise DataError(
                    f"`n_{part}` (={count!r}) must be a whole number of at least 1, or None for all of the "
                    f"{plural(have, part + ' image')}"
                )
        return replace(
            self,
            train_images=self.train_images[:n_train],
            train_labels=self.train_labels[:n_train],
            test_images=self.test_images[:n_test],
            test_labels=self.test_labels[:n_test],
        )
