"""What a finished run leaves beside its model: metrics.json and the pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from quanvolve._errors import ModelError
from quanvolve._files import write_whole
from quanvolve.runs._files import CONFUSION, FEATURE_MAPS, FILTERS, LOSSES, RESIDUALS
from quanvolve.runs._multilabel import tested_labels
from quanvolve.runs._regression import NUMBERS, tested_numbers
from quanvolve.runs._run import Run, read_json
from quanvolve.runs._score import answers, evaluation, score
from quanvolve.runs._source import held_out, label_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from quanvolve.data import Dataset

_SHOWN_IMAGES = 5


def write_metrics(run: Run, clf: Any, dataset: Dataset, preparation: float) -> None:
    """Test the model and write down what came out.

    Args:
        run: where to write.
        clf: the trained classifier.
        dataset: its data.
        preparation: seconds spent before the first epoch.
    """
    rows, best, watched = clf.history_, clf.best_epoch_, run.task.watched
    n_train, apart = len(dataset.train_labels), held_out(dataset)
    if apart is not None:
        n_valid = len(apart[1])
    else:
        # The rule of the estimators: without a single image there is no validation.
        n_valid = 0 if rows[-1][f"valid_{watched}"] is None else round(clf.validation_fraction * n_train)
        n_train -= n_valid
    content = {
        "dataset": dataset.name,
        # What is not named is classification, as all was once.
        **({} if dataset.task == "classification" else {"task": dataset.task}),
        **tested_by(clf, dataset),
        f"valid_{watched}": rows[best - 1][f"valid_{watched}"],
        "best_epoch": best,
        "epochs": len(rows),
        "seconds": round(preparation + sum(row["seconds"] for row in rows), 3),
        "parameters": count_parameters(clf.module_),
        "image_shape": list(clf.image_shape_),
        "n_train": n_train,
        "n_valid": n_valid,
        "n_test": len(dataset.test_labels),
    }
    write_whole(run.metrics, json.dumps(content, indent=1, allow_nan=False))


def tested_by(model: Any, dataset: Dataset) -> dict[str, Any]:
    """What the test images give for a model, as metrics.json has it."""
    makers = {"classification": _tested_classes, "regression": tested_numbers, "multilabel": tested_labels}
    return makers[dataset.task](model, dataset)


def _tested_classes(clf: Any, dataset: Dataset) -> dict[str, Any]:
    """What the test images give, as metrics.json has it."""
    import numpy as np

    tested = score(clf, dataset)
    classes = np.unique(np.concatenate([dataset.train_labels, dataset.test_labels]))
    matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
    truth, predicted = np.searchsorted(classes, dataset.test_labels), np.searchsorted(classes, tested.predicted)
    np.add.at(matrix, (truth, predicted), 1)
    names = label_names(dataset, classes)
    counts = matrix.sum(axis=1)
    return {
        "test_accuracy": tested.accuracy,
        "test_right": tested.right,
        "classes": names,
        "confusion": matrix.tolist(),
        "recall": {name: int(matrix[i, i]) / int(counts[i]) if counts[i] else None for i, name in enumerate(names)},
        **evaluation(clf, dataset, tested),
    }


def read_metrics(run: Run) -> dict[str, Any]:
    """What :func:`write_metrics` wrote.

    Raises:
        ModelError: if it lacks what pictures are made of.
    """
    content = read_json(run.metrics)
    try:
        best, epochs = content["best_epoch"], content["epochs"]
        fits = type(best) is type(epochs) is int and 1 <= best <= epochs
        fits = fits and _FITS.get(content.get("task"), _fits_classes)(content)
    except (LookupError, TypeError):
        fits = False
    if not fits:
        raise ModelError(f"{run.metrics} is damaged: delete it and continue with `resume`", arguments=("resume",))
    return dict(content)


def _fits_numbers(content: dict[str, Any]) -> bool:
    return all(type(content[f"test_{name}"]) in (int, float) for name in NUMBERS)


def _fits_labels(content: dict[str, Any]) -> bool:
    return all(type(content[f"test_{name}"]) is float for name in ("f1_micro", "f1_macro", "subset_accuracy"))


def _fits_classes(content: dict[str, Any]) -> bool:
    classes, matrix = content["classes"], content["confusion"]
    return (
        isinstance(content["test_accuracy"], int | float)
        and 0 <= content["test_accuracy"] <= 1
        and all(isinstance(name, str) for name in classes)
        and len(matrix) == len(classes)
        and all(len(row) == len(classes) and all(type(n) is int and 0 <= n < 2**53 for n in row) for row in matrix)
    )


_FITS = {"regression": _fits_numbers, "multilabel": _fits_labels}


def count_parameters(module: Any) -> dict[str, int]:
    """How many weights there are, trained or not, in the whole and in its parts; those of circuits are "quantum"."""
    from quanvolve.nn import QuanvNd, TreeLevel  # loads torch

    layers = [layer for layer in module.modules() if isinstance(layer, QuanvNd | TreeLevel)]
    quantum = sum(weight.numel() for layer in layers for weight in layer.circuit_weights().values())
    backbone = sum(p.numel() for p in module.backbone.parameters())
    for layer in module.backbone.modules():
        if isinstance(layer, QuanvNd) and not layer.trainable:
            # The weights of fixed filters are buffers.
            backbone += sum(weight.numel() for weight in layer.circuit_weights().values())
    head = sum(p.numel() for p in module.head.parameters())
    trainable = sum(p.numel() for p in module.parameters() if p.requires_grad)
    return {"total": backbone + head, "trainable": trainable, "backbone": backbone, "head": head, "quantum": quantum}


def draw_pictures(run: Run, clf: Any, dataset: Dataset, wanted: list[str], metrics: dict[str, Any]) -> None:
    """Draw those of the run's pictures."""
    from quanvolve.figures import (  # loads torch
        confusion_figure,
        filters_figure,
        history_figure,
        residuals_figure,
        save_figure,
        tree_figure,
    )

    makers = {
        LOSSES: lambda: history_figure(clf.history_, best=metrics["best_epoch"], score=run.task.watched),
        RESIDUALS: lambda: residuals_figure(dataset.test_labels, answers(clf, dataset)),
        CONFUSION: lambda: confusion_figure(metrics["confusion"], metrics["classes"], metrics["test_accuracy"]),
        FEATURE_MAPS: lambda: feature_maps(clf, dataset),
        FILTERS: lambda: _filters(clf.module_.backbone, filters_figure, tree_figure),
    }
    for name in wanted:
        if name in makers:
            save_figure(makers[name](), run.folder / name)


def _filters(backbone: Any, of_layer: Callable[[Any], Figure], of_tree: Callable[[Any], Figure]) -> Figure:
    """The circuits of the quantum convolution that reads the images, or of the tree."""
    from quanvolve.nn import CoherentTree, QuanvNd  # loads torch

    first = next(layer for layer in backbone.modules() if isinstance(layer, QuanvNd | CoherentTree))
    return of_tree(first) if isinstance(first, CoherentTree) else of_layer(first)


def feature_maps(clf: Any, dataset: Dataset) -> Figure:
    """One test image of each of the first classes, beside its channels; of numbers from the least to the greatest."""
    import numpy as np
    import torch

    from quanvolve.figures import feature_maps_figure, series_figure  # loads torch

    if dataset.task == "classification":
        _, first = np.unique(dataset.test_labels, return_index=True)
        chosen = first[:_SHOWN_IMAGES]
        labels = label_names(dataset, dataset.test_labels[chosen])
    elif dataset.task == "multilabel":
        chosen = np.arange(min(_SHOWN_IMAGES, len(dataset.test_labels)))
        names = np.array(dataset.class_names or [str(label) for label in clf.classes_.tolist()])
        labels = [", ".join(names[row == 1]) or "none" for row in dataset.test_labels[chosen]]
    else:
        numbers = dataset.test_labels.reshape(len(dataset.test_labels), -1)[:, 0]
        places = np.linspace(0, len(numbers) - 1, min(_SHOWN_IMAGES, len(numbers))).round().astype(int)
        chosen = np.argsort(numbers, kind="stable")[places]
        labels = [f"{number:.4g}" for number in numbers[chosen]]
    images = fractions(dataset.test_images[chosen], clf)
    with torch.no_grad():
        maps = clf.module_.backbone(torch.from_numpy(images).to(clf.device)).cpu().numpy()
    maps = maps.reshape(*maps.shape, *(1,) * (images.ndim - maps.ndim))  # what trees give has no places
    if images.ndim == 3:
        word = {"classification": "class", "multilabel": "labels"}.get(dataset.task, "target")
        return series_figure(images, maps, labels=[f"{word} {label}" for label in labels])
    if images.ndim == 5:
        # The middle slices of volumes are images.
        images, maps = images[:, :, images.shape[2] // 2], maps[:, :, maps.shape[2] // 2]
    figure = feature_maps_figure(images, maps, labels=labels)
    if clf.backbone != "quantum":
        figure.suptitle(figure.get_suptitle().replace("quantum ", ""))
    return figure


def fractions(images: NDArray[Any], clf: Any) -> NDArray[Any]:
    """Images as the model sees them, (n, C, H, W) in [0, 1]; test images may go beyond the range of the others."""
    import numpy as np

    low, high = clf.input_range_
    scaled = (images.astype(np.float32) - np.float32(low)) / np.float32((high - low) or 1.0)
    clipped: NDArray[Any] = np.clip(scaled, 0, 1).reshape(-1, *clf.image_shape_)
    return clipped
