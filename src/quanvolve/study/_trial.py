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
from quanvolve.analysis import quantum_layers
from quanvolve.data import CLASSIFICATION, load_dataset
from quanvolve.study._contenders import Contender
from quanvolve.study._plan import Plan, Protocol
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
    """The data of a study, loaded once a process, as it is asked for.

    Raises:
        QuanvolveError: if they are not for classification.
    """
    from pathlib import Path

    data = load_dataset(
        dataset, data_dir=None if data_dir is None else Path(data_dir), **{"task": "auto", **dict(asked)}
    )
    if data.task != CLASSIFICATION:
        raise QuanvolveError(
            f"the labels of {data.name!r} are for {data.task}, but studies and searches are of classifiers: compare "
            "estimators with other backbones by scikit-learn's `cross_val_score`"
        )
    return data


@lru_cache(maxsize=1)
def _warn(dataset: str, data_dir: str | None, asked: AsKey) -> None:
    """Warn of labels that occur in the test set only, once a process."""
    from quanvolve.estimators import warn_of_unknown_labels  # loads scikit-learn

    data = data_of(dataset, data_dir, asked)
    warn_of_unknown_labels(data.train_labels, data.test_labels)


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
    majority: float


def _parts(plan: Plan, seed: int) -> _Parts:
    """The images of a seed, or of a split."""
    protocol = plan.protocol
    if protocol.splits:
        images, labels = _pool_of(plan.dataset, plan.data_dir, as_key(plan.asked))
        train, test = split(labels, seed)
        train = train[drawn(labels[train], protocol.train_size, seed)]
        return _Parts(images[train], labels[train], images[test], labels[test], _majority(labels))
    which = plan.dataset, plan.data_dir, as_key(plan.asked)
    _warn(*which)
    data = data_of(*which)
    train = drawn(data.train_labels, protocol.train_size, seed)
    test = drawn(data.test_labels, protocol.test_size, 0)
    labels = data.test_labels[test]
    return _Parts(data.train_images[train], data.train_labels[train], data.test_images[test], labels, _majority(labels))


def _majority(labels: NDArray[Any]) -> float:
    """The share of the most frequent class."""
    return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def drawn(labels: NDArray[Any], size: int | None, seed: int) -> NDArray[Any]:
    """Numbers of so many images, with the shares of the classes, at least one of each where that is possible.

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

    classes, counts = np.unique(labels, return_counts=True)
    fits = size >= len(classes) and len(labels) - size >= len(classes) and counts.min() >= 2
    chosen, _ = train_test_split(
        np.arange(len(labels)), train_size=size, random_state=seed, stratify=labels if fits else None
    )
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
        The test accuracy and what belongs to it, ready for JSON.
    """
    protocol = plan.protocol
    parts, dims = _parts(plan, seed), data_of(plan.dataset, plan.data_dir, as_key(plan.asked)).dims
    began = time.perf_counter()
    best: Any = None if earlier is None else (earlier["valid_accuracy"], earlier["lr"], None)
    tried = [] if earlier is None else list(earlier["tried"])
    for lr in protocol.lrs[len(tried) :]:
        clf = _classifier(contender, protocol, lr, seed, dims)
        clf.fit_watched(parts.train_images, parts.train_labels, monitor=_watch(progress))
        valid = max(row["valid_accuracy"] for row in clf.history_)
        tried.append([lr, valid])
        if best is None or valid > best[0]:
            best = (valid, lr, clf)
    valid, lr, clf = best
    if clf is None and earlier is not None:
        return {**earlier, "tried": tried, "seconds": earlier["seconds"] + time.perf_counter() - began}
    right = int((clf.predict(parts.test_images) == parts.test_labels).sum())
    return {
        "test_accuracy": right / len(parts.test_labels),
        "n_test": len(parts.test_labels),
        "n_train": len(parts.train_labels),
        "majority": parts.majority,
        "valid_accuracy": valid,
        "lr": lr,
        "tried": tried,
        "seconds": (0.0 if earlier is None else earlier["seconds"]) + time.perf_counter() - began,
        "parameters": _parameters(clf.module_),
        "learning_curve": [row["valid_accuracy"] for row in clf.history_],
    }


def _watch(progress: Callable[[int], None] | None) -> Any:
    from quanvolve.estimators import Monitor  # loads scikit-learn

    class Told(Monitor):
        def on_epoch(self, row: dict[str, Any]) -> None:
            if progress is not None:
                progress(int(row["epoch"]))

    return Told()


def _classifier(contender: Contender, protocol: Protocol, lr: float, seed: int, dims: int) -> Any:
    from quanvolve.estimators import QuanvClassifier  # loads scikit-learn

    params = with_windows(contender.params, dims)
    return QuanvClassifier(
        **{
            **params,
            "lr": lr,
            "max_epochs": protocol.epochs,
            "batch_size": protocol.batch_size,
            "weight_decay": protocol.weight_decay,
            "validation_fraction": protocol.validation_fraction,
            "random_state": seed,
        }
    )


def with_windows(params: dict[str, Any], dims: int) -> dict[str, Any]:
    """Arguments with as many numbers for windows as the data have axes."""
    if dims == 2:
        return dict(params)
    sizes = {name: params.get(name, 2) for name in ("kernel_size", "stride")}
    return {**params, **{n: (v,) * dims if isinstance(v, int) else tuple(v) for n, v in sizes.items()}}


def _parameters(module: Any) -> dict[str, int]:
    """Weights of the whole, those that are trained, and those of circuits."""
    weights = [weight for _, layer in quantum_layers(module) for weight in layer.circuit_weights().values()]
    circuits = {id(weight): weight.numel() for weight in weights}
    others = {id(p): p.numel() for p in module.parameters()}
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return {"total": sum({**others, **circuits}.values()), "trained": trained, "quantum": sum(circuits.values())}


def versions() -> dict[str, str]:
    """Of this package and those that results depend on."""
    return {"quanvolve": __version__, **{name: version(name) for name in ("torch", "numpy", "scikit-learn", "skorch")}}
