"""Waiting for events. How fast the machine is decides nothing: the one limit there is ends what would hang for ever."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 900.0
"""Seconds: far longer than anything takes on a machine that has much else to do."""


def until(
    happened: Callable[[], T],
    what: str,
    process: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None,
    pause: float = 0.01,
) -> T:
    """Wait until something has happened and return what it says; the process that should do it must not have ended."""
    limit = time.monotonic() + PATIENCE
    while True:
        ended = None if process is None else process.poll()
        found = happened()
        if found:
            return found
        assert ended is None, f"the process has ended with {ended}, and never: {what}"
        assert time.monotonic() < limit, f"never: {what}"
        time.sleep(pause)


def hears_ctrl_c() -> None:
    """For `preexec_fn`: Ctrl-C is heard, even if it is ignored here, as in what a script leaves in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def children(process: int) -> list[int]:
    """The processes that a process has started and that are still there, dead ones not yet buried among them."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"\nPPid:\t{process}\n" in status.read_text():
                found.append(int(status.parent.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def command_of(process: int) -> bytes:
    """The command line of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def alive(process: int) -> bool:
    """Whether a process is there and not dead."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
