"""Every operation of PennyLane, with every modifier, captured: does the layer give what `default.qubit` gives?

python -m tests.circuits.sweep.gates [--only NAME] [--shard 0/4] [--csv FILE]
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pennylane as qp
import torch
from torch import Tensor

from tests.circuits.sweep.excuses import excused
from tests.circuits.sweep.judge import EQUAL, NOT_RUN, REFUSED, Verdict, judge
from tests.circuits.sweep.recipes import Recipe, recipes
from tests.circuits.sweep.table import main

N_INPUTS = 2
MOST_WIRES = 8

MODIFIERS: dict[str, tuple[int, Callable[[Any, list[int]], Any]]] = {
    "plain": (0, lambda operation, controls: operation),
    "adjoint": (0, lambda operation, controls: qp.adjoint(operation)),
    "ctrl": (1, lambda operation, controls: qp.ctrl(operation, control=controls)),
    "ctrl of 2": (2, lambda operation, controls: qp.ctrl(operation, control=controls, control_values=[0, 1])),
    "pow 0.5": (0, lambda operation, controls: qp.pow(operation, 0.5)),
    "pow 2": (0, lambda operation, controls: qp.pow(operation, 2)),
    "pow -1": (0, lambda operation, controls: qp.pow(operation, -1)),
    "pow 3": (0, lambda operation, controls: qp.pow(operation, 3)),
}
"""Control wires that each needs, and what it makes of an operation."""


@dataclass(frozen=True)
class GateCase:
    """One circuit: an operation with a modifier, whose numbers come from the inputs or from weights."""

    recipe: Recipe
    modifier: str
    binding: str

    @property
    def name(self) -> str:
        return f"{self.recipe.name} | {self.modifier} | {self.binding}"

    @property
    def kind(self) -> str:
        return self.recipe.kind

    @property
    def group(self) -> str:
        """What a refusal may be excused for."""
        return f"{self.recipe.name} | {self.modifier}"

    def judged(self) -> Verdict:
        function, shapes = circuit(self)
        return judge(function, N_INPUTS, shapes, seed=zlib.crc32(self.name.encode()))

    def wrong(self, verdict: Verdict) -> str:
        """Whether it is different, or refused without a reason that is known to be true."""
        if verdict.kind == REFUSED and excused(self.name, verdict.message):
            return ""
        return "" if verdict.kind in (EQUAL, NOT_RUN) else f"{verdict.kind}: {verdict.message}"


def cases() -> Iterator[GateCase]:
    """All circuits of at most `MOST_WIRES` wires."""
    for recipe in recipes():
        for modifier, (controls, _) in MODIFIERS.items():
            if recipe.n_wires + controls <= MOST_WIRES:
                for binding in ("inputs", "weights") if recipe.n_params else ("constant",):
                    yield GateCase(recipe, modifier, binding)


def circuit(case: GateCase) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function, with rotations by the inputs before the operation and entangling gates behind it."""
    recipe = case.recipe
    n_controls, modified = MODIFIERS[case.modifier]
    n_wires = max(2, recipe.n_wires + n_controls)
    controls = list(range(recipe.n_wires, recipe.n_wires + n_controls))
    factors = torch.linspace(0.7, 1.3, max(recipe.n_params, 1), dtype=torch.float64)

    def around(inputs: Tensor, numbers: Tensor) -> list[Any]:
        for wire in range(n_wires):
            if wire not in recipe.zeroed:
                qp.RY(inputs[wire % N_INPUTS] + 0.4 * wire, wires=wire)
                qp.RZ(0.3 + 0.5 * wire, wires=wire)
        modified(recipe.build(numbers), controls)
        for wire in range(n_wires):
            if wire in recipe.zeroed:
                qp.RY(inputs[wire % N_INPUTS] - 0.2 * wire, wires=wire)
            qp.RX(0.5 + 0.3 * wire, wires=wire)
        for wire in range(n_wires):
            qp.CNOT(wires=[wire, (wire + 1) % n_wires])
            qp.RY(0.7 - 0.2 * wire, wires=wire)
        return [*(qp.expval(qp.Z(wire)) for wire in range(n_wires)), qp.expval(qp.X(0) @ qp.Y(1))]

    if case.binding == "weights":

        def of_weights(inputs: Tensor, weights: Tensor) -> list[Any]:
            return around(inputs, weights.reshape(-1))

        return of_weights, {"weights": (recipe.n_params,)}

    def of_inputs(inputs: Tensor) -> list[Any]:
        return around(inputs, inputs[[k % N_INPUTS for k in range(recipe.n_params)]] * factors[: recipe.n_params])

    return of_inputs, {}


if __name__ == "__main__":
    main(list(cases()), __doc__ or "")
