"""Agreement first, then times: a short run of every contender in each round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve.bench._contenders import CONV, OURS, Contender, scripts
from quanvolve.bench._environments import python_of
from quanvolve.bench._worker import Worker, WorkerError
from quanvolve.bench._workloads import Workload, write_problem

TOLERANCE = 1e-5
"""Values, losses and gradients may differ from ours by so much."""


@dataclass
class Outcome:
    """What came out for one contender on one workload.

    Args:
        workload, contender: which.
        versions: of the libraries that took part.
        rates: units each second, one for each round.
        difference: largest one from our values (or loss and gradient).
        reason: why there are no rates.
    """

    workload: Workload
    contender: Contender
    versions: str = ""
    rates: list[float] = field(default_factory=list)
    difference: float | None = None
    reason: str = ""

    @property
    def rate(self) -> float | None:
        """The median of the rounds."""
        return statistics.median(self.rates) if self.rates else None


def run_workload(
    workload: Workload,
    contenders: Sequence[Contender],
    folder: Path,
    environments: Path,
    rounds: int,
    least: float,
    report: Callable[[str], None],
) -> list[Outcome]:
    """Check that all contenders agree, then time them side by side.

    Args:
        workload: what to run.
        contenders: this package among them.
        folder: for the numbers of the workload.
        environments: where the peers' virtual environments are.
        rounds: of timing.
        least: seconds that a timed run lasts at least.
        report: told what happens, in a line.
    """
    write_problem(workload, folder)
    outcomes = [Outcome(workload, contender) for contender in contenders]
    workers: dict[str, Worker] = {}
    ours: dict[str, Any] = {}
    try:
        for outcome in outcomes:
            try:
                workers[outcome.contender.name] = _prepare(outcome, folder, environments, ours)
                report(f"{workload.name}: {outcome.contender.title} is ready")
            except WorkerError as error:
                outcome.reason = str(error)
                report(f"{workload.name}: {outcome.contender.title}: {error}")
        for number in range(rounds):
            for outcome in outcomes:
                worker = workers.get(outcome.contender.name)
                if worker is None or outcome.reason:
                    continue
                try:
                    outcome.rates.append(worker.ask(do="time", least=least)["rate"])
                except WorkerError as error:
                    outcome.reason, outcome.rates = str(error), []
            report(f"{workload.name}: round {number + 1} of {rounds}")
    finally:
        for worker in workers.values():
            worker.close()
    return outcomes


def _prepare(outcome: Outcome, folder: Path, environments: Path, ours: dict[str, Any]) -> Worker:
    contender, workload = outcome.contender, outcome.workload
    if workload.training and not contender.training:
        raise WorkerError("does not train")
    python = python_of(contender, environments)
    if python is None:
        raise WorkerError("not installed (--install-peers installs it)")
    worker = Worker(python, scripts() / f"{contender.script}.py")
    try:
        outcome.versions = worker.ask(do="versions")["versions"]
        kind = "step" if workload.training else "forward"
        answer = worker.ask(do=kind, problem=str(folder.resolve()), check=1)
        if contender.name == OURS:
            ours.update(answer)
        elif contender.name != CONV:
            outcome.difference = _difference(answer, ours)
            if not outcome.difference <= TOLERANCE:
                raise WorkerError(f"disagrees by {outcome.difference:.1e}")
    except WorkerError:
        worker.close()
        raise
    return worker


def _difference(answer: dict[str, Any], ours: dict[str, Any]) -> float:
    """The largest difference between two answers, over what both have."""
    found = 0.0
    for name, value in answer.items():
        mine, theirs = np.asarray(ours[name], float).reshape(-1), np.asarray(value, float).reshape(-1)
        count = min(len(mine), len(theirs))
        if not count or (len(mine) != len(theirs) and name != "values"):
            return float("inf")
        found = max(found, float(np.abs(mine[:count] - theirs[:count]).max()))
    return found
