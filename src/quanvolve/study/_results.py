"""What a study found: results of each contender, comparisons, and the verdict in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._contenders import MODEL, PRIMARY
from quanvolve.study._plan import Plan
from quanvolve.study._statistics import (
    BETTER,
    COLLAPSED,
    LEVEL,
    NO_DIFFERENCE,
    TOO_FEW,
    WORSE,
    Comparison,
    Outcome,
    compare_paired,
    points,
    summary,
)
from quanvolve.study._table import DONE, FAILED, Table


@dataclass(frozen=True)
class Standing:
    """The results of one contender.

    Attributes:
        name, summary: of the contender.
        n: seeds that are done.
        mean, deviation: of the test accuracy over seeds.
        valid: mean validation accuracy.
        lrs: the learning rate that each seed chose.
        seconds: mean time of a trial, tuning included.
        parameters: total, trained and quantum.
        collapsed: how many seeds were no better than chance.
        failed: how many trials failed.
    """

    name: str
    summary: str
    n: int
    mean: float
    deviation: float
    valid: float
    lrs: tuple[float, ...]
    seconds: float
    parameters: dict[str, int]
    collapsed: int
    failed: int


@dataclass(frozen=True)
class Results:
    """Everything that a report says.

    Attributes:
        plan: of the study.
        standings: of the contenders that have results, in their order.
        comparisons: of the model with each control.
        rows: the trials.
    """

    plan: Plan
    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def finished(self) -> bool:
        """Whether no trial is left to do."""
        return all(row["status"] in (DONE, FAILED) for row in self.rows)

    def verdict(self) -> list[str]:
        """The verdict in sentences, the most important first."""
        return verdict(self.standings, self.comparisons)


def results_of(table: Table) -> Results:
    """What a study has found so far.

    Raises:
        QuanvolveError: if there is no result of the model yet.
    """
    rows = table.rows()
    outcomes: dict[str, dict[int, Outcome]] = {}
    for row in rows:
        if row["status"] == DONE:
            result = row["result"]
            one = Outcome(result["test_accuracy"], result["n_test"], result["majority"])
            outcomes.setdefault(row["contender"], {})[row["seed"]] = one
    if MODEL not in outcomes:
        errors = [row["error"] for row in rows if row["contender"] == MODEL and row["status"] == FAILED]
        raise QuanvolveError(
            f"the study in {table.folder} has no result of the model yet"
            + (f": it failed with {errors[0]}" if errors else ": continue it with --resume")
        )
    standings = [_standing(table.plan, name, own, rows) for name, own in _ordered(table.plan, outcomes)]
    controls = {
        name: own for name, own in _ordered(table.plan, outcomes) if name != MODEL and set(own) & set(outcomes[MODEL])
    }
    comparisons = compare_paired(outcomes[MODEL], controls) if controls else []
    return Results(table.plan, tuple(standings), tuple(comparisons), tuple(rows))


def _ordered(plan: Plan, outcomes: dict[str, dict[int, Outcome]]) -> list[tuple[str, dict[int, Outcome]]]:
    return [(one.name, outcomes[one.name]) for one in plan.contenders if one.name in outcomes]


def _standing(plan: Plan, name: str, own: dict[int, Outcome], rows: list[dict[str, Any]]) -> Standing:
    results = [row["result"] for row in rows if row["contender"] == name and row["status"] == DONE]
    mean, deviation = summary(list(own.values()))
    return Standing(
        name,
        plan.contender(name).summary,
        len(own),
        mean,
        deviation,
        sum(r["valid_accuracy"] for r in results) / len(results),
        tuple(r["lr"] for r in results),
        sum(r["seconds"] for r in results) / len(results),
        results[0]["parameters"],
        sum(one.collapsed for one in own.values()),
        sum(row["contender"] == name and row["status"] == FAILED for row in rows),
    )


def verdict(standings: tuple[Standing, ...], comparisons: tuple[Comparison, ...]) -> list[str]:
    """The verdict in sentences: first against the control that was chosen before anything was run, then the others."""
    model = next(one for one in standings if one.name == MODEL)
    if model.collapsed * 2 > model.n:
        return [
            f"The model collapsed: in {model.collapsed} of {model.n} seeds it was no better than always answering the "
            "most frequent class. There is nothing to compare."
        ]
    if not comparisons:
        return ["There is no control to compare with, so nothing can be said about the quantum part."]
    found = []
    primary = next((one for one in comparisons if one.control == PRIMARY), comparisons[0])
    found.append(_first_sentence(primary))
    groups = {outcome: [c.control for c in comparisons if c.outcome == outcome] for outcome in (*_ORDER, COLLAPSED)}
    parts = [f"{words} {_names(names)}" for outcome, words in _ORDER.items() if (names := groups[outcome])]
    tested = sum(c.outcome in (BETTER, WORSE, NO_DIFFERENCE) for c in comparisons)
    if tested:
        found.append(f"Of {tested} controls, with Holm's correction: {'; '.join(parts)}.")
    most = max((c.n for c in comparisons if c.outcome in _ORDER), default=0)
    if tested and tested * 2.0 ** (1 - most) >= LEVEL:
        needed = math.ceil(1 + math.log2(tested / LEVEL) + 1e-9)
        found.append(
            f"{most} seeds cannot show any difference among {tested} controls, however large: at least {needed} can."
        )
    if groups[COLLAPSED]:
        found.append(f"Collapsed to chance and left out: {', '.join(groups[COLLAPSED])}.")
    closest = [c for c in comparisons if c.control in ("unentangled", "random-features") and c.outcome in _ORDER]
    if closest and all(c.outcome != BETTER for c in closest):
        others = _names([c.control for c in closest])
        found.append(f"Nothing here needs entanglement or a quantum circuit: it is not better than {others}.")
    return found


_ORDER = {BETTER: "better than", WORSE: "worse than", NO_DIFFERENCE: "no difference seen to"}


def _first_sentence(one: Comparison) -> str:
    against = "a trained convolution of the same shape" if one.control == PRIMARY else f"the control {one.control!r}"
    if one.outcome in (COLLAPSED, TOO_FEW):
        return f"Against {against} there is no comparison: {one}."
    interval = f"{points(one.difference)} points of accuracy (95 % interval {points(one.low)} to {points(one.high)})"
    over = f"over {one.n} seeds"
    if one.outcome == NO_DIFFERENCE:
        text = f"No difference seen against {against}: {interval} {over}; a difference of "
        text += f"{100 * one.detectable:.2f} would have shown with a power of 80 %"
        if one.seeds_needed is not None:
            text += f", and one as small as this would need {one.seeds_needed:,} seeds"
        return text + "."
    word = "better" if one.outcome == BETTER else "worse"
    return (
        f"The quantum model is {word} than {against}: {interval} {over} (p = {one.p_corrected:.3f} after correction)."
    )


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
