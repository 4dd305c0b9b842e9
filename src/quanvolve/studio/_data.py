"""Data of people's own: a row in the database, and a folder on disk with their files."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from quanvolve.data import list_datasets, list_ucr
from quanvolve.studio._database import taking_turns
from quanvolve.studio._deletion import DOOMED
from quanvolve.studio._filling import Filling
from quanvolve.studio._own import FILES, ID, data_path, is_own
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._receiving import receive
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Upload, new_id

_PART = ".part-"
_STALE = 86400.0  # seconds after which nobody sends any more


class DataSets:
    """The uploaded data sets.

    Args:
        settings: where they are, and their limits.
        engine: the database.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._reading = 0  # requests
        self._arriving: dict[str, Filling] = {}

    def open(self) -> None:
        """Finish deletions that were cut short, and take in folders that the database does not know.

        Raises:
            OSError: if the folder cannot be made.
        """
        place = self._settings.data
        place.mkdir(parents=True, exist_ok=True)
        with taking_turns(self._engine) as session:
            doomed = list(place.glob(f"{DOOMED}*"))
            doomed += [part for part in place.glob(f"{_PART}*") if part.stat().st_mtime < time.time() - _STALE]
            known = set(session.exec(select(Upload.id)).all())
            for folder in sorted(place.iterdir()):
                if re.match(ID, folder.name) and folder.name not in known:
                    files, size = _measured(folder / FILES)
                    name = f"{data_path(folder).name}, found again"[:80]
                    session.add(Upload(id=folder.name, name=name, files=files, bytes=size))
        for folder in doomed:
            shutil.rmtree(folder, ignore_errors=True)

    def folder(self, data: str) -> Path:
        """Where a data set of that id would be.

        Raises:
            Missing: if it is no id.
        """
        if not is_own(data):
            raise Missing("uploaded data set", data)
        return self._settings.data / data

    def all(self) -> list[Upload]:
        """The data sets, newest first."""
        with Session(self._engine) as session:
            return list(session.exec(select(Upload).order_by(col(Upload.created).desc())))

    def get(self, data: str) -> Upload:
        """A data set's row.

        Raises:
            Missing: if there is none.
        """
        with Session(self._engine) as session:
            row = session.get(Upload, data)
        if row is None:
            raise Missing("uploaded data set", data)
        return row

    def ready(self, data: str) -> Upload:
        """The row of a data set whose files are all there.

        Raises:
            Missing: if there is none.
            Refused: if files are still to come, or there are none.
        """
        row = self.get(data)
        if row.awaited or not row.files:
            raise Refused(
                409, "data", f"{row.name!r} is not complete: {row.files:,} files are there, {row.awaited:,} are still "
                "to come; send them, or delete it and begin anew",
            )  # fmt: skip
        return row

    def add(self, name: str, awaited: int) -> Upload:
        """Begin a data set.

        Args:
            name: of it.
            awaited: how many files are going to be sent; 0 if that is not known.

        Raises:
            Refused: if there are too many, or a data set that everybody has is called so.
        """
        check_name(name)
        most = self._settings.limits.data_sets
        with taking_turns(self._engine) as session:
            if session.exec(select(func.count()).select_from(Upload)).one() >= most:
                raise Refused(413, "large", f"there are {most} data sets already, as many as may be: delete some first")
            row = Upload(name=name, awaited=awaited)
            session.add(row)
            (self.folder(row.id) / FILES).mkdir(parents=True)
        return row

    def rename(self, data: str, name: str) -> Upload:
        """Give a data set another name.

        Raises:
            Missing: if there is none.
            Refused: if a data set that everybody has is called so.
        """
        check_name(name)
        return self._changed(data, name=name)

    def seen(self, data: str, asked: dict[str, Any]) -> None:
        """Note how a data set is read.

        Raises:
            Missing: if there is none.
        """
        self._changed(data, asked=asked)

    def _changed(self, data: str, **values: Any) -> Upload:
        with Session(self._engine, expire_on_commit=False) as session:
            changed = update(Upload).where(col(Upload.id) == data).values(**values).returning(Upload)
            row = session.scalars(changed).one_or_none()
            session.commit()
        if row is None:
            raise Missing("uploaded data set", data)
        return row

    async def take(self, data: str, stream: AsyncIterator[bytes], content_type: str) -> Upload:
        """Add files to a data set: all that a request brings, or none of them.

        Args:
            data: its id.
            stream: the body of the request.
            content_type: of it.

        Raises:
            Missing: if there is no such data set.
            Refused: if the files are not taken; nothing is changed then.
        """
        limits = self._settings.limits
        if self._reading >= limits.uploads:
            raise Refused(503, "busy", f"{self._reading} requests with data are being read: try again later", 5)
        self._reading += 1
        part = self._settings.data / f"{_PART}{data}-{new_id()}"
        try:
            filling = await run_in_threadpool(self._begun, data, part)
            self._arriving[part.name] = filling
            sent = await receive(stream, content_type, filling, part / "archives", limits)
            return await run_in_threadpool(self._finished, data, filling, sent)
        finally:
            self._reading -= 1
            self._arriving.pop(part.name, None)
            await run_in_threadpool(shutil.rmtree, part, ignore_errors=True)

    def _begun(self, data: str, part: Path) -> Filling:
        row = self.get(data)
        with Session(self._engine) as session:
            used = session.exec(select(func.coalesce(func.sum(Upload.bytes), 0))).one()
        used += sum(other.size for other in self._arriving.values())
        for name in (FILES, "archives"):
            (part / name).mkdir(parents=True)
        limits = self._settings.limits
        return Filling(part / FILES, limits, row.files, row.bytes, limits.data_bytes - int(used))

    def _finished(self, data: str, filling: Filling, sent: int) -> Upload:
        place = self.folder(data) / FILES
        paths = sorted(path.relative_to(filling.folder) for path in filling.folder.rglob("*") if not path.is_dir())
        with taking_turns(self._engine) as session, contextlib.ExitStack() as undo:
            row = session.get(Upload, data)
            if row is None:
                raise Missing("uploaded data set", data)
            if row.files + len(paths) > self._settings.limits.set_files:
                raise Refused(413, "large", f"more than {self._settings.limits.set_files:,} files: make several sets")
            for path in paths:
                target = place / path
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    taken = target.exists()
                except (FileExistsError, NotADirectoryError):
                    taken = True
                if taken:
                    raise Refused(
                        409, "name", f"files: {str(path)!r} is there already: give it another name, or delete the data "
                        "set and begin anew",
                    )  # fmt: skip
                source = filling.folder / path
                source.rename(target)
                undo.callback(target.rename, source)
            row.files += len(paths)
            row.bytes += filling.size
            row.awaited = max(0, row.awaited - sent)
            session.add(row)
            session.commit()
            undo.pop_all()
        return row


def check_name(name: str) -> None:
    """Refuse the name of a data set that everybody has.

    Raises:
        Refused: if it is one.
    """
    if name.lower() in {info.name for info in list_datasets()} or name in list_ucr():
        raise Refused(422, "invalid", f"name: {name!r} is a data set of its own: choose another name")


def _measured(folder: Path) -> tuple[int, int]:
    """How many files there are in a folder and below it, and how many bytes."""
    sizes = list(_sizes(folder))
    return len(sizes), sum(sizes)


def _sizes(folder: Path) -> Iterator[int]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield (Path(place) / name).stat().st_size
