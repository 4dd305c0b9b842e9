"""The metric of each task."""

from __future__ import annotations

from quanvolve.study._accuracy import Accuracy
from quanvolve.study._average_precision import AveragePrecision
from quanvolve.study._metric import Metric
from quanvolve.study._r2 import R2

ACCURACY: Metric = Accuracy()
METRICS: dict[str, Metric] = {metric.task: metric for metric in (ACCURACY, R2(), AveragePrecision())}
"""By the task of the data."""
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS.values()}
"""The same by their own names."""
