"""The planner's choice beside measured times: benchmarks/costs.csv, which benchmarks/costs.py writes."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from quanvolve import Quanv2d
from quanvolve.compile import PLANS
from quanvolve.compile.plans import _prices
from quanvolve.compile.plans._prices import priced, prices

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
        return [line for line in csv.DictReader(file) if line["device"] == "cpu"]


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
            assert all(min(prices(name, device).values()) >= 0 for device in priced())
            assert min(prices(name).values()) > 0


def test_prices_are_found_again_in_times_that_they_make(costs: ModuleType, lines: list[dict[str, str]]) -> None:
    made = []
    for line in lines:
        layer, plans = costs.layer_of(costs.case_of(line))
        setup, window = plans[line["plan"]].work(layer.layout)
        made.append(line | {"compile, ns": str(setup.cost("cpu")), "window, ns": str(window.cost("cpu"))})
    fitted = costs.fitted(made, "cuda")
    assert fitted["cpu"] == _prices._table()["cpu"]
    for name in ("polynomial", "tensor_train", "statevector", "table", "density"):
        for kind, price in fitted["cuda"][name].items():
            assert price == pytest.approx(prices(name)[kind], rel=0.2), (name, kind)


def test_the_device_s_prices_choose_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    table = dict(_prices._table())
    cheap = {name: dict.fromkeys(kinds, 1e-6) for name, kinds in table["cpu"].items() if name == "statevector"}
    monkeypatch.setattr(_prices, "_table", lambda: table | {"cuda": table["cpu"] | cheap})
    planner = type(layer._planner)(layer.circuits, layer.layout)
    assert planner.choose(None).name == "polynomial"
    assert planner.choose(None, "cuda").name == "statevector"
    assert planner.choose(32, "cuda").name == "statevector"
    assert planner.describe("cuda").startswith("statevector: ")
    assert "prices of the CPU" not in planner.describe("cuda")


def test_a_device_that_nobody_measured_has_the_cpu_s_prices_and_the_plan_says_so() -> None:
    planner = Quanv2d(1, 4, 2, seed=0)._planner
    assert planner.choose(None, "xpu").name == planner.choose(None).name
    assert planner.describe("xpu").endswith("(by prices of the CPU: none were measured on xpu)")
