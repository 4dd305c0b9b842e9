"""Which windows reach the quantum layers of a model."""

from __future__ import annotations

import copy
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from quanvolve.backends._layer import quantise
from quanvolve.backends._rows import replace_layers, windows_of
from quanvolve.backends._settings import Floats, settings_of
from quanvolve.nn import CoherentTree, QuanvNd

_BATCH = 2**20
"""Values of images that go through the model at a time."""


class Seen:
    """The windows that one layer of a model reads, equal ones once in each of its calls.

    Attributes:
        count: how many windows there are, in one channel of one group, all calls together.
    """

    def __init__(self) -> None:
        self.count = 0
        self._hashes: dict[tuple[int, int, int], list[npt.NDArray[np.uint64]]] = {}

    def add(self, call: int, layer: QuanvNd, batch: Tensor) -> None:
        """Note the windows of a batch."""
        windows = windows_of(layer, batch)
        groups, channels, *places = windows.shape[1:-1]
        count = len(windows) * math.prod(places)
        self.count += count
        for group in range(groups):
            for channel in range(channels):
                read = windows[:, group, channel].reshape(count, windows.shape[-1]).numpy()
                hashes = np.unique(_hashes(settings_of(layer.circuits[0], read)))
                self._hashes.setdefault((call, group, channel), []).append(hashes)

    def add_images(self, call: int, batch: Tensor) -> None:
        """Note the images that a tree reads, each as one window."""
        read = batch.detach().cpu().double().flatten(1).numpy()
        self.count += len(read)
        self._hashes.setdefault((call, 0, 0), []).append(np.unique(_hashes(read + 0.0)))

    def distinct(self, group: int, channel: int) -> int:
        """How many different windows a circuit reads there."""
        return sum(
            len(np.unique(np.concatenate(parts))) for key, parts in self._hashes.items() if key[1:] == (group, channel)
        )


def seen_windows(model: nn.Module, images: Tensor, levels: int | None) -> list[Seen]:
    """Let images go through a model as far as its last quantum layer, with exact values.

    Args:
        model: any torch module with quantum layers.
        images: as it takes them.
        levels: that the inputs of each layer are rounded to, as :func:`on_backend` does.

    Returns:
        For each layer of ``layers_of(model)`` what it reads.
    """
    if isinstance(model, QuanvNd):
        images = model.batched(images)
    elif isinstance(model, CoherentTree):
        images = _batched(model, images)
    recorder = _Recorder(levels)
    whole = replace_layers(model, recorder.watched, recorder.watched_tree)
    with torch.no_grad():
        # One image tells how often layers are called, so that nothing is computed behind the last of these calls.
        whole(images[:1] if len(images) else images.new_zeros(1, *images.shape[1:]))
        recorder.calls = recorder.call
        recorder.seen = [Seen() for _ in recorder.seen]
        most = len(images) if levels is not None else max(1, _BATCH // max(1, images[:1].numel()))
        for start in range(0, len(images), most):
            recorder.call = 0
            try:
                whole(images[start : start + most])
            except _Enough:
                continue
    return recorder.seen


class _Enough(Exception):
    """The last quantum layer has its windows."""


class _Recorder:
    """Notes the windows of all layers of a model."""

    def __init__(self, levels: int | None) -> None:
        self.levels = levels
        self.seen: list[Seen] = []
        self.call = 0
        self.calls: int | None = None

    def watched(self, layer: QuanvNd) -> nn.Module:
        """The layer, watched."""
        self.seen.append(Seen())
        return _Watched(layer, self, len(self.seen) - 1)

    def watched_tree(self, tree: CoherentTree) -> nn.Module:
        """A tree, watched."""
        self.seen.append(Seen())
        return _WatchedTree(tree, self, len(self.seen) - 1)

    def goes_on(self) -> None:
        """Count a call; raise after the last one."""
        self.call += 1
        if self.call == self.calls:
            raise _Enough


class _Watched(nn.Module):
    """A layer that notes what it reads, and computes in float64: equal windows then have equal values behind it."""

    def __init__(self, layer: QuanvNd, recorder: _Recorder, number: int) -> None:
        super().__init__()
        self.layer, self._recorder, self._number = layer, recorder, number
        plain = layer if layer.shots is None else layer.with_circuits(layer.circuits)
        self.exact = copy.deepcopy(plain).double()

    def forward(self, images: Tensor) -> Tensor:
        """As the layer."""
        recorder = self._recorder
        batch = self.layer.batched(images)
        if recorder.levels is not None:
            batch = quantise(batch, recorder.levels)
        recorder.seen[self._number].add(recorder.call, self.layer, batch)
        recorder.goes_on()
        inputs = images if recorder.levels is None else batch.reshape(images.shape)
        values: Tensor = self.exact(inputs.double())
        return values.to(images)


class _WatchedTree(nn.Module):
    """The same for a tree."""

    def __init__(self, tree: CoherentTree, recorder: _Recorder, number: int) -> None:
        super().__init__()
        self._recorder, self._number, self.dims = recorder, number, tree.dims
        self.exact = tree.without_shots().double()

    def forward(self, images: Tensor) -> Tensor:
        """As the tree."""
        recorder = self._recorder
        if recorder.levels is not None:
            images = quantise(images, recorder.levels)
        recorder.seen[self._number].add_images(recorder.call, _batched(self.exact, images))
        recorder.goes_on()
        values: Tensor = self.exact(images.double())
        return values.to(images)


def _batched(tree: CoherentTree, images: Tensor) -> Tensor:
    return images.unsqueeze(0) if images.dim() == tree.dims + 1 else images


def _hashes(settings: Floats) -> npt.NDArray[np.uint64]:
    """A number for each row: the finalizer of SplitMix64 (Steele et al., OOPSLA 2014) over its values in turn."""
    hashes = np.zeros(len(settings), np.uint64)
    for column in settings.T:
        hashes ^= np.ascontiguousarray(column).view(np.uint64)
        hashes += np.uint64(0x9E3779B97F4A7C15)
        hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        hashes ^= hashes >> np.uint64(31)
    return hashes
