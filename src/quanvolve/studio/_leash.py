"""Runs a command of `quanvolve`, or another script, in a process that ends with the one that started it.

Started by its path: standard input is a pipe that the server holds and never writes to. When the server ends, however
that happens, the pipe closes. The first argument is `quanvolve`, or the path of a script; the others are theirs.
"""

import os
import runpy
import signal
import sys
import threading


def _wait() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock Python wants back at its end
        pass
    # As if killed: every command survives that, and goes on from its last epoch or trial.
    os._exit(137)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(os, "nice"):
        os.nice(5)  # predictions come first
    threading.Thread(target=_wait, daemon=True).start()
    del sys.argv[0]
    if sys.argv[0] == "quanvolve":
        runpy.run_module("quanvolve", run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
