"""Trials as tasks of Dask: on a scheduler that is running, or on one that Slurm starts workers for."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._plan import Plan
from quanvolve.study._table import Table, Trial, this_worker
from quanvolve.study._trial import versions
from quanvolve.study._work import Progress, attempt, signs_of_life

RETRIES = 5
_AHEAD = 2
"""Tasks for each worker that are handed out at a time; the rest stays in the table, for others to take."""


def run_task(plan: str, trial: tuple[int, str, int, dict[str, Any] | None]) -> tuple[dict[str, Any] | None, str]:
    """A trial on a worker, from plain data; a worker that dies in it makes Dask give it to another one."""
    return attempt(Plan.from_json(plan), Trial(*trial))


def work_on_cluster(table: Table, scheduler: str, *, progress: Progress | None = None) -> None:
    """Do trials on the workers of a Dask scheduler until none is left.

    Only this process writes to the table, so each trial ends in it once, however often Dask had to start it.

    Args:
        table: of the study.
        scheduler: an address such as "tcp://127.0.0.1:8786"; or "slurm", followed by options of
            `dask_jobqueue.SLURMCluster` such as "slurm:queue=short,cores=4,memory=8GB,jobs=10".
        progress: told how many trials have each status, and how many workers there are.

    Raises:
        QuanvolveError: if Dask is not installed, or the scheduler does not answer.
    """
    worker = this_worker()
    try:
        with _client(scheduler) as client:
            running: dict[str, Trial] = {}

            def tell() -> None:
                for trial in list(running.values()):
                    table.alive(trial, worker)

            with signs_of_life(tell):
                _hand_out(table, client, worker, running, progress)
    except KeyboardInterrupt:
        table.release(worker)
        raise


def _hand_out(table: Table, client: Any, worker: str, running: dict[str, Trial], progress: Progress | None) -> None:
    import distributed

    arriving: Any = distributed.as_completed()  # type: ignore[no-untyped-call]

    def submit() -> bool:
        trial = table.claim(worker)
        if trial is None:
            return False
        future = client.submit(
            run_task, table.plan.to_json(), (trial.id, trial.contender, trial.seed, trial.earlier),
            key=f"trial-{worker}-{trial.id}", retries=RETRIES, pure=False,
        )  # fmt: skip
        running[future.key] = trial
        arriving.add(future)
        return True

    def fill() -> None:
        room = _AHEAD * max(1, sum(client.nthreads().values()))
        while len(running) < room and submit():
            pass

    fill()
    while running:
        future = next(arriving)
        trial = running.pop(future.key)
        try:
            result, error = future.result()
        except Exception as failure:  # such as workers that were killed more often than there are retries
            result, error = None, f"{type(failure).__name__}: {failure}"
        config = table.plan.contender(trial.contender).params
        table.finish(trial, worker, result, error, config=config, versions=versions())
        if progress is not None:
            progress(table.counts(), f"{len(client.nthreads())} workers")
        fill()


@contextlib.contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        raise QuanvolveError(
            f"`scheduler` (={scheduler!r}) needs Dask: install it with pip install 'quanvolve[cluster]'"
        ) from error
    name, _, options = scheduler.partition(":")
    if name == "slurm":
        with _slurm(options) as cluster, distributed.Client(cluster) as slurm_client:  # type: ignore[no-untyped-call]
            yield slurm_client
        return
    try:
        client: Any = distributed.Client(scheduler, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise QuanvolveError(
            f"`scheduler` (={scheduler!r}) does not answer ({type(error).__name__}: {error}): give 'local', 'slurm' or "
            "the address of a Dask scheduler that is running, such as tcp://127.0.0.1:8786"
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def _slurm(options: str) -> Iterator[Any]:
    try:
        import dask_jobqueue
    except ImportError as error:
        raise QuanvolveError("`scheduler='slurm'` needs dask-jobqueue: pip install 'quanvolve[cluster]'") from error
    chosen = slurm_options(options)
    jobs = chosen.pop("jobs", 1)
    with dask_jobqueue.SLURMCluster(**chosen) as cluster:  # type: ignore[attr-defined]
        cluster.scale(jobs=jobs)
        yield cluster


def slurm_options(text: str) -> dict[str, Any]:
    """Options after "slurm:", as numbers where they are numbers.

    Raises:
        QuanvolveError: if one has no value.

    Examples:
        >>> slurm_options("queue=short,cores=4,memory=8GB")
        {'cores': 4, 'memory': '8GB', 'queue': 'short'}
    """
    options: dict[str, Any] = {"cores": 1, "memory": "4GB"}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise QuanvolveError(f"`scheduler` has the option {part!r}, expected name=value, as in slurm:queue=short")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options
