"""What the page says of a model that was saved from Python: its results are unknown, and not zero."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.studio.conftest import Server

METRICS: dict[str, Any] = {
    "test_accuracy": 0.5, "test_right": 5, "n_test": 10, "valid_accuracy": None, "seconds": 1.5,
    "parameters": {"total": 1234, "quantum": 24, "trainable": 1210}, "classes": ["0", "1"],
    "confusion": [[2, 3], [2, 3]],
}  # fmt: skip
OPTIONS = {"filters": 4, "backbone": "quantum", "circuit": "random", "encoding": "ry", "readout": "z",
           "kernel_size": 2, "stride": 2, "head": "linear", "trainable": False, "epochs": 3, "seed": 7}  # fmt: skip


def table(page: Any, place: str) -> list[list[str]]:
    return [[cell.inner_text() for cell in row.locator("th, td").all()] for row in page.locator(f"{place} tr").all()]


def test_what_nobody_has_written_down_is_unknown_on_cards_and_side_by_side(
    serve: Callable[..., Server], browser: Any, saved: Path, tmp_path: Path
) -> None:
    trained = shutil.copytree(saved, tmp_path / "trained")
    (trained / "run.json").write_text(json.dumps({"dataset": "digits", "options": OPTIONS}))
    (trained / "metrics.json").write_text(json.dumps(METRICS))
    part = shutil.copytree(trained, tmp_path / "part")
    (part / "metrics.json").write_text("{}")  # of another version
    server = serve("--no-first-model", "--jobs", "0", *(f"--model={run}" for run in (saved, trained, part)))
    ids = {one["name"]: one["id"] for one in server.http.get("/api/v1/models").json()}
    page = browser.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)

    page.goto(f"{server.url}/#models/{ids['saved']}")
    page.wait_for_selector("#model-detail dl.facts")
    facts = [fact.inner_text() for fact in page.locator("#model-detail dd").all()]
    assert facts == ["unknown"] * 6
    buttons = page.locator("#model-detail .row").first.inner_text()
    assert all(word in buttons for word in ("Draw with it", "Folder (ZIP)", "ONNX", "Rename", "Delete"))
    rows = {row[1]: row[2:5] for row in table(page, "#models-table") if len(row) > 4}
    assert rows["saved"] == ["unknown"] * 3
    assert rows["trained"] == ["digits", "50.0 %", "1,210"]
    assert rows["part"] == ["digits", "unknown", "unknown"]

    for box in page.locator("#models-table input[type=checkbox]").all():
        box.check()
    page.wait_for_selector("#models-compare table")
    assert page.locator("#models-compare svg.chart").get_attribute("aria-label") == (
        "part: unknown; trained: 50.0 %; saved: unknown"
    )
    assert page.locator("#models-compare svg.chart rect.bar").count() == 1
    lines = {row[0]: row[1:] for row in table(page, "#models-compare")}
    assert lines.pop("") == ["part", "trained", "saved"]
    assert {name: values[2] for name, values in lines.items()} == dict.fromkeys(lines, "unknown")
    assert {name: values[1] for name, values in lines.items()} == {
        "Filters": "4 \u00d7 random", "Encoding, readout": "ry, z", "Window, stride": "2, 2", "Head": "linear",
        "Circuits": "fixed", "Epochs": "3", "Seed": "7", "Validation accuracy": "\u2013", "Training": "1.5 s",
    }  # fmt: skip
    assert (lines["Validation accuracy"][0], lines["Training"][0]) == ("unknown", "unknown")

    page.goto(f"{server.url}/#draw/{ids['saved']}")
    page.wait_for_selector(f"#draw-model option[value='{ids['saved']}']", state="attached")
    options = {option.inner_text() for option in page.locator("#draw-model option").all()}
    assert options == {"saved (unknown)", "trained (50.0 %)", "part (unknown)"}
    assert "0.0 %" not in page.locator("#draw-model").inner_text().replace("50.0 %", "")
    assert said == []
    page.close()
