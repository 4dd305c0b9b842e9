"""The entry point: runs a command and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import typer

from quanvolve._interrupt import CODE, Interrupted, asked, claim_line
from quanvolve._warn import QuanvolveWarning
from quanvolve.cli._app import app
from quanvolve.cli._console import complain, silence
from quanvolve.cli._session import resume_command
from quanvolve.cli._wording import as_options
from quanvolve.runs import Unfinished

FAILED = 2


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: the arguments after the program's name; by default those of this process.

    Returns:
        The exit code: 0; 1 where some of several files could not be used; 2 after an error, which is one line on
        stderr; 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if args is None else args) or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        # A name of a file may hold what the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _quiet_libraries():
            _run(arguments)
        _flush(sys.stdout)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except SystemExit:
        # Rich leaves this way when the reader of a help page has gone.
        return 0
    except (KeyboardInterrupt, typer.Abort, Interrupted) as stop:
        return _interrupted(str(stop))
    except Exception as error:
        if asked():
            # What a library has made of it.
            return _interrupted("")
        if os.environ.get("QUANVOLVE_DEBUG", "") not in ("", "0"):
            import traceback

            traceback.print_exc()
        complain(_message(error))
        return FAILED
    return 0


def _interrupted(text: str) -> int:
    if claim_line():
        complain(text or "interrupted")
    return CODE


def _run(arguments: list[str]) -> None:
    command = typer.main.get_command(app)
    # Not `command.main()`: it prints errors in a box and swallows Ctrl-C.
    with command.make_context("quanvolve", arguments) as context:
        command.invoke(context)


def _message(error: Exception) -> str:
    if hasattr(error, "format_message"):
        return f"error: {_usage_message(error)}"
    if isinstance(error, OSError):
        where = f"{os.fspath(error.filename)!r}: " if error.filename else ""
        return f"error: {where}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return "error: not enough memory: use a smaller --batch-size, fewer --filters or less data"
    if isinstance(error, Unfinished):
        how = resume_command(error.folder)
        return f"error: {error.folder} has no model yet: finish its training with {how}"
    if isinstance(error, ValueError):
        return f"error: {as_options(str(error), getattr(error, 'arguments', ()))}"
    return f"internal error: {type(error).__name__}: {error} (set QUANVOLVE_DEBUG=1 for the traceback)"


def _usage_message(error: Any) -> str:
    """Typer's message about wrong options, in our form."""
    text = str(error.format_message()).strip()
    checked = getattr(error.__cause__, "errors", None)
    if checked is not None and text.startswith("Invalid value for"):
        # Pydantic's words leave out what was given.
        value = checked()[0].get("input")
        text = text.replace("Invalid value for", f"Invalid value {str(value)!r} for", 1)
        text = text.replace(": Input should be ", ": expected ").partition(", unable to parse")[0]
    context = getattr(error, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return f"{text[:1].lower()}{text[1:].rstrip('.')}{hint}"


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Let only our own warnings through, each as one line and once."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with _in_one_line(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", category=UserWarning, module=r"quanvolve\.")
        warnings.filterwarnings("default", category=QuanvolveWarning)
        shown: set[str] = set()

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            # Python forgets what it has warned of whenever a library changes the filters.
            if str(message) not in shown:
                shown.add(str(message))
                complain(f"warning: {as_options(str(message))}")

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """What Python prints by itself, the words of libraries that log and of threads that fail, as one line or not."""
    logs, threads = logging.lastResort, threading.excepthook

    def failed(what: threading.ExceptHookArgs) -> None:
        if os.environ.get("QUANVOLVE_DEBUG", "") not in ("", "0"):
            threads(what)
        complain(f"warning: a thread failed: {what.exc_type.__name__}: {what.exc_value}")

    logging.lastResort, threading.excepthook = None, failed
    try:
        yield
    finally:
        logging.lastResort, threading.excepthook = logs, threads


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        try:
            stream.flush()
        except BrokenPipeError:
            silence(stream)
