"""The share of right answers, by which classifiers are compared."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve.data import CLASSIFICATION
from quanvolve.study._collapse import Outcome, has_collapsed
from quanvolve.study._metric import Metric, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset


class Accuracy(Metric):
    """Of one label a sample; shown in percent, differences in points."""

    task, name = CLASSIFICATION, "accuracy"
    low, high, factor, digits = 0.0, 1.0, 100.0, 2
    baseline_key = "majority"
    words = Words(
        title="accuracy",
        column="accuracy, percent",
        of="points of accuracy",
        axis="percent",
        differences="points of test accuracy",
        baseline="always answering the most frequent class",
        nothing="chance",
        strata="the shares of the classes",
        model="classifier",
        also={},
    )

    def estimator(self) -> type[Any]:
        from quanvolve.estimators import QuanvClassifier  # loads scikit-learn

        return QuanvClassifier

    def score(self, model: Any, images: NDArray[Any], labels: NDArray[Any]) -> float:
        return int((model.predict(images) == labels).sum()) / len(labels)

    def test(
        self, model: Any, images: NDArray[Any], labels: NDArray[Any], train: NDArray[Any], of: NDArray[Any]
    ) -> dict[str, float]:
        majority = float(np.unique(of, return_counts=True)[1].max() / len(of))
        return {self.tested: self.score(model, images, labels), self.baseline_key: majority}

    def strata(self, labels: NDArray[Any]) -> NDArray[Any]:
        return labels

    def classes(self, labels: NDArray[Any]) -> NDArray[Any]:
        return labels

    def warn(self, data: Dataset) -> None:
        from quanvolve.estimators import warn_of_unknown_labels  # loads scikit-learn

        warn_of_unknown_labels(data.train_labels, data.test_labels)

    def collapsed(self, outcomes: Collection[Outcome]) -> bool:
        return has_collapsed(outcomes)

    def step(self, n_test: int) -> float:
        return 1 / n_test

    @property
    def further(self) -> tuple[str, ...]:
        return ()
