"""Scores of bootstrap samples, all at once: how often each test sample was drawn takes the place of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve.estimators._metrics import BINS, confidence_bins

Array = npt.NDArray[Any]

_VALUES = 2**21
"""Counts that are held at a time."""


def resampled(truth: Array, probabilities: Array, resamples: int, seed: int) -> dict[str, Array]:
    """Scores by name, shape (resamples,); not a number where a resample has no samples for one.

    Args:
        truth: numbers (n,) of the classes.
        probabilities: (n, classes).
        resamples: how many.
        seed: of the draws.
    """
    rng, n = np.random.default_rng(seed), len(truth)
    parts: list[dict[str, Array]] = []
    while resamples > 0:
        rows = min(resamples, max(1, _VALUES // n))
        drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        parts.append(scores_of_counts(truth, probabilities, counts))
        resamples -= rows
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def scores_of_counts(truth: Array, probabilities: Array, counts: Array) -> dict[str, Array]:
    """Scores where each sample stands so many times.

    Args:
        truth: numbers (n,) of the classes.
        probabilities: (n, classes).
        counts: (rows, n).

    Returns:
        By name an array (rows,): the same as the scores of :mod:`quanvolve.estimators._metrics` of each row.
    """
    n, k = probabilities.shape
    total = counts.sum(axis=1)
    is_class = (truth[:, None] == np.arange(k)).astype(np.float64)
    answers = (probabilities.argmax(axis=1)[:, None] == np.arange(k)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        size, called, hits = counts @ is_class, counts @ answers, counts @ (is_class * answers)
        recall, f1 = hits / size, 2 * hits / (size + called)
        own = np.clip(probabilities[np.arange(n), truth], np.finfo(np.float64).eps, 1.0)
        errors = ((probabilities - is_class) ** 2).sum(axis=1) / (2 if k == 2 else 1)
        curves = [_curves(is_class[:, c], probabilities[:, c], counts) for c in ([1] if k == 2 else range(k))]
        areas, precisions = (np.stack(part) for part in zip(*curves, strict=True))
        return {
            "balanced_accuracy": _mean(np.where(size > 0, recall, np.nan).T),
            "f1": _mean(np.where(size > 0, f1, np.nan).T),
            "roc_auc": _mean(areas),
            "average_precision": _mean(precisions),
            "log_loss": counts @ -np.log(own) / total,
            "brier": counts @ errors / total,
            "calibration_error": _calibration(truth, probabilities, counts) / total,
        }


def _mean(values: Array) -> Array:
    """The mean over the first axis of what is a number."""
    known = np.isfinite(values)
    means: Array = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
    return means


def _curves(positive: Array, scores: Array, counts: Array) -> tuple[Array, Array]:
    """The area under the ROC curve, and the average precision; samples of one score are passed at once.

    Both are sums over the positives, of which there are few: what is passed on the way to each is looked up.
    """
    order = np.argsort(-scores, kind="stable")
    known = np.flatnonzero(positive[order])
    if not len(known):
        return np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    firsts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    lasts = np.append(firsts[1:], len(order)) - 1
    score = np.searchsorted(firsts, known, side="right") - 1  # of each positive
    begins = np.flatnonzero(np.diff(score, prepend=-1))
    drawn = counts[:, order]
    true = np.add.reduceat(drawn[:, known], begins, axis=1)
    above, passed = np.cumsum(true, axis=1), np.cumsum(drawn, axis=1)
    through = passed[:, lasts[score[begins]]]
    starts = firsts[score[begins]]
    before = through - true if len(firsts) == len(order) else np.where(starts > 0, passed[:, starts - 1], 0.0)
    positives = above[:, -1]
    negatives = passed[:, -1] - positives
    false, false_before = through - above, before - (above - true)
    area = (true * (negatives[:, None] - (false + false_before) / 2)).sum(axis=1) / (positives * negatives)
    average = (true * np.nan_to_num(above / through)).sum(axis=1) / positives
    return area, np.where(negatives > 0, average, np.nan)


def _calibration(truth: Array, probabilities: Array, counts: Array) -> Array:
    confidence, bins = confidence_bins(probabilities)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    sums: Array = np.abs(counts @ (gap[:, None] * (bins[:, None] == np.arange(BINS)))).sum(axis=1)
    return sums
