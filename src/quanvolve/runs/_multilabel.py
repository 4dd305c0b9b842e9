"""What a finished run of a classifier with several labels a sample leaves beside its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanvolve.runs._score import answers

if TYPE_CHECKING:
    from quanvolve.data import Dataset


def tested_labels(model: Any, dataset: Dataset) -> dict[str, Any]:
    """What the test images give, as metrics.json has it.

    Args:
        model: the trained classifier.
        dataset: its data.
    """
    import numpy as np
    from sklearn.metrics import average_precision_score, f1_score, hamming_loss

    truth, probabilities = dataset.test_labels, answers(model, dataset)
    found = (probabilities > 0.5).astype(np.int64)
    some = truth.sum(axis=0) > 0  # the precision of a label that no sample has is not defined
    names = dataset.class_names or tuple(str(label) for label in model.classes_.tolist())
    each = f1_score(truth, found, average=None, zero_division=0.0)
    return {
        "test_f1_micro": float(f1_score(truth, found, average="micro", zero_division=0.0)),
        "test_f1_macro": float(f1_score(truth, found, average="macro", zero_division=0.0)),
        "test_average_precision": (
            float(average_precision_score(truth[:, some], probabilities[:, some])) if some.any() else None
        ),
        "test_hamming_loss": float(hamming_loss(truth, found)),
        "test_subset_accuracy": float((found == truth).all(axis=1).mean()),
        "labels": list(names),
        "each_label": {
            name: {"f1": float(score), "n": int(count)}
            for name, score, count in zip(names, each, truth.sum(axis=0), strict=True)
        },
    }
