"""Mean average precision, by which classifiers of several labels a sample are compared.

Of each label the images are ranked by its probability; its average precision is the mean, over the images that have it,
of the share of those ranked as high that have it too. It is averaged over the labels that some test images have and
some lack. Unlike F1 it needs no threshold, below which a rare label is never said however well it is ranked, and unlike
the share of images all of whose labels are right it does not become tiny with many labels.

What a ranking at random reaches depends on how frequent labels are, and with few images on chance: mean and standard
deviation are those of the same probabilities given to the images in another order, drawn many times.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.data import MULTILABEL
from quanvolve.study._collapse import Outcome, has_collapsed
from quanvolve.study._metric import Metric, Words
from quanvolve.study._strata import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset

_ORDERS = 200
_VALUES = 2**22
"""Labels in other orders that are held at a time."""


class AveragePrecision(Metric):
    """Of several labels a sample, in the mean over them; the baseline is a ranking at random."""

    task, name = MULTILABEL, "average_precision"
    low, high = 0.0, 1.0
    words = Words(
        title="mean average precision",
        column="mean average precision",
        of="of mean average precision",
        axis="mean average precision",
        differences="difference of mean average precision",
        baseline="ranking the images at random",
        nothing="chance",
        strata="the shares of the labels",
        model="classifier",
        also={"test_f1": "macro F1"},
    )

    def estimator(self) -> type[Any]:
        from quanvolve.estimators import QuanvClassifier  # loads scikit-learn

        return QuanvClassifier

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if params.get("monitor") not in (None, self.name):
            raise QuanvolveError(
                f"`monitor` (={params['monitor']!r}) must be {self.name!r} where samples have several labels: a study "
                "chooses epochs by what it compares; leave it out"
            )
        return {**params, "monitor": self.name}

    def score(self, model: Any, images: NDArray[Any], labels: NDArray[Any]) -> float:
        return float(average_precisions(labels[None], model.predict_proba(images))[0])

    def test(
        self, model: Any, images: NDArray[Any], labels: NDArray[Any], train: NDArray[Any], of: NDArray[Any]
    ) -> dict[str, float]:
        from sklearn.metrics import f1_score

        probabilities = model.predict_proba(images)
        answers = (probabilities > 0.5).astype(np.int64)
        return {
            **self.against_chance(labels, probabilities),
            "test_f1": float(f1_score(labels, answers, average="macro", zero_division=0.0)),
        }

    def against_chance(self, truth: NDArray[Any], probabilities: NDArray[Any]) -> dict[str, float]:
        """Mean average precision, and its mean and deviation where the probabilities are given to images at random.

        Args:
            truth: 0 and 1, (n, labels).
            probabilities: (n, labels).

        Raises:
            QuanvolveError: if there is no label that some images have and some lack.

        Examples:
            >>> truth = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
            >>> AveragePrecision().against_chance(truth, np.zeros((4, 2)))
            {'test_average_precision': 0.375, 'baseline': 0.375, 'noise': 0.0}
        """
        rng = np.random.default_rng(0)
        found: list[NDArray[Any]] = []
        left = _ORDERS
        while left > 0:
            rows = min(left, max(1, _VALUES // truth.size))
            orders = rng.permuted(np.tile(np.arange(len(truth)), (rows, 1)), axis=1)
            found.append(average_precisions(truth[orders], probabilities))
            left -= rows
        others = np.concatenate(found)
        return {
            self.tested: float(average_precisions(truth[None], probabilities)[0]),
            self.baseline_key: float(others.mean()),
            "noise": float(others.std()),
        }

    def warn(self, data: Dataset) -> None:
        """A label that no training image has is one that is never said, not an unknown one."""

    def definition(self, *, splits: bool) -> tuple[str, ...]:
        return (
            "Mean average precision ranks the test images by the probability of each label, without a threshold; it is "
            "the mean over the labels that some test images have and some lack. What a ranking at random reaches is "
            "drawn. Macro F1 takes the labels with a probability above one half. Epochs and learning rates are chosen "
            "by mean average precision.",
        )

    def strata(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Neighbours in the order of their labels, of which the rarest counts first."""
        rare_last = labels[:, np.argsort(-labels.sum(axis=0), kind="stable")]
        return blocks(np.lexsort(rare_last.T))

    def collapsed(self, outcomes: Collection[Outcome]) -> bool:
        return has_collapsed(outcomes)


def average_precisions(truths: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """The mean average precision of the same probabilities for several truths; images of one probability are passed at
    once, as scikit-learn does.

    Args:
        truths: 0 and 1, (rows, n, labels), as many of each label in every row.
        probabilities: (n, labels).

    Returns:
        Array (rows,), each the mean over the labels that some images have and some lack.

    Raises:
        QuanvolveError: if there is no such label.
    """
    n = truths.shape[1]
    counts = truths[0].sum(axis=0)
    some = np.flatnonzero((counts > 0) & (counts < n))
    if not len(some):
        raise QuanvolveError(
            f"there is no label that some of the {n} test images have and some lack: there is nothing to rank; give "
            "more images"
        )
    total = np.zeros(len(truths))
    for label in some:
        order = np.argsort(-probabilities[:, label], kind="stable")
        starts = np.flatnonzero(np.diff(probabilities[order, label], prepend=np.inf))
        hits = np.add.reduceat(truths[:, order, label].astype(np.float64), starts, axis=1)
        passed = np.append(starts[1:], n)
        total += (hits * np.cumsum(hits, axis=1) / passed).sum(axis=1) / counts[label]
    return total / len(some)
