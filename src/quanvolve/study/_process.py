"""A worker process of a study: ``python -m quanvolve.study._process FOLDER``.

With ``--leash`` its standard input is a pipe that the process which started it holds and never writes to: the worker
ends with that process, however that happens.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from quanvolve import _interrupt
from quanvolve.study._table import Table
from quanvolve.study._work import work


def _end_with_the_pipe() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock Python wants back at its end
        pass
    os._exit(137)  # as if killed: others take up what it was doing


def run(folder: Path, leash: bool) -> int:
    """Do trials until none is left.

    Args:
        folder: of the study.
        leash: end when standard input does.

    Returns:
        The exit code.
    """
    _interrupt.listen()
    if leash:
        threading.Thread(target=_end_with_the_pipe, daemon=True).start()

    def worked() -> int:
        try:
            work(Table(folder))
        except KeyboardInterrupt:
            return _interrupt.CODE
        return 0

    return _interrupt.unwinding(worked)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), "--leash" in sys.argv))
