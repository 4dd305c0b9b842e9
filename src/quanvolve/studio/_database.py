"""The connection to the database, and bringing it to the form this version needs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from quanvolve._errors import QuanvolveError

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 8_642_001  # of PostgreSQL, held while tables are changed
_TURN = 8_642_002  # of PostgreSQL, held by a transaction that decides by what it has read
_PATIENCE = 30.0  # seconds that a connection to SQLite waits for another one's lock


def connect(url: str) -> Engine:
    """An engine for SQLite, in write-ahead mode, or PostgreSQL; tables are made or changed where needed.

    Args:
        url: of SQLAlchemy.

    Raises:
        QuanvolveError: if the database cannot be reached, or was made by a later version.
    """
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        options = {"connect_args": {"timeout": _PATIENCE}}
    engine = create_engine(url, pool_pre_ping=True, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _in_wal_mode)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    except (SQLAlchemyError, CommandError) as error:
        engine.dispose()
        where = engine.url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise QuanvolveError(f"the studio's database {where} cannot be used: {reason}") from error
    return engine


@contextmanager
def taking_turns(engine: Engine) -> Iterator[Session]:
    """A transaction that decides by what it reads: no other of these, of any server, comes in between.

    What one statement can do (`UPDATE ... WHERE`) needs none. With SQLite nobody else writes before the end; with
    PostgreSQL single statements of others go on, so rows that they could change are changed here before they are
    looked at, which makes the others wait for them.

    Args:
        engine: the database.

    Returns:
        A session, which is committed when the block ends well.
    """
    with Session(engine, expire_on_commit=False) as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield session
        session.commit()


def _in_wal_mode(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # The change of a new file's mode needs the file alone, and SQLite does not wait for that by itself.
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Servers that start together change the tables one after the other.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
