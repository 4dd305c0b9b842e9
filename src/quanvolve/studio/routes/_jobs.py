"""Jobs: training, comparisons, explanations and exports, and how far they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from quanvolve._file_names import STUDY_REPORT
from quanvolve.runs import begun
from quanvolve.studio import _deletion
from quanvolve.studio._commands import folder_of
from quanvolve.studio._forms import CompareRequest, Id, JobOut, JobRequest, ModelJob, Progress, TrainRequest
from quanvolve.studio._own import is_own
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._progress import progress_of, rows_of
from quanvolve.studio._reports import framed
from quanvolve.studio._requests import check, data_options, facts_of_named, facts_of_understood, job_of
from quanvolve.studio._runner import log_lines
from quanvolve.studio._samples import sampled
from quanvolve.studio._studio import Studio, Use
from quanvolve.studio._tables import FINISHED, Job

router = APIRouter(prefix="/api/v1/jobs", tags=["Jobs"])
Kind = Literal["train", "compare", "explain", "onnx"]
_POLL, _PING, _LONGEST = 0.3, 15.0, 3600.0


_EXAMPLE = {"kind": "train", "dataset": "digits", "circuit": "basic_entangler", "epochs": 3}


@router.post("", operation_id="create_job", status_code=201, **sampled(body=_EXAMPLE))
async def create_job(studio: Use, request: Annotated[JobRequest, Body()]) -> JobOut:
    """Start a training, a comparison with controls, an explanation or an export to ONNX."""
    own = None
    if not isinstance(request, ModelJob):
        if is_own(request.dataset):
            facts = facts_of_understood(await studio.looks.look(request.dataset, data_options(request)))
            own = facts.name
        else:
            facts = await run_in_threadpool(facts_of_named, request, studio.settings)
        # Its circuit is built here, and circuits are built one at a time: many requests must not fill the threads
        # that answer everything else.
        await studio.computed(check, request, facts)
    return await run_in_threadpool(_created, studio, request, own)


def _created(studio: Studio, request: TrainRequest | CompareRequest | ModelJob, own: str | None) -> JobOut:
    if not isinstance(request, ModelJob):
        return _out(studio, studio.jobs.add(*job_of(request, own)))
    folder = studio.store.ready(request.model)
    if request.kind == "explain" and not begun(folder):
        raise Refused(409, "data", "this model does not say which data it was trained on: it cannot be explained")
    return _out(studio, studio.jobs.add_once(request.kind, request.model))


@router.get("", operation_id="jobs")
def jobs(studio: Use, kind: Kind | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> list[JobOut]:
    """Jobs, newest first."""
    return [_out(studio, job) for job in studio.jobs.all(kind=kind, limit=limit)]


@router.get("/{job}", operation_id="job")
def job(studio: Use, job: Id) -> JobOut:
    """One job."""
    return _out(studio, studio.jobs.get(job))


@router.post("/{job}/stop", operation_id="stop_job")
def stop_job(studio: Use, job: Id) -> JobOut:
    """Ask a job to stop. Finished epochs and trials are kept."""
    return _out(studio, studio.jobs.stop(job))


@router.post("/{job}/resume", operation_id="resume_job")
def resume_job(studio: Use, job: Id) -> JobOut:
    """Go on with a job that was stopped or has failed, after its last finished epoch or trial."""
    return _out(studio, studio.jobs.resume(job))


@router.delete("/{job}", operation_id="delete_job", status_code=204)
def delete_job(studio: Use, job: Id) -> None:
    """Delete a job that does not run: a comparison with its results, a training with its model if it is not trained."""
    _deletion.delete_job(job, studio.settings, studio.engine)


@router.get("/{job}/log", operation_id="job_log", response_class=PlainTextResponse)
def job_log(studio: Use, job: Id) -> PlainTextResponse:
    """What a job has printed."""
    studio.jobs.get(job)
    return PlainTextResponse("".join(f"{line}\n" for line in log_lines(studio.settings, job)))


@router.get("/{job}/report", operation_id="report", response_class=Response, **sampled(saved=STUDY_REPORT),
            responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}})  # fmt: skip
def report(studio: Use, job: Id) -> Response:
    """The verdict of a comparison that is done."""
    row = studio.jobs.get(job)
    if row.kind != "compare":
        raise Missing("report of comparison", job)
    return framed(folder_of(row, studio.settings) / STUDY_REPORT, "report of comparison", job)


async def _followed(studio: Use, job: Id) -> AsyncIterator[Job]:
    """The job to follow; refusals come before the stream begins, and a place is taken until it ends."""
    if studio.streams >= studio.settings.limits.streams:
        raise Refused(
            503, "busy", f"{studio.streams} clients follow jobs already: ask for the job now and then instead"
        )
    studio.streams += 1
    studio.meters.streams.set(studio.streams)
    try:
        yield await run_in_threadpool(studio.jobs.get, job)
    finally:
        studio.streams -= 1
        studio.meters.streams.set(studio.streams)


@router.get("/{job}/events", operation_id="job_events", response_class=EventSourceResponse)
async def job_events(
    studio: Use, followed: Annotated[Job, Depends(_followed)], last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: an event `epoch` for each finished epoch, whose id is its number, and `job` whenever it changes.

    The stream ends with the job. A client that comes back is told what it has missed.
    """
    known = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 9 else 0
    async for event in _events(studio, followed.id, known):
        yield event


async def _events(studio: Studio, job: str, known: int) -> AsyncIterator[ServerSentEvent]:
    said: dict[str, Any] = {}
    until, quiet = time.monotonic() + _LONGEST, time.monotonic()
    while time.monotonic() < until and not studio.closing:
        try:
            state, rows = await run_in_threadpool(_state, studio, job)
        except Missing:
            return
        for row in rows[known:]:
            known += 1
            yield ServerSentEvent(event="epoch", id=str(known), data=row)
        if state != said:
            said, quiet = state, time.monotonic()
            yield ServerSentEvent(event="job", data=state)
        if state["state"] in FINISHED:
            return
        if time.monotonic() - quiet > _PING:
            quiet = time.monotonic()
            yield ServerSentEvent(comment="still here")
        await asyncio.sleep(_POLL)


def _state(studio: Studio, job: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    # The state first: epochs that are finished later than it is read come with the next turn.
    row = studio.jobs.get(job)
    return _out(studio, row).model_dump(), rows_of(row, studio.settings)


def _out(studio: Studio, job: Job) -> JobOut:
    facts = job.model_dump(exclude={"wanted", "owner", "heartbeat"})
    return JobOut(**facts, progress=Progress(**progress_of(job, studio.settings)))
