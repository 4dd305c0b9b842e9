"""Random functions with kinks and jumps in their angles: the layer has their values and gradients."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.circuits.sweep.judge import EQUAL, judge
from tests.circuits.sweep.strategies import N_INPUTS, N_WEIGHTS, RandomFunction, functions


def _check(drawn: RandomFunction) -> None:
    verdict = judge(drawn.function, N_INPUTS, {"weights": (N_WEIGHTS,)})
    assert verdict.kind == EQUAL, verdict


@given(functions())
@settings(max_examples=20)
def test_random_functions_are_captured(drawn: RandomFunction) -> None:
    _check(drawn)


@pytest.mark.slow
@given(functions())
@settings(max_examples=600)
def test_many_random_functions_are_captured(drawn: RandomFunction) -> None:
    _check(drawn)
