"""Take the pictures of the studio that the documentation shows: python docs/screenshots.py RUN [ANOTHER_RUN].

RUN is a trained run on MNIST or the digits. Needs Playwright and Debian's chromium.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
THREE = [(0.32, 0.24), (0.55, 0.18), (0.66, 0.3), (0.48, 0.46), (0.66, 0.6), (0.58, 0.8), (0.34, 0.78)]


def _draw(page: Any) -> None:
    box = page.locator("#pad").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in THREE]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()
    page.wait_for_selector("#answer strong")
    page.wait_for_timeout(500)


def _save(page: Any, name: str, **options: Any) -> None:
    path = HERE / f"studio-{name}.png"
    page.screenshot(path=path, **options)
    # Few colours: a fifth of the size, and no difference to be seen.
    Image.open(path).convert("RGB").quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path, path.stat().st_size)


def _photographs(folder: Path) -> None:
    """Pictures of three kinds of things, of different sizes."""
    random = np.random.default_rng(0)
    kinds = {"apples": (70, 1.0, 1.0, (200, 40, 40)), "pears": (42, 0.7, 1.2, (190, 200, 60)),
             "plums": (6, 0.8, 0.5, (90, 40, 130))}  # fmt: skip
    for name, (count, wide, tall, colour) in kinds.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            width, height = map(int, random.integers(60, 120, 2))
            picture = Image.new("RGB", (width, height), tuple(map(int, random.integers(120, 235, 3))))
            x, y, r = width / 2, height / 2, min(width, height) / 3
            ImageDraw.Draw(picture).ellipse((x - wide * r, y - tall * r, x + wide * r, y + tall * r), fill=colour)
            picture.save(folder / name / f"{number}.jpg")


def main() -> None:
    """Start a studio, use it, and save what it looks like."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        models = [part for run in reversed(sys.argv[1:]) for part in ("--model", run)]
        server = subprocess.Popen(
            [sys.executable, "-m", "quanvolve", "studio", "--output", folder, "--port", str(port), "--no-browser",
             "--no-first-model", *models]
        )  # fmt: skip
        try:
            for _ in range(300):
                try:
                    json.load(urllib.request.urlopen(f"{url}/api/v1/models"))
                    break
                except OSError:
                    time.sleep(0.1)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
                page.goto(f"{url}/#draw")
                page.wait_for_selector("#samples button")
                _draw(page)
                page.locator("#filters canvas").nth(6).hover(position={"x": 40, "y": 40})
                page.wait_for_timeout(800)
                _save(page, "draw" if scheme == "light" else "dark", full_page=True)
                page.close()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            with tempfile.TemporaryDirectory() as place:
                _photographs(Path(place) / "garden")
                page.goto(f"{url}/#data")
                page.wait_for_selector("#data-list .empty")
                page.set_input_files("#data-folder", Path(place) / "garden")
                page.wait_for_selector("#data-look-error:not([hidden])", timeout=60_000)
            page.fill("#data-form [name=image_size]", "28")
            page.press("#data-form [name=image_size]", "Enter")
            page.wait_for_selector("#data-understood:not([hidden])", timeout=60_000)
            page.wait_for_timeout(800)
            _save(page, "data", full_page=True)
            page.goto(f"{url}/#train")
            page.wait_for_selector("#train-fields select")
            page.fill("#train-form [name=epochs]", "40")
            page.check("#train-form [name=trainable]")
            page.click("#train-form .primary")
            page.locator("#train-jobs .chart").first.wait_for(timeout=60_000)
            page.wait_for_timeout(4000)
            _save(page, "train")
            page.locator("#train-jobs .state.done").first.wait_for(timeout=120_000)
            page.goto(f"{url}/#models")
            page.wait_for_selector("#models-table button.link")
            for box in page.locator("#models-table input:enabled").all()[:2]:
                box.check()
            page.click("#models-table button.link >> nth=0")
            page.wait_for_selector("#model-detail .confusion")
            _save(page, "models", full_page=True)
            page.goto(f"{url}/#verdict")
            page.wait_for_selector("#controls input")
            for name, value in (("seeds", "8"), ("epochs", "5"), ("train_size", "300")):
                page.fill(f"#verdict-form [name={name}]", value)
            page.click("#verdict-form .primary")
            page.wait_for_selector("#verdict-report iframe", timeout=300_000)
            page.wait_for_timeout(1500)
            _save(page, "verdict", full_page=True)
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
