"""The page and models of every kind: results, files that are predicted, colour, inversion, data that are gone."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from quanvolve import load
from tests.studio.conftest import Server, coloured
from tests.studio.test_page import draw, until
from tests.studio.test_unknown import table


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, kinds: dict[str, Path]) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with a model of each kind, one whose data are gone and one saved from Python; their ids by name."""
    folder = tmp_path_factory.mktemp("kinds-page")
    runs = {f"{name}-run": run for name, run in kinds.items()}
    runs["gone-run"] = Path(shutil.copytree(kinds["photos"], folder / "gone-run"))
    stored = json.loads((runs["gone-run"] / "run.json").read_text())
    (runs["gone-run"] / "run.json").write_text(json.dumps({**stored, "dataset": str(folder / "animals")}))
    runs["python-run"] = folder / "python-run"
    load(kinds["means"]).save(runs["python-run"])
    server = Server(folder / "store", "--no-first-model", "--jobs", "0", *(f"--model={run}" for run in runs.values()))
    yield server, {one["name"]: one["id"] for one in server.http.get("/api/v1/models").json()}
    server.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that says nothing on its console."""
    made = browser.new_page(viewport={"width": 1360, "height": 900})
    said: list[str] = []
    made.on("console", lambda message: said.append(message.text))
    made.on("pageerror", lambda error: said.append(str(error)))
    yield made
    assert [text for text in said if "Failed to load" not in text] == []
    made.close()


def picture(kind: str, number: int, ink: bool = False) -> dict[str, Any]:
    pixels = np.asarray(coloured(kind, number))
    buffer = io.BytesIO()
    Image.fromarray(255 - pixels if ink else pixels).save(buffer, "PNG")
    return {"name": f"{kind}-{number}.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


def told(page: Any) -> str:
    """All that the page shows; none of it is a value that is not there."""
    text = str(page.locator("main").inner_text())
    assert not any(word in text for word in ("undefined", "NaN", "null", "[object"))
    return text


def test_models_of_all_kinds_are_listed_sorted_and_compared(studio: Any, page: Any) -> None:
    server, ids = studio
    page.goto(f"{server.url}/#models/{ids['means-run']}")
    page.wait_for_selector("#model-detail .run-picture")
    until(page, "document.querySelector('.run-picture').naturalWidth > 0")
    rows = {row[1]: row[3] for row in table(page, "#models-table") if len(row) > 5}
    assert rows["means-run"].startswith("R² ")
    assert rows["halves-run"].startswith("F1 0.")
    assert rows["photos-run"].endswith(" %")
    assert rows["python-run"] == "unknown"

    def order() -> list[str]:
        return [str(text) for text in page.locator("#models-table button.link").all_inner_texts()]

    page.click("#models-table [data-sort=score]")
    assert [ids[name] for name in order()][-3:] == [ids["halves-run"], ids["means-run"], ids["python-run"]]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Test result")
    page.click("#models-table [data-sort=name]")
    assert order() == sorted(ids)
    page.click("#models-table [data-sort=name]")
    assert order() == sorted(ids, reverse=True)
    page.click("#models-table [data-sort=weights]")
    assert order()[-1] == "python-run"
    for box in page.locator("#models-table input[type=checkbox]").all():
        box.check()
    page.wait_for_selector("#models-compare table")
    assert page.locator("#models-compare svg.chart").count() == 3
    lines = {row[0]: row[1:] for row in table(page, "#models-compare")}
    assert lines["ROC AUC"][lines[""].index("means-run")] == "\u2013"
    assert float(lines["R²"][lines[""].index("means-run")]) < 1
    told(page)


def test_results_of_each_kind_are_shown(studio: Any, page: Any, kinds: dict[str, Path]) -> None:
    server, ids = studio
    metrics = {name: json.loads((run / "metrics.json").read_text()) for name, run in kinds.items()}
    page.goto(f"{server.url}/#models/{ids['photos-run']}")
    page.wait_for_selector("#model-detail .confusion")
    measures = {row[0]: row[1:] for row in table(page, "[aria-label='Measures of the test']")}
    value = metrics["photos"]["metrics"]["balanced_accuracy"]["value"]
    assert measures["Balanced accuracy"][0].startswith(f"{100 * value:.0f}")
    assert set(measures) >= {"ROC AUC", "Average precision", "Log loss", "Brier score", "Calibration error"}
    classes = {row[0]: row for row in table(page, "[aria-label='Results of each class']")}
    low, high = metrics["photos"]["per_class"][0]["recall_interval"]
    assert f"{low:.2f}\u2013{high:.2f}" in classes["blue"][3]
    assert page.locator("#model-detail .interval").count() == 6
    told(page)
    page.goto(f"{server.url}/#models/{ids['halves-run']}")
    page.wait_for_selector("[aria-label='Results of each label']")
    facts = dict(zip(*(page.locator(f"#model-detail {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))
    assert facts["F1, mean over labels"] == f"{metrics['halves']['test_f1_macro']:.3f}"
    assert "Explanations and ONNX files are made of classifiers of one label" in told(page)
    assert page.get_by_role("button", name="Explanation").count() == 0
    page.goto(f"{server.url}/#models/{ids['means-run']}")
    page.wait_for_selector("[aria-label='Results of each target']")
    facts = dict(zip(*(page.locator(f"#model-detail {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))
    assert facts["R²"] == f"{metrics['means']['test_r2']:.3f}"
    assert "validation R²" in page.locator("#model-detail svg.chart").get_attribute("aria-label")
    told(page)
    page.goto(f"{server.url}/#models/{ids['python-run']}")
    page.wait_for_selector("text=This model was saved without a picture of its errors")
    assert set(page.locator("#model-detail dd").all_inner_texts()) == {"unknown"}
    told(page)


def test_pictures_in_colour_are_drawn_opened_and_inverted(studio: Any, page: Any) -> None:
    server, ids = studio
    page.goto(f"{server.url}/#draw/{ids['photos-run']}")
    page.wait_for_selector("#samples button")
    assert page.locator("#samples button").first.get_attribute("aria-label").startswith("Test image of class ")
    for colour, label in (("#0000ff", "blue"), ("#ff0000", "red")):
        page.evaluate(
            "value => { pen.value = value; pen.dispatchEvent(new Event('input')); }",  # an element by its id
            colour,
        )
        page.click("#clear")
        draw(page, [(0.3, 0.4), (0.7, 0.4), (0.3, 0.5), (0.7, 0.5)])
        until(page, "label => document.querySelector('#answer strong')?.textContent === label", arg=label)
    # The window of a filter that sums three circuits: three times four pixels, and a circuit for each colour.
    assert page.locator("#tiles .tile").count() == 12
    assert page.locator("#tiles .hint").all_inner_texts() == ["red", "green", "blue"]
    page.select_option("#circuit-part", "2")
    until(page, "document.getElementById('circuit').src.includes('/circuits/2/')")
    until(page, "document.getElementById('circuit').naturalWidth > 0")
    page.set_input_files("#file", picture("red", 9, ink=True))
    page.wait_for_selector("#polarity:not([hidden])")
    assert "the image is dark on bright" in page.locator("#polarity").inner_text()
    page.click("#polarity button")
    page.wait_for_selector("#polarity >> text=Dark and bright were exchanged")
    until(page, "document.querySelector('#answer strong').textContent === 'red'")
    page.click("#clear")
    assert page.locator("#polarity").is_hidden()
    told(page)


def test_files_are_predicted_and_a_wrong_one_is_named(studio: Any, page: Any) -> None:
    server, ids = studio
    page.goto(f"{server.url}/#draw/{ids['photos-run']}")
    page.wait_for_selector("#samples button")
    assert "8\u00d78 (crop), colour" in page.locator("#files-hint").inner_text()
    broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"nothing"}
    page.set_input_files("#files", [picture("blue", 1), broken, picture("red", 2, ink=True)])
    page.wait_for_selector("#files-answers table")
    assert [row[0] for row in table(page, "#files-answers")] == ["File", "blue-1.png", "red-2.png (wrong way round?)"]
    assert "broken.png: this is not a picture that can be read" in page.locator("#files-faults").inner_text()
    assert "1 of 2 images is dark on bright" in page.locator("#files-warning").inner_text()
    page.set_input_files("#files", [picture("red", 2, ink=True)])
    until(page, "document.querySelectorAll('#files-answers tbody tr').length === 1")
    page.click("#files-invert")
    page.wait_for_selector("#files-warning >> text=Dark and bright were exchanged")
    assert table(page, "#files-answers")[1][:2] == ["red-2.png", "red"]
    with page.expect_download() as download:
        page.click("#files-save")
    lines = Path(download.value.path()).read_text().splitlines()
    assert (lines[0], lines[1].split(",")[:2]) == ("file,label,p_blue,p_red", ["red-2.png", "red"])
    page.set_input_files("#files", [broken, {**broken, "name": "other.png"}])
    page.wait_for_selector("#files-error:not([hidden])")
    assert page.locator("#files-faults li strong").all_inner_texts() == ["broken.png", "other.png"]
    assert page.locator("#files-answers").is_hidden()
    told(page)


def test_numbers_labels_and_rows_are_answered(studio: Any, page: Any, kinds: dict[str, Path]) -> None:
    server, ids = studio
    page.goto(f"{server.url}/#draw/{ids['means-run']}")
    page.click("#samples button >> nth=0")
    page.wait_for_selector("#bars li")
    assert [text.split()[0] for text in page.locator("#bars li").all_inner_texts()] == ["target_1", "target_2"]
    told(page)
    page.goto(f"{server.url}/#draw/{ids['halves-run']}")
    page.wait_for_selector("#samples button[aria-label*=labels]")
    page.click("#samples button >> nth=0")
    until(page, "document.querySelectorAll('#bars li .track').length === 3")
    told(page)
    page.goto(f"{server.url}/#draw/{ids['table-run']}")
    page.wait_for_selector("#samples button.text")
    assert "does not take drawings: open an array" in page.locator("#pad-note").inner_text()
    page.click("#samples button >> nth=1")
    page.wait_for_selector("#filters >> text=which are no picture: there are no maps to show")
    rows = {"name": "new.csv", "mimeType": "text/csv", "buffer": b"a,b,c\n0.1,0.2,0.3\n0.9,0.2,0.3\n"}
    page.set_input_files("#files", rows)
    page.wait_for_selector("#files-answers table")
    assert [row[0] for row in table(page, "#files-answers")] == ["File", "new.csv[0]", "new.csv[1]"]
    page.set_input_files("#file", rows)
    page.wait_for_selector("#answer strong")
    told(page)


def test_data_that_are_gone_are_said_to_be(studio: Any, page: Any) -> None:
    server, ids = studio
    for name, words in (
        ("gone-run", "The data set 'animals', on which"),
        ("python-run", "This model was saved from Python"),
    ):
        page.goto(f"{server.url}/#draw/{ids[name]}")
        page.wait_for_selector(f"#samples-note >> text={words}")
        assert page.locator("#samples button").count() == 0
    page.goto(f"{server.url}/#models/{ids['gone-run']}")
    page.wait_for_selector("#model-detail .confusion")
    told(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_from_them(browser: Any, studio: Any, scheme: str) -> None:
    """axe-core's rules on results and predictions, on a narrow screen as on a wide one."""
    server, ids = studio
    axe = Axe()
    shown = {
        "models/photos-run": ".each", "models/means-run": ".run-picture", "models/halves-run": "#model-detail dl",
        "draw/photos-run": "#samples button", "draw/table-run": "#samples button", "draw/means-run": "#samples button",
    }  # fmt: skip
    for width in (360, 1360):
        made = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for place, selector in shown.items():
            part, name = place.split("/")
            made.goto("about:blank")
            made.goto(f"{server.url}/#{part}/{ids[name]}")
            made.wait_for_selector(selector)
            if part == "draw":
                made.click("#samples button >> nth=0")
                made.wait_for_selector("#bars li")
            if place == "draw/photos-run":
                broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"nothing"}
                made.set_input_files("#files", [picture("red", 2, ink=True), broken])
                made.wait_for_selector("#files-faults li")
            found = axe.run(made).response["violations"]
            serious = [(one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3]) for one in found]
            assert serious == [], (place, width)
            assert made.evaluate("document.documentElement.scrollWidth") <= width, place
        made.close()
