"""The table of a study: every trial a row of an SQLite file, which several processes may work on and none can lose."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._file_names import STUDY_TABLE
from quanvolve._files import creating, sweep
from quanvolve._untrusted import MOST_BYTES, parse_json
from quanvolve.study._checks import MOST_CELL, MOST_TRIALS, check_result, check_trial, checked_row
from quanvolve.study._extend import Wanted
from quanvolve.study._plan import Plan

STALE = 60.0
"""Seconds after the last sign of life of a worker on another machine until its trial is given to another."""
PENDING, RUNNING, DONE, FAILED = "pending", "running", "done", "failed"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY, contender TEXT NOT NULL, seed INTEGER NOT NULL, status TEXT NOT NULL, worker TEXT,
    alive REAL, started REAL, finished REAL, attempts INTEGER NOT NULL DEFAULT 0, config TEXT, result TEXT, error TEXT,
    versions TEXT, UNIQUE (contender, seed)
);
"""

_COLUMNS = "id, contender, seed, status, worker, alive, started, finished, attempts, config, result, error, versions"
_TEXTS = ("contender", "worker", "config", "result", "error", "versions")
_SIZE = f"SELECT COUNT(*), {' + '.join(f'TOTAL(LENGTH({name}))' for name in _TEXTS)} FROM trials"
_ACTIVE = {"view", "trigger"}  # they run whatever their author wrote


@dataclass(frozen=True)
class Trial:
    """A training that is to be done.

    Args:
        id: of its row.
        contender: name.
        seed: of everything that is drawn.
        earlier: its result before learning rates were added.
    """

    id: int
    contender: str
    seed: int
    earlier: dict[str, Any] | None = None


def this_worker() -> str:
    """A name for this process that no other one has: host, process and its start."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When a process began, in the kernel's own count, which tells it from later ones of its number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return "?"


def _dead(worker: str) -> bool:
    """Whether a worker of this machine is gone; of another one that is not known."""
    host, pid, started = worker.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if started == "?":
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
    return _started(int(pid)) != started


def _fill(path: Path, plan: str, trials: list[tuple[str, int]]) -> None:
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO study VALUES ('plan', ?)", (plan,))
            connection.executemany("INSERT INTO trials (contender, seed, status) VALUES (?, ?, 'pending')", trials)
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _sign_of_life(worker: Any, alive: Any, now: float) -> bool:
    """Whether somebody may still be working on a trial; nobody whose name or time is none."""
    if not isinstance(worker, str) or not isinstance(alive, int | float) or not now - alive <= STALE:
        return False
    try:
        return not _dead(worker)
    except (ValueError, OverflowError):
        return False


class Table:
    """The rows of a study.

    Args:
        folder: with the file.

    Raises:
        ModelError: if there is none, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / STUDY_TABLE
        if not self.path.is_file():
            what = f"has no {STUDY_TABLE}" if folder.is_dir() else "does not exist"
            raise ModelError(f"{folder} is not the folder of a study: it {what}")
        sweep(self.path)
        with self._open() as connection:
            objects = {tuple(row) for row in connection.execute("SELECT type, name FROM sqlite_master").fetchall()}
            if not {("table", "study"), ("table", "trials")} <= objects or {kind for kind, _ in objects} & _ACTIVE:
                raise ModelError(f"{self.path} is damaged: it has not the tables of a study")
            self.plan = self._read_plan(connection)

    def _read_plan(self, connection: sqlite3.Connection) -> Plan:
        row = connection.execute("SELECT value FROM study WHERE name = 'plan'").fetchone()
        if row is None or not isinstance(row[0], str):
            raise ModelError(f"{self.path} is damaged: it has no plan")
        return Plan.from_json(row[0])

    @classmethod
    def create(cls, folder: Path, plan: Plan) -> Table:
        """Write a new study.

        Raises:
            QuanvolveError: if the folder has one already.
        """
        text = plan.to_json()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / STUDY_TABLE
        taken = f"{folder} already holds a study: continue it with `resume=True`, or give another folder"
        if path.exists():
            raise QuanvolveError(taken, arguments=("resume",))
        try:
            with creating(path) as part:
                _fill(part, text, plan.trials())
        except FileExistsError:
            raise QuanvolveError(taken, arguments=("resume",)) from None
        return cls(folder)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction, committed at the end; also across `fork` and threads."""
        try:
            connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        except sqlite3.Error as error:
            raise ModelError(f"{self.path} cannot be opened: {error}") from None
        try:
            connection.row_factory = sqlite3.Row
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise ModelError(f"{self.path} cannot be used: {error}") from None
        except ValueError as error:
            if isinstance(error, QuanvolveError):
                raise
            raise ModelError(f"{self.path} is damaged: {error}") from None
        finally:
            connection.close()

    def claim(self, worker: str) -> Trial | None:
        """The next trial that nobody works on, now this worker's; None if there is none left."""
        now = time.time()
        with self._open() as connection:
            # Another process may have extended it.
            self.plan = self._read_plan(connection)
            self._free(connection)
            row = connection.execute(
                "UPDATE trials SET status = 'running', worker = ?, alive = ?, started = ?, attempts = attempts + 1 "
                "WHERE id = (SELECT id FROM trials WHERE status = 'pending' ORDER BY id LIMIT 1) "
                "RETURNING id, contender, seed, result",
                (worker, now, now),
            ).fetchone()
            if row is None:
                return None
            check_trial(row, self.plan)
            earlier = None if row["result"] is None else parse_json(row["result"])
            if earlier is not None:
                check_result(earlier, f"trial {row['id']}", self.plan.metric)
        return Trial(row["id"], row["contender"], row["seed"], earlier)

    def _free(self, connection: sqlite3.Connection) -> None:
        """Let others have what workers left that are gone."""
        now = time.time()
        for row in connection.execute("SELECT id, worker, alive FROM trials WHERE status = 'running'").fetchall():
            if not _sign_of_life(row["worker"], row["alive"], now):
                connection.execute("UPDATE trials SET status = 'pending' WHERE id = ?", (row["id"],))

    def extend(self, wanted: Wanted) -> None:
        """Add seeds, controls and learning rates, at once or not at all; what is done stays, and only the rest runs.

        With more learning rates every trial runs again, with the new ones alone.

        Args:
            wanted: what is given.

        Raises:
            QuanvolveError: if something else is wanted, or learning rates while trials are running.
        """
        with self._open() as connection:
            plan = self._read_plan(connection)
            self._free(connection)
            counts = dict(connection.execute("SELECT status, COUNT(*) FROM trials GROUP BY status").fetchall())
            changed = wanted.extends(plan, finished=not counts.get(PENDING) and not counts.get(RUNNING))
            if changed != plan:
                connection.execute("UPDATE study SET value = ? WHERE name = 'plan'", (changed.to_json(),))
                connection.executemany(
                    "INSERT OR IGNORE INTO trials (contender, seed, status) VALUES (?, ?, 'pending')", changed.trials()
                )
            if changed.protocol.lrs != plan.protocol.lrs:
                if counts.get(RUNNING):
                    raise QuanvolveError(
                        f"`lrs` cannot be added to the study in {self.folder} while {counts[RUNNING]} of its trials "
                        "are running: wait for them, or stop them"
                    )
                connection.execute("UPDATE trials SET status = 'pending' WHERE status = 'done'")
        self.plan = changed

    def alive(self, trial: Trial, worker: str) -> None:
        """A sign of life."""
        with self._open() as connection:
            connection.execute(
                "UPDATE trials SET alive = ? WHERE id = ? AND worker = ? AND status = 'running'",
                (time.time(), trial.id, worker),
            )

    def finish(
        self, trial: Trial, worker: str, result: dict[str, Any] | None, error: str = "", *, config: Any = None,
        versions: dict[str, str] | None = None,
    ) -> bool:  # fmt: skip
        """Write down what came out, once: whether this worker still was the trial's.

        Args:
            trial: which.
            worker: whose claim it is.
            result: numbers; None if it failed.
            error: why it failed.
            config: the arguments of the training.
            versions: of the packages.
        """
        status = FAILED if result is None else DONE
        with self._open() as connection:
            changed = connection.execute(
                # A failure with learning rates that were added leaves the result that there was.
                "UPDATE trials SET status = ?, finished = ?, result = COALESCE(?, result), error = ?, config = ?, "
                "versions = ? "
                "WHERE id = ? AND worker = ? AND status = 'running'",
                (
                    status, time.time(), None if result is None else json.dumps(result, allow_nan=False), error or None,
                    json.dumps(config), json.dumps(versions), trial.id, worker,
                ),
            ).rowcount  # fmt: skip
        return bool(changed)

    def release(self, worker: str) -> None:
        """Give back what a worker has not finished."""
        with self._open() as connection:
            connection.execute(
                "UPDATE trials SET status = 'pending' WHERE worker = ? AND status = 'running'", (worker,)
            )

    def retry_failed(self) -> int:
        """Let failed trials run again; how many there are."""
        with self._open() as connection:
            return connection.execute("UPDATE trials SET status = 'pending' WHERE status = 'failed'").rowcount

    def rows(self) -> list[dict[str, Any]]:
        """All trials, with their results as dictionaries.

        Raises:
            ModelError: if one is not as it was written.
        """
        with self._open() as connection:
            number, size = connection.execute(_SIZE).fetchone()
            if number > MOST_TRIALS or size > MOST_BYTES:
                raise ValueError(f"it has {number:,} trials of {size:,.0f} bytes")
            rows = connection.execute(f"SELECT {_COLUMNS} FROM trials ORDER BY id").fetchall()
            return [checked_row(row, self.plan) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many trials have each status."""
        with self._open() as connection:
            by_status = dict(connection.execute("SELECT status, COUNT(*) FROM trials GROUP BY status").fetchall())
        return {status: by_status.get(status, 0) for status in (PENDING, RUNNING, DONE, FAILED)}
