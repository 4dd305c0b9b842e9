"""The unfinished part of a download, and who may write to it.

Several processes may want the same file at once, and any of them may be killed. No lock is used: a lock
outlives a killed process, and every rule for breaking a stale one has a race. Instead each process writes to
a file of its own, `NAME.part-TOKEN`, which nobody else ever writes to.

- While nobody works on it, an unfinished download lies as `NAME.part`. A process that begins takes it over by
  renaming it; a rename succeeds for one process only, and the others begin with an empty file.
- A process that stops early (an error, Ctrl-C) renames its own file back to `NAME.part`.
- A process that was killed leaves its `NAME.part-TOKEN`. Once that has not grown for `STALE_SECONDS`, the
  next process takes over a *copy* of it and deletes it. The copy matters: should the first process only have
  been asleep, it goes on writing to a deleted file and disturbs nobody.

Two processes at once therefore load the file twice, at worst, and each renames a file it has verified itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

STALE_SECONDS = 120.0


class Part:
    """This process's own unfinished file for `path`, begun with what earlier attempts left.

    Args:
        path: The final name of the file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.idle = path.with_name(path.name + ".part")
        self.file = path.with_name(f"{path.name}.part-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            # An old time of change would make the renamed file look abandoned to others.
            os.utime(self.idle)
            os.rename(self.idle, self.file)
        except FileNotFoundError:
            self.file.touch(exist_ok=False)
        self._take_over_abandoned(path)

    @property
    def size(self) -> int:
        """How many bytes are there; none where another process took them over."""
        try:
            return self.file.stat().st_size
        except FileNotFoundError:
            return 0

    def begin(self) -> int:
        """Show others that somebody is at work, also while a server is slow; how many bytes are there."""
        self.file.touch()
        return self.size

    def clear(self) -> None:
        """Forget everything loaded so far."""
        self.file.write_bytes(b"")

    def finish(self, path: Path) -> None:
        """Give the file its final name, in one step."""
        os.replace(self.file, path)

    def release(self) -> None:
        """Leave the file for the next attempt, or delete it where it is empty or a longer one lies there."""
        with contextlib.suppress(OSError):
            longest = self.idle.stat().st_size if self.idle.exists() else 0
            if self.size > longest:
                os.replace(self.file, self.idle)
            else:
                self.file.unlink(missing_ok=True)

    def _take_over_abandoned(self, path: Path) -> None:
        for other in sorted(path.parent.glob(f"{_escaped(path.name)}.part-*")):
            # Another process may be doing the same: whatever is gone meanwhile is in its hands.
            with contextlib.suppress(FileNotFoundError):
                state = other.stat()
                if other == self.file or time.time() - state.st_mtime < STALE_SECONDS:
                    continue
                if state.st_size > self.size:
                    shutil.copyfile(other, self.file)
                other.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
