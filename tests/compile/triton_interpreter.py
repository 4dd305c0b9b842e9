"""Triton's interpreter, quicker: what it does to `triton.language` is done once a launch, not at each call in it.

A function that a kernel calls finds the language as the kernel has left it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Scope:
    """What was changed for a function, to be undone."""

    def __init__(self, scope: Any, modules: set[int], changed: set[int]) -> None:
        self._scope, self._modules, self._changed = scope, modules, changed

    def restore(self) -> None:
        """Undo it."""
        self._changed -= self._modules
        if self._scope is not None:
            self._scope.restore()


@contextmanager
def patched_once() -> Iterator[None]:
    """In which functions that a kernel calls leave modules of `triton.language` alone that are changed already."""
    import triton.language as tl
    from triton.runtime import interpreter

    whole = interpreter._patch_lang
    changed = set[int]()

    def patch(function: Any) -> _Scope:
        seen = {id(value) for value in function.__globals__.values() if value is tl or value is tl.core} - changed
        changed.update(seen)
        return _Scope(whole(function) if seen else None, seen, changed)

    interpreter._patch_lang = patch
    try:
        yield
    finally:
        interpreter._patch_lang = whole
