"""Ctrl-C for programs whose Python code is also called from C++.

Python's own handler raises KeyboardInterrupt wherever the main thread happens to be. Below a C++ frame, as in an
operator that torch calls while it computes gradients, nothing may be raised: the process ends in `std::terminate`.
Inside an import, a compiler or a weak reference's callback the exception becomes another one, or is lost.

The handler here looks at the stack, from the outermost frame inwards. As long as frames are of modules that are known
to call each other as plain Python, an exception is safe in them. Where all are, it is raised at once, so that a wait
for a process or a server ends. Otherwise those frames are traced, and it is raised at the next line that one of them
runs: when the batch, the file or the picture that the foreign code works on is done.

Where that takes too long, and when Ctrl-C is pressed again, the process ends without unwinding, as if it were killed,
but with the same line and the same exit code. All files of this package are written whole or not at all, so that this
loses no more than unwinding does.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn

from quanvolve._lines import one_line

CODE = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""

GRACE = 5.0
"""Seconds until a process that reaches no line of its own ends all the same."""

_OWN = "quanvolve"
_CALLED_BY_TORCH = ("quanvolve.compile", "quanvolve.circuits", "quanvolve.nn")
_PLAIN = {
    "__main__", "runpy", "click", "typer", "skorch", "optuna", "distributed", "uvicorn", "subprocess", "selectors",
    "threading", "queue", "socket", "ssl", "http", "urllib", "concurrent", "sqlite3",
}  # fmt: skip
"""Modules between whose frames there is no C++ that an exception could not cross."""


unfinished: set[str] = set()
"""Files that are half-written: where the process ends without unwinding, they are removed."""


class Interrupted(Exception):
    """Work was stopped by Ctrl-C; the message says so, and how to continue or that nothing is left."""


class _State:
    """What is known about Ctrl-C in this process."""

    def __init__(self) -> None:
        self.asked = False
        """Whether it was pressed."""
        self.raised = False
        """Whether that has become an exception."""
        self.said = False
        """Whether the one line about it is written."""
        self.working = False
        """Whether there may be something that wants to be unwound."""
        self.messages: list[Callable[[], str]] = []


_state = _State()


def listen() -> None:
    """Take Ctrl-C over for the rest of this process; to be called in its main thread, before anything slow.

    A process that is told to ignore the signal, as a shell does for those it starts in the background, goes on to
    ignore it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _handle)
        sys.unraisablehook = _unraisable


def unwinding(work: Callable[[], int]) -> int:
    """Do the work of a process that listens; before, Ctrl-C ends it at once, for there is nothing to clean up.

    Args:
        work: returns the exit code.

    Returns:
        That code, if Ctrl-C was not pressed. If it was, there is no return: threads that still work are not waited for.
    """
    try:
        _state.working = True
        return _finish(work())
    except KeyboardInterrupt:  # out of the last lines of the work; it is raised once only
        return _finish(CODE)
    except Interrupted as stop:
        return _finish(CODE, str(stop))


def _finish(code: int, text: str = "") -> int:
    if signal.getsignal(signal.SIGINT) is _handle:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _state.asked:
        _end(text)
    return code


def asked() -> bool:
    """Whether Ctrl-C was pressed in a process that listens."""
    return _state.asked


def claim_line() -> bool:
    """Whether the line about Ctrl-C is still to be written, which the caller then does undisturbed."""
    if not _state.asked:
        return True  # raised by hand, in a process that does not listen
    with contextlib.suppress(ValueError):  # in another thread than the main one
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _state.said, first = True, not _state.said
    return first


class interruptible:
    """Work that Ctrl-C may stop, with what is said then.

    Args:
        message: says what is kept and how to go on; a function is asked when it happens.

    Raises:
        Interrupted: with that message, in place of KeyboardInterrupt and of whatever libraries make of it.

    Examples:
        >>> with interruptible("interrupted; the same command goes on"):
        ...     raise KeyboardInterrupt
        Traceback (most recent call last):
        ...
        quanvolve._interrupt.Interrupted: interrupted; the same command goes on
    """

    def __init__(self, message: str | Callable[[], str]) -> None:
        self._message = message if callable(message) else lambda: message

    def __enter__(self) -> None:
        _state.messages.append(self._message)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None or issubclass(kind, Interrupted):
                return
            if issubclass(kind, KeyboardInterrupt) or (_state.asked and issubclass(kind, Exception)):
                raise Interrupted(self._message()) from None
        finally:
            _state.messages.remove(self._message)


def _handle(number: int, frame: FrameType | None) -> None:
    if _state.asked or not _state.working:
        _end()
    stack = list(_outermost_first(frame))
    trusted = []
    for running in stack:
        if not _trusted(running):
            break
        trusted.append(running)
    foreign = stack[len(trusted) :]
    if not _state.messages and foreign and _module(foreign[0]).startswith("importlib"):
        _end()  # a command that still imports what it needs has begun nothing
    _state.asked = True
    _thread.start_new_thread(_wait, ())
    if not foreign:
        _state.raised = True
        raise KeyboardInterrupt
    _raise_later(trusted)


def _outermost_first(frame: FrameType | None) -> Iterator[FrameType]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return reversed(frames)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _trusted(frame: FrameType) -> bool:
    name = _module(frame)
    if frame.f_code.co_name == "__del__" or name.startswith(_CALLED_BY_TORCH):
        return False
    root = name.partition(".")[0]
    return root == _OWN or root in _PLAIN


def _raise_later(frames: list[FrameType]) -> None:
    """Raise at the next line that one of these frames runs, as a debugger would stop there."""

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception":
            return trace
        sys.settrace(None)
        for traced in frames:
            traced.f_trace = None
        _state.raised = True
        raise KeyboardInterrupt

    for traced in frames:
        traced.f_trace = trace
    sys.settrace(lambda *_: None)


def _wait() -> None:
    """In a thread: end the process where nothing was raised in time."""
    time.sleep(GRACE)
    if not _state.raised:
        _end()


def _unraisable(lost: Any) -> None:
    """An exception that nobody can catch, as one out of a weak reference's callback; ours must not be lost."""
    if issubclass(lost.exc_type, KeyboardInterrupt) and _state.asked:
        _end()
    sys.__unraisablehook__(lost)


def _end(text: str = "") -> NoReturn:
    """Say the line, if that is not done, and end the process at once."""
    _state.asked = True
    if claim_line():
        if not text:
            with contextlib.suppress(Exception):
                text = _state.messages[-1]() if _state.messages else ""
        text = text or "interrupted"
        # The cursor, which a progress bar hides, and the line that it was on.
        shown = "\x1b[?25h\r\x1b[K" if os.isatty(2) and os.environ.get("TERM") != "dumb" else ""
        with contextlib.suppress(OSError):  # nobody reads it
            os.write(2, f"{shown}quanvolve: {one_line(text)}\n".encode(errors="backslashreplace"))
    for path in list(unfinished):
        with contextlib.suppress(OSError):
            os.unlink(path)
    os._exit(CODE)
