"""Test images of data sets and of models: one class after the other."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.data import Dataset
from quanvolve.runs import data_of, origin_of, read_run
from quanvolve.studio._forms import ModelSamples, Sample
from quanvolve.studio._loaded import Loaded
from quanvolve.studio._requests import available
from quanvolve.studio._settings import Settings

_MOST = 200_000  # values of the images of an answer
_KEPT = 16
_samples: OrderedDict[tuple[str, int], list[Sample]] = OrderedDict()  # by the key of a model; a data set may be large
_lock = threading.Lock()


def samples_of(data: Dataset, count: int, start: int = 0) -> list[Sample]:
    """Test images, one class after the other; of several labels or numbers as they come.

    Args:
        data: whose.
        count: how many.
        start: skip so many of each class.
    """
    labels = data.test_labels
    if data.task == "classification":
        classes = np.unique(labels)
        by_class = [np.flatnonzero(labels == label)[start:] for label in classes]
        turns = range(max(map(len, by_class), default=0))
        chosen = [int(rows[turn]) for turn in turns for rows in by_class if turn < len(rows)][:count]
        names = data.names_of(labels[chosen])
    else:
        chosen = list(range(len(labels)))[start : start + count]
        names = [_named(data, labels[row]) for row in chosen]
    return [
        Sample(index=row, label=name, image=data.test_images[row].tolist())
        for row, name in zip(chosen, names, strict=True)
    ]


def _named(data: Dataset, label: Any) -> str:
    if data.task == "regression":
        return ", ".join(f"{number:.4g}" for number in np.atleast_1d(label).tolist())
    names = data.class_names or tuple(map(str, range(len(label))))
    return ", ".join(name for name, there in zip(names, label.tolist(), strict=True) if there) or "none"


def samples_for(folder: Path, loaded: Loaded, settings: Settings, count: int) -> ModelSamples:
    """Test images of the data that a model was trained on, or why there are none.

    Args:
        folder: of the model.
        loaded: the model.
        settings: of the studio.
        count: how many at most; fewer of large images.
    """
    count = max(1, min(count, _MOST // math.prod(loaded.shape)))
    with _lock:
        kept = _samples.get((loaded.key, count))
    if kept is not None:
        return ModelSamples(samples=kept, why_not=None)
    name, _ = origin_of(folder)
    try:
        stored = read_run(folder)
    except QuanvolveError:
        return _without("this model was saved from Python and does not say on which data it was trained")
    if not _is_path(stored.dataset) and not available(stored.dataset, settings):
        return _without(f"the files of data set {name!r}, on which this model was trained, are not on this server")
    try:
        data = data_of(folder, loaded.clf, None, settings.data_dir)
    except (QuanvolveError, OSError):
        return _without(
            f"the data set {name!r}, on which this model was trained, is not on this server any longer, or has changed"
        )
    samples = samples_of(data, count)
    for sample in samples:
        sample.image = np.asarray(sample.image).reshape(loaded.shape).tolist()
    with _lock:
        _samples[loaded.key, count] = samples
        while len(_samples) > _KEPT:
            _samples.popitem(last=False)
    return ModelSamples(samples=samples, why_not=None)


def _without(why: str) -> ModelSamples:
    return ModelSamples(samples=[], why_not=f"{why}: there are no test images to show")


def _is_path(dataset: str) -> bool:
    return Path(dataset).is_absolute()
