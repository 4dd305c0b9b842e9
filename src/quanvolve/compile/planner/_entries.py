"""The plans, as data: a plan that is registered is found by its name everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.compile.plans._density import DensityPlan
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._polynomial import PolynomialPlan
from quanvolve.compile.plans._statevector import StatevectorPlan
from quanvolve.compile.plans._table import TablePlan
from quanvolve.compile.plans._tensor_train import TensorTrainPlan
from quanvolve.compile.plans._trajectories import TrajectoryPlan
from quanvolve.compile.plans._truncated_train import TruncatedTrainPlan
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._layout import Layout


@dataclass(frozen=True)
class Number:
    """What may stand behind a plan's name, as in "trajectories:1000".

    Args:
        least, most: its range.
        whole: whether it is a whole number.
        asked: what must be named, in an error.
    """

    least: float
    most: float
    whole: bool
    asked: str


@dataclass(frozen=True)
class PlanEntry:
    """A plan that a layer may be evaluated by.

    Args:
        name: as `engine` asks for it.
        make: makes it of circuits, one for all rows or one for each, and of the number if it takes one; raises a
            PlanError that says why it cannot run them.
        exact: whether its values are exact. One whose values are estimates or approximations runs only where it is
            asked for.
        trainable: whether it has gradients by weights.
        number: what may stand behind its name.
        last_resort: whether it runs circuits with noise that no exact plan can.
        least: for plans that take long to make: the work to compile, and per window, that it is at least for circuits
            and a layout. One that another plan beats anyway is then not made.
    """

    name: str
    make: Callable[..., Plan]
    exact: bool = True
    trainable: bool = True
    number: Number | None = None
    last_resort: bool = False
    least: Callable[[Sequence[Circuit], Layout], tuple[Work, Work]] | None = None

    def attempt(self, circuits: Sequence[Circuit], *number: float) -> Plan | PlanError:
        """The plan, or why it cannot run the circuits."""
        try:
            return self.make(circuits, *number)
        except PlanError as error:
            return error


PLANS: dict[str, PlanEntry] = {}
"""By name; of those that cost the same the first is taken."""


def register_plan(entry: PlanEntry) -> PlanEntry:
    """Add a plan: the planner considers it where it is exact, and `engine` takes its name.

    Args:
        entry: of the plan.

    Returns:
        The entry.

    Raises:
        QuanvolveError: if there is a plan of this name.

    Examples:
        >>> register_plan(PlanEntry("table", TablePlan))
        Traceback (most recent call last):
        quanvolve._errors.QuanvolveError: there is a plan 'table' already: choose another name
    """
    if entry.name in PLANS or entry.name == "auto":
        raise QuanvolveError(f"there is a plan {entry.name!r} already: choose another name")
    PLANS[entry.name] = entry
    return entry


for _entry in (
    PlanEntry(TablePlan.name, TablePlan),
    PlanEntry(PolynomialPlan.name, PolynomialPlan),
    PlanEntry(TensorTrainPlan.name, TensorTrainPlan, least=TensorTrainPlan.least),
    PlanEntry(StatevectorPlan.name, StatevectorPlan),
    PlanEntry(DensityPlan.name, DensityPlan),
    PlanEntry(
        TruncatedTrainPlan.name,
        TruncatedTrainPlan,
        exact=False,
        trainable=False,
        number=Number(1e-12, 0.1, False, "an error from 1e-12 to 0.1, as in 'truncated_train:1e-5'"),
    ),
    PlanEntry(
        TrajectoryPlan.name,
        TrajectoryPlan,
        exact=False,
        number=Number(1, 2**31, True, "how many trajectories are run, at least 1, as in 'trajectories:1000'"),
        last_resort=True,
    ),
):
    register_plan(_entry)


def parse_engine(engine: Any) -> tuple[PlanEntry | None, tuple[float, ...]]:
    """The plan that an `engine` names, None for "auto", and the number behind its name if there is one.

    Raises:
        QuanvolveError: if there is no such plan, or its number is not one that it takes.

    Examples:
        >>> entry, number = parse_engine("trajectories:200")
        >>> entry.name, number
        ('trajectories', (200,))
    """
    name, colon, text = engine.partition(":") if isinstance(engine, str) else (engine, "", "")
    if name == "auto" and not colon:
        return None, ()
    entry = PLANS.get(name) if isinstance(name, str) else None
    if entry is None or (colon and entry.number is None):
        raise QuanvolveError(f"`engine` (={engine!r}) must be one of {', '.join(map(repr, engines()))}")
    if not colon or entry.number is None:
        return entry, ()
    limits = entry.number
    try:
        number = float(text)
    except ValueError:
        number = limits.least - 1
    if not limits.least <= number <= limits.most or (limits.whole and number % 1):
        raise QuanvolveError(f"`engine` (={engine!r}) must name {limits.asked}")
    return entry, (int(number) if limits.whole else number,)


def engines() -> tuple[str, ...]:
    """What `engine` may be; a number may stand behind some of them."""
    return ("auto", *PLANS)


def is_trainable(engine: Any) -> bool:
    """Whether the plan that an `engine` names has gradients by weights.

    Examples:
        >>> is_trainable("auto"), is_trainable("truncated_train:1e-4")
        (True, False)
    """
    entry, _ = parse_engine(engine)
    return entry is None or entry.trainable
