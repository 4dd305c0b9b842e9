"""The planner: which plan evaluates a layer, by an estimate of the work of each that can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from quanvolve._errors import NoPlanError, PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.planner._entries import PLANS, PlanEntry, parse_engine
from quanvolve.compile.planner._possible import Candidates, cheapest
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._postprocessed import PostprocessedPlan, measured_alone
from quanvolve.compile.plans._prices import priced
from quanvolve.compile.plans._sampled import SampledPlan
from quanvolve.compile.plans._shifted import ShiftedPlan
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._sampling import sampling_of, word_circuits, words_alone

_GAIN = 1.5
_SLOW = 20_000.0
"""Nanoseconds a window from which on the plan's text says so."""

NO_PLAN = "no plan can run this circuit"
"""How the error of a circuit begins that is too large for all of them."""


class Planner:
    """The plans of a layer, and which of them to use.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
        layout: how the rows make up channels.
        engine: "auto", or the name of the plan to use whatever it costs, which is then the only one that is made;
            "truncated_train" may be followed by the error that it may make, as in "truncated_train:1e-5", and
            "trajectories" by their number, as in "trajectories:1000".
        shots: outputs are means over so many; None where they are exact.
        diff_method: with shots, "exact" or "parameter-shift".

    Raises:
        QuanvolveError: if there is no such engine.
        PlanError: if that plan, or no plan at all, can run the circuits; it says why.
    """

    def __init__(
        self,
        circuits: Sequence[Circuit],
        layout: Layout,
        engine: str = "auto",
        shots: int | None = None,
        diff_method: str = "exact",
    ) -> None:
        self._given = (tuple(circuits), layout, engine, shots, diff_method)
        self.layout, self.engine, self._shots = layout, engine, shots
        self._costs: dict[tuple[str, str], tuple[float, float]] = {}
        entry, number = parse_engine(engine)
        _check_alike(circuits)
        self._circuits, self._inner = measured_alone(circuits, layout)
        measured = self._circuits if shots is None else word_circuits(self._circuits, self._inner)[0]
        self._candidates = Candidates(measured)
        self.possible: dict[str, Plan] = {}
        self.refused: dict[str, PlanError] = {}
        if entry is not None:
            self.possible = {entry.name: self._asked(entry, number)}
        else:
            self.possible, self.refused = self._every(measured)
        self.possible = {name: self._whole(plan) for name, plan in self.possible.items()}

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # nothing in it ever changes, and its tables are large

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given

    def _asked(self, entry: PlanEntry, number: tuple[float, ...]) -> Plan:
        """The plan that the engine names."""
        plan = self._candidates.plan(entry, *number)
        if not isinstance(plan, PlanError):
            return plan
        if not entry.exact:
            raise plan
        possible, _ = self._candidates.exact()
        estimated = self._candidates.estimated() if self._shots is None else {}
        able = [*map(repr, possible), *(f"engine={name!r}" for name in estimated)]
        raise PlanError(
            f"`engine` (={self.engine!r}) cannot run this circuit: {plan}; engines that can: "
            f"{' or '.join(able) or 'none'}"
        ) from plan

    def _every(self, circuits: Sequence[Circuit]) -> tuple[dict[str, Plan], dict[str, PlanError]]:
        """All plans that may be the cheapest exact one; where none can run the circuits, one that estimates."""
        layout = self._inner if self._shots is None else words_alone(sampling_of(self._circuits[0]), self._inner)
        possible, refused = self._candidates.exact(layout)
        if not possible and any(circuit.noisy for circuit in circuits):
            possible = self._candidates.estimated()
        if not possible:
            # The state-vector plan takes whatever is small enough, so its reason is the one to act on.
            others = " and ".join(f"{n}: {_first_clause(e)}" for n, e in refused.items() if n != "statevector")
            fixed = "".join(
                f"; with fixed weights engine={name!r} may, up to a small error"
                for name in self._candidates.fixed_only()
            )
            raise NoPlanError(f"{NO_PLAN}: {refused['statevector']} ({others}){fixed}")
        return possible, refused

    def _whole(self, plan: Plan) -> Plan:
        """The plan of the layer, with shots and post-processing, whose words or values this one gives."""
        circuits, layout, *_ = self._given
        measured = self._measured_by(plan)
        return measured if circuits[0].postprocessing is None else PostprocessedPlan(measured, circuits, layout)

    def _measured_by(self, plan: Plan) -> Plan:
        """The plan of the measured values whose words or values this one gives."""
        *_, shots, diff_method = self._given
        circuits, layout = self._circuits, self._inner
        if shots is None:
            return plan
        if plan.name in PLANS and PLANS[plan.name].last_resort:
            raise PlanError(
                f"`shots` (={shots}) are drawn from exact probabilities, which {plan.name} only estimate: leave "
                "`shots` out and choose the number of trajectories, as in engine='trajectories:1000'"
            )
        if diff_method == "exact":
            return SampledPlan(plan, circuits, layout, shots)
        return ShiftedPlan(plan, circuits, layout, shots, cheapest)

    def choose(self, n_windows: int | None, device: str = "cpu") -> Plan:
        """The cheapest plan, or close to it.

        Args:
            n_windows: how many windows one compilation serves; None where it is kept, so that only windows count.
            device: whose prices count, its type as torch calls it.
        """
        if len(self.possible) == 1:
            return next(iter(self.possible.values()))
        per_window = min(self.possible.values(), key=lambda plan: self._cost(plan, None, device))
        if n_windows is None:
            return per_window
        least = min(self.possible.values(), key=lambda plan: self._cost(plan, n_windows, device))
        # Another plan rounds differently: training leaves that of inference only for a real gain.
        gain = self._cost(per_window, n_windows, device) > _GAIN * self._cost(least, n_windows, device)
        return least if gain else per_window

    def _cost(self, plan: Plan, n_windows: int | None, device: str) -> float:
        costs = self._costs.get((plan.name, device))
        if costs is None:
            setup_work, window_work = plan.work(self.layout)
            costs = self._costs[plan.name, device] = setup_work.cost(device), window_work.cost(device)
        setup, window = costs
        return window if n_windows is None else setup + n_windows * window

    def __str__(self) -> str:
        return self.describe("cpu")

    def describe(self, device: str) -> str:
        """Which plan is chosen on a device, and why, in one sentence."""
        chosen = self.choose(None, device)
        text = str(chosen)
        if self.engine != "auto":
            return f"{text}; as `engine` asks"
        chosen_cost = self._cost(chosen, None, device)
        possible, refused = self._all()
        others = [
            f"{name} would take about {_times(self._cost(plan, None, device) / chosen_cost)}"
            for name, plan in possible.items()
            if name != chosen.name
        ]
        if chosen_cost > _SLOW:
            text += f"; slow: about {1e9 / chosen_cost:.2g} windows a second"
            if "tensor_train" in refused and "truncated_train" in self._candidates.fixed_only():
                text += " (with fixed weights engine='truncated_train' may be faster)"
        if not others:
            why = " ".join(f"{name} cannot run it: {_first_clause(error)}." for name, error in refused.items())
            return f"{text}; the only plan for this circuit. {why}".rstrip(". ")
        limit = self._switch(chosen, device)
        training = (
            f"; training steps of fewer than {limit} windows run as {self.choose(1, device).name}"
            if limit is not None
            else ""
        )
        where = "" if device in (*priced(), "meta") else f" (by prices of the CPU: none were measured on {device})"
        return f"{text}; chosen because {' and '.join(others)} the work for each window{training}{where}"

    def _all(self) -> tuple[dict[str, Plan], dict[str, PlanError]]:
        """Those plans, too, that were not made because they cost more in any case."""
        if len(self.possible) + len(self.refused) >= sum(entry.exact for entry in PLANS.values()):
            return self.possible, self.refused
        possible, refused = self._candidates.exact()
        return {name: self._whole(plan) for name, plan in possible.items()}, refused

    def _switch(self, chosen: Plan, device: str) -> int | None:
        """From how many windows on the chosen plan is the cheapest even when compiled for these only."""
        if self.choose(1, device) is chosen:
            return None
        low, high = 1, 2
        while self.choose(high, device) is not chosen and high < 2**40:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.choose(middle, device) is chosen else (middle, high)
        return high


def _check_alike(circuits: Sequence[Circuit]) -> None:
    first = circuits[0]
    for number, circuit in enumerate(circuits):
        same = (
            circuit.weight_shapes == first.weight_shapes
            and circuit.threshold == first.threshold
            and circuit.n_inputs == first.n_inputs
            and circuit.n_outputs == first.n_outputs
        )
        if (circuit.postprocessing is None) != (first.postprocessing is None):
            raise PlanError(
                f"circuit {number} and circuit 0 differ in whether they have a post-processing; the filters of one "
                "layer must all have one, or none of them"
            )
        if circuit.postprocessing is not None and len(circuit.observables) != len(first.observables):
            raise PlanError(
                f"circuit {number} has {len(circuit.observables)} observables and circuit 0 has "
                f"{len(first.observables)}; the filters of one layer must measure as many values"
            )
        if not same:
            raise PlanError(
                f"circuit {number} differs from circuit 0 in its inputs, weight shapes, threshold or number of "
                "outputs; the filters of one layer must share these"
            )


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio < 100 else f"{round(ratio, 1 - len(str(int(ratio)))):.0f} times"


def _first_clause(error: PlanError) -> str:
    return str(error).split(":")[0].split(", so ")[0].split(", the ")[0]
