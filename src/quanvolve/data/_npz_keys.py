"""Which arrays of an `.npz` file are the images and the labels, and of which part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_PARTS = {
    "train": ("train", "training"),
    "valid": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
# In the order in which they are preferred where a file has several.
_DATA = ("images", "x", "series", "volumes", "data", "inputs", "features")
_LABELS = ("labels", "label", "y", "targets", "target")
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

    Capitals do not matter; a part may come before or after: `train_images`, `X_train`.

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


def dims_of(pair: Pair) -> int:
    """Along how many axes a window slides, as the key of the data says."""
    return KINDS.get(_parsed(pair.data)[1], 2)


def _parsed(key: str) -> tuple[str, str]:
    """Part and word of a key; the whole key as the word where it names no part."""
    words = key.lower().split("_")
    if len(words) == 2:
        for part, names in _PARTS.items():
            for name, word in (words, words[::-1]):
                if name in names:
                    return part, word
    return "whole", key.lower()


def _pair(words: dict[str, str]) -> Pair | None:
    data = next((word for word in _DATA if word in words), None)
    if data is None:
        return None
    preferred = (_COMMON_LABELS.get(data, ""), *_LABELS)
    labels = next((word for word in preferred if word in words), None)
    return None if labels is None else Pair(words[data], words[labels])
