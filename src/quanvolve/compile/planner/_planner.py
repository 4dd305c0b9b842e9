"""The planner: which plan evaluates a layer, by an estimate of the work of each that can."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.compile.plans._density import DensityPlan
from quanvolve.compile.plans._parts import PartsPlan
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._polynomial import PolynomialPlan
from quanvolve.compile.plans._sampled import SampledPlan
from quanvolve.compile.plans._shifted import ShiftedPlan
from quanvolve.compile.plans._statevector import StatevectorPlan
from quanvolve.compile.plans._table import TablePlan
from quanvolve.compile.plans._tensor_train import TensorTrainPlan
from quanvolve.compile.plans._trajectories import TRAJECTORIES, TrajectoryPlan
from quanvolve.compile.plans._truncated_train import TOLERANCE, TruncatedTrainPlan
from quanvolve.compile.tables._cones import cut, split
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._sampling import word_circuits

PLANS: dict[str, Callable[[Sequence[Circuit]], Plan]] = {
    "table": TablePlan,
    "polynomial": PolynomialPlan,
    "tensor_train": TensorTrainPlan,
    "statevector": StatevectorPlan,
    "density": DensityPlan,
}
"""The exact plans by name; where two cost the same the first is taken."""

_GAIN = 3.0
_SLOW = 20_000.0
"""Nanoseconds a window from which on the plan's text says so."""

NO_PLAN = "no plan can run this circuit"
"""How the error of a circuit begins that is too large for all of them."""

ENGINES = ("auto", *PLANS, TruncatedTrainPlan.name, TrajectoryPlan.name)


def plans_of(circuits: Sequence[Circuit]) -> tuple[dict[str, Plan], dict[str, PlanError]]:
    """The plans that can run these circuits, and why the others cannot.

    Each runs the circuits as they are, or light cone by light cone where that is less work.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> possible, refused = plans_of([named_circuit("strongly_entangling", 4)])
        >>> list(possible), list(refused)
        (['polynomial', 'tensor_train', 'statevector'], ['table', 'density'])
    """
    possible: dict[str, Plan] = {}
    refused: dict[str, PlanError] = {}
    groups = split(circuits)
    for name, make in PLANS.items():
        whole = _try(make, circuits)
        parts = _in_parts(make, circuits, groups) if len(groups) > 1 else None
        one = Layout(1, 1, 1, circuits[0].n_outputs)
        if parts is not None and (isinstance(whole, PlanError) or parts.cost(one)[1] < whole.cost(one)[1]):
            whole = parts
        if isinstance(whole, PlanError):
            refused[name] = whole
        else:
            possible[name] = whole
    return possible, refused


def _try(make: Callable[[Sequence[Circuit]], Plan], circuits: Sequence[Circuit]) -> Plan | PlanError:
    try:
        return make(circuits)
    except PlanError as error:
        return error


def _in_parts(
    make: Callable[[Sequence[Circuit]], Plan], circuits: Sequence[Circuit], groups: Sequence[tuple[int, ...]]
) -> PartsPlan | None:
    plans = []
    for group in groups:
        plan = _try(make, cut(circuits, group))
        if isinstance(plan, PlanError):
            return None
        plans.append(plan)
    return PartsPlan(groups, plans, circuits[0].n_wires)


class Planner:
    """The plans of a layer, and which of them to use.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
        layout: how the rows make up channels.
        engine: "auto", or the name of the plan to use whatever it costs; "truncated_train" may be followed by the error
            that it may make, as in "truncated_train:1e-5", and "trajectories" by their number, as in
            "trajectories:1000".
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
        self.layout, self.engine, self._shots = layout, engine, shots
        self._costs: dict[str, tuple[float, float]] = {}
        _check_alike(circuits)
        self._circuits = tuple(circuits)
        self.possible: dict[str, Plan] = {}
        self.refused: dict[str, PlanError] = {}
        if shots is None:
            self._find(circuits, engine)
            return
        words, _ = word_circuits(circuits, layout)
        self._find(words, engine)
        if TrajectoryPlan.name in self.possible:
            raise PlanError(
                f"`shots` (={shots}) are drawn from exact probabilities, which trajectories only estimate: leave "
                "`shots` out and choose the number of trajectories, as in engine='trajectories:1000'"
            )
        if diff_method == "exact":
            self.possible = {name: SampledPlan(plan, circuits, layout, shots) for name, plan in self.possible.items()}
        else:
            self.possible = {
                name: ShiftedPlan(plan, circuits, layout, shots, _cheapest) for name, plan in self.possible.items()
            }

    def _find(self, circuits: Sequence[Circuit], engine: str) -> None:
        name, number = _parse(engine)
        if name == TruncatedTrainPlan.name:
            self.possible = {name: TruncatedTrainPlan(circuits, TOLERANCE if number is None else number)}
            return
        if name == TrajectoryPlan.name:
            self.possible = {name: TrajectoryPlan(circuits, TRAJECTORIES if number is None else int(number))}
            return
        self.possible, self.refused = plans_of(circuits)
        if engine in self.refused:
            able = [*map(repr, self.possible), *self._estimated(circuits)]
            others = " or ".join(able) or "none"
            raise PlanError(
                f"`engine` (={engine!r}) cannot run this circuit: {self.refused[engine]}; engines that can: {others}"
            ) from self.refused[engine]
        if not self.possible and any(circuit.noisy for circuit in circuits):
            plan = _try(TrajectoryPlan, circuits)
            if not isinstance(plan, PlanError):
                self.possible[plan.name] = plan
        if not self.possible:
            # The state-vector plan takes whatever is small enough, so its reason is the one to act on.
            others = " and ".join(f"{n}: {_first_clause(e)}" for n, e in self.refused.items() if n != "statevector")
            fixed = ""
            if _truncates(circuits):
                fixed = "; with fixed weights engine='truncated_train' may, up to a small error"
            raise PlanError(f"{NO_PLAN}: {self.refused['statevector']} ({others}){fixed}")
        if engine != "auto":
            self.possible = {engine: self.possible[engine]}

    def _estimated(self, circuits: Sequence[Circuit]) -> list[str]:
        """Engines that are used only where they are asked for, because their values are estimates."""
        possible = self._shots is None and not isinstance(_try(TrajectoryPlan, circuits), PlanError)
        return [f"engine={TrajectoryPlan.name!r}"] if possible else []

    def choose(self, n_windows: int | None) -> Plan:
        """The cheapest plan, or close to it.

        Args:
            n_windows: how many windows one compilation serves; None where it is kept, so that only windows count.
        """
        if len(self.possible) == 1:
            return next(iter(self.possible.values()))
        kept = min(self.possible.values(), key=lambda plan: self._work(plan, None))
        if n_windows is None:
            return kept
        cheapest = min(self.possible.values(), key=lambda plan: self._work(plan, n_windows))
        # Another plan rounds differently: training leaves that of inference only for a real gain.
        return cheapest if _GAIN * self._work(cheapest, n_windows) < self._work(kept, n_windows) else kept

    def _work(self, plan: Plan, n_windows: int | None) -> float:
        if plan.name not in self._costs:
            self._costs[plan.name] = plan.cost(self.layout)
        setup, window = self._costs[plan.name]
        return window if n_windows is None else setup + n_windows * window

    def __str__(self) -> str:
        chosen = self.choose(None)
        text = str(chosen)
        if self.engine != "auto":
            return f"{text}; as `engine` asks"
        own = self._work(chosen, None)
        others = [
            f"{name} would take about {_times(self._work(plan, None) / own)}"
            for name, plan in self.possible.items()
            if plan is not chosen
        ]
        if own > _SLOW:
            text += f"; slow: about {1e9 / own:.2g} windows a second"
            if TensorTrainPlan.name in self.refused and _truncates(self._circuits):
                text += " (with fixed weights engine='truncated_train' may be faster)"
        if not others:
            why = " ".join(f"{name} cannot run it: {_first_clause(error)}." for name, error in self.refused.items())
            return f"{text}; the only plan for this circuit. {why}".rstrip(". ")
        limit = self._switch(chosen)
        training = (
            f"; training steps of fewer than {limit} windows run as {self.choose(1).name}" if limit is not None else ""
        )
        return f"{text}; chosen because {' and '.join(others)} the work for each window{training}"

    def _switch(self, chosen: Plan) -> int | None:
        """From how many windows on the chosen plan is the cheapest even when compiled for these only."""
        if self.choose(1) is chosen:
            return None
        low, high = 1, 2
        while self.choose(high) is not chosen and high < 2**40:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.choose(middle) is chosen else (middle, high)
        return high


def _truncates(circuits: Sequence[Circuit]) -> bool:
    """Whether the truncated train takes these circuits, if only with fixed weights."""
    return not isinstance(_try(TruncatedTrainPlan, circuits), PlanError)


def _cheapest(circuits: Sequence[Circuit]) -> Plan:
    layout = Layout(1, 1, 1, circuits[0].n_outputs)
    return min(plans_of(circuits)[0].values(), key=lambda plan: plan.cost(layout)[1])


def _parse(engine: str) -> tuple[str, float | None]:
    """The name of an engine, and the number behind it: the error that it may make, or how many trajectories it runs."""
    name, colon, text = engine.partition(":") if isinstance(engine, str) else (engine, "", "")
    if name not in ENGINES or (colon and name not in (TruncatedTrainPlan.name, TrajectoryPlan.name)):
        raise QuanvolveError(f"`engine` (={engine!r}) must be one of {', '.join(map(repr, ENGINES))}")
    if not colon:
        return name, None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if name == TruncatedTrainPlan.name and not 1e-12 <= number <= 0.1:
        raise QuanvolveError(
            f"`engine` (={engine!r}) must name an error from 1e-12 to 0.1, as in 'truncated_train:1e-5'"
        )
    if name == TrajectoryPlan.name and (not 1 <= number <= 2**31 or number % 1):
        raise QuanvolveError(
            f"`engine` (={engine!r}) must name how many trajectories are run, at least 1, as in 'trajectories:1000'"
        )
    return name, number


def _check_alike(circuits: Sequence[Circuit]) -> None:
    first = circuits[0]
    for number, circuit in enumerate(circuits):
        same = (
            circuit.weight_shapes == first.weight_shapes
            and circuit.threshold == first.threshold
            and circuit.n_inputs == first.n_inputs
            and circuit.n_outputs == first.n_outputs
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
