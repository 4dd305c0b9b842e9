"""The levels of a coherent tree: windows by turns, what they leave, and the padding that makes them fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.nn._limits import MOST_PIXELS, check_whole, shown, whole

Windows = int | Sequence[int | Sequence[int]]
"""A window, or several that levels take by turns."""
_BY_TURNS: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((2,),),
    2: ((1, 2), (2, 1)),
    3: ((1, 1, 2), (1, 2, 1), (2, 1, 1)),
}


@dataclass(frozen=True)
class TreeShape:
    """Where the blocks of a tree are.

    Args:
        input_size: places along each axis of an image.
        windows: for each level, from the leaves, the places along each axis of a block.
        places: blocks along each axis that the last level has.
    """

    input_size: tuple[int, ...]
    windows: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]

    @classmethod
    def parse(cls, input_size: Any, window: Any = None, n_levels: Any = None) -> TreeShape:
        """Read the arguments of the layer.

        Args:
            input_size: a whole number for a series, or one to three of them.
            window: one window, or several by turns; None for halves along one axis after the other.
            n_levels: how many levels; None for as many as there can be.

        Raises:
            QuanvolveError: naming the argument, what was given and what is valid.

        Examples:
            >>> TreeShape.parse((4, 4)).windows
            ((1, 2), (2, 1), (1, 2), (2, 1))
            >>> TreeShape.parse(28, 3).padded, TreeShape.parse((28, 28), [(2, 2), (7, 7)]).windows
            ((54,), ((2, 2), (7, 7), (2, 2)))
        """
        size = _size(input_size)
        turns = _turns(window, len(size))
        if n_levels is not None:
            check_whole("n_levels", n_levels)
        windows: list[tuple[int, ...]] = []
        left, turn, idle = size, 0, 0
        while idle < len(turns) and (n_levels is None or len(windows) < n_levels):
            # An axis that is down to one place stays; a turn that would join nothing is left out.
            fitting = tuple(min(w, n) for w, n in zip(turns[turn % len(turns)], left, strict=True))
            turn += 1
            if math.prod(fitting) == 1:
                idle += 1
                continue
            idle = 0
            windows.append(fitting)
            left = tuple(-(-n // w) for n, w in zip(left, fitting, strict=True))
        if not windows:
            raise QuanvolveError(
                f"`input_size` (={input_size!r}) and `window` (={window!r}) leave nothing to join: a tree needs at "
                "least two places along an axis that its windows join"
            )
        if n_levels is not None and len(windows) < n_levels:
            raise QuanvolveError(
                f"`n_levels` (={n_levels}) must be at most {len(windows)}: so many levels join {size} to {left} with "
                f"`window` {list(turns)}"
            )
        shape = cls(size, tuple(windows), left)
        if math.prod(shape.padded) > MOST_PIXELS:
            raise QuanvolveError(f"`input_size` (={shown(input_size)}) has more than {MOST_PIXELS} places")
        return shape

    @property
    def dims(self) -> int:
        """Axes of an image."""
        return len(self.input_size)

    @property
    def padded(self) -> tuple[int, ...]:
        """The least size that all windows divide."""
        return tuple(n * math.prod(window[axis] for window in self.windows) for axis, n in enumerate(self.places))

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Places along each axis that each level reads; those that are left come last."""
        sizes = [self.padded]
        for window in self.windows:
            sizes.append(tuple(n // w for n, w in zip(sizes[-1], window, strict=True)))
        return tuple(sizes)

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Places that are added before and after each axis; an odd one comes after."""
        return tuple(
            ((to - n) // 2, to - n - (to - n) // 2) for n, to in zip(self.input_size, self.padded, strict=True)
        )

    def pad(self, images: Tensor) -> Tensor:
        """Images (N, C, *input_size) with zeros around them, (N, C, *padded)."""
        if self.padded == self.input_size:
            return images
        return F.pad(images, [n for before, after in reversed(self.sides) for n in (before, after)])


def _size(given: Any) -> tuple[int, ...]:
    numbers = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not 1 <= len(numbers) <= 3 or not all(whole(n) for n in numbers):
        raise QuanvolveError(
            f"`input_size` (={shown(given)}) must be a whole number of at least 1, or one to three of them: places "
            "along each axis of an image"
        )
    return tuple(int(n) for n in numbers)


def _turns(given: Any, dims: int) -> tuple[tuple[int, ...], ...]:
    if given is None:
        return _BY_TURNS[dims]
    single = whole(given) or (
        dims > 1 and isinstance(given, tuple | list) and len(given) == dims and all(whole(n) for n in given)
    )
    several = [given] if single or not isinstance(given, tuple | list) else list(given)
    windows = [_window(given, one, dims) for one in several]
    if not windows:
        raise _bad_window(given, dims)
    return tuple(windows)


def _window(given: Any, one: Any, dims: int) -> tuple[int, ...]:
    numbers = tuple(one) if isinstance(one, tuple | list) else (one,) * dims
    if len(numbers) != dims or not all(whole(n) for n in numbers) or math.prod(numbers) < 2:
        raise _bad_window(given, dims)
    return tuple(int(n) for n in numbers)


def _bad_window(given: Any, dims: int) -> QuanvolveError:
    example = {1: "2 or [2, 3]", 2: "2 or [(1, 2), (2, 1)]", 3: "2 or [(1, 2, 2), (2, 1, 1)]"}[dims]
    return QuanvolveError(
        f"`window` (={given!r}) must be a window of at least two places, a whole number or {dims} of them, or several "
        f"windows that the levels take by turns, such as {example}"
    )
