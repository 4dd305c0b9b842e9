"""What the studio's form compares unless something else is asked for can show something."""

from __future__ import annotations

import inspect
from pathlib import Path

from fastapi.testclient import TestClient

from quanvolve.cli._compare import compare as command
from quanvolve.studio import Settings, create_app
from quanvolve.studio._forms import CompareRequest
from quanvolve.study import CONTROLS, SEEDS, Protocol


def smallest_p(seeds: int, controls: int) -> float:
    """Of exchanged signs, after Holm's correction: 2 of 2^n patterns, for the first of so many tests."""
    return 2 / 2**seeds * controls


def test_the_usual_seeds_can_show_something_everywhere() -> None:
    form = CompareRequest.model_validate({"kind": "compare"})
    typed = inspect.signature(command).parameters["seeds"].default
    assert len(Protocol().seeds) == form.seeds == typed == SEEDS
    assert smallest_p(form.seeds, len(form.controls)) < 0.05
    assert smallest_p(SEEDS, len(CONTROLS)) < 0.05  # however many are chosen


def test_the_page_is_told_what_is_usual(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(tmp_path)), base_url="http://localhost") as client:
        about = client.get("/api/v1/about").json()
    form = CompareRequest.model_validate({"kind": "compare"})
    assert about["comparison"]["seeds"] == form.seeds
    assert about["comparison"]["controls"] == form.controls
    for controls, seeds in enumerate(about["least_seeds"], start=1):
        assert smallest_p(seeds, controls) < 0.05 <= smallest_p(seeds - 1, controls)
    assert len(about["least_seeds"]) == len(about["controls"]) >= 12
