"""Mini-batches cut from tensors by index: what `DataLoader` does, without a Python call for each sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import Dataset


class TensorData(Dataset[tuple[Tensor, Tensor]]):
    """Some rows of samples and labels in memory; training and validation share the tensors and differ in rows.

    Args:
        X: samples.
        y: labels of all samples.
        rows: which of them belong to this data set; all, if not given.
        weights: of all samples; None if all are alike.
    """

    def __init__(self, X: Tensor, y: Tensor, rows: Tensor | None = None, weights: Tensor | None = None) -> None:
        self.X = X
        self.y = y
        self.weights = weights
        self.rows = torch.arange(len(X)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | Tensor | slice) -> tuple[Tensor, Tensor]:
        return self.X[self.rows[index]], self.y[self.rows[index]]

    def of(self, rows: Tensor) -> TensorData:
        """Some rows of the same tensors."""
        return TensorData(self.X, self.y, rows, self.weights)

    def weights_of(self, index: int | Tensor | slice) -> Tensor | None:
        """Weights of the samples that `self[index]` gives."""
        return None if self.weights is None else self.weights[self.rows[index]]


class BatchWeights:
    """The weights of the batch that is being worked on: a batch of skorch is a pair, which has no place for them."""

    now: Tensor | None = None


class Batches:
    """Iterates over a :class:`TensorData`; has the arguments with which skorch makes a `DataLoader`.

    Args:
        data: the samples.
        batch_size: samples a batch. A single left-over sample joins the batch before it, since batch normalisation
            cannot learn from one.
        shuffle: draw a new order for each pass, from torch's global generator.
        augment: samples of a batch to other samples of the same labels.
        share: which of how many processes this is; each gets an equal part of every batch, the same order being drawn
            in all of them.
        weights: told the weights of each batch before it is handed out.
    """

    def __init__(
        self,
        data: TensorData,
        batch_size: int,
        shuffle: bool = False,
        augment: Callable[[Tensor], Tensor] | None = None,
        share: tuple[int, int] = (0, 1),
        weights: BatchWeights | None = None,
    ) -> None:
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.augment = augment
        self.share = share
        self.weights = BatchWeights() if weights is None else weights

    def __len__(self) -> int:
        n = len(self.data)
        full, left = divmod(n, self.batch_size)
        return max(1, full + (left > 1 or (left == 1 and not full)))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        n, count = len(self.data), len(self)
        order = torch.randperm(n) if self.shuffle else None
        for number in range(count):
            start = number * self.batch_size
            stop = n if number == count - 1 else start + self.batch_size
            index = slice(start, stop) if order is None else order[start:stop]
            (samples, labels), weights = self.data[index], self.data.weights_of(index)
            if self.augment is not None:
                samples = self.augment(samples)
            process, count_of = self.share
            if count_of > 1:
                # Equal parts, so that the mean over processes is the mean over samples; a rest is left out.
                each = len(samples) // count_of
                part = slice(process * each, (process + 1) * each)
                if each:
                    samples, labels = samples[part], labels[part]
                    weights = None if weights is None else weights[part]
            self.weights.now = weights
            yield samples, labels
