"""Agreement first, then times: a short run of every contender in each round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve.bench._contenders import Contender, script_of
from quanvolve.bench._environments import python_of
from quanvolve.bench._reference import reference_step, reference_values
from quanvolve.bench._worker import Worker, WorkerError
from quanvolve.bench._workloads import Problem, Workload, make_problem

TOLERANCE = 1e-5
"""Values, losses and gradients may differ by so much from a state vector in double precision."""
_CHANCE = 0.3
NOT_INSTALLED = "not installed"
_PATIENCE = 900.0  # seconds for a contender to get ready, or for a run
_PAUSE = 0.1  # seconds after a run, in which threads that wait for more work go to sleep


@dataclass
class Outcome:
    """What came out for one contender on one workload.

    Args:
        workload: which.
        contender: which.
        versions: of the libraries that took part.
        how: the way and the batch that were fastest.
        rates: units a second, one for each round.
        difference: the largest one from the reference; None where there is nothing to compare.
        reason: why there are no rates.
    """

    workload: Workload
    contender: Contender
    versions: str = ""
    how: str = ""
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
    *,
    rounds: int,
    least: float,
    tell: Callable[[str], None],
    failed: dict[str, str] | None = None,
) -> list[Outcome]:
    """Check that the contenders compute the same, then time them side by side.

    Args:
        workload: what to run.
        contenders: those for whom it is not are left out.
        folder: for the numbers of the workload; made if it is not there.
        environments: where the peers' virtual environments are.
        rounds: runs of each contender.
        least: seconds that a run lasts at least.
        tell: told what happens, in a line.
        failed: by name, why a contender is not installed, where more is known than that.

    Returns:
        An outcome for each contender, also for those that cannot run or do not agree.
    """
    problem = make_problem(workload)
    problem.write(folder)
    outcomes = [Outcome(workload, contender) for contender in contenders if contender.takes(workload)]
    tell(f"{workload.name}: computing the reference")
    reference = _Reference(problem)
    with ExitStack() as stack:
        running: list[tuple[Outcome, Worker]] = []
        for outcome in outcomes:
            tell(f"{workload.name}: {outcome.contender.name} gets ready")
            python = python_of(outcome.contender, environments)
            if python is None:
                outcome.reason = (failed or {}).get(outcome.contender.name, NOT_INSTALLED)
                continue
            try:
                worker = stack.enter_context(Worker(python, script_of(outcome.contender)))
                _prepare(outcome, worker, folder, reference)
            except WorkerError as error:
                outcome.reason = str(error)
            else:
                running.append((outcome, worker))
        for number in range(rounds):
            # Each round begins with another one, so that nobody always follows the same neighbour.
            first = number % max(len(running), 1)
            for outcome, worker in running[first:] + running[:first]:
                if not outcome.reason:
                    tell(f"{workload.name}: round {number + 1} of {rounds}, {outcome.contender.name}")
                    _time(outcome, worker, least)
    return outcomes


def _prepare(outcome: Outcome, worker: Worker, folder: Path, reference: _Reference) -> None:
    outcome.versions = worker.ask(_PATIENCE, do="versions")["versions"]
    answer = worker.ask(_PATIENCE, do="prepare", problem=str(folder.resolve()))
    outcome.how = answer["how"]
    outcome.difference = reference.difference(answer)
    # Not `>`, which is false for a difference that is not a number.
    if outcome.difference is not None and not outcome.difference <= TOLERANCE:
        raise WorkerError(f"disagrees: off by {outcome.difference:.1e}, more than {TOLERANCE:g}")


def _time(outcome: Outcome, worker: Worker, least: float) -> None:
    try:
        outcome.rates.append(float(worker.ask(_PATIENCE, do="time", least=least)["rate"]))
    except WorkerError as error:
        outcome.reason, outcome.rates = str(error), []
    time.sleep(_PAUSE)


class _Reference:
    """What the contenders' answers must be."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._step = reference_step(problem) if problem.workload.training else None
        self._windows = None if problem.workload.training else problem.windows()

    def difference(self, answer: dict[str, Any]) -> float | None:
        """The largest difference of an answer's numbers, or None if it has none."""
        if self._step is not None and "losses" in answer:
            return max(_apart(answer["losses"], self._step.losses), _apart(answer["gradient"], self._step.gradient))
        if self._windows is not None and "values" in answer:
            expected = reference_values(self._problem, self._windows[answer["windows"]])
            shots = self._problem.workload.shots
            return _apart(answer["values"], expected) if not shots else _scatter(answer["values"], expected, shots)
        return None


def _scatter(actual: Any, expected: Any, shots: int) -> float:
    """How far the scatter of drawn values is from that of shots, in excess of chance: 0 where it is as it should be.

    The mean square of (value - expected) in units of its variance (1 - expected^2) / shots is 1 up to some percent.
    """
    left, right = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if left.shape != right.shape:
        return float("inf")
    ratio = float(np.mean((left - right) ** 2) / np.mean((1 - right**2) / shots))
    return max(0.0, abs(ratio - 1) - _CHANCE)


def _apart(actual: Any, expected: Any) -> float:
    left, right = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return float(np.abs(left - right).max()) if left.shape == right.shape else float("inf")
