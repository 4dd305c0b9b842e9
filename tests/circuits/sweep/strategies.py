"""Random functions: gates on up to four wires, whose angles are nested expressions with kinks and jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qp
import torch
from hypothesis import strategies as st
from torch import Tensor

N_INPUTS, N_WEIGHTS = 3, 4

Evaluate = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Expression:
    """An expression in inputs x and weights w, and what it is called in a failing example."""

    evaluate: Evaluate
    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class RandomFunction:
    """Operations in their order, and measurements; what is captured is `function`."""

    n_wires: int
    operations: tuple[tuple[str, tuple[int, ...], tuple[Expression, ...]], ...]
    words: tuple[str, ...]
    probabilities: tuple[int, ...]

    @property
    def function(self) -> Callable[..., Any]:
        def circuit(inputs: Tensor, weights: Tensor) -> list[Any]:
            for wire in range(self.n_wires):
                qp.Hadamard(wires=wire)
                qp.RZ(0.3 + wire, wires=wire)
            for name, wires, angles in self.operations:
                _OPERATIONS[name][1](wires, [angle.evaluate(inputs, weights) for angle in angles])
            for wire in range(self.n_wires):
                qp.RX(0.5 + 0.3 * wire, wires=wire)
            values = [qp.expval(qp.prod(*(getattr(qp, p)(k) for k, p in enumerate(word)))) for word in self.words]
            return [*values, *([qp.probs(wires=self.probabilities)] if self.probabilities else [])]

        return circuit


def _plain(name: str) -> Callable[[Any, Any], Any]:
    return lambda wires, angles: getattr(qp, name)(*angles, wires=list(wires))


# For each operation: its wires and angles, and what queues it.
_OPERATIONS: dict[str, tuple[tuple[int, int], Callable[[Any, Any], Any]]] = {
    **{name: ((1, 1), _plain(name)) for name in ("RX", "RY", "RZ", "PhaseShift")},
    **{name: ((1, 0), _plain(name)) for name in ("S", "T", "SX", "Hadamard")},
    **{name: ((2, 1), _plain(name)) for name in ("CRX", "CRY", "IsingXX", "IsingZZ", "ControlledPhaseShift")},
    **{name: ((2, 0), _plain(name)) for name in ("CNOT", "CZ", "SWAP", "ISWAP")},
    "Rot": ((1, 3), _plain("Rot")),
    "U3": ((1, 3), _plain("U3")),
    "SingleExcitation": ((2, 1), _plain("SingleExcitation")),
    "Toffoli": ((3, 0), _plain("Toffoli")),
    "MultiRZ": ((3, 1), _plain("MultiRZ")),
    "ctrl(RY)": ((3, 1), lambda wires, a: qp.ctrl(qp.RY(a[0], wires[0]), control=wires[1:], control_values=[0, 1])),
    "ctrl(Rot)": ((2, 3), lambda wires, a: qp.ctrl(qp.Rot(*a, wires[0]), control=wires[1])),
    "adjoint(U3)": ((1, 3), lambda wires, a: qp.adjoint(qp.U3(*a, wires[0]))),
    "PauliRot": ((2, 1), lambda wires, a: qp.PauliRot(a[0], "XY", wires=list(wires))),
}

_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "arctan": torch.arctan,
    "abs": torch.abs,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "sign": torch.sign,
    "floor": torch.floor,
    "round": torch.round,
    "-": torch.neg,
    "square of sin": lambda a: torch.sin(a) ** 2,
    "sqrt(1 + abs)": lambda a: torch.sqrt(1 + torch.abs(a)),
    "log(1 + abs)": lambda a: torch.log1p(abs(a)),
    "detach": lambda a: a.detach(),
    "half": lambda a: 0.5 * a,
    "turns": lambda a: torch.remainder(a, 2 * torch.pi),
    "assigned": lambda a: _assigned(a),
}
_BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - 0.7 * b,
    "* sin": lambda a, b: a * torch.sin(b),
    "/ (1 + abs)": lambda a, b: a / (1 + torch.abs(b)),
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "arctan2": lambda a, b: torch.arctan2(a, 2 + torch.cos(b)),
    "max of a stack": lambda a, b: torch.stack([a, b]).max(),
    "sorted": lambda a, b: torch.sort(torch.stack([a, b])).values[0],
    "greater": lambda a, b: (a > b).to(a.dtype) * a,
}


def _assigned(a: Tensor) -> Tensor:
    pair = torch.zeros(2, dtype=a.dtype)
    pair[1] = a
    pair[0] = 2 * pair[1]
    return pair.sum()


def _leaves() -> st.SearchStrategy[Expression]:
    def entry(name: str, k: int) -> Expression:
        return Expression(lambda x, w: x[k] if name == "x" else w[k], f"{name}[{k}]")

    number = st.floats(-3.0, 3.0, width=16).map(
        lambda value: Expression(lambda x, w: torch.tensor(value, dtype=torch.float64), f"{value:g}")
    )
    inputs = st.integers(0, N_INPUTS - 1).map(lambda k: entry("x", k))
    weights = st.integers(0, N_WEIGHTS - 1).map(lambda k: entry("w", k))
    return st.one_of(inputs, weights, inputs, number)


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    threshold = st.one_of(st.floats(-4.0, 4.0, width=16), st.sampled_from((0.0, 0.5, 1.0, 100.0)))

    def unary(name: str, a: Expression) -> Expression:
        return Expression(lambda x, w: _UNARY[name](a.evaluate(x, w)), f"{name}({a})")

    def binary(name: str, a: Expression, b: Expression) -> Expression:
        return Expression(lambda x, w: _BINARY[name](a.evaluate(x, w), b.evaluate(x, w)), f"({a} {name} {b})")

    def clamp(a: Expression, low: float, width: float) -> Expression:
        return Expression(
            lambda x, w: torch.clamp(a.evaluate(x, w), low, low + width), f"clamp({a}, {low:g}, {low + width:g})"
        )

    def where(a: Expression, t: float, b: Expression, c: Expression) -> Expression:
        return Expression(
            lambda x, w: torch.where(a.evaluate(x, w) > t, b.evaluate(x, w), c.evaluate(x, w)),
            f"where({a} > {t:g}, {b}, {c})",
        )

    def between(a: Expression, t: float, b: Expression) -> Expression:
        def evaluate(x: Tensor, w: Tensor) -> Tensor:
            value = a.evaluate(x, w)
            return torch.where((value > t) & (value < t + 0.05), b.evaluate(x, w), value)

        return Expression(evaluate, f"({b} where {t:g} < {a} < {t:g} + 0.05)")

    return st.one_of(
        st.builds(unary, st.sampled_from(sorted(_UNARY)), inner),
        st.builds(binary, st.sampled_from(sorted(_BINARY)), inner, inner),
        st.builds(clamp, inner, st.floats(-2.0, 1.0, width=16), st.floats(0.0, 2.0, width=16)),
        st.builds(where, inner, threshold, inner, inner),
        st.builds(between, inner, threshold, inner),
    )


def expressions() -> st.SearchStrategy[Expression]:
    """Expressions of a few calls."""
    return st.recursive(_leaves(), _larger, max_leaves=5)


@st.composite
def functions(draw: st.DrawFn) -> RandomFunction:
    """Whole functions, of at most nine operations."""
    n_wires = draw(st.integers(1, 4))
    fitting = sorted(name for name, ((wires, _), _) in _OPERATIONS.items() if wires <= n_wires)
    operations = []
    for _ in range(draw(st.integers(1, 9))):
        name = draw(st.sampled_from(fitting))
        size, n_angles = _OPERATIONS[name][0]
        wires = tuple(draw(st.permutations(range(n_wires)))[:size])
        operations.append((name, wires, tuple(draw(expressions()) for _ in range(n_angles))))
    words = draw(st.lists(st.text("XYZ", min_size=1, max_size=n_wires), min_size=1, max_size=3))
    probabilities = draw(st.permutations(range(n_wires)))[: draw(st.integers(0, 2))]
    return RandomFunction(n_wires, tuple(operations), tuple(words), tuple(probabilities))
