"""The database: the same behaviour with SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from quanvolve._errors import QuanvolveError
from quanvolve.studio import Settings
from quanvolve.studio import _database as database_module
from quanvolve.studio import _jobs as jobs_module
from quanvolve.studio._database import connect
from quanvolve.studio._deletion import delete_job, delete_model
from quanvolve.studio._jobs import MOST_ATTEMPTS, Jobs
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._store import Store
from quanvolve.studio._tables import Job, Model
from quanvolve.studio._tokens import Tokens
from tests.waiting import PATIENCE


@pytest.fixture
def url(database: str | None, tmp_path: Path) -> str:
    return database or f"sqlite:///{tmp_path / 'a b%20c.sqlite'}"


def test_the_migrations_make_the_tables_and_run_once(url: str) -> None:
    for _ in range(2):
        engine = connect(url)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, SQLModel.metadata) == []
            assert context.get_current_revision() == "0002"
            if engine.dialect.name == "sqlite":
                assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        engine.dispose()


def test_servers_that_start_together_make_the_tables_once(url: str) -> None:
    failed: list[BaseException] = []

    def start() -> None:
        try:
            connect(url).dispose()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_new_file_that_somebody_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLite's own timeout does not count for the change to write-ahead mode.
    path = tmp_path / "studio.sqlite"
    holder = sqlite3.connect(path, check_same_thread=False)
    holder.execute("CREATE TABLE other (id)")
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(database_module, "_PATIENCE", 0.2)
    with pytest.raises(QuanvolveError, match=r"cannot be used: database is locked"):
        connect(f"sqlite:///{path}")
    monkeypatch.setattr(database_module, "_PATIENCE", PATIENCE)
    threading.Timer(0.3, holder.commit).start()
    connect(f"sqlite:///{path}").dispose()
    holder.close()


def test_the_database_of_a_later_version_is_refused(url: str) -> None:
    connect(url).dispose()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(QuanvolveError, match=r"the studio's database .* cannot be used: Can't locate revision"):
        connect(url)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(QuanvolveError, match=r"cannot be used") as caught:
        connect("postgresql+psycopg://somebody:secret@127.0.0.1:1/name")
    assert "secret" not in str(caught.value)
    assert "somebody" in str(caught.value)


def test_no_two_servers_get_the_same_job(url: str) -> None:
    engine = connect(url)
    jobs = Jobs(engine, 100)
    ids = {jobs.add(Job(kind="train", model="0" * 12)).id for _ in range(30)}
    taken: list[str] = []

    def work(owner: str) -> None:
        while (job := jobs.claim(owner)) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=work, args=(f"server{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)
    engine.dispose()


def test_the_life_of_a_job(url: str, tmp_path: Path) -> None:
    settings, engine = Settings(tmp_path / "store"), connect(url)
    jobs = Jobs(engine, 2)
    first, second = (jobs.add(Job(kind="train", model=letter * 12, settings={"epochs": 3})) for letter in "ab")
    with pytest.raises(Refused, match="2 jobs are waiting already"):
        jobs.add(Job(kind="train"))
    taken = jobs.claim("me")
    assert taken is not None
    assert (taken.id, taken.state, taken.owner, taken.attempts) == (first.id, "running", "me", 1)
    with pytest.raises(Refused, match="is running: stop it first"):
        delete_job(first.id, settings, engine)
    with pytest.raises(Refused, match="only stopped and failed ones go on"):
        jobs.resume(first.id)
    assert jobs.stop(first.id).wanted == "stop"
    jobs.finish(first.id, "somebody else", "done")
    assert jobs.get(first.id).state == "running"
    jobs.finish(first.id, "me", "failed", "it broke")
    assert (jobs.get(first.id).state, jobs.get(first.id).error, jobs.get(first.id).owner) == (
        "failed",
        "it broke",
        None,
    )
    resumed = jobs.resume(first.id)
    assert (resumed.state, resumed.error, resumed.wanted) == ("queued", None, "")
    assert jobs.stop(second.id).state == "stopped"
    assert jobs.counts() == {"queued": 1, "stopped": 1}
    delete_job(second.id, settings, engine)
    with pytest.raises(Missing, match=f"there is no job '{second.id}' here"):
        jobs.get(second.id)
    assert [job.id for job in jobs.all(kind="train")] == [first.id]
    assert jobs.get(first.id).settings == {"epochs": 3}
    engine.dispose()


def test_jobs_of_a_server_that_is_gone_are_taken_over(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(jobs_module, "time", SimpleNamespace(time=lambda: now))
    engine = connect(url)
    jobs = Jobs(engine, 10)
    job = jobs.add(Job(kind="train"))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        taken = jobs.claim(f"server{attempt}")
        assert taken is not None
        assert taken.attempts == attempt
        jobs.beat(f"server{attempt}")
        assert jobs.take_over() == 0
        now += jobs_module.LEASE
        assert jobs.take_over() == 0
        now += 1
        assert jobs.take_over() == 1
        assert jobs.get(job.id).state == ("queued" if attempt < MOST_ATTEMPTS else "failed")
    assert jobs.get(job.id).state == "failed"
    assert "ended 5 times together with its server" in str(jobs.get(job.id).error)
    engine.dispose()


def test_tokens_are_kept_as_hashes(url: str) -> None:
    engine = connect(url)
    tokens = Tokens(engine)
    assert not tokens.any()
    token = tokens.make()
    assert tokens.any()
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM tokens")).fetchall()
    assert len(rows) == 1
    assert token not in str(rows)
    assert tokens.valid(token)
    assert not tokens.valid(token[:-1])
    assert not tokens.valid("")
    assert not tokens.valid("\ud800")
    tokens.replace_all()
    assert not tokens.valid(token)
    engine.dispose()


def test_models_without_a_row_are_found_again_and_deletions_are_finished(
    url: str, tmp_path: Path, trained: Path
) -> None:
    settings = Settings(tmp_path / "store", database=url)
    engine = connect(url)
    store = Store(settings, engine)
    store.open()
    kept = store.adopt(trained)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM models"))
    # A deletion that was cut short after the folder was renamed, and one after the row was gone.
    doomed = settings.models / ".deleted-0123456789ab"
    doomed.mkdir()
    (doomed / "config.json").write_text("{}")
    (settings.models / "something else").mkdir()
    again = Store(settings, engine)
    again.open()
    again.open()
    assert [(model.id, model.name) for model in again.all()] == [(kept.id, "digits, found again")]
    assert not doomed.exists()
    assert (settings.models / "something else").exists()
    assert again.rename(kept.id, "mine").name == "mine"
    delete_model(kept.id, settings, engine)
    assert again.all() == []
    for wrong in (kept.id, "0" * 12):
        with pytest.raises(Missing):
            again.get(wrong)
    with pytest.raises(Missing):
        again.folder("../../etc")
    engine.dispose()


def test_only_trained_runs_are_adopted(url: str, tmp_path: Path) -> None:
    engine = connect(url)
    store = Store(Settings(tmp_path / "store"), engine)
    store.open()
    with pytest.raises(QuanvolveError, match="is not the folder of a trained model: it has no config"):
        store.adopt(tmp_path)
    assert store.all() == []
    assert Model(name="a", dataset="b").settings == {}
    engine.dispose()
