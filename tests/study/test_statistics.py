"""The statistics: against scipy and statsmodels, at their stated levels, on simulated studies with a known answer."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, ttest_1samp
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from quanvolve._errors import QuanvolveError
from quanvolve.study import Outcome, compare_paired, has_collapsed, least_seeds
from quanvolve.study._exchange import can_show, holm, holm_divisors, interval, sign_test
from quanvolve.study._power import detectable, power, seeds_needed
from quanvolve.study._verdict import verdict

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
    assert sign_test(values) == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.02)
    assert sign_test(values) == sign_test(values)
    assert sign_test(np.ones(40)) == pytest.approx(1 / 10_000)


@pytest.mark.parametrize("kind", ["normal", "coarse", "skewed"])
@pytest.mark.parametrize("n", [4, 6, 10, 25])
def test_intervals_and_tests_keep_their_level(n: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    covered = claimed = 0
    studies = 400
    for _ in range(studies):
        if kind == "normal":
            values = rng.normal(0, 1, n)
        elif kind == "coarse":  # accuracies of 18 test images
            values = (rng.binomial(18, 0.6, n) - rng.binomial(18, 0.6, n)) / 18
        else:
            values = rng.gamma(4, 0.5, n) - 2.0
        low, high = interval(values)
        covered += low <= 0 <= high
        claimed += sign_test(values) < 0.05
    assert covered + claimed == studies
    # 5 percent and three standard errors of the simulation; skewed differences cost a little.
    assert claimed / studies < (0.11 if kind == "skewed" else 0.083)
    assert n != 4 or claimed == 0


def test_few_coarse_accuracies_are_why_it_is_no_t_test() -> None:
    rng = np.random.default_rng(1)
    draws = [(rng.binomial(28, 0.97, 3) - rng.binomial(28, 0.97, 3)) / 28 for _ in range(2000)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three equal differences have no spread
        by_t = np.mean([ttest_1samp(values, 0).pvalue < 0.05 / 12 for values in draws])
    assert 12 * by_t > 0.15  # false claims among twelve such controls
    assert not any(sign_test(values) * 12 < 0.05 for values in draws)


@given(
    st.lists(st.integers(-12, 12), min_size=1, max_size=11),
    st.sampled_from([1, 18, 28, 360, 1797, 10_000]),
    st.integers(1, 12),
)
@settings(deadline=None, max_examples=300)
def test_the_interval_leaves_out_zero_exactly_where_the_test_refuses(
    images: list[int], n_test: int, tests: int
) -> None:
    values = np.array([0.7 + k / n_test - 0.7 for k in images])  # as rounded as differences of accuracies are
    low, high = interval(values, tests)
    exact = sum(
        abs(sum(sign * k for sign, k in zip(signs, images, strict=True))) >= abs(sum(images))
        for signs in itertools.product((1, -1), repeat=len(images))
    )
    assert sign_test(values) == exact / 2 ** len(images)
    assert (low > 0 or high < 0) == (sign_test(values) * tests < 0.05)
    assert low <= values.mean() + 1e-12
    assert high >= values.mean() - 1e-12
    # Every shift inside is one that the test does not refuse, every one outside is.
    for shift in (low, high):
        if math.isfinite(shift):
            assert sign_test(values - shift) * tests >= 0.05 - 1e-9
    if math.isfinite(low):
        assert sign_test(values - (low - 1e-6)) * tests < 0.05
        assert sign_test(values - (high + 1e-6)) * tests < 0.05


def test_the_interval_of_many_pairs_is_that_of_the_drawn_signs() -> None:
    rng = np.random.default_rng(2)
    for n in (17, 20, 40):
        for shift in (0.0, 0.3, 0.5, 0.9):
            values = rng.normal(shift, 1, n)
            for tests in (1, 5, 12):
                low, high = interval(values, tests)
                assert (low > 0 or high < 0) == (sign_test(values) * tests < 0.05)
                assert low == -interval(-values, tests)[1]


@given(st.lists(st.integers(1, 512), min_size=1, max_size=12))
def test_the_level_of_each_test_says_what_holm_says(counts: list[int]) -> None:
    ps = [count / 512 for count in counts]
    assert [p < 0.05 for p in holm(ps)] == [p * tests < 0.05 for p, tests in zip(ps, holm_divisors(ps), strict=True)]


def test_the_least_number_of_seeds_is_where_the_smallest_p_keeps_the_level() -> None:
    for tests in range(1, 25):
        n = least_seeds(tests)
        assert n == math.ceil(1 + math.log2(tests / 0.05))
        assert sign_test(np.ones(n)) * tests < 0.05 <= sign_test(np.ones(n - 1)) * tests
        assert can_show(n, tests)
        assert not can_show(n - 1, tests)


@pytest.mark.parametrize(("n", "tests"), [(6, 1), (8, 3), (10, 12), (12, 1), (13, 5), (20, 12)])
def test_power_is_that_of_the_test(n: int, tests: int) -> None:
    rng = np.random.default_rng(n)
    effect = 1.2 * detectable(1.0, n, tests)
    shown = [sign_test(rng.normal(effect, 1, n)) * tests < 0.05 for _ in range(500)]
    assert np.mean(shown) == pytest.approx(power(effect, n, tests), abs=0.05)
    assert power(effect, n, tests, spread_from=n) < power(effect, n, tests)
    assert power(detectable(1.0, n, tests), n, tests, spread_from=n) == pytest.approx(0.8, abs=2e-3)
    assert power(100.0, least_seeds(tests) - 1, tests) == 0


def test_power_of_many_pairs_is_that_of_the_t_test() -> None:
    for effect, n in ((0.3, 30), (0.8, 14), (0.1, 900)):
        assert power(effect, n) == pytest.approx(float(TTestPower().power(effect, n, 0.05)), abs=4e-3)


def test_seeds_needed_and_what_so_many_show_are_one_statement() -> None:
    for n, tests in ((8, 1), (10, 3), (10, 12), (15, 5)):
        effect = detectable(1.0, n, tests)
        assert seeds_needed(effect * 1.001, n, tests) == n
        needed = seeds_needed(effect * 0.6, n, tests)
        assert needed is not None
        assert needed > n
        assert power(effect * 0.6, needed, tests, spread_from=n) >= 0.8
        assert power(effect * 0.6, needed - 1, tests, spread_from=n) < 0.8
        assert detectable(0.5, n, tests) == pytest.approx(0.5 * effect)
    assert seeds_needed(100.0, 10) == 6
    assert seeds_needed(0.0, 10) is None


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
        [model[k] - controls["c2"][k].score for k in range(10)], ddof=1))  # fmt: skip


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
    assert (found[0].outcome, found[0].collapsed) == ("collapsed", "control")
    assert str(found[0]) == "dead: the control collapsed to chance, so there is no comparison"
    assert np.isnan(found[0].p_corrected)
    assert found[1].p_corrected == found[1].p  # there is one test, so nothing to correct
    down = compare_paired(outcomes(chance), {"dead": outcomes(chance), "alive": outcomes(good)})
    assert [one.collapsed for one in down] == ["both", "model"]
    assert str(down[1]) == "alive: the model collapsed to chance, so there is no comparison"


def test_seeds_are_pooled_before_a_contender_is_called_collapsed() -> None:
    def collapsed(counts: list[int], n_test: int, classes: int) -> bool:
        return has_collapsed([Outcome(k / n_test, n_test, 1 / classes) for k in counts])

    # 61 % against 33 %, of 18 images.
    assert not collapsed([11], 18, 3)
    assert not collapsed([11, 11, 11], 18, 3)
    assert not collapsed([9, 11, 13], 18, 3)
    # What no seed shows alone, ten that guess by themselves do: their mean is 48 %.
    assert collapsed([8], 18, 3)
    assert not collapsed([8, 12, 5, 9, 10, 6, 11, 9, 7, 10], 18, 3)
    # The same answers again are no more to go by.
    assert collapsed([8] * 10, 18, 3)
    # Seeds that fail are part of what a contender does; if nearly all do, it has collapsed.
    assert not collapsed([2, 2, 18, 18, 17, 18, 18, 16, 18, 18], 20, 10)
    assert collapsed([2] * 9 + [18], 20, 10)
    assert collapsed([6, 6, 6], 18, 3)
    assert collapsed([1040], 10_000, 10)
    assert not collapsed([200], 1000, 10)
    assert has_collapsed([Outcome(0.9, 1000, 0.9)] * 3)  # always the most frequent class
    assert has_collapsed([Outcome(1.0, 10, 1.0)])


@pytest.mark.parametrize("kind", ["each guesses", "all the same guesses", "partly the same", "a class each"])
@pytest.mark.parametrize(("n_test", "classes", "seeds"), [(18, 3, 3), (60, 2, 5), (1000, 10, 10)])
def test_contenders_that_guess_are_called_collapsed(n_test: int, classes: int, seeds: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(n_test) % classes
    majority = float(np.bincount(labels).max() / n_test)

    def right() -> list[float]:
        common = rng.integers(0, classes, n_test)
        if kind == "a class each":
            return [float((labels == rng.integers(classes)).mean()) for _ in range(seeds)]
        share = {"each guesses": 0.0, "all the same guesses": 1.0, "partly the same": 0.5}[kind]
        answers = [np.where(rng.random(n_test) < share, common, rng.integers(0, classes, n_test)) for _ in range(seeds)]
        return [float((labels == one).mean()) for one in answers]

    missed = [not has_collapsed([Outcome(a, n_test, majority) for a in right()]) for _ in range(400)]
    assert np.mean(missed) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_too_few_seeds_and_strangers() -> None:
    two = compare_paired(outcomes(np.array([0.9, 0.8])), {"c": outcomes(np.array([0.5, 0.6]))})[0]
    assert (two.outcome, two.difference, two.seeds_to_show) == ("too few seeds", pytest.approx(0.3), 6)
    assert str(two) == "c: +30.00 over 2 seeds, too few to show anything (at least 6 can)"
    with pytest.raises(QuanvolveError, match="the control 'c' shares no seed with the model"):
        compare_paired({0: Outcome(0.9, 100, 0.1)}, {"c": {1: Outcome(0.9, 100, 0.1)}})
    same = compare_paired(outcomes(np.full(10, 0.9)), {"c": outcomes(np.full(10, 0.9))})[0]
    assert (same.difference, same.low, same.high, same.p, same.outcome) == (0, 0, 0, 1, "no difference seen")


def test_a_control_with_too_few_seeds_costs_the_others_nothing() -> None:
    model = np.linspace(0.9, 0.91, 9)
    controls = {f"c{k}": outcomes(model - 0.05 - 0.001 * np.arange(9)) for k in range(11)}
    short = {seed: one for seed, one in outcomes(model - 0.05).items() if seed < 4}
    found = compare_paired(outcomes(model), {**controls, "short": short})
    assert [one.outcome for one in found] == ["better"] * 11 + ["too few seeds"]
    assert found[0].p_corrected == pytest.approx(11 * 2 / 512)
    assert found[-1].seeds_to_show == 9


def test_the_verdict_is_a_sentence_with_an_interval() -> None:
    rng = np.random.default_rng(0)
    model = 0.9 + rng.normal(0, 0.005, 10)
    controls = {
        "conv": outcomes(model + 0.03 + rng.normal(0, 0.002, 10)),
        "unentangled": outcomes(model + rng.normal(0, 0.002, 10)),
        "pixels": outcomes(model - 0.05 + rng.normal(0, 0.002, 10)),
        "kernels": outcomes(np.full(10, 0.1)),
    }
    runs = outcomes(model)
    text = verdict(runs, compare_paired(outcomes(model), controls))
    assert text[0].startswith("The quantum model is worse than a trained convolution of the same shape: -")
    assert "points of accuracy (97.5 % interval -" in text[0]
    assert text[1] == (
        "Of 3 controls, with Holm's correction: better than pixels; worse than conv; no difference seen to unentangled."
    )
    assert "Collapsed to chance and left out: kernels." in text
    assert text[-1] == (
        "Nothing here shows a need for entanglement: the model is not seen to be better than unentangled."
    )
    none = verdict(runs, compare_paired(outcomes(model), {"conv": controls["unentangled"]}))
    assert none[0].startswith("No difference seen against a trained convolution of the same shape: ")
    assert "would have shown with a power of 80 %" in none[0]


def test_verdicts_without_a_model_or_controls_or_seeds() -> None:
    down = outcomes(np.full(10, 0.1))
    assert verdict(down, compare_paired(outcomes(np.full(10, 0.1)), {"conv": outcomes(np.full(10, 0.9))})) == [
        "The model collapsed: over 10 seeds, its accuracy of 10.00 % is not better than always answering the most "
        "frequent class (10.00 %), within chance. There is nothing to compare."
    ]
    three = np.array([0.9, 0.91, 0.92])
    runs = outcomes(three)
    assert verdict(runs, ()) == ["There is no control to compare with, so nothing can be said about the quantum part."]
    controls = {"conv": outcomes(three - 0.3), "unentangled": outcomes(three), "random-features": outcomes(three)}
    assert verdict(runs, compare_paired(outcomes(three), controls)) == [
        "3 seeds cannot show any difference among 3 controls, however large: at least 7 can."
    ]
    alike = np.full(10, 0.9)
    text = verdict(outcomes(alike), compare_paired(outcomes(alike), {"pixels": outcomes(alike)}))
    assert text[0] == (
        "No difference seen against the control 'pixels': +0.00 points of accuracy (95 % interval +0.00 to +0.00) over "
        "10 seeds; what would have shown cannot be said of differences that vary so little, or so unevenly."
    )
