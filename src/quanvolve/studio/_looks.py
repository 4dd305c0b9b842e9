"""Looking at uploaded data, one data set after the other, in processes that can be given up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from quanvolve.data import WITHIN
from quanvolve.runs import DataOptions
from quanvolve.studio._data import DataSets
from quanvolve.studio._own import FILES, LOOKS, data_path
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Upload, new_id
from quanvolve.studio._wanted import still_wanted, worked

_HERE = Path(__file__).parent
_PAUSE = 0.1  # seconds between two looks at whether somebody still waits
_KEPT = 40  # looks of a data set, the newest
_WAITING = 8
_SAID = "understood.json"


class Looks:
    """What was understood of data sets.

    Args:
        settings: where they are, and what a look may take.
        sets: the data sets.
    """

    def __init__(self, settings: Settings, sets: DataSets) -> None:
        self._settings, self._sets = settings, sets
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="quanvolve-data")
        self._wanted = 0

    async def look(self, data: str, options: DataOptions) -> dict[str, Any]:
        """What is understood of a data set.

        Args:
            data: its id.
            options: how it is read.

        Returns:
            As `quanvolve look --json` has it, with `dims`, `task`, and `look`, the name of its pictures.

        Raises:
            Missing: if there is no such data set.
            QuanvolveError: if the size of the pictures is none.
            Refused: if its files are not all there, it is not understood, or it takes too long.
        """
        asked = options.asked()
        if self._wanted >= _WAITING:
            raise Refused(503, "busy", f"{self._wanted} data sets wait to be looked at: try again later", 5)
        self._wanted += 1
        try:
            return await worked(self._thread, self._settings.limits.look_seconds, self._understood, data, asked)
        finally:
            self._wanted -= 1

    def picture(self, data: str, look: str, *, dark: bool) -> bytes:
        """The picture of a look, as PNG.

        Raises:
            Missing: if it is not there.
        """
        try:
            return (self._sets.folder(data) / LOOKS / look / f"{'dark' if dark else 'light'}.png").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise Missing("look at this data set", look) from None

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _understood(self, data: str, asked: dict[str, Any]) -> dict[str, Any]:
        row = self._sets.ready(data)
        look = hashlib.sha256(json.dumps([asked, row.files, row.bytes], sort_keys=True).encode()).hexdigest()[:16]
        folder = self._sets.folder(data) / LOOKS
        try:
            said: dict[str, Any] = json.loads((folder / look / _SAID).read_text())
        except (OSError, ValueError):
            said = self._looked(row, asked, folder, look)
        return {**said, "name": row.name, "look": look}

    def _looked(self, row: Upload, asked: dict[str, Any], folder: Path, look: str) -> dict[str, Any]:
        own = self._sets.folder(row.id)
        with tempfile.TemporaryDirectory() as place:
            said = self._said(data_path(own), asked, place)
            if "error" in said:
                raise Refused(422, "data", _without(own / FILES, said["error"]))
            said["notes"] = [_without(own / FILES, note) for note in said["notes"]]
            (Path(place) / _SAID).write_text(json.dumps(said))
            # Whole or not at all, and not where the data set has been deleted meanwhile.
            part = folder / f"{look}-{new_id()}"
            with contextlib.suppress(FileNotFoundError):
                if folder.parent.is_dir():
                    shutil.copytree(place, part)
                    with contextlib.suppress(OSError):  # somebody else has looked as well
                        part.rename(folder / look)
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        _forget(folder)
        return said

    def _said(self, path: Path, asked: dict[str, Any], place: str) -> dict[str, Any]:
        size = self._settings.limits.look_bytes
        command = [sys.executable, "-P", str(_HERE / "_leash.py"), str(_HERE / "_looker.py"), str(path),
                   json.dumps(asked), place, str(size)]  # fmt: skip
        # A table may name pictures anywhere.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                       WITHIN: str(self._settings.data.resolve())}  # fmt: skip
        with tempfile.TemporaryFile() as out, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.DEVNULL, start_new_session=True,
            env=environment,
        ) as process:  # fmt: skip
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_PAUSE)
                        break
                    still_wanted()
            finally:
                process.kill()
            out.seek(0)
            try:
                said: dict[str, Any] = json.loads(out.read())
            except ValueError:
                ended = f"the process that read them ended with {process.returncode}"
                raise Refused(422, "data", f"the data cannot be read: {ended}") from None
        return said


def _without(folder: Path, text: str) -> str:
    """A text without the path of a folder of the server, which is nobody's business."""
    return text.replace(f"{folder}{os.sep}", "").replace(f"{folder.resolve()}{os.sep}", "").replace(str(folder), ".")


def _forget(folder: Path) -> None:
    """Remove the oldest looks of many."""
    with contextlib.suppress(OSError):
        looks = sorted(folder.iterdir(), key=lambda look: look.stat().st_mtime, reverse=True)
        for look in looks[_KEPT:]:
            shutil.rmtree(look, ignore_errors=True)
