"""The verdict in sentences, none of which says more than the test that was done, or something else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from quanvolve.study._collapse import Outcome
from quanvolve.study._contenders import PRIMARY
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import ACCURACY
from quanvolve.study._statistics import (
    BETTER,
    COLLAPSED,
    NO_DIFFERENCE,
    TESTED,
    WHO,
    WORSE,
    Comparison,
)
from quanvolve.study._unit import SEEDS_UNIT, Unit
from quanvolve.study._words import count, listed, p_value

_GROUPS = {BETTER: "better than", WORSE: "worse than", NO_DIFFERENCE: "no difference seen to"}
_WITHOUT = {"unentangled": "entanglement", "random-features": "a quantum circuit"}
"""What a control does without, if the model is not seen to be better."""


def verdict(
    model: Mapping[Any, Outcome], comparisons: Sequence[Comparison], unit: Unit = SEEDS_UNIT, metric: Metric = ACCURACY
) -> list[str]:
    """The verdict: first against the control that was chosen before anything was run, then the others.

    Args:
        model: its results, by seed or split.
        comparisons: with its controls.
        unit: which of both it is.
        metric: what the results are.
    """
    if unit.collapsed(model, metric):
        mean, other = (
            metric.alone(sum(getattr(outcome, name) for outcome in model.values()) / len(model))
            for name in ("score", "baseline")
        )
        return [
            f"The model collapsed: over {count(len(model), unit.word)}, its {metric.words.title} of {mean} is not "
            f"better than {metric.words.baseline} ({other}), within chance. There is nothing to compare."
        ]
    if not comparisons:
        return ["There is no control to compare with, so nothing can be said about the quantum part."]
    names = {outcome: [c.control for c in comparisons if c.outcome == outcome] for outcome in (*TESTED, COLLAPSED)}
    tested = sum(len(names[outcome]) for outcome in TESTED)
    sentences = []
    if tested or not any(comparison.too_few for comparison in comparisons):
        sentences.append(_first_sentence(next((c for c in comparisons if c.control == PRIMARY), comparisons[0])))
    if tested:
        parts = [f"{words} {listed(names[outcome])}" for outcome, words in _GROUPS.items() if names[outcome]]
        sentences.append(f"Of {count(tested, 'control')}, with Holm's correction: {'; '.join(parts)}.")
    sentences += _too_few([comparison for comparison in comparisons if comparison.too_few], tested)
    if names[COLLAPSED]:
        sentences.append(f"Collapsed to {metric.words.nothing} and left out: {listed(names[COLLAPSED])}.")
    sentences += _without([comparison for comparison in comparisons if comparison.outcome in TESTED])
    return sentences


def _first_sentence(comparison: Comparison) -> str:
    against = (
        "a trained convolution of the same shape"
        if comparison.control == PRIMARY
        else f"the control {comparison.control!r}"
    )
    if comparison.outcome == COLLAPSED:
        who, nothing = WHO[comparison.collapsed], comparison.measure.words.nothing
        return f"Against {against} there is no comparison: {who} collapsed to {nothing}."
    if comparison.too_few:
        return (
            f"Against {against} nothing can be shown: {count(comparison.n, comparison.unit)} cannot, at least "
            f"{comparison.seeds_to_show} can."
        )
    over, metric = f"over {comparison.n} {comparison.unit}s", comparison.measure
    seen = f"{metric.signed(comparison.difference)} {metric.words.of} ({comparison.interval}) {over}"
    if comparison.outcome != NO_DIFFERENCE:
        by_chance = f"(p {p_value(comparison.p_corrected)} after correction)"
        return f"The quantum model is {comparison.outcome} than {against}: {seen} {by_chance}."
    text = f"No difference seen against {against}: {seen}; "
    if math.isnan(comparison.detectable):
        return f"{text}what would have shown cannot be said of differences that vary so little, or so unevenly."
    text += f"a difference of {metric.signed(comparison.detectable).lstrip('+')} would have shown with a power of 80 %"
    if comparison.seeds_needed is not None:
        text += f", and one as small as this would need {count(comparison.seeds_needed, 'seed')}"
    if comparison.images_needed is not None:
        text += f", and one as small as this would need about {count(comparison.images_needed, 'image')}"
    return text + "."


def _too_few(few: Sequence[Comparison], tested: int) -> list[str]:
    if not few:
        return []
    most, needed, word = max(comparison.n for comparison in few), few[0].seeds_to_show, few[0].unit
    if not tested:
        return [
            f"{count(most, word)} cannot show any difference among {count(len(few), 'control')}, however large: at "
            f"least {needed} can."
        ]
    each = listed([f"{comparison.control} ({comparison.n})" for comparison in few])
    return [f"Too few {word}s to show anything, however large: {each}; at least {needed} can."]


def _without(tested: Sequence[Comparison]) -> list[str]:
    """That it is not seen to be better than what does without entanglement, or a circuit; no proof that it is not."""
    closest = [comparison for comparison in tested if comparison.control in _WITHOUT and comparison.outcome != BETTER]
    if not closest:
        return []
    needs = " or ".join(_WITHOUT[comparison.control] for comparison in closest)
    than = listed([comparison.control for comparison in closest])
    return [f"Nothing here shows a need for {needs}: the model is not seen to be better than {than}."]
