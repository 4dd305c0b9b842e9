"""Writing to the terminal: plain lines, tables and JSON, whoever reads them and however far."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from quanvolve._lines import one_line

_WIDE = 10_000  # columns; what is not shown on a terminal is never wrapped


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it, in a terminal that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def emit(text: str) -> None:
    """Print to stdout at once. When nobody reads any more, go on in silence: the work may still be wanted."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)


def silence(stream: TextIO) -> None:
    """Send all further output of a closed pipe nowhere, also what Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def emit_json(value: Any) -> None:
    """Print one JSON value; ASCII, so that it survives any encoding."""
    emit(json.dumps(value, indent=2, allow_nan=False))


def emit_table(rows: Iterable[Sequence[str]], header: Sequence[str] = (), *, right: Iterable[int] = ()) -> None:
    """Print aligned columns, wrapped to the terminal where there is one.

    Args:
        rows: cells.
        header: titles of the columns; without them the first column stands out.
        right: numbers of the columns that are aligned at their right.
    """
    from rich.console import Console
    from rich.table import Table

    lines = [list(row) for row in rows]
    live = is_terminal(sys.stdout)
    table = Table(box=None, show_header=bool(header), header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    numbers = set(right)
    for index in range(len(header) or len(lines[0])):
        table.add_column(
            header[index] if header else "",
            justify="right" if index in numbers else "left",
            style="bold" if index == 0 else None,
            no_wrap=index == 0,
            overflow="fold",
        )
    for line in lines:
        table.add_row(*line)
    text = io.StringIO()
    # Cells hold names of files: square brackets in them are no markup.
    console = Console(
        file=text, force_terminal=live, width=None if live else _WIDE, markup=False, emoji=False, highlight=False
    )
    console.print(table)
    emit("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


def complain(text: str) -> None:
    """Print one line to stderr."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"quanvolve: {one_line(text)}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        silence(sys.stderr)
