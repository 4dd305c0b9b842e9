"""Studies of folders of pictures: how they are read is part of the plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.data import Preparation
from quanvolve.study import Choice, Plan, Protocol, Table, compare, contenders_for, search
from tests.data.pictures import folder_of

QUICK = Protocol(seeds=(0,), lrs=(1e-2,), epochs=1)
PLAN = Plan("pets", None, tuple(contenders_for({}, ["pixels"])), QUICK, asked={"image_size": (8, 9), "fit": "pad"})


def test_the_plan_keeps_what_is_asked() -> None:
    assert Plan.from_json(PLAN.to_json()) == PLAN
    older = Plan("digits", None, PLAN.contenders, QUICK)
    assert "asked" not in json.loads(older.to_json())
    assert Plan.from_json(older.to_json()) == older


@pytest.mark.parametrize(
    "asked", [{"zoom": 3}, {"fit": "zoom"}, {"image_size": [1, 2, 3]}, {"label": 3}, {"image_size": "8"}, [], "pad"]
)
def test_what_no_data_can_be_asked_is_refused(asked: object) -> None:
    text = json.dumps({**json.loads(PLAN.to_json()), "asked": asked})
    if not asked:
        text = text.replace('"asked": []', '"asked": [1]')
    with pytest.raises(ModelError, match="the plan of the study is damaged"):
        Plan.from_json(text)


def test_a_folder_is_compared_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(tmp_path / "pets", {"cat": 12, "dog": 12}, size=(11, 9), mode="RGB")
    monkeypatch.chdir(tmp_path)
    asked = {"image_size": 4, "grayscale": True}
    results = compare("pets", "study", controls=["pixels"], params={"n_filters": 1}, protocol=QUICK, asked=asked)
    assert [one.name for one in results.standings] == ["model", "pixels"]
    plan = Table(tmp_path / "study").plan
    assert (plan.dataset, plan.asked) == (str(tmp_path / "pets"), asked)
    monkeypatch.chdir("/")
    assert compare(None, tmp_path / "study", resume=True).plan == plan
    with pytest.raises(QuanvolveError, match=r"has `asked` .*'image_size': 4.* and .*'image_size': 5.* is given"):
        compare(None, tmp_path / "study", resume=True, asked={"image_size": 5, "grayscale": True})


def test_the_best_of_a_search_prepares_pictures_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 12, "dog": 12}, size=(11, 9), mode="RGB")
    found = search(
        str(folder), space={"encoding": Choice(("ry",))}, fixed={"n_filters": 1}, sampler="grid", n_trials=1, epochs=1,
        asked={"image_size": (4, 5)},
    )  # fmt: skip
    assert found.model.preparation_ == Preparation((4, 5), "crop", 3)
