"""Every operation of PennyLane once, and a part of what people write; `test_sweep.py` has the rest."""

from __future__ import annotations

import pytest

from tests.circuits.sweep.gates import MODIFIERS, GateCase
from tests.circuits.sweep.kinds import KindCase
from tests.circuits.sweep.kinds import cases as kinds
from tests.circuits.sweep.recipes import missing, recipes

EVERY = 12
"""One of so many of the kinds is run here."""


def _once() -> list[GateCase]:
    """One circuit for each operation, whose numbers come from inputs or weights by turns, and one for each modifier."""
    first = {recipe.kind: recipe for recipe in reversed(recipes()) if recipe.n_wires < 8}
    turns = ("inputs", "weights")
    plain = [
        GateCase(recipe, "plain", turns[k % 2] if recipe.n_params else "constant")
        for k, recipe in enumerate(first.values())
    ]
    names = ("CRX", "SingleExcitation", "QFT")
    modified = [
        GateCase(first[name], modifier, "weights" if first[name].n_params else "constant")
        for name in names
        for modifier in MODIFIERS
        if modifier not in ("plain", "pow 0.5")
    ]
    return plain + modified


@pytest.mark.parametrize("case", _once(), ids=lambda case: case.name)
def test_an_operation(case: GateCase) -> None:
    assert not case.wrong(case.judged())


@pytest.mark.parametrize("case", kinds()[::EVERY], ids=lambda case: case.name)
def test_a_kind_of_function(case: KindCase) -> None:
    assert not case.wrong(case.judged())


def test_every_operator_class_has_a_recipe_or_a_reason_to_be_left_out() -> None:
    assert missing() == []


def test_names_are_unique() -> None:
    for names in ([recipe.name for recipe in recipes()], [case.name for case in kinds()]):
        assert len(set(names)) == len(names)
