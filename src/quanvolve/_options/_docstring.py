"""Docstrings that name every option."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from typing import TypeVar

from quanvolve._options._option import Option

_T = TypeVar("_T")


def explains(options: Iterable[Option]) -> Callable[[type[_T]], type[_T]]:
    """Let the docstring of a class name every option: those that it leaves out get a line."""

    def explained(kind: type[_T]) -> type[_T]:
        kind.__doc__ = documented(kind.__doc__ or "", options)
        return kind

    return explained


def documented(docstring: str, options: Iterable[Option]) -> str:
    """A docstring whose section Args has a line for each option that it did not name.

    Args:
        docstring: with a section Args, as the source has it.
        options: to be named.

    Examples:
        >>> print(documented('''A layer.
        ...
        ...     Args:
        ...         size, stride: of the window.
        ...
        ...     Returns:
        ... ''', [Option("stride", 1, "int", "Steps."), Option("depth", 2, "int", "Of it.")]))
        A layer.
        <BLANKLINE>
            Args:
                size, stride: of the window.
                depth: Of it.
        <BLANKLINE>
            Returns:
        <BLANKLINE>
    """
    head, args, rest = docstring.partition("Args:\n")
    section, gap, after = rest.partition("\n\n")
    indent = " " * (len(section) - len(section.lstrip(" ")))
    listed = re.findall(rf"^{indent}(\w[\w,\s]*?):", section, re.MULTILINE)
    named = {name for line in listed for name in re.split(r"[,\s]+", line)}
    lines = [
        textwrap.fill(f"{option.name}: {option.help}", 120, initial_indent=indent, subsequent_indent=indent + "    ")
        for option in options
        if option.name not in named
    ]
    return head + args + "\n".join([section, *lines]) + gap + after
