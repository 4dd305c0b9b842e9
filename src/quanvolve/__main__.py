"""The process of the command line: `quanvolve`, and `python -m quanvolve`."""

import gc
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
    gc.set_threshold(_OBJECTS)
    from quanvolve.cli import main

    return _interrupt.unwinding(main)


if __name__ == "__main__":
    sys.exit(run())
