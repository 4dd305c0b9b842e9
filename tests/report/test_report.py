"""The page of `explain`: complete, without any help from outside, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from quanvolve import QuanvClassifier, load_dataset
from quanvolve._errors import QuanvolveError
from quanvolve.figures import history_figure
from quanvolve.report import Explanation, explain
from tests.browser import opened

HISTORY = [{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}]


def explained(title: str = "digits: a run", **params: Any) -> Explanation:
    data = load_dataset("digits")
    clf = QuanvClassifier(max_epochs=1, random_state=0, **{"n_filters": 1, **params})
    clf.fit(data.train_images[:120], data.train_labels[:120])
    figures = [("Training", "How it went.", history_figure(HISTORY))]
    return explain(
        clf, data.test_images, title=title, facts=[("test accuracy", "0.9")], figures=figures, command="quanvolve x"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "explanation.html"
    path.write_text(explained(circuit="random").page, encoding="utf-8")
    return path


def test_the_page_needs_nothing_but_itself(browser: Any, page: Path) -> None:
    view = opened(browser, page)
    assert view.asked == [page.as_uri()]
    assert view.said == []
    assert view.title() == "digits: a run: what its quantum filters do"
    assert [h.inner_text() for h in view.query_selector_all("h2")] == ["Findings", "backbone", "Training", "Sources"]
    for link in view.query_selector_all("nav a"):
        assert view.query_selector(link.get_attribute("href")), link.inner_text()
    figures = view.query_selector_all("figure svg")
    assert len(figures) == 6
    for figure in figures:
        box = figure.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 80
        assert figure.get_attribute("aria-label")
    names = view.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(names) == len(set(names))
    used = view.evaluate("[...document.querySelectorAll('use')].map(e => e.getAttribute('xlink:href').slice(1))")
    assert used
    assert set(used) <= set(names)


def test_ink_and_paper_follow_the_reader(browser: Any, page: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        view = opened(browser, page, color_scheme=scheme)
        seen[scheme] = view.evaluate(
            "() => { const path = document.querySelector('figure svg path');"
            " return [getComputedStyle(document.body).backgroundColor, getComputedStyle(path).fill] }"
        )
    assert seen["light"] == ["rgb(246, 247, 249)", "rgb(255, 255, 255)"]
    assert seen["dark"] == ["rgb(19, 20, 24)", "rgb(27, 28, 33)"]


def test_it_fits_a_telephone_and_works_by_keyboard(browser: Any, page: Path) -> None:
    view = opened(browser, page, viewport={"width": 360, "height": 740})
    assert view.evaluate("document.documentElement.scrollWidth") == 360
    second = view.query_selector_all("details")[1]
    assert second.get_attribute("open") is None
    second.query_selector("summary").focus()
    view.keyboard.press("Enter")
    assert second.get_attribute("open") is not None
    assert "cos(π x" in second.inner_text()


def test_the_page_says_what_was_found() -> None:
    found = explained(circuit="basic_entangler", n_layers=1, trainable=True)
    assert "Nothing to train: whatever the 4 weights do" in found.page
    assert found.audit.n_effective == 0
    assert [one.channel for one in found.readings] == [0, 1, 2, 3]
    assert str(found.readings[0]) in found.page
    assert "@article{henderson2020quanvolutional" in found.page
    assert "<dd>0.9</dd>" in found.page


@pytest.mark.parametrize(
    "params",
    [
        {"encoding": "amplitude"},
        {"encoding": "threshold", "readout": "popcount"},
        {"readout": "popcount_sampled"},
        {"head": "quantum", "backbone": "none"},
        {"kernel_size": 8, "stride": 8, "circuit": "brickwork"},
        {"kernel_size": (8,), "stride": (8,)},
    ],
    ids=str,
)
def test_all_kinds_of_models_can_be_explained(params: dict[str, Any]) -> None:
    found = explained(**params)
    assert found.page.count("<figure>") >= 2
    assert found.audit.layers


def test_names_are_no_markup() -> None:
    assert "<script>alert" not in explained(title="<script>alert(1)</script>").page


def test_models_without_quantum_layers_are_refused() -> None:
    with pytest.raises(QuanvolveError, match="the model has no quantum layer: there is nothing to explain"):
        explained(backbone="classical")


def test_a_preset_is_explained_layer_by_layer() -> None:
    data = load_dataset("digits")
    clf = QuanvClassifier.from_preset("quantum", max_epochs=1).fit(data.train_images[:60], data.train_labels[:60])
    clf.module_.to(torch.float32)
    steps: list[str] = []
    found = explain(clf, data.test_images[:20], progress=steps.append)
    assert [step for step in steps if step.startswith("explaining")] == [
        f"explaining {layer.name}" for layer in found.audit.layers
    ]
    assert len(found.readings) == 16
