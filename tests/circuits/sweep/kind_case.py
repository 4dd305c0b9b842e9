"""A function of a person's, with what capture shall make of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pennylane as qp
import torch
from torch import Tensor

from tests.circuits.sweep.judge import EQUAL, NOT_RUN, REFUSED, Verdict, judge

EITHER = "equal or refused"
"""The function has a right value and capture may yet refuse it: what it must not do is to compute another."""

N_INPUTS = 3


@dataclass(frozen=True)
class KindCase:
    """One function.

    Attributes:
        name: where it belongs, and what is special about it.
        function: what is captured.
        weight_shapes: of its weights.
        expected: "equal", "refused", or "equal or refused".
        says: part of the message of a refusal.
        closed_over: tensors that want gradients and are not its arguments.
        of: windows, if special ones.
        reference: what `default.qubit` runs, if not the function itself.
    """

    name: str
    function: Callable[..., Any]
    weight_shapes: Mapping[str, Any] = field(default_factory=dict)
    expected: str = EQUAL
    says: str = ""
    n_inputs: int = N_INPUTS
    closed_over: Sequence[Tensor] = ()
    of: Sequence[Tensor] | None = None
    reference: Callable[..., Any] | None = None

    def judged(self) -> Verdict:
        return judge(
            self.function,
            self.n_inputs,
            self.weight_shapes,
            closed_over=self.closed_over,
            of=self.of,
            reference=self.reference,
            seed=zlib.crc32(self.name.encode()),
        )

    def wrong(self, verdict: Verdict) -> str:
        """What is wrong with a verdict, or nothing. Where a refusal is right, PennyLane need not run the function."""
        if verdict.kind == NOT_RUN and self.expected == REFUSED:
            return ""
        if verdict.kind not in self.expected.split(" or "):
            return f"{verdict.kind}, expected {self.expected}: {verdict.message}"
        if verdict.kind == REFUSED and self.says not in verdict.message:
            return f"refused without saying {self.says!r}: {verdict.message}"
        return ""


Register = Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]


def whole_functions(cases: list[KindCase], topic: str, line: str) -> Register:
    """A decorator for functions that are captured as they are, named by themselves.

    Args:
        cases: where they are added.
        topic: the first part of their names.
        line: what a refusal says, where a function does not say what else.
    """

    def case(
        expected: str = REFUSED, says: str = line, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            name = f"{topic}: {function.__name__.strip('_').replace('_', ' ')}"
            cases.append(KindCase(name, function, {"weights": (6,)}, expected, says, **options))
            return function

        return register

    return case


def of_angles(cases: list[KindCase], topic: str, line: str) -> Register:
    """A decorator for functions from inputs and weights to some angles."""
    case = whole_functions(cases, topic, line)

    def angle(
        expected: str = REFUSED, says: str = line, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(angles: Callable[..., Any]) -> Callable[..., Any]:
            def function(inputs: Tensor, weights: Tensor) -> list[Any]:
                return rotated(angles(inputs, weights))

            function.__name__ = angles.__name__
            case(expected, says, **options)(function)
            return angles

        return register

    return angle


def layers(inputs: Tensor, weights: Tensor) -> None:
    """An encoding of three inputs and two layers that hide nothing, with six weights."""
    for wire in range(3):
        qp.RY(inputs[wire], wires=wire)
        qp.RZ(weights[wire], wires=wire)
    entangled()
    for wire in range(3):
        qp.RX(weights[3 + wire], wires=wire)


def entangled(n_wires: int = 3) -> None:
    for wire in range(n_wires):
        qp.CNOT(wires=[wire, (wire + 1) % n_wires])
        qp.RY(0.7 - 0.2 * wire, wires=wire)


def measured(n_wires: int = 3) -> list[Any]:
    return [*(qp.expval(qp.Z(wire)) for wire in range(n_wires)), qp.expval(qp.X(0) @ qp.Y(1))]


def rotated(angles: Any) -> list[Any]:
    """All entries of a tensor as angles, one after another on three qubits, and what is measured then."""
    for wire in range(3):
        qp.Hadamard(wires=wire)
    entries = torch.as_tensor(angles).reshape(-1)
    for k in range(min(len(entries), 9)):
        (qp.RY, qp.RX, qp.RZ)[k % 2](entries[k], wires=k % 3)
        qp.CNOT(wires=[k % 3, (k + 1) % 3])
    entangled()
    return measured()
