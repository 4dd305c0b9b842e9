"""The page in a real browser: drawing, training, comparing, broken networks, keyboards, small screens, dark paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import waiting
from tests.studio.conftest import Server


@pytest.fixture
def view(browser: Any, served: Server, model: str) -> Iterator[Any]:
    """A page of the studio, without errors and without requests to anybody else."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{served.url}/#draw/{model}")  # others may have been trained since
    page.wait_for_selector("#samples button")
    yield page
    assert [text for text in page.said if "ERR_" not in text and "Failed to load" not in text] == []
    assert {url.split("/")[2] for url in page.asked if not url.startswith(("data:", "blob:"))} == {
        f"127.0.0.1:{served.port}"
    }
    page.close()


def draw(page: Any, *strokes: list[tuple[float, float]]) -> None:
    box = page.locator("#pad").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()


SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.5, 0.5), (0.42, 0.8)]
ONE = [(0.5, 0.2), (0.5, 0.8)]


def until(page: Any, expression: str, arg: Any = None) -> None:
    """Wait; not with Playwright's own way, which evaluates text in the page, as its policy forbids."""
    waiting.until(lambda: page.evaluate(expression, arg), f"{expression} ({arg})", pause=0.05)


# Means of ten measured values, each of which is 1 or -1.
TENTHS = """[...document.querySelectorAll('#values .mono')].every(
    ({ textContent }) => Math.abs(5 * (1 - textContent) - Math.round(5 * (1 - textContent))) < 1e-3)"""


def predicted(page: Any, label: str) -> None:
    until(page, "label => document.querySelector('#answer strong')?.textContent === label", arg=label)


def test_a_drawn_digit_is_seen_and_explained(view: Any) -> None:
    draw(view, SEVEN)
    predicted(view, "7")
    assert view.locator("#filters canvas").count() == 16
    assert view.locator("#bars li").count() == 10
    assert view.locator("#bars .best").inner_text().split()[0] == "7"
    # The window under the pointer: pixels as angles, the circuit, measured values and a formula.
    view.locator("#filters canvas").nth(6).hover()
    assert view.locator("#window-title").inner_text().endswith("channel 6")
    assert view.locator("#tiles .tile").count() == 4
    assert "rad" in view.locator("#tiles .tile").first.inner_text()
    assert view.locator("#formula p").first.inner_text().startswith("ch6 = ")
    until(view, "document.getElementById('circuit').naturalWidth > 0")
    values = view.locator("#values .mono").all_inner_texts()
    assert len(values) == 4
    assert all(-1 <= float(value) <= 1 for value in values)
    view.click("#clear")
    view.wait_for_selector("#answer .hint")
    draw(view, ONE)
    predicted(view, "1")
    view.click("#undo")
    view.wait_for_selector("#answer .hint")


def test_noise_and_shots_change_the_maps(view: Any) -> None:
    view.click("#samples button >> nth=3")
    predicted(view, "3")
    before = view.locator("#values .mono").all_inner_texts()
    view.evaluate("const s = document.getElementById('noise'); s.value = 30; s.dispatchEvent(new Event('input'))")
    until(view, "before => document.querySelector('#values .mono').textContent !== before", arg=before[0])
    noisy = view.locator("#values .mono").all_inner_texts()
    assert sum(abs(float(value)) for value in noisy) < 0.8 * sum(abs(float(value)) for value in before)
    assert view.locator("#noise-value").inner_text() == "15.0 %"
    assert not view.evaluate(TENTHS)
    view.evaluate("const s = document.getElementById('shots'); s.value = 3; s.dispatchEvent(new Event('input'))")
    until(view, "document.getElementById('shots-value').textContent === '10'")
    until(view, TENTHS)  # once the answer to 10 shots is there


def test_a_picture_can_be_opened(view: Any, drawing: Path) -> None:
    view.set_input_files("#file", drawing)
    predicted(view, "7")
    view.set_input_files("#file", {"name": "no.png", "mimeType": "image/png", "buffer": b"nothing"})
    view.wait_for_selector("text=no.png is not a picture that can be shown.")


def test_everything_is_reached_by_keyboard(view: Any) -> None:
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.textContent") == "Skip to the content"
    seen = []
    for _ in range(60):
        view.keyboard.press("Tab")
        label = view.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        seen.append(label)
        if label == "Test image of class 4":
            break
    assert {"Draw", "Models", "Data", "Train", "Verdict", "API", "Clear", "Undo", "Open a picture…"} <= set(seen)
    view.keyboard.press("Enter")
    predicted(view, "4")
    view.focus("#filters button >> nth=2")
    title = view.locator("#window-title").inner_text()
    assert "channel 2" in title
    view.keyboard.press("ArrowRight")
    view.keyboard.press("ArrowLeft")
    assert view.locator("#window-title").inner_text() == title
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowUp")
    view.keyboard.press("ArrowUp")
    assert view.locator("#window-title").inner_text() != ""
    outline = view.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_model_is_trained_and_watched(view: Any, served: Server) -> None:
    view.click('.tabs a[href="#train"]')
    view.wait_for_selector("#train-fields select")
    view.select_option("#train-form [name=circuit]", "basic_entangler")
    until(view, "document.getElementById('train-picture').naturalWidth > 0")
    view.fill("#train-form [name=kernel_size]", "4")
    view.click("#train-form .primary")
    view.wait_for_selector("#train-error:not([hidden])")
    assert "16 qubits" in view.locator("#train-error").inner_text()
    view.fill("#train-form [name=kernel_size]", "2")
    view.fill("#train-form [name=epochs]", "6")
    view.fill("#train-form [name=name]", "Watched")
    view.click("#train-form .primary")
    job = view.locator("#train-jobs .job").first
    job.locator(".chart").wait_for()
    job.locator(".state.done").wait_for()
    assert "6 of 6 finished" in job.inner_text()
    assert "after 6 epochs" in job.locator(".chart").get_attribute("aria-label")
    job.get_by_role("link", name="Results").click()
    view.wait_for_selector("#model-detail .confusion")
    assert "Watched" in view.locator("#model-detail h2").inner_text()
    for box in view.locator("#models-table input:enabled").all()[:2]:
        box.check()
    view.wait_for_selector("#models-compare .chart")
    view.once("dialog", lambda dialog: dialog.accept("Another"))
    view.click("#model-detail >> text=Rename")
    view.wait_for_selector("#model-detail h2 >> text=Another")
    view.click("#model-detail >> text=Draw with it")
    until(view, "document.querySelector('#draw-model').selectedOptions[0].textContent.startsWith('Another')")
    view.go_back()
    view.wait_for_selector("#model-detail h2 >> text=Another")
    view.once("dialog", lambda dialog: dialog.accept())
    view.click("#model-detail >> text=Delete")
    until(view, "!document.querySelector('#models-table').textContent.includes('Another')")
    assert all(one["name"] != "Another" for one in served.http.get("/api/v1/models").json())


def test_a_training_is_stopped_goes_on_and_is_deleted(view: Any) -> None:
    view.goto(view.url.split("#")[0] + "#train")
    view.wait_for_selector("#train-fields select")
    view.fill("#train-form [name=epochs]", "400")
    view.fill("#train-form [name=filters]", "16")
    view.check("#train-form [name=trainable]")
    view.click("#train-form .primary")
    job = view.locator("#train-jobs .job").first
    job.locator(".chart").wait_for()
    job.get_by_role("button", name="Stop").click()
    job.locator(".state.stopped").wait_for()
    job.get_by_role("button", name="Go on").click()
    job.locator(".state.running").wait_for()
    job.get_by_role("button", name="Stop").click()
    job.locator(".state.stopped").wait_for()
    before = view.locator("#train-jobs .job").count()
    job.get_by_role("button", name="Delete").click()
    until(view, "before => document.querySelectorAll('#train-jobs .job').length < before", arg=before)


def test_rarer_options_stand_in_a_fold(view: Any, served: Server) -> None:
    view.goto(view.url.split("#")[0] + "#train")
    view.wait_for_selector("#train-fields select")
    padding = view.locator("#train-form").get_by_label("Padding", exact=True)
    assert not padding.is_visible()
    view.click("#train-more summary")
    assert view.locator("#train-form [name=diff_method]").is_disabled()
    view.fill("#train-form [name=shots]", "100")
    padding.fill("sane")
    padding.press("Tab")
    until(view, "document.querySelector('#train-more summary').textContent === 'More options (2 changed)'")
    assert view.locator("#train-form [name=diff_method]").is_enabled()
    view.click("#train-form .primary")
    view.wait_for_selector("#train-error:not([hidden])")
    assert "`padding` (='sane') must be 'same', 'valid' or a number" in view.locator("#train-error").inner_text()
    padding.fill("1")
    view.fill("#train-form [name=epochs]", "1")
    with view.expect_response(lambda answer: answer.request.method == "POST") as answer:
        view.click("#train-form .primary")
    job = answer.value.json()
    assert (job["settings"]["padding"], job["settings"]["shots"]) == (1, 100)
    assert not {"dilation", "engine", "diff_method"} & set(job["settings"])
    served.wait(job["id"], "done")


@pytest.mark.slow
def test_a_comparison_ends_with_its_report(view: Any) -> None:
    view.click('.tabs a[href="#verdict"]')
    view.wait_for_selector("#controls input")
    for name in ("unentangled", "conv"):
        view.uncheck(f"#controls input[value={name}]")
    for name, value in (("seeds", "2"), ("epochs", "1"), ("train_size", "100"), ("filters", "1")):
        view.fill(f"#verdict-form [name={name}]", value)
    view.click("#verdict-form .primary")
    frame = view.frame_locator("#verdict-report iframe")
    frame.locator("h2 >> text=Verdict").first.wait_for()
    assert "the head on all pixels" in frame.locator("body").inner_text()
    view.locator("#verdict-jobs .job").first.get_by_role("button", name="Delete").click()


def test_a_broken_network_loses_nothing(view: Any) -> None:
    draw(view, SEVEN)
    predicted(view, "7")
    view.route("**/api/**", lambda route: route.abort())
    view.route("**/healthz", lambda route: route.abort())
    draw(view, [(0.35, 0.5), (0.65, 0.5)])
    view.wait_for_selector("#banner:not([hidden])")
    assert "does not answer" in view.locator("#banner").inner_text()
    view.unroute("**/api/**")
    view.unroute("**/healthz")
    view.wait_for_selector("#banner", state="hidden")
    view.wait_for_selector("#answer strong")
    view.click("#undo")
    predicted(view, "7")


# The parts of the page, and the last of what the server's answers put into each.
SHOWN = {
    "draw": "#samples button", "models": "#models-table button.link", "data": "#data-list > *",
    "train": "#train-fields select",
    "verdict": "#controls input", "docs": "h1",
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(browser: Any, served: Server, scheme: str) -> None:
    """axe-core's rules, of all kinds, on every part, on a narrow screen as on a wide one."""
    axe = Axe()
    for width in (360, 1360):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        # axe is brought in by the test and not by the page, which takes no scripts from elsewhere.
        for part in SHOWN:
            page.goto(f"{served.url}/docs" if part == "docs" else f"{served.url}/#{part}")
            page.wait_for_selector(SHOWN[part])
            page.wait_for_load_state("networkidle")
            if part == "draw":
                page.click("#samples button >> nth=5")
                page.wait_for_selector("#answer strong")
            if part == "models":
                page.click("#models-table button.link >> text=digits-run")
                page.wait_for_selector("#model-detail .confusion")
            page.evaluate("document.querySelectorAll('.more').forEach((fold) => (fold.open = true))")
            found = axe.run(page).response["violations"]
            serious = [(one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3]) for one in found]
            assert serious == [], (part, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, part
        page.close()


def test_dark_paper_is_dark(browser: Any, served: Server) -> None:
    for scheme, dark in (("light", False), ("dark", True)):
        page = browser.new_page(color_scheme=scheme)
        page.goto(f"{served.url}/")
        page.wait_for_selector("#samples button")
        page.click("#samples button >> nth=0")
        page.wait_for_selector("#circuit[src]")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, colour[4:-1].split(","))) < 150) == dark
        assert f"dark={str(dark).lower()}" in page.get_attribute("#circuit", "src")
        page.close()


def test_a_studio_without_a_model_says_so(browser: Any, serve: Any) -> None:
    server = serve("--no-first-model", "--jobs", "0")
    page = browser.new_page()
    page.goto(f"{server.url}/")
    page.wait_for_selector("text=There is no model yet")
    server.job(kind="train")
    page.reload()
    page.wait_for_selector("text=The first model is being trained")
    page.close()


def test_many_jobs_leave_room_for_everything_else(browser: Any, serve: Any) -> None:
    # A browser has six connections to a server: were each job followed on one, the page would stand still.
    server = serve("--no-first-model", "--jobs", "0")
    for seed in range(10):
        server.job(kind="train", seed=seed)
    page = browser.new_page()
    page.goto(f"{server.url}/#train")
    page.wait_for_selector("#train-fields select")
    until(page, "document.querySelectorAll('#train-jobs .job').length === 10")
    page.select_option("#train-form [name=circuit]", "random")
    until(page, "document.getElementById('train-picture').src.includes('random')")
    until(page, "document.getElementById('train-picture').naturalWidth > 0")
    page.locator("#train-jobs .job").first.get_by_role("button", name="Stop").click()
    page.locator("#train-jobs .state.stopped").first.wait_for()
    page.close()
