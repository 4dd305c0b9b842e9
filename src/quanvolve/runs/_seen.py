"""What a run has to tell at any time: other processes may be writing to it, and what is damaged says nothing."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from quanvolve._file_names import CONFIG
from quanvolve.runs._files import HISTORY, METRICS, RUN

UNKNOWN = "unknown"


def epochs_of(folder: Path) -> list[dict[str, Any]]:
    """The finished epochs of a training; a line that is still being written is left out."""
    try:
        lines = (folder / HISTORY).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict):
                rows.append(row)
    return rows


def metrics_of(folder: Path) -> dict[str, Any] | None:
    """What the test images gave; None before that is known."""
    return _object(folder / METRICS)


def config_of(folder: Path) -> dict[str, Any]:
    """The model's own description of itself; nothing before there is a model."""
    return _object(folder / CONFIG) or {}


def origin_of(folder: Path) -> tuple[str, dict[str, Any]]:
    """The data set and the options of a run; "unknown" and none of a model that was saved from Python."""
    run = _object(folder / RUN) or {}
    options = run.get("options")
    return Path(str(run.get("dataset", UNKNOWN))).stem, options if isinstance(options, dict) else {}


def _object(path: Path) -> dict[str, Any] | None:
    """An object of JSON from a file; None where there is none, or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
