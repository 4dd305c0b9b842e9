"""The judge itself sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.circuits.sweep.judge import CRASHED, DIFFERENT, EQUAL, NOT_RUN, REFUSED, judge
from tests.circuits.sweep.kind_case import KindCase, rotated

SHAPES = {"weights": (3,)}


def _function(inputs: Any, weights: Any) -> list[Any]:
    return rotated(inputs * weights)


def _of(angles: Any) -> Any:
    return lambda inputs, weights: rotated(angles(inputs, weights))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (_of(lambda x, w: x * w + 1e-5), "values are"),
        (_of(lambda x, w: x.detach() * w), "gradients of inputs are"),
        (_of(lambda x, w: x * w.detach()), "gradients of weights"),
        (_of(lambda x, w: torch.where(x == 255, 0.0, x) * w), "on the window [255, 255, 255]"),
        (_of(lambda x, w: torch.where(x < 0, 0.0, x) * w), "values are"),
    ],
)
def test_a_difference_is_seen(other: Any, said: str) -> None:
    verdict = judge(_function, 3, SHAPES, reference=other)
    assert verdict.kind == DIFFERENT
    assert said in verdict.message


def test_what_is_equal_is_equal() -> None:
    assert judge(_function, 3, SHAPES).kind == EQUAL


def test_a_gradient_of_what_is_closed_over_is_compared() -> None:
    parameter = torch.nn.Parameter(torch.tensor([0.3, -0.4, 0.9], dtype=torch.float64))
    frozen = parameter.detach().clone()
    function = _of(lambda x, w: x * w + frozen)
    trained = _of(lambda x, w: x * w + parameter)
    assert judge(trained, 3, SHAPES, closed_over=(parameter,)).kind == EQUAL
    verdict = judge(function, 3, SHAPES, closed_over=(parameter,), reference=trained)
    assert verdict.kind == DIFFERENT
    assert "closed over" in verdict.message


def test_a_refusal_an_error_and_what_pennylane_does_not_run() -> None:
    assert judge(_of(lambda x, w: float(x[0]) * w), 3, SHAPES).kind == REFUSED
    assert judge(_of(lambda x, w: x * w.nothing), 3, SHAPES).kind == NOT_RUN
    assert judge(_of(lambda x, w: x * w.nothing), 3, SHAPES, reference=_function).kind in (REFUSED, CRASHED)


@pytest.mark.parametrize(
    ("expected", "says", "right"),
    [("equal", "", False), ("refused", "", True), ("equal or refused", "float", True), ("refused", "no such", False)],
)
def test_what_is_wrong_with_a_verdict(expected: str, says: str, right: bool) -> None:
    case = KindCase("one", _of(lambda x, w: float(x[0]) * w), SHAPES, expected, says)
    assert (not case.wrong(case.judged())) == right
