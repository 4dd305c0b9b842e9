"""Requests with data, which go to the disk as they come."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePosixPath

from starlette.concurrency import run_in_threadpool

from quanvolve.studio._filling import Filling
from quanvolve.studio._multipart import Parts, feeder
from quanvolve.studio._problems import Refused
from quanvolve.studio._safe_names import safe_path
from quanvolve.studio._settings import Limits
from quanvolve.studio._unpacking import unpack

_AT_ONCE = 2**18  # bytes that are written at a time


async def receive(
    stream: AsyncIterator[bytes], content_type: str, filling: Filling, archives: Path, limits: Limits
) -> int:
    """Write the files of a form to a folder; ZIP archives among them are unpacked.

    Args:
        stream: the body of the request.
        content_type: multipart/form-data, with its boundary.
        filling: takes the files.
        archives: an empty folder for archives until they are unpacked.
        limits: of a request.

    Returns:
        How many files were sent, those that are not kept among them.

    Raises:
        Refused: if it is something else, or too much.
    """
    with contextlib.closing(_Files(filling, archives, limits)) as files:
        feed = feeder(content_type, files)
        pieces, size = [], 0
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size >= _AT_ONCE:
                await run_in_threadpool(feed, b"".join(pieces))
                pieces, size = [], 0
        await run_in_threadpool(feed, b"".join(pieces))
        if not files.whole:
            raise Refused(422, "invalid", "the request is no whole multipart/form-data: its last boundary is missing")
        if not files.sent:
            raise Refused(422, "invalid", "files: there is none, expected parts of this name with the names of files")
        await run_in_threadpool(files.unpack)
        return files.sent


def _left_out(_: bytes) -> None:
    """For what is not kept."""


class _Files(Parts):
    """Parts that are files, each of which is written as it comes."""

    def __init__(self, filling: Filling, archives: Path, limits: Limits) -> None:
        super().__init__(limits.upload_files, 0)
        self._filling, self._archives, self._folder = filling, archives, filling.folder
        self._open = contextlib.ExitStack()
        self._packed: list[tuple[Path, PurePosixPath]] = []
        self._take: Callable[[bytes], None] = _left_out
        self.sent = 0

    def headers_finished(self) -> None:
        super().headers_finished()
        if self._file_name is None or self._name != "files":
            raise Refused(422, "invalid", f"{self._name[:80]!r} is no file: expected parts `files` with names of files")
        self.sent += 1
        path = safe_path(self._file_name)
        self._take = _left_out
        if path is None:
            return
        if path.suffix.lower() == ".zip":
            place = self._archives / str(len(self._packed))
            place.mkdir()
            self._packed.append((place / path.name, path))
            archive = self._open.enter_context((place / path.name).open("xb"))

            def take(piece: bytes) -> None:
                self._filling.count(len(piece))
                archive.write(piece)

            self._take = take
        else:
            self._take = self._open.enter_context(self._filling.file(path))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._take(data[start:end])

    def part_end(self) -> None:
        self._open.close()

    def unpack(self) -> None:
        """Put what is in archives in their place."""
        for archive, path in self._packed:
            unpack(archive, path.with_suffix(""), self._filling)
            self._filling.count(-archive.stat().st_size)
            archive.unlink()

    def close(self) -> None:
        """Close what is open."""
        self._open.close()
