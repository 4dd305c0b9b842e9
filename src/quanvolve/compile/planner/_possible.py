"""Which plans can run circuits, as they are or light cone by light cone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.planner._entries import PLANS, PlanEntry
from quanvolve.compile.plans._parts import PartsPlan
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._prices import priced
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._cones import cut, split
from quanvolve.compile.tables._layout import Layout


class Candidates:
    """The plans of some circuits, each made when it is asked for.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
    """

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self.circuits = tuple(circuits)

    @cached_property
    def _parts(self) -> list[tuple[tuple[int, ...], tuple[Circuit, ...]]]:
        """Groups of measured values, and the circuits that are left for each."""
        groups = split(self.circuits)
        return [(group, cut(self.circuits, group)) for group in groups] if len(groups) > 1 else []

    def plan(self, entry: PlanEntry, *number: float) -> Plan | PlanError:
        """A plan for the circuits, in light cones where that is less work; or why there is none."""
        whole = entry.attempt(self.circuits, *number)
        parts = self._in_parts(entry) if entry.exact else None
        if parts is None:
            return whole
        layout = Layout(1, 1, 1, self.circuits[0].n_outputs)
        return parts if isinstance(whole, PlanError) or _window(parts, layout) < _window(whole, layout) else whole

    def _in_parts(self, entry: PlanEntry) -> PartsPlan | None:
        plans = []
        for _, circuits in self._parts:
            plan = entry.attempt(circuits)
            if isinstance(plan, PlanError):
                return None
            plans.append(plan)
        return PartsPlan([group for group, _ in self._parts], plans, self.circuits[0].n_wires) if plans else None

    def exact(self, layout: Layout | None = None) -> tuple[dict[str, Plan], dict[str, PlanError]]:
        """The exact plans that can run the circuits, and why the others cannot.

        Args:
            layout: of the rows, where those plans are to be left out that cost more than another one in any case.
        """
        possible: dict[str, Plan] = {}
        refused: dict[str, PlanError] = {}
        for name, entry in PLANS.items():
            if not entry.exact or (layout is not None and self._beaten(entry, possible, layout)):
                continue
            plan = self.plan(entry)
            if isinstance(plan, PlanError):
                refused[name] = plan
            else:
                possible[name] = plan
        return possible, refused

    def _beaten(self, entry: PlanEntry, plans: dict[str, Plan], layout: Layout) -> bool:
        """Whether on every device a plan costs less, to compile and per window, than this one can."""
        if entry.least is None:
            return False
        least = entry.least(self.circuits, layout)
        works = [plan.work(layout) for plan in plans.values()]
        return all(any(_no_more(work, least, device) for work in works) for device in priced())

    def estimated(self) -> dict[str, Plan]:
        """The plans whose values are estimates, for circuits with noise."""
        plans = {name: entry.attempt(self.circuits) for name, entry in PLANS.items() if entry.last_resort}
        return {name: plan for name, plan in plans.items() if not isinstance(plan, PlanError)}

    def fixed_only(self) -> list[str]:
        """Names of the plans that can run the circuits with fixed weights."""
        entries = [entry for entry in PLANS.values() if not entry.trainable]
        return [entry.name for entry in entries if not isinstance(entry.attempt(self.circuits), PlanError)]


def plans_of(circuits: Sequence[Circuit]) -> tuple[dict[str, Plan], dict[str, PlanError]]:
    """The exact plans that can run these circuits, and why the others cannot.

    Each runs the circuits as they are, or light cone by light cone where that is less work.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> possible, refused = plans_of([named_circuit("strongly_entangling", 4)])
        >>> list(possible), list(refused)
        (['polynomial', 'tensor_train', 'statevector'], ['table', 'density'])
    """
    return Candidates(circuits).exact()


def cheapest(circuits: Sequence[Circuit]) -> Plan:
    """The exact plan with the least work for each window."""
    layout = Layout(1, 1, 1, circuits[0].n_outputs)
    return min(plans_of(circuits)[0].values(), key=lambda plan: _window(plan, layout))


def _window(plan: Plan, layout: Layout) -> float:
    """Nanoseconds of a window on a CPU."""
    return plan.work(layout)[1].cost("cpu")


def _no_more(works: tuple[Work, Work], others: tuple[Work, Work], device: str) -> bool:
    return all(one.cost(device) <= other.cost(device) for one, other in zip(works, others, strict=True))
