"""The report of a study: complete, verdict first, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quanvolve.study import Protocol, Results, compare, markdown, page
from tests.browser import opened


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    protocol = Protocol(seeds=tuple(range(4)), lrs=(1e-2,), epochs=4, train_size=200, test_size=100)
    folder = tmp_path_factory.mktemp("page") / "study"
    return compare("digits", folder, params={"n_filters": 1}, controls=["conv", "pixels"], protocol=protocol)


def test_the_page_needs_nothing_but_itself(browser: Any, results: Results, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page(results, title="digits", command="quanvolve compare"), encoding="utf-8")
    view = opened(browser, path, viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert view.asked == [path.as_uri()]
    assert view.said == []
    headings = [heading.inner_text() for heading in view.query_selector_all("h2")]
    assert headings == ["Verdict", "Accuracy", "Differences", "Learning", "Protocol", "Again"]
    assert view.query_selector("#verdict p").inner_text() == results.verdict()[0]
    assert view.evaluate("document.documentElement.scrollWidth") == 360
    assert len(view.query_selector_all("tbody tr")) == 3
    assert len(view.query_selector_all("figure svg")) == 3
    names = view.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(names) == len(set(names))
    for link in view.query_selector_all("nav a"):
        assert view.query_selector(link.get_attribute("href")), link.inner_text()


def test_markdown_has_the_verdict_and_a_row_for_each(results: Results) -> None:
    lines = markdown(results).splitlines()
    assert lines[0] == results.verdict()[0]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 5
    assert len({row.count("|") for row in rows}) == 1
