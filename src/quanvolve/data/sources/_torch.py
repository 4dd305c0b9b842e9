"""Data sets and loaders of torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.tables import Stream, collected


class Torch:
    """A `torch.utils.data.Dataset` of pairs (image, label), or a `DataLoader` of batches of them.

    Examples:
        >>> import torch
        >>> from torch.utils.data import TensorDataset
        >>> from quanvolve.data import load_dataset
        >>> load_dataset(TensorDataset(torch.rand(10, 1, 8, 8), torch.arange(10) % 2))
        Dataset('TensorDataset': 8 train + 2 test, 1x8x8 float32, 2 classes)
    """

    kind = "a data set of torch"

    def takes(self, data: Any) -> bool:
        """By the type."""
        library = sys.modules.get("torch.utils.data")
        return library is not None and isinstance(data, library.Dataset | library.DataLoader)

    def stream(self, data: Any) -> Stream:
        """Its pairs, one after the other, and the names of classes that torchvision's data sets have."""
        library: Any = sys.modules["torch.utils.data"]
        if isinstance(data, library.DataLoader):
            inner = self.stream(data.dataset)
            notes = []
            if not isinstance(data.sampler, library.SequentialSampler):
                notes.append("the loader shuffles, and which items are for the test changes with it: give its dataset")
            if data.drop_last:
                notes.append("the loader leaves out the last batch if it is not full")
            source = f"the loader of {inner.source}"
            return Stream(inner.name, source, _unbatched(data, source), inner.class_names, tuple(notes))
        source = f"the torch data set {type(data).__name__}"
        if isinstance(data, library.IterableDataset) or not hasattr(data, "__len__"):
            raise DataError(f"{source} has no length and no items by number: give one that has, or a list of pairs")
        whole = data
        while isinstance(whole, library.Subset):
            whole = whole.dataset
        names = getattr(whole, "classes", None)
        class_names = tuple(map(str, names)) if isinstance(names, list | tuple) else ()
        return Stream(type(whole).__name__, source, (data[k] for k in range(len(data))), class_names)

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that its pairs make."""
        return collected({"train": self.stream(data)}, asked)


def _unbatched(loader: Any, source: str) -> Iterator[Any]:
    for number, batch in enumerate(loader):
        if not isinstance(batch, tuple | list) or len(batch) != 2 or len(batch[0]) != len(batch[1]):
            raise DataError(f"batch {number} of {source} is no pair of items and as many labels: give a loader of such")
        yield from zip(batch[0], batch[1], strict=True)
