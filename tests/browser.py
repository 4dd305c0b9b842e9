"""Pages in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window; until the end of the file, as Playwright leaves asyncio no loop in this thread."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "these tests need Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        limit = PATIENCE * 1000
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=limit)
        new_page = made.new_page

        def patient_page(**options: Any) -> Any:
            page = new_page(**options)
            page.set_default_timeout(limit)
            return page

        made.new_page = patient_page  # the one place where Playwright's 30 s are taken away from every wait
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
