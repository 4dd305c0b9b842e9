"""The statistics: against scipy and statsmodels, at their stated levels, on simulated studies with a known answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from quanvolve._errors import QuanvolveError
from quanvolve.study import Outcome, compare_paired
from quanvolve.study._results import Standing, verdict
from quanvolve.study._statistics import detectable, interval, power, seeds_needed, sign_test

CHANCE = 0.1


def outcomes(accuracies: np.ndarray, n_test: int = 2000) -> dict[int, Outcome]:
    return {seed: Outcome(float(a), n_test, CHANCE) for seed, a in enumerate(accuracies)}


@pytest.mark.parametrize("n", [3, 6, 10])
def test_the_sign_test_counts_all_signs(n: int) -> None:
    values = np.random.default_rng(n).normal(0.3, 1, n)
    sums = [abs(np.dot(signs, values)) for signs in itertools.product((1, -1), repeat=n)]
    assert sign_test(values) == pytest.approx(np.mean(np.array(sums) >= abs(values.sum()) - 1e-12))
    expected = permutation_test(
        (values, 0 * values), lambda a, b: (a - b).mean(), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_test(values) == pytest.approx(expected.pvalue)


def test_many_pairs_are_drawn_at_random() -> None:
    values = np.random.default_rng(1).normal(0.25, 1, 40)
    assert sign_test(values, seed=3) == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.02)
    assert sign_test(values, seed=3) == sign_test(values, seed=3)
    assert sign_test(np.ones(40)) == pytest.approx(1 / 10_000)


@pytest.mark.parametrize("n", [4, 10, 25])
@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_intervals_and_tests_keep_their_level(n: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    covered = claimed = 0
    studies = 400
    for study in range(studies):
        values = rng.normal(0, 1, n) if kind == "normal" else rng.gamma(4, 0.5, n) - 2.0
        low, high = interval(values, seed=study)
        covered += low <= 0 <= high
        claimed += sign_test(values) < 0.05
    # 95 percent, less three standard errors of the simulation; skewed differences cost a little.
    assert covered / studies > (0.91 if kind == "normal" else 0.88)
    assert claimed / studies < (0.085 if kind == "normal" else 0.11)


def test_power_is_that_of_the_paired_t_test() -> None:
    for effect, n in ((0.3, 10), (0.8, 12), (1.5, 5)):
        assert power(effect, n) == pytest.approx(float(TTestPower().power(effect, n, 0.05)), abs=1e-6)
    needed = seeds_needed(0.7)
    assert needed is not None
    assert power(0.7, needed) >= 0.8 > power(0.7, needed - 1)
    assert power(detectable(1.0, 10), 10) == pytest.approx(0.8, abs=1e-6)
    assert detectable(0.5, 10) == pytest.approx(0.5 * detectable(1.0, 10))
    assert seeds_needed(100.0) == 3
    assert seeds_needed(0.0) is None


def test_holm_corrects_over_all_controls() -> None:
    rng = np.random.default_rng(0)
    model = 0.9 + rng.normal(0, 0.004, 10)
    controls = {f"c{k}": outcomes(model - shift + rng.normal(0, 0.004, 10)) for k, shift in enumerate((0, 0.002, 0.02))}
    found = compare_paired(outcomes(model), controls)
    order = sorted(found, key=lambda one: one.p)
    worst = 0.0
    for rank, one in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - rank) * one.p))
        assert one.p_corrected == pytest.approx(worst)
    by_statsmodels = multipletests([one.p for one in found], method="holm")[1]
    np.testing.assert_allclose([one.p_corrected for one in found], by_statsmodels)
    assert [one.outcome for one in found] == ["no difference seen", "no difference seen", "better"]
    assert found[2].effect == pytest.approx(found[2].difference / np.std(
        [model[k] - controls["c2"][k].accuracy for k in range(10)], ddof=1))  # fmt: skip


def simulated(rng: np.random.Generator, gap: float, seeds: int = 10, n_test: int = 1000) -> str:
    """The outcome of a study whose model is better by `gap`, with seeds and test images that both share."""
    ease = rng.normal(0.85, 0.02, seeds)
    model = rng.binomial(n_test, np.clip(ease + gap + rng.normal(0, 0.01, seeds), 0, 1)) / n_test
    control = rng.binomial(n_test, np.clip(ease + rng.normal(0, 0.01, seeds), 0, 1)) / n_test
    others = {f"other{k}": outcomes(rng.binomial(n_test, ease) / n_test, n_test) for k in range(4)}
    return compare_paired(outcomes(model, n_test), {"control": outcomes(control, n_test), **others})[0].outcome


@pytest.mark.parametrize(
    ("gap", "right"), [(0.06, "better"), (-0.06, "worse"), (0.0, "no difference seen")], ids=["win", "lose", "none"]
)
def test_planted_truth_is_found_in_95_of_100_studies(gap: float, right: str) -> None:
    rng = np.random.default_rng(7)
    assert sum(simulated(rng, gap) == right for _ in range(100)) >= 95


def test_a_control_at_chance_is_flagged_and_not_averaged() -> None:
    good, chance = np.full(10, 0.9), np.full(10, 0.1)
    found = compare_paired(outcomes(good), {"dead": outcomes(chance), "alive": outcomes(good - 0.1)})
    assert found[0].outcome == "collapsed"
    assert str(found[0]) == "dead: collapsed to chance in 10 seeds, so there is no comparison"
    assert np.isnan(found[0].p_corrected)
    assert found[1].p_corrected == found[1].p  # there is one test, so nothing to correct
    some = np.where(np.arange(10) < 2, 0.1, 0.8)
    partly = compare_paired(outcomes(good), {"partly": outcomes(some)})[0]
    assert (partly.n, partly.collapsed, partly.outcome) == (8, 2, "better")
    assert partly.difference == pytest.approx(0.1)
    assert "2 seeds left out (collapsed)" in str(partly)
    assert Outcome(0.104, 10_000, 0.1).collapsed
    assert not Outcome(0.2, 1000, 0.1).collapsed
    assert Outcome(0.9, 1000, 0.9).collapsed  # always the most frequent class


def test_too_few_seeds_and_strangers() -> None:
    two = compare_paired(outcomes(np.array([0.9, 0.8])), {"c": outcomes(np.array([0.5, 0.6]))})[0]
    assert two.outcome == "too few seeds"
    assert str(two) == "c: 2 seeds are too few to compare (at least 3)"
    with pytest.raises(QuanvolveError, match="the control 'c' shares no seed with the model"):
        compare_paired({0: Outcome(0.9, 100, 0.1)}, {"c": {1: Outcome(0.9, 100, 0.1)}})
    same = compare_paired(outcomes(np.full(10, 0.9)), {"c": outcomes(np.full(10, 0.9))})[0]
    assert (same.difference, same.low, same.high, same.p, same.outcome) == (0, 0, 0, 1, "no difference seen")


def standing(name: str, n: int = 10, collapsed: int = 0) -> Standing:
    counts = {"total": 1, "trained": 1, "quantum": 0}
    return Standing(name, name, n, 0.9, 0.01, 0.9, (0.01,) * n, 1.0, counts, collapsed, 0)


def test_the_verdict_is_a_sentence_with_an_interval() -> None:
    rng = np.random.default_rng(0)
    model = 0.9 + rng.normal(0, 0.005, 10)
    controls = {
        "conv": outcomes(model + 0.03 + rng.normal(0, 0.002, 10)),
        "unentangled": outcomes(model + rng.normal(0, 0.002, 10)),
        "pixels": outcomes(model - 0.05 + rng.normal(0, 0.002, 10)),
        "kernels": outcomes(np.full(10, 0.1)),
    }
    found = tuple(compare_paired(outcomes(model), controls))
    text = verdict((standing("model"), *map(standing, controls)), found)
    assert text[0].startswith("The quantum model is worse than a trained convolution of the same shape: -")
    assert "points of accuracy (95 % interval -" in text[0]
    assert text[1] == (
        "Of 3 controls, with Holm's correction: better than pixels; worse than conv; no difference seen to unentangled."
    )
    assert "Collapsed to chance and left out: kernels." in text
    assert text[-1].startswith("Nothing here needs entanglement or a quantum circuit")
    none = verdict((standing("model"),), tuple(compare_paired(outcomes(model), {"conv": controls["unentangled"]})))
    assert none[0].startswith("No difference seen against a trained convolution of the same shape: ")
    assert "would have shown with a power of 80 %" in none[0]


def test_verdicts_without_a_model_or_controls_or_seeds() -> None:
    assert verdict((standing("model", 10, 8),), ())[0].startswith("The model collapsed: in 8 of 10 seeds")
    assert verdict((standing("model"),), ()) == [
        "There is no control to compare with, so nothing can be said about the quantum part."
    ]
    three = np.array([0.9, 0.91, 0.92])
    found = tuple(compare_paired(outcomes(three), {"conv": outcomes(three - 0.3)}))
    assert "3 seeds cannot show any difference among 1 controls, however large: at least 6 can." in verdict(
        (standing("model", 3),), found
    )
