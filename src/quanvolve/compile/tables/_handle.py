"""Tables by number: what an operator of torch can take as an argument.

A number is made of what the tables are for, so it is the same in every process, and programs that `torch.compile` keeps
on disk find their tables again. Nothing is kept here: tables live as long as a plan, or autograd's graph, holds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Lock
from typing import ClassVar, TypeVar
from weakref import WeakValueDictionary

from quanvolve._errors import QuanvolveError

Own = TypeVar("Own", bound="Tables")


class Tables:
    """What a family of kernels takes beside tensors; the same object wherever it is for the same.

    Attributes:
        handle: its number.
    """

    handle: int
    _alive: ClassVar[WeakValueDictionary[int, Tables]] = WeakValueDictionary()
    _lock: ClassVar[Lock] = Lock()

    @classmethod
    def shared(cls: type[Own], what_for: object, make: Callable[[], Own]) -> Own:
        """Tables that somebody holds already, or new ones.

        Args:
            what_for: whatever determines them, with a `repr` that says all of it.
            make: makes them.
        """
        digest = hashlib.sha256(f"{cls.__qualname__} {what_for!r}".encode()).digest()
        number = int.from_bytes(digest[:8], "big") >> 1
        with cls._lock:
            alive = cls._alive.get(number)
            if not isinstance(alive, cls):
                alive = make()
                alive.handle = number
                cls._alive[number] = alive
        return alive

    @classmethod
    def of(cls: type[Own], handle: int) -> Own:
        """The tables of a number.

        Raises:
            QuanvolveError: if nobody holds them.
        """
        alive = cls._alive.get(handle)
        if not isinstance(alive, cls):
            raise QuanvolveError(
                f"no layer of this process has the tables {handle}: make the layer, and keep it, before running what "
                "was compiled of it"
            )
        return alive
