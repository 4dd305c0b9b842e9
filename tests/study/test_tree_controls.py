"""The controls of presets that are coherent trees."""

from __future__ import annotations

import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.study import TREE_CONTROLS, contenders_for


def test_each_preset_has_the_controls_that_its_networks_allow() -> None:
    made = {preset: contenders_for({"preset": preset}) for preset in ("tree", "tree-headless")}
    assert [one.name for one in made["tree"]] == ["model", *TREE_CONTROLS]
    assert [one.name for one in made["tree-headless"]] == ["model", "bilinear", "unentangled", "cnn", "quanvolution"]
    assert [one.params.get("preset") for one in made["tree"]] == ["tree"] * 5 + ["quantum"]
    assert len({str(one.params) for one in made["tree"]}) == 6
    assert made["tree"][0].summary.startswith("the preset 'tree': coherent trees of qubits")
    assert not {"bilinear", "cnn", "quanvolution"} & {one.name for one in contenders_for({})}


def test_other_models_are_refused() -> None:
    for params in (
        {"preset": "hybrid"},
        {"preset": "none"},
        {"backbone": "cnn"},
        {"preset": "tree", "backbone": "cnn"},
    ):
        with pytest.raises(QuanvolveError, match=r"has quantum filters, or is a preset of trees \('tree', 'tree-head"):
            contenders_for(params)
