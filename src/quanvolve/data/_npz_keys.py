"""Which arrays of an `.npz` file are the images and the labels, and of which part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_PARTS = {
    "train": ("train", "training", "tr", "trn"),
    "valid": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "te", "tst"),
}
# In the order in which they are preferred where a file has several.
_DATA = ("images", "image", "imgs", "img", "x", "series", "volumes", "data", "inputs", "features")
_LABELS = ("labels", "label", "lbls", "lbl", "y", "targets", "target")
_WORDS = frozenset((*_DATA, *_LABELS))
_COMMON_LABELS = {"x": "y", "data": "targets"}
KINDS = {"series": 1, "volumes": 3}
"""Along how many axes a window slides, where the key says so; 2 otherwise."""

USUAL = (
    "train_images, train_labels, test_images, test_labels",
    "x_train, y_train, x_test, y_test",
    "train_series, train_labels, test_series, test_labels",
    "train_volumes, train_labels, test_volumes, test_labels",
    "images, labels",
    "X, y",
    "data, target",
)
"""For messages: the sets of keys that are met most often."""


class Pair(NamedTuple):
    """The keys of data and labels of one part."""

    data: str
    labels: str


def find_pairs(keys: Iterable[str]) -> dict[str, Pair]:
    """The pairs of keys by part: "train", "valid", "test", or "whole" alone where no part is named.

    Capitals and what stands between the words do not matter, and a part may come before or after: `train_images`,
    `X_train`, `trainImages`, `test-labels`, `xtest`.

    Returns:
        Nothing where there is neither "train" nor "whole".

    Examples:
        >>> find_pairs(["X_train", "y_train", "x_val", "y_val"])
        {'train': Pair(data='X_train', labels='y_train'), 'valid': Pair(data='x_val', labels='y_val')}
    """
    named: dict[str, dict[str, str]] = {part: {} for part in (*_PARTS, "whole")}
    for key in sorted(keys):
        part, word = _parsed(key)
        named[part].setdefault(word, key)
    pairs = {part: pair for part, words in named.items() if (pair := _pair(words)) is not None}
    if "train" in pairs:
        pairs.pop("whole", None)
        return pairs
    return {"whole": pairs["whole"]} if "whole" in pairs else {}


def data_to_predict(keys: Iterable[str]) -> str | None:
    """The key of the data without a part, or of those for the test; the only key where it says nothing.

    Examples:
        >>> data_to_predict(["X_test", "y_test"]), data_to_predict(["arr_0"]), data_to_predict(["a", "b"])
        ('X_test', 'arr_0', None)
    """
    keys = sorted(keys)
    parsed = {_parsed(key): key for key in reversed(keys)}
    named = (parsed.get((part, word)) for part in ("whole", "test") for word in _DATA)
    return next((key for key in named if key is not None), keys[0] if len(keys) == 1 else None)


def dims_of(pair: Pair) -> int:
    """Along how many axes a window slides, as the key of the data says."""
    return KINDS.get(_parsed(pair.data)[1], 2)


def _parsed(key: str) -> tuple[str, str]:
    """Part and word of a key; the whole key as the word where it names no part."""
    plain = re.sub(r"[-_. ]", "", key).lower()
    for part, names in _PARTS.items():
        for name in names:
            for word in (plain.removeprefix(name), plain.removesuffix(name)):
                if word != plain and word in _WORDS:
                    return part, word
    return "whole", plain


def _pair(words: dict[str, str]) -> Pair | None:
    data = next((word for word in _DATA if word in words), None)
    if data is None:
        return None
    preferred = (_COMMON_LABELS.get(data, ""), *_LABELS)
    labels = next((word for word in preferred if word in words), None)
    return None if labels is None else Pair(words[data], words[labels])
