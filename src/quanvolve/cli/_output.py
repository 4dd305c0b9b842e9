"""Where commands may write: one rule for every --output.

A folder is made with its parents, or empty, or holds the same kind of work. The last is gone on with, by --resume
where the command has it. Any other folder is somebody else's, and is left alone.

A file is written whole, its parents are made, and an older file of that name is replaced.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from quanvolve._errors import QuanvolveError
from quanvolve._file_names import STUDY_REPORT, STUDY_TABLE
from quanvolve._files import abandoned
from quanvolve.runs import RUN

_SHOWN = 3


@dataclass(frozen=True)
class Work:
    """What a command keeps in its folder.

    Args:
        command: its name.
        what: how messages name what is kept.
        marks: files, each of which tells its folder.
        names: all that it writes; a folder with nothing else is its own, too.
        resumes: whether it goes on with what is there only when given --resume.
    """

    command: str
    what: str
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    resumes: bool = False


def _sqlite(name: str) -> tuple[str, ...]:
    return (name, *(f"{name}-{suffix}" for suffix in ("wal", "shm", "journal")))


_REPORT = (STUDY_REPORT, "report.md")
TRAIN = Work("train", "a run", (RUN,), resumes=True)
COMPARE = Work("compare", "a study", (STUDY_TABLE,), (*_sqlite(STUDY_TABLE), *_REPORT), resumes=True)
SEARCH = Work("search", "a search", ("search.sqlite",), (*_sqlite("search.sqlite"), "search.json", "model"))
PLOT = Work("study plot", "pictures", (STUDY_TABLE,), (
    "accuracy.png", "r2.png", "average_precision.png", "differences.png", "learning.png", *_REPORT,
))  # fmt: skip
CALIBRATE = Work(
    "calibrate", "a calibration", ("results.sqlite",),
    (*_sqlite("results.sqlite"), "model", "mitigated", "retrained", "calibration.json", "calibration.png"),
)  # fmt: skip
REPRODUCE = Work("reproduce", "a reproduction", ("trainings.json",), ("trainings.json", "result.json"))
BENCH = Work("bench", "a benchmark", (), ("bench.csv", "bench.png"))
STUDIO = Work(
    "studio", "a studio", ("studio.sqlite",), (*_sqlite("studio.sqlite"), "models", "studies", "logs")
)  # fmt: skip


def output_folder(folder: Path, work: Work, *, resume: bool = False) -> None:
    """Refuse a folder that a command must not write to, before any work.

    Args:
        folder: as given; it need not be there.
        work: what the command keeps in it.
        resume: whether --resume was given; whoever opens the earlier work then says what is wrong with it.

    Raises:
        QuanvolveError: if it cannot be made, holds something else, or needs --resume; the message names what was there.
    """
    _require_place(folder, "folder")
    if resume or not folder.is_dir():
        return
    held = sorted({*os.listdir(folder)} - {part.name for part in abandoned(folder)})
    if not held:
        return
    if not any(name in held for name in work.marks) and not set(held) <= set(work.names):
        more = f" and {len(held) - _SHOWN} more" if len(held) > _SHOWN else ""
        raise QuanvolveError(
            f"--output {folder} holds what is not of `quanvolve {work.command}`: {', '.join(held[:_SHOWN])}{more}; "
            "give a new or an empty folder"
        )
    if work.resumes:
        raise QuanvolveError(
            f"--output {folder} already holds {work.what}: continue it with --resume, or give another folder"
        )


def output_file(path: Path) -> None:
    """Refuse what cannot become a file, before any work.

    Args:
        path: as given; an older file of that name will be replaced.

    Raises:
        QuanvolveError: if it is a folder or a device, or its folder cannot be made.
    """
    _require_place(path, "file")


def with_parents(path: Path) -> Path:
    """The path of a file, whose folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _require_place(path: Path, kind: str) -> None:
    present, reason = "nothing", ""
    try:
        present = _what(path)
        above = next(place for place in (path, *path.absolute().parents) if _what(place) != "nothing")
        if above != path and not above.is_dir():
            reason = "Not a directory"
        elif not os.access(above, os.W_OK):
            reason = "Permission denied"
    except ValueError:  # a null byte
        reason = "no file can have this name"
    except OSError as error:
        reason = error.strerror or str(error)
    if present not in ("nothing", f"a {kind}"):
        raise QuanvolveError(f"--output {path} is {present}, expected a {kind}")
    if reason:
        action = "made" if present == "nothing" else "written to"
        raise QuanvolveError(f"--output {path} cannot be {action}: {reason}; choose another {kind}")


def _what(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        # Also a link to nothing: what is written would end up elsewhere.
        return "a broken link" if os.path.islink(path) else "nothing"
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "no ordinary file"
