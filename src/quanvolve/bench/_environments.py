"""A virtual environment for each peer that needs one, since their requirements exclude each other."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from quanvolve._files import write_whole
from quanvolve.bench._contenders import Contender
from quanvolve.data import cache_dir

_READY = "quanvolve-steps.txt"


def default_folder() -> Path:
    """Where the environments are, if nothing else is said: in the user's cache folder."""
    return cache_dir() / "peers"


def python_of(contender: Contender, folder: Path) -> Path | None:
    """The interpreter that runs a contender: of its own environment, else of this one if that has the modules.

    Args:
        contender: which.
        folder: where the environments are.

    Returns:
        Its path, or None if neither will do.
    """
    environment = folder / contender.name
    if contender.steps and _python(environment).exists() and _installed(environment) == _recipe(contender):
        return _python(environment)
    if contender.steps and not (contender.modules and all(map(_found, contender.modules))):
        return None
    return Path(sys.executable)


def needs_install(contender: Contender, folder: Path) -> bool:
    """Whether it needs an environment that is not there yet, or not with what it needs by now."""
    return python_of(contender, folder) is None


def install(contender: Contender, folder: Path) -> str | None:
    """Make a contender's environment; what is left of an earlier attempt is removed.

    Args:
        contender: which.
        folder: where the environments are; made if it is not there.

    Returns:
        Why it could not be made, in a line; None if all is well.
    """
    environment = folder / contender.name
    pip = [str(_python(environment)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    commands = [[sys.executable, "-m", "venv", "--clear", str(environment)]]
    commands += [[*pip, *step] for step in contender.steps]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError as error:
            return f"{command[0]}: {error.strerror or error}"
        if done.returncode:
            return _why(done.stderr + done.stdout) or f"{' '.join(command[1:4])} ended with code {done.returncode}"
    write_whole(environment / _READY, _recipe(contender))
    return None


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _recipe(contender: Contender) -> str:
    return "".join(" ".join(step) + "\n" for step in contender.steps)


def _installed(environment: Path) -> str:
    try:
        return (environment / _READY).read_text()
    except OSError:
        return ""


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _why(text: str) -> str:
    """The line that says most about what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if line.upper().startswith("ERROR")] or lines
    return wrong[-1].partition("ERROR: ")[2] or wrong[-1] if wrong else ""
