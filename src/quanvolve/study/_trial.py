"""One trial: a contender trained with a seed or on a split, its rate chosen on validation images, tested once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._version import __version__
from quanvolve.data import load_dataset
from quanvolve.study._contenders import Contender
from quanvolve.study._metric import Metric
from quanvolve.study._plan import Plan
from quanvolve.study._splits import pooled, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from quanvolve.data import Dataset


AsKey = tuple[tuple[str, Any], ...]
"""How data are read, as pairs."""


def as_key(asked: Mapping[str, Any] | None) -> AsKey:
    """How data are read, as what a cache takes."""
    return tuple((asked or {}).items())


@lru_cache(maxsize=1)
def data_of(dataset: str, data_dir: str | None, asked: AsKey = ()) -> Dataset:
    """The data of a study, loaded once a process; labels say what is learned, where that is not asked for."""
    from pathlib import Path

    return load_dataset(
        dataset, data_dir=None if data_dir is None else Path(data_dir), **{"task": "auto", **dict(asked)}
    )


@lru_cache(maxsize=1)
def _warn(dataset: str, data_dir: str | None, asked: AsKey, metric: Metric) -> None:
    """Warn of what the test set asks that cannot be learned, once a process."""
    metric.warn(data_of(dataset, data_dir, asked))


@lru_cache(maxsize=1)
def _pool_of(dataset: str, data_dir: str | None, asked: AsKey) -> tuple[NDArray[Any], NDArray[Any]]:
    """All images and labels, put together once a process."""
    return pooled(data_of(dataset, data_dir, asked))


@dataclass(frozen=True)
class _Parts:
    """What a trial is trained and tested on."""

    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    test_images: NDArray[Any]
    test_labels: NDArray[Any]
    all_tested: NDArray[Any]
    """Labels of all images that the study tests on."""


def _parts(plan: Plan, seed: int) -> _Parts:
    """The images of a seed, or of a split.

    Raises:
        QuanvolveError: if the labels are for another task than when the study was begun.
    """
    protocol, metric = plan.protocol, plan.metric
    which = plan.dataset, plan.data_dir, as_key(plan.asked)
    data = data_of(*which)
    if data.task != plan.task:
        raise QuanvolveError(
            f"the labels of {data.name!r} are for {data.task}, but those that the study was begun with were for "
            f"{plan.task}: the data were changed; begin another study in another folder"
        )
    if protocol.splits:
        images, labels = _pool_of(*which)
        train, test = split(metric.strata(labels), seed)
        train = train[drawn(labels[train], protocol.train_size, seed, metric)]
        return _Parts(images[train], labels[train], images[test], labels[test], labels)
    _warn(*which, metric)
    train = drawn(data.train_labels, protocol.train_size, seed, metric)
    test = drawn(data.test_labels, protocol.test_size, 0, metric)
    labels = data.test_labels[test]
    return _Parts(data.train_images[train], data.train_labels[train], data.test_images[test], labels, labels)


def drawn(labels: NDArray[Any], size: int | None, seed: int, metric: Metric) -> NDArray[Any]:
    """Numbers of so many images; of classes with their shares, at least one of each where that is possible.

    Raises:
        QuanvolveError: if there are fewer.
    """
    if size is None:
        return np.arange(len(labels))
    if size > len(labels):
        raise QuanvolveError(f"`train_size` (={size}) is more than the {len(labels)} images that there are")
    if size == len(labels):
        return np.arange(len(labels))
    from sklearn.model_selection import train_test_split

    strata = metric.classes(labels)
    if strata is not None:
        classes, counts = np.unique(strata, return_counts=True)
        fits = size >= len(classes) and len(labels) - size >= len(classes) and counts.min() >= 2
        strata = strata if fits else None
    chosen, _ = train_test_split(np.arange(len(labels)), train_size=size, random_state=seed, stratify=strata)
    return np.asarray(chosen)


def run_trial(
    plan: Plan,
    contender: Contender,
    seed: int,
    earlier: dict[str, Any] | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Train and test one contender.

    Args:
        plan: data and protocol.
        contender: who is trained.
        seed: of everything that is drawn; contenders with the same seed have the same images, split and order. With
            splits it is the number of the split.
        earlier: the result with some of the learning rates, which are not tried again.
        progress: told the number of each finished epoch.

    Returns:
        The test score and what belongs to it, ready for JSON.
    """
    protocol, metric = plan.protocol, plan.metric
    parts, dims = _parts(plan, seed), data_of(plan.dataset, plan.data_dir, as_key(plan.asked)).dims
    began = time.perf_counter()
    best: Any = None if earlier is None else (earlier[metric.valid], earlier["lr"], None)
    tried = [] if earlier is None else list(earlier["tried"])
    for lr in protocol.lrs[len(tried) :]:
        model = _estimator(contender, plan, lr, seed, dims)
        model.fit_watched(parts.train_images, parts.train_labels, monitor=_watch(progress))
        valid = max(row[metric.valid] for row in model.history_)
        tried.append([lr, valid])
        if best is None or valid > best[0]:
            best = (valid, lr, model)
    valid, lr, model = best
    if model is None and earlier is not None:
        return {**earlier, "tried": tried, "seconds": earlier["seconds"] + time.perf_counter() - began}
    return {
        **metric.test(model, parts.test_images, parts.test_labels, parts.train_labels, parts.all_tested),
        "n_test": len(parts.test_labels),
        "n_train": len(parts.train_labels),
        metric.valid: valid,
        "lr": lr,
        "tried": tried,
        "seconds": (0.0 if earlier is None else earlier["seconds"]) + time.perf_counter() - began,
        "parameters": _parameters(model.module_),
        "learning_curve": [row[metric.valid] for row in model.history_],
    }


def _watch(progress: Callable[[int], None] | None) -> Any:
    from quanvolve.estimators import Monitor  # loads scikit-learn

    class Told(Monitor):
        def on_epoch(self, row: dict[str, Any]) -> None:
            if progress is not None:
                progress(int(row["epoch"]))

    return Told()


def _estimator(contender: Contender, plan: Plan, lr: float, seed: int, dims: int) -> Any:
    protocol, metric = plan.protocol, plan.metric
    params = with_windows(metric.arguments(contender.params), dims)
    return metric.estimator()(
        **{
            **params,
            "lr": lr,
            "max_epochs": protocol.epochs,
            "batch_size": protocol.batch_size,
            "weight_decay": _decay(params, protocol.weight_decay),
            "validation_fraction": protocol.validation_fraction,
            "random_state": seed,
        }
    )


def _decay(params: Mapping[str, Any], usual: float) -> float:
    """That of the preset, where the contender is one: decay turns angles, which other weights do not have."""
    from quanvolve.nn import find_preset  # loads torch

    preset, backbone = params.get("preset"), params.get("backbone", "quantum")
    return usual if preset is None else float(find_preset(preset, backbone).training[backbone]["weight_decay"])


def with_windows(params: dict[str, Any], dims: int) -> dict[str, Any]:
    """Arguments with as many numbers for windows as the data have axes."""
    if dims == 2:
        return dict(params)
    sizes = {name: params.get(name, 2) for name in ("kernel_size", "stride")}
    return {**params, **{n: (v,) * dims if isinstance(v, int) else tuple(v) for n, v in sizes.items()}}


def _parameters(module: Any) -> dict[str, int]:
    """Weights of the whole, those that are trained, and those of circuits."""
    layers = [layer for layer in module.modules() if hasattr(layer, "circuit_weights")]
    weights = [weight for layer in layers for weight in layer.circuit_weights().values()]
    circuits = {id(weight): weight.numel() for weight in weights}
    others = {id(p): p.numel() for p in module.parameters()}
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return {"total": sum({**others, **circuits}.values()), "trained": trained, "quantum": sum(circuits.values())}


def versions() -> dict[str, str]:
    """Of this package and those that results depend on."""
    return {"quanvolve": __version__, **{name: version(name) for name in ("torch", "numpy", "scikit-learn", "skorch")}}
