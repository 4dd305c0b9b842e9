"""R2, by which regressors are compared: the share of the variance of the targets that is explained.

Of each target it is one minus the mean squared error by the variance of the target, and of several the mean over them.
The variance is that of all images that a study tests on. Over seeds these are the test images, and it is the usual R2.
Over splits it is one number for all of them, so that a difference of R2 is one of mean squared errors in a fixed unit,
as the test over splits takes it (a loss that is averaged over images); the mean over a repetition, which tests each
image once, is the usual R2 of the predictions for all images.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.data import REGRESSION
from quanvolve.study._collapse import Outcome, has_no_gain
from quanvolve.study._metric import Metric, Words
from quanvolve.study._strata import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset


class R2(Metric):
    """Of numbers; the baseline is the mean of the training targets, whatever the image."""

    task, name = REGRESSION, "r2"
    low, high = -math.inf, 1.0
    words = Words(
        title="R2",
        column="R2",
        of="of R2",
        axis="R2",
        differences="difference of test R2",
        baseline="always predicting the mean of the training targets",
        nothing="the mean predictor",
        strata="the same spread of targets",
        model="regressor",
        also={"test_rmse": "RMSE", "test_mae": "MAE"},
    )

    def estimator(self) -> type[Any]:
        from quanvolve.estimators import QuanvRegressor  # loads scikit-learn

        return QuanvRegressor

    def score(self, model: Any, images: NDArray[Any], labels: NDArray[Any]) -> float:
        from quanvolve.estimators import r2  # loads scikit-learn

        return r2(labels, model.predict(images))

    def test(
        self, model: Any, images: NDArray[Any], labels: NDArray[Any], train: NDArray[Any], of: NDArray[Any]
    ) -> dict[str, float]:
        from quanvolve.estimators import mae, rmse  # loads scikit-learn

        predicted = model.predict(images)
        return {
            **self.against_the_mean(labels, predicted, train, of),
            "test_rmse": rmse(labels, predicted),
            "test_mae": mae(labels, predicted),
        }

    def against_the_mean(
        self, truth: NDArray[Any], predicted: NDArray[Any], train: NDArray[Any], of: NDArray[Any]
    ) -> dict[str, float]:
        """R2, that of the mean of the training targets, and mean and deviation of R2 were the predictions shuffled.

        Args:
            truth, predicted: of the test images, (n,) or (n, targets).
            train: targets of the training images.
            of: those of all images that the study tests on.

        Raises:
            QuanvolveError: if they are all the same, so that there is nothing to explain.

        Examples:
            >>> truth = np.array([1.0, 2.0, 3.0, 4.0])
            >>> found = R2().against_the_mean(truth, np.array([1.0, 2.0, 3.0, 3.0]), truth, truth)
            >>> {name: round(value, 3) for name, value in found.items()}
            {'test_r2': 0.8, 'baseline': 0.0, 'shuffled': -0.6, 'noise': 0.856}
        """
        n = len(truth)
        variance = of.reshape(len(of), -1).var(axis=0)
        some = variance > 0
        if not some.any():
            raise QuanvolveError(
                f"the targets of the {len(of)} test images are all the same: there is nothing to explain; give more "
                "images"
            )
        # In units of the deviations, as the mean of the training targets has them.
        unit, mean = np.sqrt(variance[some]), train.reshape(len(train), -1)[:, some].mean(axis=0)
        true, answers = ((part.reshape(n, -1)[:, some] - mean) / unit for part in (truth, predicted))
        # Shuffled, the mean of a product of deviations is zero, and two of them have the covariance C C' / (n - 1).
        apart, apart_answers = true - true.mean(axis=0), answers - answers.mean(axis=0)
        together = (apart.T @ apart / n) * (apart_answers.T @ apart_answers / n)
        shuffled = (
            (apart**2).mean() + (apart_answers**2).mean() + ((true.mean(axis=0) - answers.mean(axis=0)) ** 2).mean()
        )
        return {
            self.tested: 1 - float(((true - answers) ** 2).mean()),
            self.baseline_key: 1 - float((true**2).mean()),
            "shuffled": 1 - float(shuffled),
            "noise": 2 * math.sqrt(max(float(together.sum()), 0.0) / max(n - 1, 1)) / len(unit),
        }

    @property
    def keys(self) -> tuple[str, ...]:
        return (*super().keys, "shuffled")

    def warn(self, data: Dataset) -> None:
        """Numbers have no classes that could be unknown."""

    def definition(self, *, splits: bool) -> tuple[str, ...]:
        of = "all images, so that the mean over a repetition is the usual R2 of all" if splits else "the test images"
        return (
            f"R2 is one minus the mean squared error by the variance of the targets of {of}; of several targets it is "
            "the mean, as RMSE and MAE are, which are in the unit of the targets. Means over trials are shown.",
        )

    def strata(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Neighbours in the order of the targets: of several, of their mean in units of each one's deviation."""
        targets = labels.reshape(len(labels), -1)
        spread = targets.std(axis=0)
        return blocks(np.argsort((targets / np.where(spread > 0, spread, 1.0)).mean(axis=1), kind="stable"))

    def collapsed(self, outcomes: Collection[Outcome]) -> bool:
        return has_no_gain(outcomes)
