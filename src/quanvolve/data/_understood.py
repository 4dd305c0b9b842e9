"""What was understood of data: classes, how many samples each has, and what will surprise whoever trains on them."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._lines import one_line
from quanvolve.data._dataset import CLASSIFICATION, MULTILABEL, REGRESSION, Dataset
from quanvolve.data._text import plural

WIDTH = 80
_FEW = 10
"""Classes that the short summary lists one by one."""
_NAME = 40
"""Letters of a class's name in the table."""
_UNEQUAL = 10.0
"""So many times as many training samples in one class as in another are worth a word."""


@dataclass(frozen=True)
class ClassCount:
    """How many samples of a class there are.

    Args:
        name: of the class.
        train: to train with.
        valid: to choose the best epoch by, where these come apart from the others.
        test: to test with.
    """

    name: str
    train: int
    valid: int
    test: int


@dataclass(frozen=True)
class Understood:
    """What data are, as it was understood.

    Args:
        name: of the data set.
        source: what kind of source it comes from, in words.
        kind: "images", "series", "volumes" or "features".
        shape: of one sample.
        dtype: of its values.
        low, high: the least and the largest training value.
        classes: in the order of their labels.
        preparation: what was done to pictures, in words; None if they are none.
        notes: what was left out or changed while reading.
        duplicates: test samples that are among the training samples, value by value.
        contradictions: those of them that have another label there.
        aim: what is to be learned where that are no classes, in words; `classes` is then all samples as one.
        doubt: what speaks against that, in words.
    """

    name: str
    source: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    classes: tuple[ClassCount, ...]
    preparation: str | None
    notes: tuple[str, ...]
    duplicates: int
    contradictions: int
    aim: str | None = None
    doubt: str | None = None

    @property
    def totals(self) -> ClassCount:
        """All classes together."""
        return ClassCount("all", *(sum(getattr(c, part) for c in self.classes) for part in ("train", "valid", "test")))

    @property
    def test_only(self) -> tuple[str, ...]:
        """Classes without a training sample: every answer to them will be wrong."""
        return tuple(c.name for c in self.classes if not c.train)

    @property
    def single(self) -> tuple[str, ...]:
        """Classes of one training sample."""
        return tuple(c.name for c in self.classes if c.train == 1)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What will surprise whoever trains on them, a sentence each."""
        told = [*self._of_duplicates()]
        if self.aim is not None:
            return (*told, self.doubt) if self.doubt else tuple(told)
        if len(self.classes) == 1:
            told.append(f"{_listed((self.classes[0].name,))} is the only class: there is nothing to tell apart")
        if self.test_only:
            told.append(f"{_listed(self.test_only)}: no sample to train with, so that every answer to them is wrong")
        if self.single:
            told.append(
                f"{_listed(self.single)}: one sample to train with, which cannot be in both training and validation"
            )
        untested = tuple(c.name for c in self.classes if c.train and not c.test)
        if untested:
            told.append(f"{_listed(untested)}: no sample to test with, so that nothing is known of them")
        counts = sorted((c.train, c.name) for c in self.classes if c.train)
        if counts and counts[-1][0] >= _UNEQUAL * counts[0][0]:
            (few, rare), (many, common) = counts[0], counts[-1]
            told.append(
                f"unequal classes, {many:,} training samples of {one_line(common)!r} and {few:,} of "
                f"{one_line(rare)!r}: accuracy alone says little"
            )
        return tuple(told)

    def _of_duplicates(self) -> list[str]:
        if not self.duplicates:
            return []
        share = self.duplicates / max(1, self.totals.test)
        other = f", {self.contradictions:,} of them with another label" if self.contradictions else ""
        return [
            f"{plural(self.duplicates, 'test sample')} ({share:.1%}) also among the training samples{other}: the test "
            "is easier than it should be"
        ]

    def lines(self, *, short: bool = False) -> list[str]:
        """The same for people, in lines of at most 80 letters where words allow it.

        Args:
            short: without the table of many classes, and without what is warned of when training begins.
        """
        all_of = self.totals
        parts = [(all_of.train, "train"), (all_of.valid, "validation"), (all_of.test, "test")]
        size = "x".join(map(str, self.shape))
        rows = [
            ("data", f"{one_line(self.name)}, {self.source}"),
            (self.kind, f"{size}, {self.dtype} from {self.low:g} to {self.high:g}"),
            *([("prepared", self.preparation)] if self.preparation is not None else []),
            *([("task", self.aim)] if self.aim is not None else []),
            ("split", ", ".join(f"{count:,} {part}" for count, part in parts if count or part != "validation")),
        ]
        listed = self.aim is None and (not short or len(self.classes) <= _FEW)
        if not listed and self.aim is None:
            counts = [c.train for c in self.classes]
            rows.append(("classes", f"{len(counts)}, of {min(counts):,} to {max(counts):,} training samples"))
        told = self._of_duplicates() if short else self.warnings
        rows += [("note", note) for note in self.notes] + [("warning", warning) for warning in told]
        lines = [line for name, text in rows for line in _wrapped(name, text)]
        return [*lines, "", *self._table()] if listed else lines

    def _table(self) -> list[str]:
        names = [one_line(c.name) for c in self.classes]
        shown = [name if len(name) <= _NAME else f"{name[: _NAME - 3]}..." for name in names]
        parts = ("train", "valid", "test") if self.totals.valid else ("train", "test")
        titles = {"train": "train", "valid": "validation", "test": "test"}
        width = max(len("class"), *map(len, shown))
        cells = [[titles[part] for part in parts]]
        cells += [[f"{getattr(c, part):,}" for part in parts] for c in self.classes]
        wide = [max(len(row[i]) for row in cells) for i in range(len(parts))]
        return [
            "  ".join([name.ljust(width), *(cell.rjust(wide[i]) for i, cell in enumerate(row))])
            for name, row in zip(["class", *shown], cells, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it, with the warnings."""
        return {**asdict(self), "warnings": list(self.warnings)}


def understand(data: Dataset, source: str = "arrays") -> Understood:
    """Look at a data set as a careful person would before training.

    Args:
        data: a data set.
        source: what kind of source it comes from, in words.

    Examples:
        >>> from quanvolve.data import load_digits, understand
        >>> understood = understand(load_digits(), "bundled")
        >>> print(*understood.lines()[:3], sep="\\n")
        data      digits, bundled
        images    8x8, float32 from 0 to 1
        split     1,437 train, 360 test
        >>> understood.classes[0], understood.warnings
        (ClassCount(name='0', train=142, valid=0, test=36), ())
    """
    duplicates, contradictions = _duplicates(data)
    parts = (data.train_labels, data.valid_labels if data.valid_labels is not None else data.train_labels[:0])
    labels = [*parts, data.test_labels]
    if data.task == CLASSIFICATION:
        known = np.unique(np.concatenate(labels))
        counts = [np.bincount(np.searchsorted(known, part), minlength=len(known)) for part in labels]
        names = data.names_of(known)
    else:
        counts, names = [np.array([len(part)]) for part in labels], ["all"]
    kind = {1: "series", 3: "volumes"}.get(data.dims, "images" if data.train_images.ndim > 2 else "features")
    return Understood(
        data.name,
        source,
        kind,
        tuple(data.train_images.shape[1:]),
        str(data.train_images.dtype),
        float(data.train_images.min()),
        float(data.train_images.max()),
        tuple(
            ClassCount(name, *(int(count[k]) for count in counts))  # in the order of the fields
            for k, name in enumerate(names)
        ),
        None if data.preparation is None else str(data.preparation),
        data.notes,
        duplicates,
        contradictions,
        None if data.task == CLASSIFICATION else _aim(data),
        _doubt(data),
    )


def _aim(data: Dataset) -> str:
    """What is to be learned of each sample, in words."""
    labels = data.train_labels
    if data.task == REGRESSION:
        low, high, mean, deviation = labels.min(), labels.max(), labels.mean(), labels.std(axis=0).mean()
        return (
            f"regression, {data.learned} from {low:g} to {high:g}, mean {mean:.4g}, standard deviation {deviation:.4g}"
        )
    return f"multi-label classification, {data.learned}, {labels.sum(axis=1).mean():.2g} of them a sample in the mean"


def _doubt(data: Dataset) -> str | None:
    """Classes that are written as rows of 0 and 1 would be learned as labels that know nothing of each other."""
    labels = data.train_labels
    if data.task != MULTILABEL or labels.ndim != 2 or not (labels.sum(axis=1) == 1).all():
        return None
    return (
        "each sample has exactly one label: if these are classes, save labels.argmax(axis=1), of which a model chooses "
        "one"
    )


def _hashable(labels: NDArray[Any]) -> list[Any]:
    return labels.tolist() if labels.ndim == 1 else [tuple(row) for row in labels.tolist()]


def _duplicates(data: Dataset) -> tuple[int, int]:
    """How many test samples there are among the training samples, and how many of them have another label there."""
    trained: dict[bytes, set[Any]] = {}
    for digest, label in zip(_digests(data.train_images), _hashable(data.train_labels), strict=True):
        trained.setdefault(digest, set()).add(label)
    again = [
        label in trained[digest]
        for digest, label in zip(_digests(data.test_images), _hashable(data.test_labels), strict=True)
        if digest in trained
    ]
    return len(again), again.count(False)


def _digests(images: NDArray[Any]) -> list[bytes]:
    return [hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest() for image in images]


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=name.ljust(10),
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(one_line(name)) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
