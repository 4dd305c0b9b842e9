"""The planner's choice beside measured times: benchmarks/costs.csv, which benchmarks/costs.py writes."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from quanvolve.compile import PLANS
from quanvolve.compile.plans._prices import prices

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "benchmarks" / "costs.csv"


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("costs", ROOT / "benchmarks" / "costs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    with TABLE.open() as file:
        return list(csv.DictReader(file))


def test_the_choice_is_never_more_than_twice_as_slow_as_the_best(
    costs: ModuleType, lines: list[dict[str, str]]
) -> None:
    choices = costs.choices(lines)
    assert [case for case, _, _ in choices] == costs.GRID
    assert [(case, chosen, ratio) for case, chosen, ratio in choices if ratio > 2] == []
    assert {"polynomial", "tensor_train", "statevector", "table", "density"} == {chosen for _, chosen, _ in choices}


def test_every_plan_has_prices() -> None:
    for name, entry in PLANS.items():
        if name != "truncated_train":  # it runs only where it is asked for, at any cost
            assert entry.name == name
            assert min(prices(name).values()) > 0
