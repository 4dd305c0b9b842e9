"""A process with little memory that loads what it is given: one line of JSON for each folder, with its error."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

MOST = 2**30
"""Bytes beyond those that the libraries take, and what they import when a model is loaded."""


def errors_of(sound: Path, folders: dict[str, Path]) -> dict[str, str]:
    """What loading each of these says, with at most `MOST` bytes more than there are after one that is sound.

    Returns:
        The message of the error by name; "" where there is none.
    """
    given = json.dumps({"": str(sound), **{name: str(folder) for name, folder in folders.items()}})
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.limited"], input=given, cwd=Path(__file__).parents[1], env=environment,
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MOST
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _main() -> None:
    import quanvolve
    from quanvolve._errors import ModelError

    folders = json.load(sys.stdin)
    quanvolve.load(folders.pop(""))
    _limit()
    found = {}
    for name, folder in folders.items():
        try:
            quanvolve.load(folder)
        except ModelError as error:
            found[name] = str(error)
        except BaseException as error:
            found[name] = f"internal error: {type(error).__name__}: {error}"
        else:
            found[name] = ""
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
