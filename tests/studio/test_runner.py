"""The runner, step by step: jobs that are deleted, taken over or cannot be started do not hold up the others."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from quanvolve.studio import Settings
from quanvolve.studio import _jobs as jobs_module
from quanvolve.studio._database import connect
from quanvolve.studio._deletion import clear_after
from quanvolve.studio._jobs import MOST_ATTEMPTS, Jobs
from quanvolve.studio._runner import Runner
from quanvolve.studio._store import Store
from quanvolve.studio._tables import Job

WAITS = "import os, sys; sys.stdin.read()"


class Bench:
    """A queue and a runner that is told when to look."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings, self.engine = settings, connect(settings.url)
        Store(settings, self.engine).open()
        self.jobs = Jobs(self.engine, 10)
        self.runner = Runner(settings, self.jobs, lambda job: clear_after(job, settings, self.engine))
        self.program = WAITS
        monkeypatch.setattr(self.runner, "_process", self._process)

    def _process(self, job: Job, log: Any) -> subprocess.Popen[bytes]:
        if self.program == "fails":
            raise OSError(11, "Resource temporarily unavailable")
        return subprocess.Popen([sys.executable, "-c", self.program], stdin=subprocess.PIPE, stdout=log, stderr=log)

    def add(self, kind: str = "compare") -> str:
        return self.jobs.add(Job(kind=kind, settings={"dataset": "digits"})).id

    def step(self) -> list[str]:
        self.runner._step()
        return [work.job.id for work in self.runner._running]

    def forget_row(self, job: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": job})


@pytest.fixture
def bench(database: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(Settings(tmp_path / "store", database=database or f"sqlite:///{tmp_path / 'a.sqlite'}"), monkeypatch)
    yield made
    for work in list(made.runner._running):
        work.process.kill()
        work.process.wait()
        made.runner._forget(work)
    made.engine.dispose()


def test_a_row_that_is_gone_ends_the_process_and_frees_its_place(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = bench.add(), bench.add()
    assert bench.step() == [first]
    process = bench.runner._running[0].process
    folder = bench.settings.studies / first
    folder.mkdir()
    (folder / "study.sqlite").write_text("half")
    bench.forget_row(first)
    with caplog.at_level(logging.WARNING, "quanvolve.studio"):
        assert bench.step() == [second]  # in the same step
    assert process.returncode == -9
    assert f"job {first} was deleted: its process here has ended" in caplog.text
    assert not folder.exists()
    assert [path.name for path in bench.settings.logs.iterdir()] == [f"{second}.log"]


def test_a_process_that_ends_after_its_row_is_gone_frees_its_place(bench: Bench) -> None:
    first, second = bench.add(), bench.add()
    bench.step()
    (bench.settings.studies / first).mkdir()
    bench.runner._running[0].process.communicate()
    bench.forget_row(first)
    assert bench.step() == [second]
    assert list(bench.settings.studies.iterdir()) == []
    assert [job.id for job in bench.jobs.all()] == [second]


def test_a_job_that_another_server_has_is_let_go(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    first = bench.add()
    bench.step()
    process = bench.runner._running[0].process
    # Put back, and claimed by this very server again: still another claim than that of the process.
    assert bench.jobs.release(first, bench.runner._running[0].owner)
    again = bench.jobs.claim("another")
    assert again is not None
    (bench.settings.studies / first).mkdir()
    with caplog.at_level(logging.WARNING, "quanvolve.studio"):
        assert bench.step() == []
    assert process.returncode == -9
    assert f"job {first} belongs to another server now" in caplog.text
    assert (bench.settings.studies / first).exists()
    assert (bench.jobs.get(first).state, bench.jobs.get(first).owner) == ("running", "another")


def test_one_that_cannot_be_looked_at_does_not_hold_up_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    object.__setattr__(bench.settings, "workers", 2)
    first = bench.add()
    bench.step()
    second = bench.add()
    look_at = bench.runner._look_at

    def looks(work: Any) -> None:
        if work.job.id == first:
            raise ValueError("something unforeseen")
        look_at(work)

    monkeypatch.setattr(bench.runner, "_look_at", looks)
    assert bench.step() == [first, second]
    assert f"job {first} cannot be looked at" in caplog.text


def test_a_process_that_cannot_be_started_is_a_failed_job(bench: Bench) -> None:
    first, second = bench.add(), bench.add()
    bench.program = "fails"
    assert bench.step() == []
    for job in (first, second):
        row = bench.jobs.get(job)
        assert (row.state, row.owner) == ("failed", None)
        assert row.error == "its process cannot be started: Resource temporarily unavailable"
    bench.program = WAITS
    bench.jobs.resume(second)
    assert bench.step() == [second]


def test_a_claim_whose_answer_was_lost_is_taken_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(bench.settings, "workers", 0)
    job = bench.add()
    for attempt in range(1, MOST_ATTEMPTS):
        claimed = bench.jobs.claim(f"lost{attempt}")  # in the database, and in no runner
        assert claimed is not None
        bench.runner._beaten = 0.0
        with monkeypatch.context() as patch:
            patch.setattr(jobs_module, "LEASE", -1.0)
            assert bench.step() == []
        assert bench.jobs.get(job).state == "queued"


def test_signals_without_a_name_are_told_by_number(bench: Bench) -> None:
    assert "the process was killed (signal 40)" in bench.runner._reason("0" * 12, -40)
    assert "the process was killed (SIGKILL)" in bench.runner._reason("0" * 12, -9)
