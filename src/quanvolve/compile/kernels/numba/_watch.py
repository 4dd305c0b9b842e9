"""What Numba compiles, and where it keeps that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import event
from numba.core.dispatcher import Dispatcher

_PACKAGE = __name__.partition(".")[0]


class _Listener(event.Listener):  # type: ignore[misc]  # numba has no types
    def __init__(self) -> None:
        self.names: list[str] = []

    def on_start(self, event: event.Event) -> None:
        function = event.data["dispatcher"].py_func
        if function.__module__.startswith(f"{_PACKAGE}."):
            self.names.append(f"{function.__module__.rpartition('.')[2]}.{function.__name__}")

    def on_end(self, event: event.Event) -> None:
        pass


@contextmanager
def compiling() -> Iterator[list[str]]:
    """A list that grows by the name of each function of this package that this process compiles meanwhile."""
    listener = _Listener()
    event.register("numba:compile", listener)
    try:
        yield listener.names
    finally:
        event.unregister("numba:compile", listener)


def folder() -> str | None:
    """Where compiled functions are kept; None while no kernel is loaded."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{__package__}."):
            for value in vars(module).values():
                path = getattr(getattr(value, "_cache", None), "cache_path", None)
                if isinstance(value, Dispatcher) and path is not None:
                    return str(path)
    return None
