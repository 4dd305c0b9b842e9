"""What a study found: results of each contender, comparisons, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._collapse import Outcome
from quanvolve.study._contenders import MODEL
from quanvolve.study._metric import Metric
from quanvolve.study._plan import Plan
from quanvolve.study._splits import FEW_TEST_IMAGES
from quanvolve.study._statistics import Comparison, compare_paired, summary
from quanvolve.study._strata import FOLDS
from quanvolve.study._table import DONE, FAILED, Table
from quanvolve.study._unit import SPLITS_UNIT
from quanvolve.study._verdict import verdict
from quanvolve.study._words import count, listed


@dataclass(frozen=True)
class Standing:
    """The results of one contender.

    Attributes:
        name, summary: of the contender.
        n: seeds, or splits, that are done.
        mean, deviation: of the test score over them.
        valid: mean validation score.
        lrs: the learning rate that each of them chose.
        seconds: mean time of a trial, tuning included.
        parameters: total, trained and quantum.
        collapsed: whether all of them together are no better than an answer that looks at no image, such as the most
            frequent class.
        failed: how many trials failed.
        also: means of further numbers of the tests, such as "test_rmse".
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
    collapsed: bool
    failed: int
    also: dict[str, float] = field(default_factory=dict)


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
        plan = self.plan
        sentences = verdict(outcomes_of(self.rows, plan.metric)[MODEL], self.comparisons, plan.unit, plan.metric)
        if plan.unit is SPLITS_UNIT:
            sentences.append(self._why_splits())
        if plan.looks:
            sentences.append(
                f"The study had been judged with {listed(list(map(str, plan.looks)))} {plan.unit.word}s before it was "
                "extended: false claims keep to 5 % at each look, not over all of them."
            )
        return sentences

    def _why_splits(self) -> str:
        outcome = self.outcomes(MODEL)[0]
        splits, own = len(self.plan.protocol.seeds), self.plan.own_test_images
        why = (
            "as was asked for"
            if own is None
            else f"because the {count(own, 'test image')} of the data set, fewer than {FEW_TEST_IMAGES}, are too few "
            "to show anything"
        )
        return (
            f"The unit of comparison is the split, {why}: {count(splits, 'stratified split')} of all images, repeated "
            f"{FOLDS}-fold, each with {outcome.n_train:,} for training and about {outcome.n_test:,} for testing, the "
            "same for all contenders; test, interval and power are corrected for the images that splits share."
        )

    def outcomes(self, name: str) -> list[Outcome]:
        """The results of one contender, seed by seed, or split by split."""
        return list(outcomes_of(self.rows, self.plan.metric).get(name, {}).values())


def results_of(table: Table) -> Results:
    """What a study has found so far.

    Raises:
        QuanvolveError: if there is no result of the model yet.
    """
    rows = table.rows()
    plan = table.plan
    outcomes = outcomes_of(rows, plan.metric)
    if MODEL not in outcomes:
        errors = [row["error"] for row in rows if row["contender"] == MODEL and row["status"] == FAILED]
        raise QuanvolveError(
            f"the study in {table.folder} has no result of the model yet"
            + (f": it failed with {errors[0]}" if errors else ": continue it with `resume=True`"),
            arguments=("resume",),
        )
    standings = [_standing(plan, name, by_seed, rows) for name, by_seed in _ordered(plan, outcomes)]
    controls = {
        name: by_seed
        for name, by_seed in _ordered(plan, outcomes)
        if name != MODEL and set(by_seed) & set(outcomes[MODEL])
    }
    comparisons = (
        compare_paired(outcomes[MODEL], controls, splits=plan.unit is SPLITS_UNIT, metric=plan.metric)
        if controls
        else []
    )
    return Results(plan, tuple(standings), tuple(comparisons), tuple(rows))


def outcomes_of(rows: Sequence[dict[str, Any]], metric: Metric) -> dict[str, dict[int, Outcome]]:
    """The results of trials that are done, by contender and seed, or number of the split."""
    outcomes: dict[str, dict[int, Outcome]] = {}
    for row in rows:
        if row["status"] == DONE:
            outcomes.setdefault(row["contender"], {})[row["seed"]] = metric.outcome(row["result"])
    return outcomes


def _ordered(plan: Plan, outcomes: dict[str, dict[int, Outcome]]) -> list[tuple[str, dict[int, Outcome]]]:
    return [(contender.name, outcomes[contender.name]) for contender in plan.contenders if contender.name in outcomes]


def _standing(plan: Plan, name: str, by_seed: dict[int, Outcome], rows: list[dict[str, Any]]) -> Standing:
    results = [row["result"] for row in rows if row["contender"] == name and row["status"] == DONE]
    mean, deviation = summary(list(by_seed.values()))
    return Standing(
        name,
        plan.contender(name).summary,
        len(by_seed),
        mean,
        deviation,
        sum(r[plan.metric.valid] for r in results) / len(results),
        tuple(r["lr"] for r in results),
        sum(r["seconds"] for r in results) / len(results),
        results[0]["parameters"],
        plan.unit.collapsed(by_seed, plan.metric),
        sum(row["contender"] == name and row["status"] == FAILED for row in rows),
        {key: sum(r[key] for r in results) / len(results) for key in plan.metric.words.also},
    )
