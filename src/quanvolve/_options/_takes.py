"""Constructors whose `**options` are those of the layer: named in their signatures, refused where they are unknown."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


def takes(options: Sequence[inspect.Parameter]) -> Callable[[type[_T]], type[_T]]:
    """Let the constructor of a class take these beside its own arguments.

    Args:
        options: with their defaults; those that the constructor names itself keep its own.

    Returns:
        A decorator of classes with `__init__(self, ..., **options)`, which is always given all of them by name. The
        signature lists them after the positional arguments.

    Examples:
        >>> @takes([inspect.Parameter("depth", inspect.Parameter.KEYWORD_ONLY, default=2)])
        ... class Well:
        ...     def __init__(self, width, *, dry=False, **options):
        ...         self.options = options
        >>> inspect.signature(Well), Well(1).options, Well(1, depth=3).options
        (<Signature (width, *, depth=2, dry=False)>, {'depth': 2}, {'depth': 3})
        >>> Well(1, dept=3)
        Traceback (most recent call last):
        TypeError: Well.__init__() got an unexpected keyword argument 'dept'
    """

    def taking(kind: type[_T]) -> type[_T]:
        made: Callable[..., None] = kind.__init__
        signature = inspect.signature(made)
        shared = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in options
            if parameter.name not in signature.parameters
        ]
        named = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        place = sum(parameter.kind is not inspect.Parameter.KEYWORD_ONLY for parameter in named)
        defaults = {parameter.name: parameter.default for parameter in shared}
        known = {parameter.name for parameter in named} | set(defaults)

        @functools.wraps(made)
        def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
            for name in keywords:
                if name not in known:
                    raise TypeError(f"{kind.__name__}.__init__() got an unexpected keyword argument {name!r}")
            made(self, *arguments, **{**defaults, **keywords})

        parameters = [*named[:place], *shared, *named[place:]]
        __init__.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        kind.__init__ = __init__  # type: ignore[method-assign]
        return kind

    return taking
