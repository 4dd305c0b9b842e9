"""Numbers and several labels are compared too: by the formulas, at the level, with what is planted found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, r2_score

from quanvolve._errors import QuanvolveError
from quanvolve.study import METRICS, Outcome, compare_paired
from quanvolve.study._resampled import corrected_t_test
from quanvolve.study._splits import FOLDS, repetitions, split
from quanvolve.study._unit import SEEDS_UNIT, SPLITS_UNIT

from .aims import Aim, Fit, Trained, least_squares, random_features

R2, PRECISION = METRICS["regression"], METRICS["multilabel"]
TASKS = ("regression", "multilabel")
STUDIES = 40
CLAIMS = 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)
"""Of simulated studies without a difference, at a level of 5 %."""


def numbers_of(
    metric: Any, truth: np.ndarray, answers: np.ndarray, train: np.ndarray, of: np.ndarray
) -> dict[str, float]:
    """The numbers of a test of these answers."""
    return dict(metric.test(Trained(answers), truth, truth, train, of))


def test_r2_is_the_usual_one_on_the_test_images() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(3, [1, 5, 0.1], (40, 3))
    answers, train = truth / 2 + rng.normal(0, [1, 5, 0.1], (40, 3)), rng.normal(3.5, 1, (100, 3))
    found = numbers_of(R2, truth, answers, train, truth)
    assert found["test_r2"] == pytest.approx(r2_score(truth, answers))
    assert found["baseline"] == pytest.approx(r2_score(truth, np.tile(train.mean(axis=0), (40, 1))))
    assert found["test_rmse"] == pytest.approx(np.sqrt(((truth - answers) ** 2).mean(axis=0)).mean())
    shuffled = [r2_score(truth, answers[rng.permutation(40)]) for _ in range(3000)]
    assert found["shuffled"] == pytest.approx(np.mean(shuffled), abs=0.02)
    assert found["noise"] == pytest.approx(np.std(shuffled), rel=0.06)
    one = numbers_of(R2, truth[:, 0], answers[:, 0], train[:, 0], truth[:, 0])
    assert one["test_r2"] == pytest.approx(r2_score(truth[:, 0], answers[:, 0]))


def test_r2_of_a_repetition_is_that_of_the_predictions_for_all_images() -> None:
    rng = np.random.default_rng(1)
    truth = rng.exponential(2.0, 43)
    answers = truth + rng.normal(0, 1, 43)
    outcomes = {}
    for number in range(FOLDS):
        train, test = split(R2.strata(truth), number)
        numbers = numbers_of(R2, truth[test], answers[test], truth[train], truth)
        outcomes[number] = R2.outcome({**numbers, "n_test": len(test), "n_train": len(train)})
    (whole,) = repetitions(outcomes)
    assert whole.score == pytest.approx(r2_score(truth, answers))
    assert whole.n_test == 43


def test_a_target_that_never_varies_says_nothing() -> None:
    truth = np.stack([np.arange(6.0), np.full(6, 2.0)], axis=1)
    answers = truth + 1
    assert numbers_of(R2, truth, answers, truth, truth)["test_r2"] == pytest.approx(
        r2_score(truth[:, 0], answers[:, 0])
    )
    with pytest.raises(QuanvolveError, match="the targets of the 6 test images are all the same: there is nothing to"):
        numbers_of(R2, truth[:, 1], answers[:, 1], truth, truth[:, 1])


def test_mean_average_precision_is_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random((50, 4)) < [0.5, 0.3, 0.1, 0.2]).astype(int)
    answers = np.round(np.clip(truth * 0.3 + rng.random((50, 4)), 0, 1), 1)  # many are the same
    found = numbers_of(PRECISION, truth, answers, truth, truth)
    assert found["test_average_precision"] == pytest.approx(average_precision_score(truth, answers))
    shuffled = [average_precision_score(truth, answers[rng.permutation(50)]) for _ in range(300)]
    assert found["baseline"] == pytest.approx(np.mean(shuffled), abs=0.01)
    assert found["noise"] == pytest.approx(np.std(shuffled), rel=0.2)
    truth[:, 3] = 1  # a label that all have
    found = numbers_of(PRECISION, truth, answers, truth, truth)
    assert found["test_average_precision"] == pytest.approx(average_precision_score(truth[:, :3], answers[:, :3]))
    with pytest.raises(QuanvolveError, match="no label that some of the 50 test images have and some lack"):
        numbers_of(PRECISION, truth[:, 3:], answers[:, 3:], truth, truth)


def test_answers_that_are_always_the_same_have_collapsed() -> None:
    rng = np.random.default_rng(3)
    for task in TASKS:
        aim = Aim(task, 60, least_squares)
        labels = aim.labels(rng, 60)
        answers = np.tile(labels[20:].mean(axis=0), (20, *[1] * (labels.ndim - 1)))
        numbers = numbers_of(aim.metric, labels[:20], answers, labels[20:], labels[:20])
        one = aim.metric.outcome({**numbers, "n_test": 20, "n_train": 40})
        assert one.score == pytest.approx(one.baseline)
        assert aim.metric.collapsed([one])
        assert aim.metric.collapsed([one] * 10)
    # What is far from any target is worse than their mean, however it goes along with them.
    wild = [Outcome(-3.0, 50, 0.0, noise=0.1, shuffled=-9.0)] * 5
    assert R2.collapsed(wild)


@pytest.mark.parametrize("task", TASKS)
def test_parts_are_alike(task: str) -> None:
    labels = Aim(task, 83, least_squares).labels(np.random.default_rng(4), 83)
    for first in (0, FOLDS):
        parts = [split(METRICS[task].strata(labels), first + k)[1] for k in range(FOLDS)]
        assert sorted(np.concatenate(parts)) == list(range(83))
        for column in labels.reshape(83, -1).T:
            if task == "multilabel":  # drawn without regard to labels, parts differ by five
                assert np.ptp([column[part].sum() for part in parts]) <= 3
            else:
                assert np.ptp([column[part].mean() for part in parts]) < 0.25 * column.std()
    assert not np.array_equal(split(METRICS[task].strata(labels), 0)[1], split(METRICS[task].strata(labels), FOLDS)[1])


def test_the_rarest_label_is_in_every_part() -> None:
    labels = np.zeros((50, 3), dtype=int)
    labels[:25, 0], labels[3:8, 1], labels[10:30, 2] = 1, 1, 1
    for number in range(2 * FOLDS):
        assert labels[split(PRECISION.strata(labels), number)[1], 1].sum() == 1


@pytest.mark.parametrize("fit", [least_squares, random_features])
@pytest.mark.parametrize("task", TASKS)
def test_equal_contenders_are_told_apart_at_the_level(task: str, fit: Fit) -> None:
    rng = np.random.default_rng(5)
    over_splits = uncorrected = over_seeds = 0
    aim = Aim(task, 90, fit, contrast=1.0)
    for _ in range(STUDIES):
        model, control = aim.over_splits(rng, [0.0, 0.0])
        differences = np.array([model[number].score - control[number].score for number in model])
        overlap = float(np.mean([one.n_test / one.n_train for one in model.values()]))
        over_splits += corrected_t_test(differences, overlap) < 0.05
        uncorrected += corrected_t_test(differences, 0.0) < 0.05
        model, control = aim.over_seeds(rng, [0.0, 0.0])
        over_seeds += compare_paired(model, {"c": control}, metric=aim.metric)[0].outcome in ("better", "worse")
    assert over_splits / STUDIES <= CLAIMS
    assert over_seeds / STUDIES <= CLAIMS
    if fit is least_squares:
        assert uncorrected / STUDIES > 0.2


@pytest.mark.parametrize("task", TASKS)
def test_a_planted_difference_is_found(task: str) -> None:
    rng = np.random.default_rng(6)
    right = wrong = 0
    aim = Aim(task, 120, least_squares, contrast=2.5)
    for _ in range(10):
        for draw, splits in ((aim.over_splits, True), (aim.over_seeds, False)):
            model, control = draw(rng, [0.0, 1.7])
            (one,) = compare_paired(model, {"c": control}, splits=splits, metric=aim.metric)
            (other,) = compare_paired(control, {"m": model}, splits=splits, metric=aim.metric)
            right += (one.outcome == "better") + (other.outcome == "worse")
            wrong += (one.outcome == "worse") + (other.outcome == "better")
            assert one.metric == aim.metric.name
    assert wrong == 0
    assert right >= 36  # of 40


@pytest.mark.parametrize("task", TASKS)
def test_what_learns_nothing_has_collapsed_and_what_learns_has_not(task: str) -> None:
    rng = np.random.default_rng(7)
    missed = dict.fromkeys(("splits", "seeds"), 0)
    for _ in range(STUDIES):
        nothing = Aim(task, 60, least_squares, contrast=0.0)
        missed["splits"] += not SPLITS_UNIT.collapsed(nothing.over_splits(rng, [0.0], splits=10)[0], nothing.metric)
        missed["seeds"] += not SEEDS_UNIT.collapsed(nothing.over_seeds(rng, [0.0])[0], nothing.metric)
    assert max(missed.values()) / STUDIES <= CLAIMS
    some = Aim(task, 60, least_squares, contrast=2.0)
    for _ in range(10):
        assert not SPLITS_UNIT.collapsed(some.over_splits(rng, [0.0], splits=10)[0], some.metric)
        assert not SEEDS_UNIT.collapsed(some.over_seeds(rng, [0.0])[0], some.metric)


def test_power_is_in_the_unit_of_the_metric() -> None:
    rng = np.random.default_rng(8)
    shared = rng.normal(0.6, 0.05, 12)

    def runs(shift: float) -> dict[int, Outcome]:
        return {k: Outcome(s + shift + rng.normal(0, 0.02), 50, 0.0, 100, 0.1, -0.3) for k, s in enumerate(shared)}

    (one,) = compare_paired(runs(0.0), {"conv": runs(0.0)}, splits=True, metric=R2)
    assert one.outcome == "no difference seen"
    assert 0.02 < one.detectable < 0.2
    assert f"{one}".startswith(f"conv: {one.difference:+.4f} (95 % interval ")
