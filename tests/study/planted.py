"""Studies whose truth is known: accuracies as seeds and test images make them, and the results of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve.study import CONTROLS, METRICS, Contender, Plan, Protocol, Results
from quanvolve.study._results import results_of
from quanvolve.study._table import DONE, FAILED

NAMES = CONTROLS[:12]


@dataclass(frozen=True)
class Truth:
    """What a study is drawn from.

    Args:
        seeds: how many.
        n_test: test images.
        classes: of them, as many of each.
        level: accuracy of the model.
        ease: standard deviation that model and controls share over seeds.
        own: that each of them has alone.
        gains: by how much the model is better, for each control; None if it always answers one class.
        down: the model itself always answers one class.
        missing: share of the controls' trials that failed.
        task: whose metric is drawn in place of the accuracy.
        splits: they are splits of images, four times as many for training, and have in common what Nadeau and Bengio
            take them to have.
    """

    seeds: int
    n_test: int
    classes: int
    level: float
    ease: float
    own: float
    gains: Mapping[str, float | None]
    down: bool = False
    missing: float = 0.0
    splits: bool = False
    task: str = "classification"

    def draw(self, rng: np.random.Generator) -> Results:
        """A study."""
        ease = rng.normal(0, self.ease, self.seeds)
        found = {"model": self._accuracies(rng, ease, None if self.down else 0.0)}
        found |= {name: self._accuracies(rng, ease, gain) for name, gain in self.gains.items()}
        lost = {(name, seed) for name in self.gains for seed in range(1, self.seeds) if rng.random() < self.missing}
        return results(found, self.n_test, 1 / self.classes, lost, splits=self.splits, task=self.task)

    def _accuracies(self, rng: np.random.Generator, ease: np.ndarray, gain: float | None) -> np.ndarray:
        if gain is None:
            # The same class always, or a class of its own for each seed.
            return np.full(self.seeds, np.floor(self.n_test / self.classes) / self.n_test)
        own = rng.normal(0, self.own, self.seeds)
        if self.splits:
            # Of the variance of one split, drawn images among it, a fifth is common to all.
            own += rng.normal(0, np.sqrt((self.own**2 + 0.24 / self.n_test) / 4))
        chances = np.clip(self.level - gain + ease + own, 0.02, 0.98)
        return rng.binomial(self.n_test, chances) / self.n_test


class _Rows:
    def __init__(self, plan: Plan, rows: list[dict[str, Any]]) -> None:
        self.plan, self.folder, self._rows = plan, Path("planted"), rows

    def rows(self) -> list[dict[str, Any]]:
        return self._rows


def results(
    accuracies: Mapping[str, np.ndarray],
    n_test: int,
    majority: float,
    lost: set[tuple[str, int]] | None = None,
    *,
    splits: bool = False,
    task: str = "classification",
) -> Results:
    """Results as they are made of the table of a study.

    Args:
        accuracies: of each contender by seed, the model's first.
        n_test: test images.
        majority: share of the most frequent class.
        lost: contenders and seeds that failed.
        splits: whether they are splits.
        task: of the data, whose metric the accuracies then stand for.
    """
    metric = METRICS[task]
    seeds = len(next(iter(accuracies.values())))
    protocol = Protocol(tuple(range(seeds)), splits=seeds if splits else 0)
    plan = Plan("digits", None, tuple(Contender(name, name, {}) for name in accuracies), protocol, task=task)
    rows = []
    for name, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            failed = (name, seed) in (lost or ())
            result = {
                metric.tested: float(accuracy), "n_test": n_test, "n_train": 4 * n_test, metric.baseline_key: majority,
                metric.valid: 0.5, "lr": 0.01, "seconds": 1.0, "learning_curve": [0.5],
                "parameters": {"total": 1, "trained": 1, "quantum": 0},
                **({} if task == "classification" else {"noise": 1 / n_test**0.5, "shuffled": majority - 0.1}),
                **dict.fromkeys(metric.words.also, 0.5),
            }  # fmt: skip
            rows.append({
                "contender": name, "seed": seed, "status": FAILED if failed else DONE,
                "error": "lost" if failed else None, "result": None if failed else result, "versions": None,
            })  # fmt: skip
    return results_of(_Rows(plan, rows))  # type: ignore[arg-type]


def drawn_truth(rng: np.random.Generator) -> Truth:
    """Any of the truths that a study may have."""
    names = list(rng.permutation(NAMES)[: rng.choice([1, 2, 3, 5, 8, 12])])
    n_test = int(rng.choice([18, 28, 60, 360, 1000, 10_000]))
    own = float(rng.choice([0.0, 0.002, 0.01, 0.03]))
    noise = np.sqrt(2 * (own**2 + 0.2 / n_test))
    kinds = rng.choice(["none", "small", "large", "down"], len(names), p=[0.5, 0.2, 0.25, 0.05])
    sizes = {"none": 0.0, "small": 0.8, "large": 3.0}
    gains = {
        str(name): None if kind == "down" else float(rng.choice([-1, 1]) * min(sizes[kind] * noise, 0.25))
        for name, kind in zip(names, kinds, strict=True)
    }
    return Truth(
        seeds=int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 20])),
        n_test=n_test,
        classes=int(rng.choice([2, 3, 10])),
        level=float(rng.uniform(0.62, 0.72)),
        ease=float(rng.choice([0.0, 0.02])),
        own=own,
        gains=gains,
        down=bool(rng.random() < 0.03),
        missing=float(rng.choice([0.0, 0.0, 0.15])),
    )
