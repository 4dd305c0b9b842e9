"""A thousand studies with a planted truth: no sentence contradicts another, level and power are as stated."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from quanvolve.study import METRICS, Results

from .claims import contradictions
from .planted import Truth, drawn_truth, results

STUDIES = 1000


@pytest.fixture(scope="module")
def studies() -> list[tuple[Truth, Results]]:
    rng = np.random.default_rng(2024)
    truths = [drawn_truth(rng) for _ in range(STUDIES)]
    return [(truth, truth.draw(rng)) for truth in truths]


def test_no_sentence_contradicts_another(studies: list[tuple[Truth, Results]]) -> None:
    found = [text for _, one in studies for text in contradictions(one)]
    assert not found, f"{len(found)} contradictions, the first: {found[0]}"
    # All kinds of sentences were there to contradict.
    said = "\n".join("\n".join(one.verdict()) for _, one in studies)
    kinds = (
        "No difference seen", "is better than", "is worse than", "cannot show any", "Too few seeds", "would need",
        "Collapsed to chance", "The model collapsed", "shows a need", "Against",
    )  # fmt: skip
    for words in kinds:
        assert said.count(words) >= 3, words


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_nor_where_numbers_or_labels_are_compared(task: str) -> None:
    rng = np.random.default_rng(2025)
    words, said = METRICS[task].words, ""
    for _ in range(150):
        truth = dataclasses.replace(drawn_truth(rng), task=task)
        one = truth.draw(rng)
        assert not contradictions(one)
        said += " ".join((*one.verdict(), *map(str, one.comparisons)))
    for text in (words.of, words.baseline, f"collapsed to {words.nothing}", f"Collapsed to {words.nothing}"):
        assert text in said, text
    assert "accuracy" not in said
    assert "points" not in said


def wrong(truth: Truth, found: Results) -> bool:
    """Whether any claim is false: a difference where there is none, or the other way round."""
    gains = {name: 0.0 if gain is None else gain for name, gain in truth.gains.items()}
    return any(
        one.outcome == ("better" if gains[one.control] <= 0 else "never")
        or one.outcome == ("worse" if gains[one.control] >= 0 else "never")
        for one in found.comparisons
        if truth.gains[one.control] is not None
    )


def test_the_level_is_kept(studies: list[tuple[Truth, Results]]) -> None:
    false = sum(wrong(truth, one) for truth, one in studies)
    assert false / len(studies) <= 0.05
    # Where nothing differs, over all numbers of controls together, and seeds that can show something.
    rng = np.random.default_rng(1)
    count, errors = 600, 0
    for _ in range(count):
        truth = drawn_truth(rng)
        nothing = dataclasses.replace(
            truth, seeds=int(rng.choice([7, 9, 10, 12])), gains=dict.fromkeys(truth.gains, 0.0), down=False
        )
        errors += wrong(nothing, nothing.draw(rng))
    assert errors / count <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / count)


def stated(found: Results) -> tuple[str, float] | None:
    """The control of the first sentence, and the difference that it says would have shown."""
    match = re.search(r"a difference of ([\d.]+) would have shown with a power of 80 %", found.verdict()[0])
    if match is None:
        return None
    name = re.search(r"the control '([\w-]+)'", found.verdict()[0])
    return ("conv" if name is None else name[1]), float(match[1]) / 100


@pytest.mark.parametrize(
    ("seeds", "controls", "n_test"), [(6, 1, 10_000), (8, 3, 360), (10, 12, 1000), (10, 3, 60), (13, 5, 360)]
)
def test_the_power_is_as_stated(seeds: int, controls: int, n_test: int) -> None:
    rng = np.random.default_rng(seeds)
    shown = []
    while len(shown) < 300:
        names = ["conv", "unentangled", "pixels", "kernels", "subsampled", *(f"other{k}" for k in range(7))][:controls]
        # Some of the others differ far, which Holm's procedure counts.
        gains = {name: 0.15 * (k % 4 == 3) for k, name in enumerate(names)}
        truth = Truth(seeds, n_test, 10, 0.6, 0.01, 0.01, gains)
        said = stated(truth.draw(rng))
        if said is None:
            continue
        name, difference = said
        again = dataclasses.replace(truth, gains={**gains, name: difference}).draw(rng)
        shown.append(next(one for one in again.comparisons if one.control == name).outcome == "better")
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)


def test_seeds_needed_show_what_was_seen() -> None:
    rng = np.random.default_rng(3)
    shown = []
    for _ in range(600):
        truth = Truth(8, 10_000, 10, 0.6, 0.01, 0.01, {"conv": 0.01, "pixels": 0.0, "kernels": 0.0})
        found = truth.draw(rng)
        one = found.comparisons[0]
        if one.outcome != "no difference seen" or one.seeds_needed is None or one.seeds_needed > 60:
            continue
        assert f"would need {one.seeds_needed} seeds" in found.verdict()[0]
        gains = {**truth.gains, "conv": one.difference}
        again = dataclasses.replace(truth, seeds=one.seeds_needed, gains=gains).draw(rng)
        shown.append(again.comparisons[0].outcome in ("better", "worse"))
    assert len(shown) > 200
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)


def test_the_reports_of_old_contradictions() -> None:
    """Three seeds once showed that "a difference of 0.52 would have shown" beside one of -0.74 that had not."""
    model = np.array([0.950, 0.951, 0.949])
    found = results({"model": model, "conv": model + np.array([0.0074, 0.0080, 0.0068])}, 10_000, 0.1)
    assert found.verdict() == ["3 seeds cannot show any difference among 1 control, however large: at least 6 can."]
    # One seed far off: the mean is larger than what its spread alone would have called visible.
    shift = np.array([0.002, 0.001, 0.002, 0.001, 0.002, 0.001, 0.002, 0.002, -0.0005, -0.0004])
    odd = results({"model": model[0] + shift, "conv": np.full(10, model[0])}, 10_000, 0.1)
    assert not contradictions(odd)


def drawn_splits(rng: np.random.Generator) -> Truth:
    """Any of the truths of a study over splits."""
    numbers = {"seeds": int(rng.choice([5, 9, 10, 20, 40])), "n_test": int(rng.choice([2, 6, 18, 40]))}
    return dataclasses.replace(drawn_truth(rng), **numbers, splits=True)


def test_no_sentence_about_splits_contradicts_another() -> None:
    rng = np.random.default_rng(11)
    found = [drawn_splits(rng).draw(rng) for _ in range(400)]
    texts = [text for one in found for text in contradictions(one)]
    assert not texts, f"{len(texts)} contradictions, the first: {texts[0]}"
    said = "\n".join("\n".join(one.verdict()) for one in found)
    kinds = (
        "No difference seen", "is better than", "is worse than", "splits cannot show any", "Too few splits", "images.",
        "Collapsed to chance", "The model collapsed", "shows a need",
    )  # fmt: skip
    for words in kinds:
        assert said.count(words) >= 3, words


@pytest.mark.parametrize(("splits", "controls", "n_test"), [(20, 1, 18), (10, 3, 40), (40, 12, 18)])
def test_the_power_over_splits_is_as_stated(splits: int, controls: int, n_test: int) -> None:
    rng = np.random.default_rng(splits)
    shown = []
    while len(shown) < 300:
        names = ["conv", *(f"other{k}" for k in range(11))][:controls]
        truth = Truth(splits, n_test, 10, 0.65, 0.0, 0.03, dict.fromkeys(names, 0.0), splits=True)
        said = stated(truth.draw(rng))
        if said is None:
            continue
        again = dataclasses.replace(truth, gains={**truth.gains, "conv": said[1]}).draw(rng)
        shown.append(next(one for one in again.comparisons if one.control == "conv").outcome == "better")
    assert np.mean(shown) == pytest.approx(0.8, abs=0.08)
