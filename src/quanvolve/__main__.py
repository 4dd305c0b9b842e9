"""The process of the command line: `quanvolve`, and `python -m quanvolve`."""

import sys

from quanvolve import _interrupt


def run() -> int:
    """Run the command line of this process, and answer Ctrl-C from the first moment on.

    Returns:
        The exit code, as :func:`quanvolve.cli.main` gives it.
    """
    _interrupt.listen()
    from quanvolve.cli import main

    return _interrupt.unwinding(main)


if __name__ == "__main__":
    sys.exit(run())
