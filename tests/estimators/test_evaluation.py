"""What a test says of a classifier: scikit-learn's numbers, and intervals that hold what they state."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from statsmodels.stats.proportion import proportion_confint

from quanvolve.estimators import evaluate_classes
from quanvolve.estimators._evaluation import wilson
from quanvolve.estimators._metrics import calibration_error
from quanvolve.estimators._resampled import scores_of_counts


def sample(n: int, k: int, seed: int, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % k)
    scores = rng.random((n, k)) + 0.7 * (truth[:, None] == np.arange(k))
    rounded = np.round(scores / scores.sum(axis=1, keepdims=True), digits) + 1e-3  # with ties
    return truth, rounded / rounded.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_values_are_those_of_scikit_learn(k: int) -> None:
    truth, p = sample(200, k, seed=k)
    answers = p.argmax(axis=1)
    found = evaluate_classes(truth, p, list("abcde"[:k]))
    one_hot = np.eye(k)[truth]
    expected = {
        "accuracy": np.mean(answers == truth),
        "balanced_accuracy": balanced_accuracy_score(truth, answers),
        "f1": f1_score(truth, answers, average="macro"),
        "roc_auc": roc_auc_score(truth, p[:, 1] if k == 2 else p, multi_class="ovr"),
        "average_precision": average_precision_score(one_hot[:, 1] if k == 2 else one_hot, p[:, 1] if k == 2 else p),
        "log_loss": log_loss(truth, p),
        "brier": brier_score_loss(truth, p[:, 1]) if k == 2 else np.mean(((p - one_hot) ** 2).sum(axis=1)),
    }
    for name, value in expected.items():
        assert found["metrics"][name]["value"] == pytest.approx(value, abs=1e-12), name
        low, high = found["metrics"][name]["interval"]
        assert low < value < high, name
    precision, recall, f1, support = precision_recall_fscore_support(truth, answers)
    for number, row in enumerate(found["per_class"]):
        assert (row["name"], row["n"]) == ("abcde"[number], support[number])
        assert (row["precision"], row["recall"]) == (precision[number], recall[number])
        assert row["f1"] == pytest.approx(f1[number])
        assert row["f1_interval"][0] < row["f1"] < row["f1_interval"][1]
    assert "bootstrap samples of the 200 test samples" in found["intervals"]["others"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("k", [2, 4])
def test_resampled_scores_are_those_of_the_resamples(k: int) -> None:
    truth, p = sample(60, k, seed=1)
    rng = np.random.default_rng(0)
    picks = rng.integers(0, 60, (20, 60))
    counts = np.stack([np.bincount(pick, minlength=60) for pick in picks]).astype(float)
    found = scores_of_counts(truth, p, counts)
    for row, pick in enumerate(picks):
        expected = evaluate_classes(truth[pick], p[pick], list("abcd"[:k]))["metrics"]
        for name, values in found.items():
            assert values[row] == pytest.approx(expected[name]["value"], abs=1e-12), name


def test_calibration() -> None:
    sure = np.tile([0.8, 0.2], (10, 1))
    assert calibration_error(np.array([0] * 8 + [1] * 2), sure) == pytest.approx(0)
    assert calibration_error(np.array([0] * 5 + [1] * 5), sure) == pytest.approx(0.3)
    assert calibration_error(np.zeros(3, int), np.tile([1.0, 0.0], (3, 1))) == 0


def test_wilson() -> None:
    for count, total in ((0, 7), (3, 7), (7, 7), (940, 1000)):
        np.testing.assert_allclose(wilson(count, total), proportion_confint(count, total, method="wilson"), atol=1e-6)
    assert wilson(0, 0) is None


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    # The scores of 40,000 samples are those of the population, from which tests of 150 are drawn.
    truth, p = sample(40000, 3, seed=2, digits=6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = evaluate_classes(truth, p, list("abc"))
    rng = np.random.default_rng(3)
    held = dict.fromkeys(whole["metrics"], 0)
    for _ in range(100):
        pick = rng.integers(0, 40000, 150)
        for name, entry in evaluate_classes(truth[pick], p[pick], list("abc"))["metrics"].items():
            low, high = entry["interval"]
            held[name] += low <= whole["metrics"][name]["value"] <= high
    del held["calibration_error"]  # it is biased upwards in small samples, and so are its resamples
    assert min(held.values()) >= 87, held


def test_what_there_are_no_samples_for() -> None:
    found = evaluate_classes(np.zeros(4, int), np.tile([0.9, 0.1, 0.0], (4, 1)), ["a", "b", "c"])
    assert found["metrics"]["roc_auc"] == found["metrics"]["average_precision"] == {"value": None, "interval": None}
    assert found["metrics"]["balanced_accuracy"]["value"] == 1
    b = found["per_class"][1]
    assert (b["n"], b["recall"], b["precision"], b["f1"], b["f1_interval"]) == (0, None, None, None, None)


def test_a_model_without_an_error_has_no_interval_of_width_zero() -> None:
    truth = np.arange(16) % 2
    found = evaluate_classes(truth, np.eye(2)[truth] * 0.8 + 0.1, ["a", "b"])
    assert found["metrics"]["accuracy"]["interval"] == pytest.approx([0.806392, 1.0])
    for name in ("balanced_accuracy", "f1", "roc_auc", "average_precision"):
        assert found["metrics"][name] == {"value": 1.0, "interval": None}
