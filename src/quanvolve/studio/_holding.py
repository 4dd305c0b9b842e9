"""Who has a studio's folder: a lock of the operating system, which ends with the process whatever ends that."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from quanvolve._errors import QuanvolveError
from quanvolve.studio._settings import Settings

try:
    import fcntl
except ModuleNotFoundError:  # a system without such locks
    fcntl = None  # type: ignore[assignment]

FILE = "studio.lock"
_PATIENCE = 5.0  # seconds to wait for somebody who is just taking the lock, or has just been killed
_PAUSE = 0.05


def hold(settings: Settings, *, alone: bool = False) -> Hold:
    """Take a studio's folder, until the hold is closed or the process ends.

    The servers of one database may have its folder together: they agree by the database. Two databases may not, because
    each would take the other's models for leftovers.

    Args:
        settings: of the studio.
        alone: refuse to be the second, unless the database is one for several servers.

    Raises:
        QuanvolveError: if another studio has it, naming that, or it cannot be written.
    """
    try:
        file = (settings.folder / FILE).open("a+b")
        try:
            if fcntl is not None:
                _take(file, settings, alone)
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise QuanvolveError(f"--output {settings.folder} cannot be used: {FILE}: {error.strerror}") from error
    return Hold(file)


class Hold:
    """A folder that is held."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def close(self) -> None:
        """Let it go."""
        self._file.close()


def _take(file: IO[bytes], settings: Settings, alone: bool) -> None:
    until = time.monotonic() + _PATIENCE
    database = _database(settings)
    while True:
        if _locked(file, fcntl.LOCK_EX):
            # The first: tells who it is, and then has the lock as all that come later have it.
            _write(file, settings, database)
            if _locked(file, fcntl.LOCK_SH):
                return
        elif _locked(file, fcntl.LOCK_SH):
            other = _read(file)
            same = other.get("database") == database
            if same and (not alone or not settings.url.startswith("sqlite")):
                return
            fcntl.flock(file, fcntl.LOCK_UN)
            if time.monotonic() > until or _lives(other):
                raise QuanvolveError(_refusal(settings, other, same))
        elif time.monotonic() > until:
            raise QuanvolveError(_refusal(settings, _read(file), True))
        time.sleep(_PAUSE)


def _refusal(settings: Settings, other: dict[str, object], same: bool) -> str:
    who = "another studio"
    if other:
        who = f"the studio of process {other.get('pid')} on {other.get('machine')} at {other.get('address')}"
    if same:
        return (
            f"--output {settings.folder} is in use by {who}: stop that one, or choose another --output (several on "
            "one folder need --database postgresql+psycopg://...)"
        )
    return (
        f"--output {settings.folder} is in use by {who} with the database {other.get('database')}: stop that one, or "
        "give the same --database"
    )


def _locked(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: IO[bytes], settings: Settings, database: str) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    facts = {"pid": os.getpid(), "machine": socket.gethostname(), "address": f"http://{host}:{settings.port}",
             "database": database}  # fmt: skip
    file.truncate(0)
    file.write(json.dumps(facts).encode())
    file.flush()


def _read(file: IO[bytes]) -> dict[str, object]:
    try:
        content = json.loads(Path(file.name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _lives(other: dict[str, object]) -> bool:
    """Whether the process is there; one of another machine cannot be asked."""
    pid = other.get("pid")
    if not isinstance(pid, int) or other.get("machine") != socket.gethostname():
        return True
    return Path(f"/proc/{pid}").exists() or not Path("/proc").exists()


def _database(settings: Settings) -> str:
    return make_url(settings.url).render_as_string(hide_password=True)
