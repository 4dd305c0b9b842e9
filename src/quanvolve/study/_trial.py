"""One trial: a contender trained with one seed, its learning rate chosen on validation images, tested once."""

from __future__ import annotations

import time
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from quanvolve.data import Dataset


@lru_cache(maxsize=1)
def data_of(dataset: str, data_dir: str | None) -> Dataset:
    """The data of a study, loaded once a process.

    Raises:
        QuanvolveError: if they are not for classification.
    """
    from pathlib import Path

    from quanvolve.estimators import warn_of_unknown_labels  # loads scikit-learn

    data = load_dataset(dataset, data_dir=None if data_dir is None else Path(data_dir), task="auto")
    if data.task != CLASSIFICATION:
        raise QuanvolveError(
            f"the labels of {data.name!r} are for {data.task}, but studies and searches are of classifiers: compare "
            "estimators with other backbones by scikit-learn's `cross_val_score`"
        )
    warn_of_unknown_labels(data.train_labels, data.test_labels)
    return data


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
        seed: of everything that is drawn; contenders with the same seed have the same images, split and order.
        earlier: the result with some of the learning rates, which are not tried again.
        progress: told the number of each finished epoch.

    Returns:
        The test accuracy and what belongs to it, ready for JSON.
    """
    data = data_of(plan.dataset, plan.data_dir)
    protocol = plan.protocol
    train = drawn(data.train_labels, protocol.train_size, seed)
    test = drawn(data.test_labels, protocol.test_size, 0)
    began = time.perf_counter()
    best: Any = None if earlier is None else (earlier["valid_accuracy"], earlier["lr"], None)
    tried = [] if earlier is None else list(earlier["tried"])
    for lr in protocol.lrs[len(tried) :]:
        clf = _classifier(contender, protocol, lr, seed, data.dims)
        clf.fit_watched(data.train_images[train], data.train_labels[train], monitor=_watch(progress))
        valid = max(row["valid_accuracy"] for row in clf.history_)
        tried.append([lr, valid])
        if best is None or valid > best[0]:
            best = (valid, lr, clf)
    valid, lr, clf = best
    if clf is None and earlier is not None:
        return {**earlier, "tried": tried, "seconds": earlier["seconds"] + time.perf_counter() - began}
    labels = data.test_labels[test]
    right = int((clf.predict(data.test_images[test]) == labels).sum())
    _, counts = np.unique(labels, return_counts=True)
    return {
        "test_accuracy": right / len(labels),
        "n_test": len(labels),
        "n_train": len(train),
        "majority": float(counts.max() / len(labels)),
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
