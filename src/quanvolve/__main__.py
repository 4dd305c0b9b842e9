"""The process of the command line: `quanvolve`, and `python -m quanvolve`."""

import gc
import os
import sys

from quanvolve import _interrupt

_OBJECTS = 100_000
"""New objects after which Python looks for cycles that nobody holds: imports make a million that stay."""


def run() -> int:
    """Run the command line of this process, and answer Ctrl-C from the first moment on.

    Returns:
        The exit code, as :func:`quanvolve.cli.main` gives it.
    """
    _interrupt.listen()
    # torch's threads would wait for work by spinning, and take the processors from whatever has some. OpenMP reads this
    # when torch is imported; a library leaves it to the program that it is part of.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    gc.set_threshold(_OBJECTS)
    from quanvolve.cli import main

    return _interrupt.unwinding(main)


if __name__ == "__main__":
    sys.exit(run())
