"""Pictures or arrays with their labels, one after the other, from objects that are no table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.tables._assemble import Labelled, assemble
from quanvolve.data.tables._pictures import Collector


class Stream(NamedTuple):
    """What comes as pairs.

    Args:
        name: Of the data set.
        source: How messages name it.
        pairs: An item and its label each; read once.
        class_names: The names of the classes 0, 1, ..., where it has some.
        notes: What was understood so far.
    """

    name: str
    source: str
    pairs: Iterable[Any]
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def collected(streams: dict[str, Stream], asked: Asked) -> Dataset:
    """The data set of one stream, or of those for training and test.

    Args:
        streams: By part; a single one is split.
        asked: How they are to be read.

    Raises:
        DataError: Something that is no pair of an item and its label, or an item that cannot be read.

    Examples:
        >>> pairs = [(np.full((2, 2), k), k % 2) for k in range(10)]
        >>> collected({"train": Stream("checks", "the list", pairs)}, Asked())
        Dataset('checks': 8 train + 2 test, 2x2 int64, 2 classes)
    """
    collector = Collector(asked)
    labels: list[Any] = []
    starts, parts = [0], []
    for part, stream in streams.items():
        for number, pair in enumerate(stream.pairs):
            where = f"item {number} of {stream.source}"
            item, label = _pair(pair, where)
            collector.add(item, where)
            labels.append(label)
        parts += [part] * (len(labels) - starts[-1])
        starts.append(len(labels))
    sources = list(streams.values())

    def where_of(i: int) -> str:
        part = int(np.searchsorted(starts, i, side="right")) - 1
        return f"item {i - starts[part]} of {sources[part].source}"

    source = " and ".join(stream.source for stream in sources)
    items = collector.items(source)
    notes = dict.fromkeys(note for stream in sources for note in stream.notes)
    items = items._replace(notes=(*notes, *items.notes))
    labelled = Labelled(items, labels, where_of, source, parts if len(streams) > 1 else None, sources[0].class_names)
    return assemble(sources[0].name, labelled, asked)


def _pair(pair: Any, where: str) -> tuple[Any, Any]:
    if isinstance(pair, tuple | list) and len(pair) == 2:
        return pair[0], pair[1]
    held = f"{len(pair)} values" if isinstance(pair, tuple | list) else f"one {type(pair).__name__}"
    raise DataError(f"{where} is {held}, expected a picture or an array and its label")
