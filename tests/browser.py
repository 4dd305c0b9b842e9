"""Pages in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "these tests need Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


def opened(browser: Any, page: Path, **options: Any) -> Any:
    """A page from a file; `asked` lists what it loads, and `said` its errors."""
    view = browser.new_page(**options)
    view.asked, view.said = [], []
    view.on("request", lambda request: view.asked.append(request.url))
    view.on("console", lambda message: view.said.append(message.text))
    view.on("pageerror", lambda error: view.said.append(str(error)))
    view.goto(page.as_uri())
    return view
