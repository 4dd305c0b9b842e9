"""Two of the studio's operations at the same time, in every order of their statements, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from quanvolve.studio import Settings
from quanvolve.studio import _jobs as jobs_module
from quanvolve.studio._database import connect
from quanvolve.studio._deletion import delete_job, delete_model
from quanvolve.studio._jobs import Jobs
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._store import Store
from quanvolve.studio._tables import QUEUED, RUNNING, Job, Model
from quanvolve.studio._tokens import Tokens

MODEL, JOB, STUDY = "a" * 12, "b" * 12, "c" * 12
BLOCKED = 0.05  # seconds after which the other operation is taken to wait for this one's end; either way is tested


class World:
    """A studio with one model, a job about it and a comparison, put back before each turn."""

    def __init__(self, folder: Path, url: str) -> None:
        self.settings = Settings(folder / "store", database=url)
        self.engine: Engine = connect(url)
        self.store, self.jobs = Store(self.settings, self.engine), Jobs(self.engine, 3)
        self.run = folder / "run"
        self.run.mkdir()
        (self.run / "config.json").write_text("{}")
        self.store.open()

    def reset(self, state: str) -> None:
        with self.engine.begin() as connection:
            for table in ("jobs", "models", "tokens"):
                connection.execute(text(f"DELETE FROM {table}"))
        for folder in [*self.settings.models.iterdir(), *self.settings.studies.iterdir()]:
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        for folder in (self.settings.models / MODEL, self.settings.studies / STUDY):
            folder.mkdir()
            (folder / "config.json").write_text("{}")
        owner = "server" if state == RUNNING else None
        with Session(self.engine) as session:
            session.add(Model(id=MODEL, name="first", dataset="digits"))
            session.add(Job(id=JOB, kind="explain", model=MODEL, state=state, owner=owner, heartbeat=1e12, created=1))
            session.add(Job(id=STUDY, kind="compare", state=state, owner=owner, heartbeat=1e12, created=2))
            session.commit()

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        with self.engine.connect() as connection:
            return {row["id"]: dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()}


OPERATIONS: dict[str, Callable[[World], Any]] = {
    "claim": lambda world: world.jobs.claim("claimer"),
    "stop": lambda world: world.jobs.stop(JOB),
    "resume": lambda world: world.jobs.resume(JOB),
    "finish": lambda world: world.jobs.finish(JOB, "server", "done"),
    "release": lambda world: world.jobs.release(JOB, "server"),
    "add_once": lambda world: world.jobs.add_once("explain", MODEL),
    "rename": lambda world: world.store.rename(MODEL, "second"),
    "delete_job": lambda world: delete_job(JOB, world.settings, world.engine),
    "delete_study": lambda world: delete_job(STUDY, world.settings, world.engine),
    "delete_model": lambda world: delete_model(MODEL, world.settings, world.engine),
    "adopt": lambda world: world.store.adopt(world.run),
    "open": lambda world: world.store.open(),
}


@pytest.fixture
def world(database: str | None, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, database or f"sqlite:///{tmp_path / 'studio.sqlite'}")
    yield made
    made.engine.dispose()


def both(world: World, first: Callable[[], Any], second: Callable[[], Any], place: int) -> tuple[Any, Any, bool]:
    """Run the second before that statement, or commit, of the first; also tells whether there was such a one."""
    found: dict[str, Any] = {}
    main, count = threading.get_ident(), 0
    other = threading.Thread(target=lambda: found.update(second=_outcome(second)))

    def before(*_: Any) -> None:
        nonlocal count
        if threading.get_ident() == main:
            if count == place:
                other.start()
                other.join(BLOCKED)
            count += 1

    for moment in ("before_cursor_execute", "commit"):
        event.listen(world.engine, moment, before)
    try:
        found["first"] = _outcome(first)
    finally:
        for moment in ("before_cursor_execute", "commit"):
            event.remove(world.engine, moment, before)
        if other.ident is not None:
            other.join()
    return found["first"], found.get("second"), "second" in found


def _outcome(operation: Callable[[], Any]) -> Any:
    """What an operation returns; the only errors are those that are answers."""
    try:
        return operation()
    except Refused as error:
        return error


@pytest.mark.parametrize("first", ["claim", "add_once", "rename", "delete_job", "delete_study", "delete_model",
                                   "adopt", "open", "stop"])  # fmt: skip
def test_two_operations_leave_nothing_half_done(world: World, first: str) -> None:
    turns = 0
    for second, operation in OPERATIONS.items():
        for state in (QUEUED, RUNNING):
            for place in range(10):
                world.reset(state)
                done = both(world, lambda: OPERATIONS[first](world), lambda do=operation: do(world), place)  # type: ignore[misc]
                if not done[2]:
                    break
                turns += 1
                check(world, {f"first {first}": done[0], f"second {second}": done[1]}, (first, second, state, place))
    assert turns > 24


def check(world: World, outcomes: dict[str, Any], case: Any) -> None:
    models, jobs = world.rows("models"), world.rows("jobs")
    folders = {folder.name for folder in world.settings.models.iterdir()}
    assert folders == set(models), case  # nothing half deleted, half adopted, found again or left behind
    assert {folder.name for folder in world.settings.studies.iterdir()} == {STUDY} & set(jobs), case
    assert {job["model"] for job in jobs.values()} <= {*models, None}, case
    assert len([job for job in jobs.values() if job["kind"] == "explain" and job["state"] in (QUEUED, RUNNING)]) <= 1
    assert all(name != "first, found again" for name in models), case
    names = {outcome.split()[1] for outcome in outcomes}
    for name, outcome in outcomes.items():
        operation = name.split()[1]
        if operation == "claim" and outcome is not None:
            # What was given to a server is there and runs, as long as nobody else may change it.
            job = jobs[outcome.id]
            assert (job["state"], job["owner"]) == (RUNNING, "claimer"), case
            assert job["model"] in {*models, None}, case
        if operation == "delete_model":
            gone = outcome is None
            assert gone == (MODEL not in models) or names == {"delete_model"}, case
            assert gone or isinstance(outcome, Missing) or JOB in jobs, case
        if operation == "stop" and JOB in jobs and not names & {"resume", "finish", "release"}:
            job = jobs[JOB]
            assert job["state"] == "stopped" or (job["state"], job["wanted"]) == (RUNNING, "stop"), case
        if operation == "stop" and names >= {"release"} and JOB in jobs:
            assert jobs[JOB]["state"] in ("stopped", QUEUED) or jobs[JOB]["wanted"] == "stop", case


@pytest.mark.parametrize("name", ["add", "add_first", "make_first", "replace_all"])
def test_what_may_happen_once_happens_once(world: World, name: str) -> None:
    tokens = Tokens(world.engine)

    def add() -> Any:
        return world.jobs.add(Job(kind="train"))

    def add_first() -> Any:
        model = Model(name="First digits", dataset="digits")
        return world.jobs.add_first(Job(kind="train", model=model.id), model)

    work = {"add": add, "add_first": add_first, "make_first": tokens.make_first, "replace_all": tokens.replace_all}
    for place in range(10):
        world.reset(QUEUED)  # two of the three places in the queue
        if name == "add_first":
            delete_model(MODEL, world.settings, world.engine)
            delete_job(STUDY, world.settings, world.engine)
        first, second, interrupted = both(world, work[name], work[name], place)
        if not interrupted:
            break
        if name == "add":
            assert sorted(isinstance(one, Refused) for one in (first, second)) == [False, True]
            assert len(world.rows("jobs")) == 3
        elif name == "add_first":
            assert sorted((first, second)) == [False, True]
            assert len(world.rows("models")) == len(world.rows("jobs")) == 1
        else:
            made = [one for one in (first, second) if one is not None]
            assert len(made) == (1 if name == "make_first" else 2)
            assert [tokens.valid(one) for one in made].count(True) == 1
            assert len(world.rows("tokens")) == 1
    assert place > 1


def test_a_stop_is_kept_when_its_server_leaves_or_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for leave in (lambda: world.jobs.release(JOB, "server"), world.jobs.take_over):
        world.reset(RUNNING)
        assert world.jobs.stop(JOB).wanted == "stop"
        monkeypatch.setattr(jobs_module, "LEASE", -1e13)  # so that every sign of life is too old
        leave()
        stopped = world.jobs.get(JOB)
        assert (stopped.state, stopped.owner, stopped.finished is not None) == ("stopped", None, True)


def test_a_job_that_was_taken_over_is_not_finished_by_the_first_owner(world: World) -> None:
    world.reset(QUEUED)
    assert world.jobs.claim("one") is not None
    assert world.jobs.release(JOB, "one")
    assert world.jobs.claim("two") is not None
    assert not world.jobs.finish(JOB, "one", "done")
    assert not world.jobs.release(JOB, "one")
    assert world.jobs.finish(JOB, "two", "done")


def test_a_deletion_that_cannot_be_written_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any) -> None:
        raise OSError(28, "No space left on device")

    for delete in (lambda: delete_model(MODEL, world.settings, world.engine),
                   lambda: delete_job(STUDY, world.settings, world.engine),
                   lambda: world.store.adopt(world.run)):  # fmt: skip
        world.reset(QUEUED)
        before = world.rows("models"), world.rows("jobs")
        with monkeypatch.context() as patch:
            patch.setattr(Session, "commit", fails)
            with pytest.raises(OSError, match="No space left"):
                delete()
        assert (world.rows("models"), world.rows("jobs")) == before
        assert [folder.name for folder in world.settings.models.iterdir()] == [MODEL]
        assert [folder.name for folder in world.settings.studies.iterdir()] == [STUDY]


def test_deleting_a_model_takes_its_jobs_and_their_logs(world: World) -> None:
    world.reset("done")
    for job in (JOB, STUDY):
        (world.settings.logs / f"{job}.log").write_text("said")
    delete_model(MODEL, world.settings, world.engine)
    assert list(world.rows("jobs")) == [STUDY]
    assert [path.name for path in world.settings.logs.iterdir()] == [f"{STUDY}.log"]
    with pytest.raises(Missing, match=f"there is no model '{MODEL}' here"):
        delete_model(MODEL, world.settings, world.engine)
    delete_job(STUDY, world.settings, world.engine)
    assert list(world.settings.logs.iterdir()) == list(world.settings.studies.iterdir()) == []


def test_nothing_of_a_model_goes_while_one_of_its_jobs_runs(world: World) -> None:
    world.reset(RUNNING)
    before = world.rows("jobs")
    with pytest.raises(Refused, match=f"a job of model '{MODEL}' is running: stop it first"):
        delete_model(MODEL, world.settings, world.engine)
    assert world.rows("jobs") == before
    assert (world.settings.models / MODEL / "config.json").is_file()
