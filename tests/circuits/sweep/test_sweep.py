"""The whole sweep: every operation with every modifier, and every kind of function."""

from __future__ import annotations

import re

import pytest

from tests.circuits.sweep.excuses import EXCUSES, Excuse, excused
from tests.circuits.sweep.gates import GateCase, cases
from tests.circuits.sweep.kinds import KindCase
from tests.circuits.sweep.kinds import cases as kinds
from tests.circuits.sweep.recipes import recipes

pytestmark = pytest.mark.slow
_BY_RECIPE: dict[str, list[GateCase]] = {recipe.name: [] for recipe in recipes()}
for _case in cases():
    _BY_RECIPE[_case.recipe.name].append(_case)


@pytest.mark.parametrize("name", _BY_RECIPE)
def test_an_operation_with_all_modifiers(name: str) -> None:
    verdicts = {case.name: case.wrong(case.judged()) for case in _BY_RECIPE[name]}
    assert not {case: wrong for case, wrong in verdicts.items() if wrong}


@pytest.mark.parametrize("case", kinds(), ids=lambda case: case.name)
def test_a_kind_of_function(case: KindCase) -> None:
    assert not case.wrong(case.judged())


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: excuse.names)
def test_an_excuse_is_still_needed(excuse: Excuse) -> None:
    fitting = (case for case in cases() if re.match(excuse.names, case.name))
    assert any(excused(case.name, case.judged().message) == excuse for case in fitting)
