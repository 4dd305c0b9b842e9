"""Whole studies on data with a planted answer: where the quantum model must win, must lose, and cannot differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve.study import Protocol, compare

PARAMS: dict[str, Any] = {"n_filters": 1, "circuit": "basic_entangler", "n_layers": 1}
PROTOCOL = Protocol(seeds=tuple(range(8)), lrs=(3e-2,), epochs=12, train_size=240)


def planted(kind: str, path: Path) -> str:
    """Images of 4x4 pixels in two classes."""
    rng = np.random.default_rng(0)
    high = 0.45 if kind == "lose" else 1.0
    images = rng.uniform(0, high, (1200, 4, 4))
    if kind == "lose":
        # A sum of pixels, which a product of their cosines knows only roughly.
        score = (images * rng.choice([-1.0, 1.0], (4, 4))).sum(axis=(1, 2))
        score -= np.median(score)
    else:
        # A product of cosines, and a little that a linear function of the pixels can see.
        score = np.cos(np.pi * images[:, 0, 0]) * np.cos(np.pi * images[:, 0, 1]) + 0.5 * (images[:, 3, 3] - 0.5)
    labels = (score > 0).astype(np.int64)
    order = np.argsort(-np.abs(score))[:1000]  # no close calls
    order = rng.permutation(order)
    np.savez(
        path, train_images=images[order[:500]], train_labels=labels[order[:500]], test_images=images[order[500:]],
        test_labels=labels[order[500:]],
    )  # fmt: skip
    return str(path)


@pytest.mark.parametrize(
    ("kind", "control", "outcome"),
    [("win", "pixels", "better"), ("lose", "pixels", "worse"), ("none", "unentangled", "no difference seen")],
)
def test_the_planted_answer_comes_out(kind: str, control: str, outcome: str, tmp_path: Path) -> None:
    data = planted("win" if kind == "win" else "lose", tmp_path / "data.npz")
    # A circuit without entangling gates is its own control.
    params = {**PARAMS, "circuit": "none"} if kind == "none" else PARAMS
    found = compare(data, tmp_path / "study", params=params, controls=[control], protocol=PROTOCOL)
    (one,) = found.comparisons
    assert (one.outcome, one.collapsed) == (outcome, ""), str(one)
    assert one.n == 8
    if outcome == "better":
        assert one.low > 0.1
    if outcome == "worse":
        assert one.high < 0
    if outcome == "no difference seen":
        assert (one.difference, one.p) == (0, 1)
