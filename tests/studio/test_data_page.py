"""Data of one's own in a real browser: bringing them, what is understood of them, training on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.data.made import zipped
from tests.studio.conftest import Server
from tests.studio.own import bring, photographs, png, prices
from tests.waiting import until

X = "\u00d7"  # as people write it between sizes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of different sizes, and a table."""
    place = tmp_path_factory.mktemp("own")
    for number in range(20):
        path = place / "garden" / ("apple", "pear & plum")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number, (10 + number, 9), "RGB"))
    (place / "garden" / ".DS_Store").write_text("x")
    (place / "prices.csv").write_bytes(prices())
    (place / "all.zip").write_bytes(zipped(photographs()))
    (place / "nothing.txt").write_text("nothing")
    return place


@pytest.fixture
def view(browser: Any, serve: Any) -> Iterator[Any]:
    """The part of the page for data, without errors; its server is `view.server`."""
    server: Server = serve("--no-first-model")
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.said, page.server = [], server
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(f"{server.url}/#data")
    page.wait_for_selector("#data-list .empty")
    yield page
    assert [text for text in page.said if "Failed to load" not in text] == []
    page.close()


def refused(page: Any) -> str:
    page.wait_for_selector("#data-look-error:not([hidden])")
    return str(page.locator("#data-look-error").inner_text())


def facts(page: Any) -> dict[str, str]:
    page.wait_for_selector("#data-understood:not([hidden])")
    places = page.locator("#data-understood .facts > div").all()
    return {place.locator("dt").inner_text(): place.locator("dd").inner_text() for place in places}


def test_from_a_folder_of_photographs_to_a_training(view: Any, folder: Path) -> None:
    view.set_input_files("#data-folder", folder / "garden")
    told = refused(view)
    assert "the pictures are of different sizes" in told
    assert "such as “Image size: 28”" in told  # as the field is called
    size = view.get_by_label("Image size", exact=True).first
    assert size.is_visible()
    size.fill("8")
    size.press("Enter")
    found = facts(view)
    assert (found["Images"], found["Classes"], found["Training"], found["Test"]) == (f"3{X}8{X}8", "2", "16", "4")
    assert found["Prepared"] == "8x8 (crop), colour"
    assert view.locator("#data-how summary").inner_text() == "How it is read: image size 8"
    assert view.locator(".classes tbody th").all_inner_texts() == ["apple", "pear & plum"]
    until(lambda: view.evaluate("document.querySelector('img.look').naturalWidth > 0"), "the picture is there")
    assert view.evaluate("document.activeElement.id") == "data-look"
    (row,) = view.server.http.get("/api/v1/data").json()
    assert (row["name"], row["files"], row["awaited"]) == ("garden", 20, 0)

    view.get_by_role("link", name="Train on it").click()
    view.wait_for_selector("#train-own:not([hidden])")
    assert view.locator("#train-form [name=dataset] option:checked").inner_text() == "garden"
    assert view.locator("#train-form [name=image_size]").input_value() == "8"
    view.select_option("#train-form [name=class_weight]", "balanced")
    view.fill("#train-form [name=epochs]", "2")
    view.fill("#train-form [name=filters]", "1")
    with view.expect_response(lambda answer: answer.request.method == "POST") as answer:
        view.click("#train-form .primary")
    settings = answer.value.json()["settings"]
    assert (settings["own"], settings["image_size"], settings["class_weight"]) == ("garden", "8", "balanced")
    job = view.locator("#train-jobs .job").first
    job.locator(".state.done").wait_for()
    assert job.locator("strong").inner_text().startswith(f"garden: 1 {X} strongly entangling")
    view.wait_for_selector("#train-jobs .hint >> text=test accuracy")
    # Published data have nothing to be asked of.
    view.select_option("#train-form [name=dataset]", "digits")
    assert view.locator("#train-own").is_hidden()
    view.click('.tabs a[href="#verdict"]')
    view.wait_for_selector("#verdict-form optgroup.own option", state="attached")
    view.select_option("#verdict-form [name=dataset]", label="garden")
    assert view.locator("#verdict-own").is_visible()
    assert view.locator("#verdict-form [name=image_size]").input_value() == "8"


def test_a_table_a_zip_and_what_is_none(view: Any, folder: Path) -> None:
    view.set_input_files("#data-files", folder / "prices.csv")
    assert "Say which it is with “Label column”" in refused(view)
    view.get_by_label("Label column", exact=True).first.fill("price")
    view.click("#data-look")
    found = facts(view)
    assert found["To be learned"].startswith("regression, 1 target")
    assert view.get_by_role("link", name="Compare on it").count() == 0

    view.set_input_files("#data-files", folder / "all.zip")
    view.wait_for_selector("#data-name >> text=all.zip")
    assert facts(view)["Classes"] == "2"
    view.set_input_files("#data-files", folder / "nothing.txt")
    view.wait_for_selector("#data-name >> text=nothing.txt")
    assert "does not end with _TRAIN or _TEST" in refused(view)
    assert view.locator("#data-understood").is_hidden()
    view.once("dialog", lambda dialog: dialog.accept())
    view.locator("#data-actions").get_by_role("button", name="Delete").click()
    until(lambda: view.locator(".sets li").count() == 2, "one data set fewer")
    assert view.locator("#data-detail").is_hidden()

    view.locator(".sets a").get_by_text("all.zip").click()
    view.wait_for_selector("#data-name >> text=all.zip")
    view.once("dialog", lambda dialog: dialog.accept("Orchard"))
    view.locator("#data-actions").get_by_role("button", name="Rename").click()
    view.wait_for_selector("#data-name >> text=Orchard")


def test_what_cannot_be_sent_leaves_nothing(view: Any, folder: Path) -> None:
    view.route("**/files", lambda route: route.abort())
    view.set_input_files("#data-files", folder / "prices.csv")
    view.wait_for_selector("#data-error:not([hidden])")
    assert "does not answer, or has stopped reading" in view.locator("#data-error").inner_text()
    view.unroute("**/files")
    assert view.server.http.get("/api/v1/data").json() == []
    assert view.locator("#data-sending").is_hidden()
    # The same again, while nobody answers: it is given up.
    view.route("**/files", lambda route: None)
    view.set_input_files("#data-files", folder / "prices.csv")
    view.wait_for_selector("#data-sending:not([hidden])")
    view.click("#data-cancel")
    view.wait_for_selector("#data-sending", state="hidden")
    view.unroute("**/files")
    assert view.locator("#data-error").is_hidden()
    assert view.server.http.get("/api/v1/data").json() == []


def test_everything_is_reached_by_keyboard(view: Any, folder: Path) -> None:
    bring(view.server.http, photographs(), "Garden")
    view.reload()
    view.wait_for_selector(".sets a")
    view.focus("#data-folder-open")
    view.evaluate(
        """document.getElementById("data-folder").addEventListener("click", (event) => {
          event.preventDefault(); // or the browser asks for a folder, which nobody chooses
          window.asked = true;
        })"""
    )
    view.keyboard.press("Enter")
    until(lambda: view.evaluate("window.asked"), "a folder is asked for")
    seen = []
    for _ in range(4):
        view.keyboard.press("Tab")
        seen.append(view.evaluate("document.activeElement.textContent"))
        if seen[-1] == "Garden":
            break
    assert seen == ["Choose files…", "Garden"]
    assert view.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    view.keyboard.press("Enter")
    assert facts(view)["Classes"] == "2"
    view.focus("#data-how summary")
    view.keyboard.press("Enter")
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.name") == "image_size"
    view.keyboard.type("4x6")
    view.keyboard.press("Enter")
    view.wait_for_selector(f"#data-understood .facts >> text=4{X}6")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(browser: Any, serve: Any, scheme: str) -> None:
    server: Server = serve("--no-first-model", "--jobs", "0")
    data = bring(
        server.http, {f"garden/{name}/{k}.png": png(k) for k, name in enumerate(["apple"] * 40 + ["pear"] * 3)}
    )
    axe = Axe()
    for width in (360, 1360):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for part, there in (
            ("data", "#data-understood .warnings"),
            ("train", "#train-own"),
            ("verdict", "#verdict-own"),
        ):
            page.goto(f"{server.url}/#{part}/{data}")
            page.wait_for_selector(f"{there}:not([hidden])")
            page.wait_for_load_state("networkidle")
            page.evaluate("document.querySelectorAll('.more').forEach((fold) => (fold.open = true))")
            found = axe.run(page).response["violations"]
            assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found] == [], (part, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, part
        source = page.evaluate("document.querySelector('img.look')?.getAttribute('src') ?? ''")
        assert source.endswith(f"dark={str(scheme == 'dark').lower()}")
        page.close()
