"""Gates joined with earlier ones where nothing on their wires lies between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Turning = TypeVar("Turning")
Moving = TypeVar("Moving")


@dataclass
class Step(Generic[Turning, Moving]):
    """What happens next: turns of one wire in order, a move of the whole register, or a wall that nothing joins.

    Args:
        wires: that it acts on.
        turns: items of one-wire gates, in the order in which they act; empty for the others.
        move: item of a move.
        wall: item of a wall.
    """

    wires: frozenset[int]
    turns: tuple[Turning, ...] = ()
    move: Moving | None = None
    wall: object = None


class Fuser(Generic[Turning, Moving]):
    """A circuit as few steps.

    Args:
        join: of an earlier move and a later one makes the move that is both.

    Examples:
        >>> fuser = Fuser(lambda earlier, later: earlier + later)
        >>> fuser.turn(0, "RX"); fuser.turn(1, "RY"); fuser.turn(0, "RZ")
        >>> fuser.move({0, 1}, ["CNOT"]); fuser.move({1, 2}, ["CZ"])
        >>> [step.turns or step.move for step in fuser.steps]
        [('RX', 'RZ'), ('RY',), ['CNOT', 'CZ']]
    """

    def __init__(self, join: Callable[[Moving, Moving], Moving]) -> None:
        self._join = join
        self.steps: list[Step[Turning, Moving]] = []

    def turn(self, wire: int, item: Turning) -> None:
        """Add a gate on one wire: it joins the turns of this wire where these are the last that touched it."""
        last = self._last(frozenset((wire,)))
        if last >= 0 and self.steps[last].turns:
            self.steps[last].turns += (item,)
        else:
            self.steps.append(Step(frozenset((wire,)), turns=(item,)))

    def move(self, wires: set[int], item: Moving) -> None:
        """Add a move: it joins the first move after everything that touched its wires."""
        touched = frozenset(wires)
        for step in self.steps[max(self._last(touched), 0) :]:
            if step.move is not None:
                step.move, step.wires = self._join(step.move, item), step.wires | touched
                return
        self.steps.append(Step(touched, move=item))

    def wall(self, wires: set[int], item: object) -> None:
        """Add what joins nothing."""
        self.steps.append(Step(frozenset(wires), wall=item))

    def _last(self, wires: frozenset[int]) -> int:
        """Number of the last step that touched one of these wires, or -1."""
        return max((number for number, step in enumerate(self.steps) if step.wires & wires), default=-1)
