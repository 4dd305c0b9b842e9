"""Files that arrive, written to a folder one after the other, and no more of them than there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from quanvolve.studio._problems import Refused
from quanvolve.studio._settings import Limits


class Filling:
    """A folder that is being filled.

    Args:
        folder: which is there and empty.
        limits: of a data set.
        files, size: what the data set has already.
        left: bytes that all data sets together may still have.
    """

    def __init__(self, folder: Path, limits: Limits, files: int, size: int, left: int) -> None:
        self.folder = folder
        self.files, self.size = 0, 0
        self._limits, self._before, self._size_before, self._left = limits, files, size, left

    @contextmanager
    def file(self, path: PurePosixPath) -> Iterator[Callable[[bytes], None]]:
        """One more file.

        Args:
            path: in the folder; safe.

        Returns:
            A function that takes its content, piece by piece.

        Raises:
            Refused: if it is there already, or there is no room for it.
        """
        self.files += 1
        most = self._limits.set_files
        if self._before + self.files > most:
            raise Refused(413, "large", f"more than {most:,} files: make several data sets of them")
        target = self.folder.joinpath(*path.parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            opened = target.open("xb")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise Refused(
                409, "name", f"files: {str(path)!r} is there twice: give one of the two another name"
            ) from None
        with opened:

            def take(piece: bytes) -> None:
                self.count(len(piece))
                opened.write(piece)

            yield take

    def count(self, size: int) -> None:
        """Take bytes into the account.

        Args:
            size: how many; fewer than none of what has gone again.

        Raises:
            Refused: if there is no room for them.
        """
        self.size += size
        most = self._limits.set_bytes
        if self._size_before + self.size > most:
            raise Refused(413, "large", f"a data set may have {most:,} bytes, unpacked: use fewer or smaller files")
        if self.size > self._left:
            raise Refused(
                413, "large", f"all data sets together may have {self._limits.data_bytes:,} bytes: delete some first"
            )
