"""A virtual environment for each peer, since their requirements exclude each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from quanvolve.bench._contenders import Contender


def default_folder() -> Path:
    """Where the environments are, if nothing else is said: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "quanvolve" / "peers"


def python_of(contender: Contender, folder: Path) -> Path | None:
    """The interpreter that runs a contender, or None if its environment is not there."""
    if not contender.requirements:
        return Path(sys.executable)
    own = folder / contender.name
    python = own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return python if (own / ".ready").exists() and python.exists() else None


def install(contender: Contender, folder: Path) -> str | None:
    """Make a contender's environment, unless it is there.

    Returns:
        Why it could not be made; None if all is well.
    """
    if python_of(contender, folder) is not None:
        return None
    own = folder / contender.name
    python = own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    commands = [[sys.executable, "-m", "venv", "--clear", str(own)]]
    commands += [[*pip, *packages] for packages in contender.requirements]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{command[0]}: {error.strerror}"
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            wrong = [line for line in lines if line.startswith("ERROR")] or lines
            return wrong[-1].removeprefix("ERROR: ") if wrong else f"exit code {done.returncode}"
    (own / ".ready").touch()
    return None
