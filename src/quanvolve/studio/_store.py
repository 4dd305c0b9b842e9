"""Models: a row in the database, and a folder on disk that is a run of `quanvolve train`."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from quanvolve._errors import QuanvolveError
from quanvolve.runs import KEPT, origin_of, trained
from quanvolve.studio._database import taking_turns
from quanvolve.studio._deletion import DOOMED
from quanvolve.studio._own import ID as ID
from quanvolve.studio._problems import Missing
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Model, new_id


class Store:
    """The models.

    Args:
        settings: where they are.
        engine: the database.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine

    def open(self) -> None:
        """Finish deletions that were cut short, and take in model folders that the database does not know.

        Raises:
            OSError: if the folders cannot be made.
        """
        doomed: list[Path] = []
        folders = (self._settings.models, self._settings.studies, self._settings.logs)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        # Other servers may be at work: in turn with them, a folder is there together with its row or not at all.
        with taking_turns(self._engine) as session:
            for folder in folders:
                doomed += folder.glob(f"{DOOMED}*")
            known = set(session.exec(select(Model.id)).all())
            for folder in sorted(self._settings.models.iterdir()):
                if re.match(ID, folder.name) and folder.name not in known and trained(folder):
                    dataset, options = origin_of(folder)
                    session.add(Model(id=folder.name, name=f"{dataset}, found again", dataset=dataset,
                                      settings=options))  # fmt: skip
        for folder in doomed:
            shutil.rmtree(folder, ignore_errors=True)

    def folder(self, model: str) -> Path:
        """Where a model of that id would be.

        Raises:
            Missing: if it is no id.
        """
        if not re.match(ID, model):
            raise Missing("model", model)
        return self._settings.models / model

    def ready(self, model: str) -> Path:
        """The folder of a trained model.

        Raises:
            Missing: if there is none, or it is still being trained.
        """
        folder = self.folder(model)
        if not trained(folder):
            raise Missing("trained model", model)
        return folder

    def all(self) -> list[Model]:
        """The models, newest first."""
        with Session(self._engine) as session:
            return list(session.exec(select(Model).order_by(col(Model.created).desc())))

    def get(self, model: str) -> Model:
        """A model's row.

        Raises:
            Missing: if there is none.
        """
        with Session(self._engine) as session:
            row = session.get(Model, model)
        if row is None:
            raise Missing("model", model)
        return row

    def rename(self, model: str, name: str) -> Model:
        """Give a model another name.

        Raises:
            Missing: if there is none.
        """
        with Session(self._engine, expire_on_commit=False) as session:
            renamed = update(Model).where(col(Model.id) == model).values(name=name).returning(Model)
            row = session.scalars(renamed).one_or_none()
            session.commit()
        if row is None:
            raise Missing("model", model)
        return row

    def adopt(self, run: Path) -> Model:
        """Copy a run of `quanvolve train` into the studio; whole or not at all.

        Raises:
            QuanvolveError: if it is not the folder of a trained run.
        """
        if not trained(run):
            raise QuanvolveError(f"--model {run} is not the folder of a trained model: it has no config.json")
        model = new_id()
        part, folder = self._settings.models / f"{DOOMED}{model}", self._settings.models / model
        with taking_turns(self._engine) as session, contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, part, ignore_errors=True)
            part.mkdir(parents=True)
            for name in KEPT:
                # A run that is being trained may replace a file meanwhile, or one of its own may go.
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(run / name, part / name)
            if not trained(part):
                raise QuanvolveError(f"--model {run} is not the folder of a trained model: its config.json has gone")
            dataset, options = origin_of(part)
            row = Model(id=model, name=run.resolve().name[:80], dataset=dataset, settings=options)
            session.add(row)
            session.flush()
            part.rename(folder)
            undo.callback(folder.rename, part)
            session.commit()
            undo.pop_all()
        return row

    def zipped(self, model: str) -> Iterator[bytes]:
        """The folder of a model as a ZIP file, piece by piece.

        All files are opened before the first piece: what is deleted or replaced then is still sent as it was.

        Raises:
            Missing: if there is no trained model of that id.
        """
        folder, sink = self.ready(model), _Sink()
        with contextlib.ExitStack() as stack:
            files: list[tuple[str, IO[bytes]]] = []
            for name in KEPT:
                with contextlib.suppress(FileNotFoundError):
                    files.append((name, stack.enter_context((folder / name).open("rb"))))
            self.ready(model)  # a folder that was taken away in between may have been opened in part
            archive = stack.enter_context(zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED))
            for name, file in files:
                facts = os.fstat(file.fileno())
                entry = zipfile.ZipInfo(f"model-{model}/{name}", time.localtime(facts.st_mtime)[:6])
                entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, facts.st_size
                with archive.open(entry, "w") as into:
                    shutil.copyfileobj(file, into)
                yield sink.take()
        yield sink.take()


class _Sink:
    """A file that is only written to, and read as it grows."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        content, self._parts = b"".join(self._parts), []
        return content
