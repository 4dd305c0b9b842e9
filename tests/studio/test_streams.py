"""Clients that follow jobs: so many at a time and no more, and each gives its place back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.sse import ServerSentEvent

from quanvolve.studio import Limits
from quanvolve.studio._tables import Job
from quanvolve.studio.routes import _jobs
from tests.studio.conftest import Make


def test_a_place_is_taken_while_a_job_is_followed_and_given_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = make(model=False, limits=Limits(streams=1))
    job = client.studio.jobs.add(Job(kind="compare", state="done"))
    path, seen = f"/api/v1/jobs/{job.id}/events", []

    async def events(studio: Any, job: str, known: int) -> AsyncIterator[ServerSentEvent]:
        seen.append(studio.streams)
        second = await asyncio.to_thread(client.get, path)
        seen.append((second.status_code, second.json()["detail"]))
        yield ServerSentEvent(event="job", data={"id": job, "known": known})

    monkeypatch.setattr(_jobs, "_events", events)
    assert f'"id":"{job.id}"' in client.get(path, headers={"last-event-id": "7"}).text.replace(" ", "")
    assert seen == [1, (503, "1 clients follow jobs already: ask for the job now and then instead")]
    assert client.studio.streams == 0
    assert client.get("/api/v1/jobs/000000000000/events").status_code == 404
    assert client.studio.streams == 0
    monkeypatch.undo()
    assert '"state":"done"' in client.get(path).text.replace(" ", "")
    assert client.studio.streams == 0
