"""The folder of a run: which files it has, and how it is made, found and locked."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._files import abandoned, write_whole
from quanvolve._untrusted import read_document
from quanvolve._untrusted import read_json as read_json_file
from quanvolve._version import __version__
from quanvolve.runs._files import (
    CHECKPOINT,
    FEATURE_MAPS,
    FILTERS,
    HISTORY,
    LOSSES,
    RUN,
    begun,
    metrics_path,
    trained,
)
from quanvolve.runs._options import TrainOptions
from quanvolve.runs._tasks import Task, task_of

_FORMAT, _FORMAT_VERSION = "quanvolve-run", 1


@dataclass(frozen=True)
class Run:
    """A run, as its run.json tells it.

    Args:
        folder: where its files are.
        dataset: name of the data set, or absolute path of an .npz file.
        data_dir: folder given for the data, or None.
        options: everything else that was chosen.
    """

    folder: Path
    dataset: str
    data_dir: Path | None
    options: TrainOptions

    @property
    def history(self) -> Path:
        """One line of JSON for each finished epoch."""
        return self.folder / HISTORY

    @property
    def checkpoint(self) -> Path:
        """The state after the last finished epoch; gone when the run is finished."""
        return self.folder / CHECKPOINT

    @property
    def metrics(self) -> Path:
        """The results."""
        return metrics_path(self.folder)

    @property
    def task(self) -> Task:
        """What is learned."""
        return task_of(self.options)

    @property
    def exists(self) -> bool:
        """Whether its run.json is written, without which it cannot be continued."""
        return begun(self.folder)

    @property
    def trained(self) -> bool:
        """Whether the model is final: its config.json is written last."""
        return trained(self.folder)

    def pictures(self) -> list[str]:
        """Names of the pictures this run has in the end."""
        names = [LOSSES, *([self.task.picture] if self.task.picture else [])]
        if self.options.backbone != "none":
            names.append(FEATURE_MAPS)
        if self.options.backbone == "quantum":
            names.append(FILTERS)
        return names

    def missing(self) -> list[str]:
        """What is still to be made once the model is trained."""
        return [name for name in (self.metrics.name, *self.pictures()) if not (self.folder / name).is_file()]

    def write(self) -> None:
        """Write run.json."""
        content = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "version": __version__,
            "dataset": self.dataset,
            "data_dir": None if self.data_dir is None else str(self.data_dir),
            "options": asdict(self.options),
        }
        write_whole(self.folder / RUN, json.dumps(content, indent=1))

    def tidy(self) -> None:
        """Remove the checkpoint and what killed processes left half-written."""
        self.checkpoint.unlink(missing_ok=True)
        for part in self.folder.glob(".*.part"):
            part.unlink(missing_ok=True)


def read_run(folder: Path) -> Run:
    """A run from its folder.

    Raises:
        ModelError: if there is none, or its run.json is damaged.
    """
    path = folder / RUN
    try:
        content = read_document(path, _FORMAT)
    except (FileNotFoundError, NotADirectoryError):
        if _blank(folder):
            raise ModelError(f"nothing has begun in {folder} yet: leave out `resume`", arguments=("resume",)) from None
        what = "has no run.json" if folder.is_dir() else "does not exist"
        raise ModelError(f"{folder} is not the folder of a run: it {what}") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    if content.get("format_version") != _FORMAT_VERSION:
        raise ModelError(
            f"{path} has the format {content.get('format_version')!r}, this version reads {_FORMAT_VERSION}: use the "
            f"quanvolve that wrote it ({content.get('version')})"
        )
    dataset, data_dir = content.get("dataset"), content.get("data_dir")
    if not isinstance(dataset, str) or not isinstance(data_dir, str | None):
        raise ModelError(f"{path} is damaged: it names no data set")
    if "\0" in dataset + (data_dir or ""):
        raise ModelError(f"{path} is damaged: its data set has a name that no file can have")
    options = TrainOptions.from_dict(content.get("options"), path)
    return Run(folder, dataset, None if data_dir is None else Path(data_dir), options)


def make_folder(output: Path | None, dataset: str) -> tuple[Path, list[Path]]:
    """The folder of a new run, and which folders had to be made for it, innermost first.

    Args:
        output: the folder asked for; None takes the first free of runs/<data set>-1, -2, ...
        dataset: canonical name.

    Raises:
        OSError: if it cannot be made.
    """
    if output is None:
        return _first_free(dataset)
    made = _absent(output)
    output.mkdir(parents=True, exist_ok=True)
    return output, made


def clear(folder: Path) -> None:
    """Remove what killed processes have left half-written, to be called with the folder's lock."""
    for part in abandoned(folder):
        part.unlink(missing_ok=True)


def _blank(folder: Path) -> bool:
    """Whether a folder has nothing but what killed processes have left half-written."""
    return folder.is_dir() and not {*folder.iterdir()} - {*abandoned(folder)}


def _first_free(dataset: str) -> tuple[Path, list[Path]]:
    name = re.sub(r"[^\w.-]+", "_", Path(dataset).stem).lstrip(".-") or "data"
    made = _absent(Path("runs"))
    number = 1
    while True:
        folder = Path("runs") / f"{name}-{number}"
        try:
            # Making the folder claims it, should another process look for a free one too.
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder, [folder, *made]


def _absent(folder: Path) -> list[Path]:
    return list(itertools.takewhile(lambda path: not path.exists(), (folder, *folder.parents)))


def discard(run: Run, made: list[Path]) -> None:
    """Undo the making of a run that failed before its first epoch was finished."""
    with contextlib.suppress(OSError):
        if run.trained or (run.history.is_file() and run.history.stat().st_size):
            return
        run.tidy()
        for path in (run.folder / RUN, run.history):
            path.unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the folder meanwhile; a killed process holds no lock.

    Raises:
        QuanvolveError: if one already does.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise QuanvolveError(
                f"another process is training in {folder}: wait for it, or give another `output`", arguments=("output",)
            ) from None
        except OSError:
            # Some network file systems have no locks.
            pass
        yield
    finally:
        os.close(handle)


def read_json(path: Path) -> Any:
    """What `write_whole` wrote as JSON.

    Raises:
        ModelError: if it is damaged.
    """
    try:
        return read_json_file(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ModelError(
            f"{path} is damaged: it is not JSON ({error}); delete it and continue with `resume`", arguments=("resume",)
        ) from None
