"""The last few things that were made for something, such as for a size of images."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Recent(Generic[Made]):
    """What was made, by what it was made for; of more than `most` the oldest goes.

    Examples:
        >>> squares = Recent[int](most=2)
        >>> [squares.get(number, lambda: number**2) for number in (1, 2, 3)], len(squares)
        ([1, 4, 9], 2)
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._made: dict[Hashable, Made] = {}

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for the key, or makes it."""
        try:
            return self._made[key]
        except KeyError:
            made = make()
        while len(self._made) >= self._most:
            self._made.pop(next(iter(self._made)), None)
        self._made[key] = made
        return made

    def __len__(self) -> int:
        return len(self._made)
