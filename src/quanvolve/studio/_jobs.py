"""Jobs in the database: who waits, who runs, how it ended.

Servers agree on them by statements that change a row only if it is as they think (`UPDATE ... WHERE`); what has to read
first takes turns.
"""

from __future__ import annotations

import time
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, case, func, update
from sqlmodel import Session, col, select

from quanvolve.studio._database import taking_turns
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._tables import FAILED, FINISHED, OWN, QUEUED, RUNNING, STOPPED, Job, Model, Upload

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
            Missing: if it is to work on an uploaded data set that has been deleted meanwhile.
            Refused: if too many wait.
        """
        with taking_turns(self._engine) as session:
            self._check_room(session)
            if OWN in job.settings and session.get(Upload, job.settings["dataset"]) is None:
                raise Missing("uploaded data set", job.settings["dataset"])
            if model is not None:
                session.add(model)
            session.add(job)
        return job

    def add_once(self, kind: str, model: str) -> Job:
        """Put a job for a model that there is into the queue; if one of that kind waits or runs, it is that one.

        Raises:
            Missing: if there is no such model.
            Refused: if too many jobs wait.
        """
        with taking_turns(self._engine) as session:
            if session.get(Model, model) is None:
                raise Missing("model", model)
            mine = select(Job).where(Job.kind == kind, Job.model == model, col(Job.state).not_in(FINISHED))
            job = session.exec(mine.limit(1)).first()
            if job is None:
                self._check_room(session)
                job = Job(kind=kind, model=model)
                session.add(job)
        return job

    def add_first(self, job: Job, model: Model) -> bool:
        """Put a job and its model into a studio in which there is nothing; tells whether that was so."""
        with taking_turns(self._engine) as session:
            empty = session.exec(select(Model.id).limit(1)).first() is None
            empty = empty and session.exec(select(Job.id).limit(1)).first() is None
            if empty:
                session.add_all([model, job])
        return empty

    def _check_room(self, session: Session) -> None:
        waiting = session.exec(select(func.count()).select_from(Job).where(Job.state == QUEUED)).one()
        if waiting >= self._most:
            raise Refused(429, "busy", f"{waiting} jobs are waiting already: wait for some, or delete some")

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
            row = session.get(Job, job)
        if row is None:
            raise Missing("job", job)
        return row

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        with Session(self._engine) as session:
            return dict(session.exec(select(Job.state, func.count()).group_by(Job.state)).all())

    def stop(self, job: str) -> Job:
        """Ask for a job to stop; one that waits is stopped at once."""
        waits = col(Job.state) == QUEUED
        self._change(
            [Job.id == job, col(Job.state).in_((QUEUED, RUNNING))],
            state=case((waits, STOPPED), else_=Job.state), wanted=case((waits, ""), else_="stop"),
            finished=case((waits, time.time()), else_=Job.finished),
        )  # fmt: skip
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

    # -- for servers -------------------------------------------------------------------------------------------------

    def claim(self, owner: str) -> Job | None:
        """Take the oldest job that waits; no two servers get the same.

        Args:
            owner: who has it from then on; a name for each claim tells later whether it is still this one.
        """
        with Session(self._engine) as session:
            waiting = session.exec(select(Job.id).where(Job.state == QUEUED).order_by(col(Job.created)).limit(5)).all()
        now = time.time()
        values = {"state": RUNNING, "owner": owner, "heartbeat": now, "started": now, "finished": None, "wanted": "",
                  "error": None, "attempts": Job.attempts + 1}  # fmt: skip
        for job in waiting:
            take = update(Job).where(col(Job.id) == job, col(Job.state) == QUEUED).values(values).returning(Job)
            with Session(self._engine, expire_on_commit=False) as session:
                taken = session.scalars(take).one_or_none()
                session.commit()
            if taken is not None:
                return taken
        return None

    def beat(self, *owners: str) -> None:
        """Give a sign of life for the jobs of these owners."""
        if owners:
            self._change([col(Job.owner).in_(owners), Job.state == RUNNING], heartbeat=time.time())

    def take_over(self) -> int:
        """Jobs whose servers are gone wait again, are stopped if that was wanted, or fail after too many attempts.

        Returns:
            How many there were.
        """
        now = time.time()
        text = f"the process ended {MOST_ATTEMPTS} times together with its server; resume to try again"
        stopped, worn = col(Job.wanted) == "stop", col(Job.attempts) >= MOST_ATTEMPTS
        return self._change(
            [Job.state == RUNNING, col(Job.heartbeat) < now - LEASE],
            state=case((stopped, STOPPED), (worn, FAILED), else_=QUEUED), owner=None,
            error=case((stopped, Job.error), (worn, text), else_=Job.error),
            finished=case((stopped | worn, now), else_=None),
        )  # fmt: skip

    def release(self, job: str, owner: str) -> bool:
        """Put a job back into the queue, because its server leaves; if it was to stop, it has stopped."""
        stopped = col(Job.wanted) == "stop"
        return bool(self._change(
            [Job.id == job, Job.owner == owner, Job.state == RUNNING], owner=None,
            state=case((stopped, STOPPED), else_=QUEUED), finished=case((stopped, time.time()), else_=None),
        ))  # fmt: skip

    def finish(self, job: str, owner: str, state: str, error: str | None = None) -> bool:
        """Write down how a job ended.

        Returns:
            Whether it was still the owner's.
        """
        if state not in FINISHED:
            raise ValueError(f"a job does not end as {state!r}")
        return bool(self._change([Job.id == job, Job.owner == owner, Job.state == RUNNING], state=state, error=error,
                                 owner=None, finished=time.time()))  # fmt: skip

    def _change(self, where: list[Any], **values: Any) -> int:
        with self._engine.begin() as connection:
            result = connection.execute(update(Job).where(*where).values(**values))
            return cast("CursorResult[Any]", result).rowcount
