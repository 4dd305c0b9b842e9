"""Models: a row in the database, and a folder on disk that is a run of `quanvolve train`."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from quanvolve._errors import QuanvolveError
from quanvolve.studio._problems import Missing
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Model, new_id

ID = r"^[0-9a-f]{12}$"
_FILES = ("config.json", "model.safetensors", "run.json", "metrics.json", "history.jsonl", "explanation.html",
          "model.onnx", "history.png", "confusion.png", "feature_maps.png", "filters.png")  # fmt: skip
_DOOMED = ".deleted-"


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
        for folder in (self._settings.models, self._settings.studies, self._settings.logs):
            folder.mkdir(parents=True, exist_ok=True)
            for doomed in folder.glob(f"{_DOOMED}*"):
                shutil.rmtree(doomed, ignore_errors=True)
        with Session(self._engine) as session:
            known = set(session.exec(select(Model.id)).all())
            for folder in sorted(self._settings.models.iterdir()):
                if re.match(ID, folder.name) and folder.name not in known and (folder / "config.json").is_file():
                    run = read(folder / "run.json") or {}
                    dataset = Path(str(run.get("dataset", "?"))).stem
                    # Servers that start together may find it together.
                    session.merge(Model(id=folder.name, name=f"{dataset}, found again", dataset=dataset,
                                      settings=run.get("options") or {}))  # fmt: skip
            session.commit()

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
        if not (folder / "config.json").is_file():
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
            found = session.get(Model, model)
        if found is None:
            raise Missing("model", model)
        return found

    def rename(self, model: str, name: str) -> Model:
        """Give a model another name."""
        with Session(self._engine, expire_on_commit=False) as session:
            found = session.get(Model, model)
            if found is None:
                raise Missing("model", model)
            found.name = name
            session.add(found)
            session.commit()
            return found

    def adopt(self, run: Path) -> Model:
        """Copy a run of `quanvolve train` into the studio; whole or not at all.

        Raises:
            QuanvolveError: if it is not the folder of a trained run.
        """
        if not (run / "config.json").is_file():
            raise QuanvolveError(f"--model {run} is not the folder of a trained model: it has no config.json")
        model, content = new_id(), read(run / "run.json") or {}
        part, folder = self._settings.models / f"{_DOOMED}{model}", self._settings.models / model
        part.mkdir(parents=True)
        for name in _FILES:
            if (run / name).is_file():
                shutil.copyfile(run / name, part / name)
        part.rename(folder)
        dataset = Path(str(content.get("dataset", "?"))).stem
        row = Model(
            id=model, name=run.resolve().name[:80], dataset=dataset, settings=content.get("options") or {}
        )  # fmt: skip
        with Session(self._engine, expire_on_commit=False) as session:
            session.add(row)
            session.commit()
        return row

    def delete(self, model: str) -> None:
        """Remove a model: first its folder gets another name, at once; then the row goes, then the files."""
        doomed = _doom(self.folder(model))
        with Session(self._engine) as session:
            row = session.get(Model, model)
            if row is None:
                raise Missing("model", model)
            session.delete(row)
            session.commit()
        shutil.rmtree(doomed, ignore_errors=True)

    def discard(self, folder: Path) -> None:
        """Remove a folder: at once for everybody who looks for it, then its files."""
        shutil.rmtree(_doom(folder), ignore_errors=True)

    def zipped(self, model: str) -> Iterator[bytes]:
        """The folder of a model as a ZIP file, piece by piece."""
        folder = self.ready(model)
        sink = _Sink()
        with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _FILES:
                if (folder / name).is_file():
                    archive.write(folder / name, f"model-{model}/{name}")
                    yield sink.take()
        yield sink.take()


def _doom(folder: Path) -> Path:
    doomed = folder.with_name(f"{_DOOMED}{folder.name}")
    with contextlib.suppress(FileNotFoundError):
        folder.rename(doomed)
    return doomed


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
        found, self._parts = b"".join(self._parts), []
        return found


def read(path: Path) -> dict[str, Any] | None:
    """An object of JSON from a file; None where there is none, or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def history(folder: Path) -> list[dict[str, Any]]:
    """The finished epochs of a training; a line that is still being written is left out."""
    try:
        lines = (folder / "history.jsonl").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict):
                rows.append(row)
    return rows
