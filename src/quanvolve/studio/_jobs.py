"""Jobs in the database: who waits, who runs, how it ended. Servers agree on them by changing rows atomically."""

from __future__ import annotations

import time
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, func, update
from sqlmodel import Session, col, select

from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._tables import FINISHED, QUEUED, RUNNING, STOPPED, Job, Model

LEASE = 10.0
"""Seconds without a sign of life after which a job is given to another server."""
MOST_ATTEMPTS = 5


class Jobs:
    """The jobs.

    Args:
        engine: the database.
        most: how many may wait.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine, self._most = engine, most

    def add(self, job: Job, model: Model | None = None) -> Job:
        """Put a job in the queue, together with the model that it is going to make.

        Raises:
            Refused: if too many wait.
        """
        with Session(self._engine, expire_on_commit=False) as session:
            waiting = session.exec(select(func.count()).select_from(Job).where(Job.state == QUEUED)).one()
            if waiting >= self._most:
                raise Refused(429, "busy", f"{waiting} jobs are waiting already: wait for some, or delete some")
            if model is not None:
                session.add(model)
            session.add(job)
            session.commit()
        return job

    def all(self, kind: str | None = None, model: str | None = None, limit: int = 200) -> list[Job]:
        """The jobs, newest first."""
        query = select(Job).order_by(col(Job.created).desc()).limit(limit)
        if kind is not None:
            query = query.where(Job.kind == kind)
        if model is not None:
            query = query.where(Job.model == model)
        with Session(self._engine) as session:
            return list(session.exec(query))

    def get(self, job: str) -> Job:
        """A job.

        Raises:
            Missing: if there is none.
        """
        with Session(self._engine) as session:
            found = session.get(Job, job)
        if found is None:
            raise Missing("job", job)
        return found

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        with Session(self._engine) as session:
            return dict(session.exec(select(Job.state, func.count()).group_by(Job.state)).all())

    def stop(self, job: str) -> Job:
        """Ask for a job to stop; one that waits is stopped at once."""
        if not self._change([Job.id == job, Job.state == QUEUED], state=STOPPED, finished=time.time()):
            self._change([Job.id == job, Job.state == RUNNING], wanted="stop")
        return self.get(job)

    def resume(self, job: str) -> Job:
        """Put a job that was stopped or has failed back into the queue.

        Raises:
            Refused: if it is neither.
        """
        if not self._change(
            [Job.id == job, col(Job.state).in_((STOPPED, "failed"))],
            state=QUEUED, wanted="", owner=None, error=None, finished=None, attempts=0,
        ):  # fmt: skip
            raise Refused(409, "state", f"job {job!r} is {self.get(job).state}: only stopped and failed ones go on")
        return self.get(job)

    def delete(self, job: str) -> None:
        """Remove a job that is over or waits.

        Raises:
            Refused: if it runs.
        """
        with Session(self._engine) as session:
            found = session.get(Job, job)
            if found is None:
                raise Missing("job", job)
            if found.state == RUNNING:
                raise Refused(409, "state", f"job {job!r} is running: stop it first")
            session.delete(found)
            session.commit()

    def forget(self, model: str) -> None:
        """Remove the jobs of a model.

        Raises:
            Refused: if one runs.
        """
        mine = self.all(model=model)
        if any(job.state == RUNNING for job in mine):
            raise Refused(409, "state", f"a job of model {model!r} is running: stop it first")
        for job in mine:
            self.delete(job.id)

    # -- for servers -------------------------------------------------------------------------------------------------

    def claim(self, owner: str) -> Job | None:
        """Take the oldest job that waits; no two servers get the same."""
        with Session(self._engine) as session:
            waiting = session.exec(select(Job.id).where(Job.state == QUEUED).order_by(col(Job.created)).limit(5)).all()
        now = time.time()
        for job in waiting:
            if self._change(
                [Job.id == job, Job.state == QUEUED],
                state=RUNNING, owner=owner, heartbeat=now, started=now, finished=None, wanted="", error=None,
                attempts=Job.attempts + 1,
            ):  # fmt: skip
                return self.get(job)
        return None

    def beat(self, owner: str) -> None:
        """Give a sign of life for all jobs of a server."""
        self._change([Job.owner == owner, Job.state == RUNNING], heartbeat=time.time())

    def take_over(self) -> int:
        """Put jobs of servers that are gone back into the queue, or give them up after too many attempts."""
        gone = [Job.state == RUNNING, col(Job.heartbeat) < time.time() - LEASE]
        text = f"the process ended {MOST_ATTEMPTS} times together with its server; resume to try again"
        self._change([*gone, Job.attempts >= MOST_ATTEMPTS], state="failed", owner=None, error=text,
                     finished=time.time())  # fmt: skip
        return self._change(gone, state=QUEUED, owner=None)

    def release(self, job: str, owner: str) -> None:
        """Put a job back into the queue, because its server leaves."""
        self._change([Job.id == job, Job.owner == owner, Job.state == RUNNING], state=QUEUED, owner=None)

    def finish(self, job: str, owner: str, state: str, error: str | None = None) -> None:
        """Write down how a job ended."""
        if state not in FINISHED:
            raise ValueError(f"a job does not end as {state!r}")
        self._change([Job.id == job, Job.owner == owner, Job.state == RUNNING], state=state, error=error, owner=None,
                     finished=time.time())  # fmt: skip

    def _change(self, where: list[Any], **values: Any) -> int:
        with self._engine.begin() as connection:
            result = connection.execute(update(Job).where(*where).values(**values))
            return cast("CursorResult[Any]", result).rowcount
