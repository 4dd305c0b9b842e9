"""Taking away models and jobs: rows and folders together, or neither."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from quanvolve.runs import trained
from quanvolve.studio._commands import COMPARE, TRAIN, folder_of
from quanvolve.studio._database import taking_turns
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import FINISHED, RUNNING, Job, Model, Upload, new_id

DOOMED = ".deleted-"
"""How the names of folders begin whose files are about to go: a start of the studio removes what is left of them."""


def delete_model(model: str, settings: Settings, engine: Engine) -> None:
    """Delete a model with its files and jobs.

    Raises:
        Missing: if there is none.
        Refused: if one of its jobs runs; then nothing is changed.
    """
    with taking_turns(engine) as session, removing() as remove:
        # Jobs first: one that is being claimed is waited for, and one that is deleted here can be claimed no more.
        gone = session.scalars(
            delete(Job).where(col(Job.model) == model, col(Job.state) != RUNNING).returning(col(Job.id))
        ).all()
        if session.exec(select(Job.id).where(Job.model == model).limit(1)).first() is not None:
            raise Refused(409, "state", f"a job of model {model!r} is running: stop it first")
        if not _delete_row(session, model):
            raise Missing("model", model)
        remove(settings.models / model)
        session.commit()
    for job in gone:
        _remove_log(job, settings)


def delete_job(job: str, settings: Settings, engine: Engine) -> None:
    """Delete a job that does not run: a comparison with its results, a training with its model if it is not trained.

    Raises:
        Missing: if there is none.
        Refused: if it runs.
    """
    with taking_turns(engine) as session, removing() as remove:
        statement = delete(Job).where(col(Job.id) == job, col(Job.state) != RUNNING)
        row = session.execute(statement.returning(col(Job.kind), col(Job.model))).one_or_none()
        if row is None:
            if session.get(Job, job) is None:
                raise Missing("job", job)
            raise Refused(409, "state", f"job {job!r} is running: stop it first")
        kind, model = row
        if kind == COMPARE:
            remove(settings.studies / job)
        elif kind == TRAIN and model is not None and not trained(settings.models / model):
            _delete_row(session, model)
            remove(settings.models / model)
        session.commit()
    _remove_log(job, settings)


def delete_data(data: str, settings: Settings, engine: Engine) -> None:
    """Delete an uploaded data set with its files; models that were trained on it stay.

    Raises:
        Missing: if there is none.
        Refused: if a job that needs it waits or runs.
    """
    with taking_turns(engine) as session, removing() as remove:
        # Jobs are put into the queue in turn with this.
        jobs = session.exec(select(Job).where(col(Job.state).not_in(FINISHED))).all()
        if any(job.settings.get("dataset") == data for job in jobs):
            raise Refused(409, "state", f"a job works on data set {data!r}, or waits to: stop it first")
        if not session.scalars(delete(Upload).where(col(Upload.id) == data).returning(col(Upload.id))).all():
            raise Missing("uploaded data set", data)
        remove(settings.data / data)
        session.commit()


def clear_after(job: Job, settings: Settings, engine: Engine) -> None:
    """Remove what the process of a deleted job has still written."""
    with taking_turns(engine) as session, removing() as remove:
        if session.get(Job, job.id) is not None:
            return
        if job.kind == COMPARE or (job.model is not None and session.get(Model, job.model) is None):
            remove(folder_of(job, settings))
    _remove_log(job.id, settings)


@contextlib.contextmanager
def removing() -> Iterator[Callable[[Path], None]]:
    """Folders are gone at once for everybody who looks for them; they come back if the block fails.

    Returns:
        A function that takes a folder away, if there is one. Its files follow when the block has ended well.
    """
    moved: list[tuple[Path, Path]] = []

    def remove(folder: Path) -> None:
        doomed = folder.with_name(f"{DOOMED}{folder.name}-{new_id()}")
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
            moved.append((folder, doomed))

    try:
        yield remove
    except BaseException:
        for folder, doomed in moved:
            with contextlib.suppress(OSError):
                doomed.rename(folder)
        raise
    for _, doomed in moved:
        shutil.rmtree(doomed, ignore_errors=True)


def _delete_row(session: Session, model: str) -> bool:
    return bool(session.scalars(delete(Model).where(col(Model.id) == model).returning(col(Model.id))).all())


def _remove_log(job: str, settings: Settings) -> None:
    with contextlib.suppress(OSError):
        (settings.logs / f"{job}.log").unlink()
