"""How far a job is: read from the files that its process writes, so that any server can tell, also after a restart."""

from __future__ import annotations

from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.runs import epochs_of
from quanvolve.studio._commands import COMPARE, TRAIN, folder_of
from quanvolve.studio._runner import log_lines
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Job
from quanvolve.study import Table


def progress_of(job: Job, settings: Settings) -> dict[str, Any]:
    """A job's progress.

    Returns:
        `done` and `total`, of epochs or trials, where known; `message`, its last words.
    """
    progress: dict[str, Any] = {"done": None, "total": None, "message": _message(job, settings)}
    if job.kind == TRAIN:
        progress |= {"done": len(epochs_of(folder_of(job, settings))), "total": job.settings.get("epochs")}
    elif job.kind == COMPARE:
        counts = _trials(job, settings)
        if counts:
            progress |= {"done": counts["done"] + counts["failed"], "total": sum(counts.values())}
    return progress


def rows_of(job: Job, settings: Settings) -> list[dict[str, Any]]:
    """The finished epochs of a training."""
    return epochs_of(folder_of(job, settings)) if job.kind == TRAIN else []


def _trials(job: Job, settings: Settings) -> dict[str, int]:
    try:
        return Table(folder_of(job, settings)).counts()
    except (QuanvolveError, OSError):
        return {}


def _message(job: Job, settings: Settings) -> str:
    lines = [line for line in log_lines(settings, job.id) if line.strip()]
    return lines[-1][:300] if lines else ""
