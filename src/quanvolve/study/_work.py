"""Working on a study: one process, several, or a cluster, all on the same table."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._plan import Plan
from quanvolve.study._table import DONE, FAILED, Table, Trial, this_worker
from quanvolve.study._trial import run_trial, versions

_SIGN_OF_LIFE = 5.0
Progress = Callable[[dict[str, int], str], None]


def attempt(plan: Plan, trial: Trial) -> tuple[dict[str, Any] | None, str]:
    """A trial's result, or None and why there is none."""
    try:
        return run_trial(plan, plan.contender(trial.contender), trial.seed, trial.earlier), ""
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return None, f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


def work(table: Table, *, progress: Progress | None = None) -> None:
    """Do trials until none is left. A trial that fails is written down, and the next one begins.

    Args:
        table: of the study.
        progress: told how many trials have each status, and which one begins.
    """
    worker = this_worker()
    try:
        while (trial := table.claim(worker)) is not None:
            if progress is not None:
                progress(table.counts(), f"{trial.contender}, {table.plan.unit.word} {trial.seed}")
            with signs_of_life(functools.partial(table.alive, trial, worker)):
                result, error = attempt(table.plan, trial)
            table.finish(
                trial, worker, result, error, config=table.plan.contender(trial.contender).params, versions=versions()
            )
    except KeyboardInterrupt:
        table.release(worker)
        raise
    if progress is not None:
        progress(table.counts(), "")


@contextlib.contextmanager
def signs_of_life(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function every few seconds meanwhile, in a thread of its own."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(_SIGN_OF_LIFE):
            with contextlib.suppress(Exception):
                tell()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def work_in_processes(table: Table, workers: int, *, progress: Progress | None = None) -> None:
    """Do trials in several processes of this machine, each on its share of the cores.

    Args:
        table: of the study.
        workers: how many.
        progress: as in :func:`work`.

    Raises:
        QuanvolveError: if all of them end before the work does.
    """
    if workers < 1:
        raise QuanvolveError(f"`workers` (={workers}) must be at least 1")
    if workers == 1:
        work(table, progress=progress)
        return
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    environment = {**os.environ, **{f"{name}_NUM_THREADS": threads for name in ("OMP", "MKL", "NUMBA")}}
    command = [sys.executable, "-m", "quanvolve.study._process", str(table.folder), "--leash"]
    processes: list[subprocess.Popen[str]] = []
    try:
        for _ in range(workers):
            # In sessions of their own: Ctrl-C is for this process, which then ends the others.
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            processes.append(process)
        while any(process.poll() is None for process in processes):
            if progress is not None:
                progress(table.counts(), f"{workers} processes")
            time.sleep(0.5)
    except BaseException:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            process.wait()
        raise
    finally:
        said = [(process.communicate()[1] or "").strip().splitlines() for process in processes]
    counts = table.counts()
    if progress is not None:
        progress(counts, "")
    if counts[DONE] + counts[FAILED] < sum(counts.values()):
        last = next((lines[-1] for lines in said if lines), "without a word")
        raise QuanvolveError(
            f"the worker processes ended before the study did ({last}): continue it with `resume=True`, and with "
            "fewer `workers` if memory ran out",
            arguments=("resume", "workers"),
        )
