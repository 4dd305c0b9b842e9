"""The part of a server that runs jobs: takes them from the queue, watches their processes, notes how they ended."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quanvolve._files import write_whole
from quanvolve.data import WITHIN
from quanvolve.studio._commands import command_of
from quanvolve.studio._jobs import Jobs
from quanvolve.studio._problems import Missing
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import DONE, FAILED, STOPPED, Job, new_id

POLL = 0.25
_PATIENCE = 15.0  # seconds from a request to stop until the process is killed
_BEAT = 2.0
_LOG_BYTES = 200_000
_logger = logging.getLogger("quanvolve.studio")


@dataclass
class _Work:
    job: Job
    owner: str  # of this claim of the job
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    asked: float | None = None


class Runner:
    """Runs jobs until it is closed.

    Args:
        settings: how many at a time, and where.
        jobs: the queue.
        clear: told of a job that was deleted, once nothing works on it any more.
    """

    def __init__(self, settings: Settings, jobs: Jobs, clear: Callable[[Job], None]) -> None:
        self._settings, self._jobs, self._clear = settings, jobs, clear
        self._running: list[_Work] = []
        self._closing = threading.Event()
        self._beaten = 0.0
        self._thread = threading.Thread(target=self._run, name="quanvolve-jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Interrupt what runs; it goes on when a server starts again."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._step()
            except Exception:  # the database may be away or full for a while: go on when it is back
                _logger.exception("the queue of jobs cannot be worked on")
                self._closing.wait(2.0)
            self._closing.wait(POLL)
        self._leave()

    def _step(self) -> None:
        for work in list(self._running):
            try:
                self._look_at(work)
            except Exception:  # others go on
                _logger.exception("job %s cannot be looked at", work.job.id)
        if time.monotonic() - self._beaten > _BEAT:
            self._beaten = time.monotonic()
            # Those that run here and no others: a claim whose answer was lost on its way is taken over by somebody.
            self._jobs.beat(*(work.owner for work in self._running))
            self._jobs.take_over()
        while len(self._running) < self._settings.workers:
            owner = new_id()
            job = self._jobs.claim(owner)
            if job is None:
                break
            try:
                self._begin(job, owner)
            except Exception as error:
                _logger.exception("job %s cannot be started", job.id)
                reason = getattr(error, "strerror", None) or str(error)
                self._jobs.finish(job.id, owner, FAILED, f"its process cannot be started: {reason}")

    def _begin(self, job: Job, owner: str) -> None:
        try:
            log = (self._settings.logs / f"{job.id}.log").open("ab")
        except OSError as error:
            self._jobs.finish(job.id, owner, FAILED, f"the folder of logs cannot be written: {error.strerror}")
            return
        try:
            log.truncate(0)
            self._running.append(_Work(job, owner, self._process(job, log), log))
        except BaseException:
            log.close()
            raise

    def _process(self, job: Job, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-P",
            str(Path(__file__).with_name("_leash.py")),
            "quanvolve",
            *command_of(job, self._settings),
        ]
        cores = os.cpu_count() or 1
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": str(max(1, cores - 1)),
                       WITHIN: str(self._settings.data.resolve())}  # fmt: skip
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env=environment,
        )  # fmt: skip

    def _look_at(self, work: _Work) -> None:
        code = work.process.poll()
        if code is None:
            row = self._row(work)
            if row is None or row.owner != work.owner:
                # The database was away for so long that another server has taken the job over, or somebody has
                # deleted it then.
                work.process.kill()
                work.process.wait()
                self._lost(work, row)
            elif work.asked is None and row.wanted == "stop":
                work.asked = time.monotonic()
                work.process.send_signal(signal.SIGINT)
            elif work.asked is not None and time.monotonic() - work.asked > _PATIENCE:
                work.process.kill()
            return
        # First the database: if it cannot be written now, the next round tries again.
        if work.asked is not None and code != 0:
            noted = self._jobs.finish(work.job.id, work.owner, STOPPED)
        elif code == 0:
            noted = self._jobs.finish(work.job.id, work.owner, DONE)
        else:
            noted = self._jobs.finish(work.job.id, work.owner, FAILED, self._reason(work.job.id, code))
        if noted:
            self._forget(work)
        else:
            self._lost(work, self._row(work))

    def _row(self, work: _Work) -> Job | None:
        try:
            return self._jobs.get(work.job.id)
        except Missing:
            return None

    def _lost(self, work: _Work, row: Job | None) -> None:
        """Let go of a job that is not this server's any more."""
        what = "was deleted" if row is None else "belongs to another server now"
        _logger.warning("job %s %s: its process here has ended", work.job.id, what)
        self._forget(work)
        if row is None:
            self._clear(work.job)

    def _reason(self, job: str, code: int) -> str:
        lines = [line for line in log_lines(self._settings, job) if line.strip()]
        said = [line for line in lines if "error:" in line]
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"the process was killed ({name}), by the system or by somebody; resume to go on from the last epoch"
        if said:
            return re.sub(r"^quanvolve: (internal )?error: ", "", said[-1])[:2000]
        return f"the process ended with code {code}" + (f": {lines[-1]}" if lines else "")[:2000]

    def _forget(self, work: _Work) -> None:
        self._running.remove(work)
        with contextlib.suppress(OSError):
            if work.process.stdin is not None:
                work.process.stdin.close()
        work.log.close()
        path = self._settings.logs / f"{work.job.id}.log"
        with contextlib.suppress(OSError):
            if path.stat().st_size > _LOG_BYTES:
                write_whole(path, path.read_bytes()[-_LOG_BYTES:])

    def _leave(self) -> None:
        for work in self._running:
            work.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _PATIENCE
        for work in list(self._running):
            try:
                code = work.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                work.process.kill()
                code = work.process.wait()
            with contextlib.suppress(Exception):
                if code == 0:
                    self._jobs.finish(work.job.id, work.owner, DONE)
                else:
                    self._jobs.release(work.job.id, work.owner)
            self._forget(work)


def log_lines(settings: Settings, job: str) -> list[str]:
    """What a job has printed, as far as it is kept."""
    path = settings.logs / f"{job}.log"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
