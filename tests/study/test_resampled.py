"""The corrected t test: by the formula, and at its level on small data sets that learners are trained on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nct, t, ttest_1samp

from quanvolve._errors import QuanvolveError
from quanvolve.study import Outcome, compare_paired
from quanvolve.study._resampled import (
    LEAST_SPLITS,
    corrected_detectable,
    corrected_interval,
    corrected_power,
    corrected_t_test,
    images_needed,
)

from .learners import Learner, Small, least_squares, nearest_image, nearest_mean, random_features

STUDIES = 400
ERROR = 3 * math.sqrt(0.05 * 0.95 / STUDIES)
"""Three standard errors of a simulated level of 5 %."""


def differences(pair: list[dict[int, Outcome]]) -> tuple[np.ndarray, float]:
    """Those of two contenders, and test images by training images."""
    model, control = pair
    overlap = float(np.mean([outcome.n_test / outcome.n_train for outcome in model.values()]))
    return np.array([model[number].score - control[number].score for number in model]), overlap


def test_the_test_is_the_formula() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 20)
    score = values.mean() / math.sqrt((1 / 20 + 18 / 72) * values.var(ddof=1))
    assert corrected_t_test(values, 18 / 72) == pytest.approx(2 * t.sf(abs(score), 19))
    assert corrected_t_test(values, 0.0) == pytest.approx(ttest_1samp(values, 0).pvalue)
    low, high = corrected_interval(values, 0.0)
    assert (low, high) == pytest.approx(ttest_1samp(values, 0).confidence_interval(0.95))
    assert corrected_t_test(np.zeros(20), 0.25) == 1
    assert corrected_t_test(np.full(20, 0.5), 0.25) == 0
    assert corrected_t_test(np.array([1, -1] * 10) / 18, 0.25) == 1


def test_the_interval_leaves_out_zero_exactly_where_the_test_refuses() -> None:
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(500):
        values = (rng.binomial(18, 0.75, 20) - rng.binomial(18, 0.6, 20)) / 18
        for tests in (1, 5, 12):
            low, high = corrected_interval(values, 0.25, tests)
            says = corrected_t_test(values, 0.25) * tests < 0.05
            assert (low > 0 or high < 0) == says
            refused += says
    assert 200 < refused < 1300


@pytest.mark.parametrize(("n", "tests"), [(10, 1), (20, 1), (20, 12), (40, 5)])
def test_power_has_the_corrected_variance(n: int, tests: int) -> None:
    effect, limit = 1.1, t.isf(0.05 / tests / 2, n - 1)
    shift = effect / math.sqrt(1 / n + 0.25)
    assert corrected_power(effect, n, 0.25, tests) == pytest.approx(nct.sf(limit, n - 1, shift), abs=1e-6)
    assert corrected_power(effect, n, 0.25, tests, spread_from=n) != corrected_power(effect, n, 0.25, tests)
    shown = corrected_detectable(1.0, n, 0.25, tests)
    assert corrected_power(shown, n, 0.25, tests, spread_from=n) == pytest.approx(0.8, abs=1e-3)
    assert corrected_detectable(0.1, n, 0.25, tests) == pytest.approx(0.1 * shown)
    # However many splits there are, they are of the same images.
    assert corrected_detectable(1.0, 1000, 0.25, tests) > 0.9 * math.sqrt(0.25) * (limit + 0.8)
    assert corrected_power(1e9, n, 0.25, tests) == 1


def test_images_needed_make_the_standard_error_small_enough() -> None:
    assert images_needed(0.05, 0.05, 90) == 90
    assert images_needed(-0.025, 0.05, 100) == 400
    assert images_needed(0.001, 0.05, 90) == 230_000
    assert images_needed(0.0, 0.05, 90) is None


@pytest.mark.parametrize("learner", [nearest_mean, least_squares, random_features])
@pytest.mark.parametrize(("images", "classes"), [(20, 2), (90, 10)])
def test_equal_contenders_are_told_apart_at_the_level(images: int, classes: int, learner: Learner) -> None:
    rng = np.random.default_rng(images + classes)
    corrected = uncorrected = 0
    for _ in range(STUDIES):
        values, overlap = differences(Small(images, classes, learner).draw(rng, [0.0, 0.0]))
        corrected += corrected_t_test(values, overlap) < 0.05
        uncorrected += corrected_t_test(values, 0.0) < 0.05
    assert corrected / STUDIES <= 0.05 + ERROR
    # What splits have in common is what makes the difference: without the correction this test fails.
    assert uncorrected / STUDIES > (0.1 if learner is random_features else 0.25)


def test_learners_that_hang_on_single_images_have_more_in_common() -> None:
    """The limit of the correction: it takes two splits to be correlated by their share of test images, no more."""
    rng = np.random.default_rng(4)
    pairs = [differences(Small(90, 3, nearest_image).draw(rng, [0.0, 0.0])) for _ in range(STUDIES)]
    assert np.mean([corrected_t_test(*pair) < 0.05 for pair in pairs]) < 0.1 + ERROR
    assert np.mean([corrected_t_test(values, 0.0) < 0.05 for values, _ in pairs]) > 0.4


@pytest.mark.parametrize("learner", [nearest_mean, random_features])
def test_several_equal_controls_are_told_apart_at_the_level_together(learner: Learner) -> None:
    rng = np.random.default_rng(2)
    claims = 0
    for _ in range(200):
        model, *controls = Small(60, 3, learner).draw(rng, [0.0] * 5)
        found = compare_paired(model, {f"c{k}": one for k, one in enumerate(controls)}, splits=True)
        assert all(one.unit == "split" and one.outcome != "too few splits" for one in found)
        claims += any(one.outcome in ("better", "worse") for one in found)
    assert claims / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("learner", [nearest_mean, least_squares])
def test_a_planted_difference_is_found(learner: Learner) -> None:
    rng = np.random.default_rng(3)
    outcomes = []
    for _ in range(100):
        model, control = Small(90, 3, learner, contrast=2.0).draw(rng, [0.0, 1.2])
        outcomes.append(compare_paired(model, {"control": control}, splits=True)[0].outcome)
        outcomes.append(compare_paired(control, {"model": model}, splits=True)[0].outcome)
    right = sum(outcome == ("better", "worse")[k % 2] for k, outcome in enumerate(outcomes))
    wrong = sum(outcome == ("worse", "better")[k % 2] for k, outcome in enumerate(outcomes))
    assert right >= 180
    assert wrong == 0


def test_few_splits_and_unknown_training_images() -> None:
    rng = np.random.default_rng(5)
    model, control = Small(90, 3, nearest_mean, contrast=1.5).draw(rng, [0.0, 1.2], splits=LEAST_SPLITS - 1)
    (few,) = compare_paired(model, {"c": control}, splits=True)
    assert (few.outcome, few.seeds_to_show, few.unit) == ("too few splits", LEAST_SPLITS, "split")
    assert str(few).endswith(" over 9 splits, too few to show anything (at least 10 can)")
    with pytest.raises(QuanvolveError, match="`splits` needs outcomes that say `n_train`"):
        compare_paired({0: Outcome(0.5, 18, 0.1)}, {"c": {0: Outcome(0.5, 18, 0.1)}}, splits=True)
    with pytest.raises(QuanvolveError, match="the control 'c' shares no split with the model"):
        compare_paired(model, {"c": {99: Outcome(0.9, 18, 0.1, 72)}}, splits=True)
