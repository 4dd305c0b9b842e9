"""The picture of what a regressor gets wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.figures import history_figure, residuals_figure, save_figure

truth = np.random.default_rng(0).normal(10, 3, (400, 8))
found = truth + np.random.default_rng(1).normal(0, 1, truth.shape)


@pytest.mark.parametrize("columns", [1, 2, 8])
def test_each_target_has_a_row(columns: int, tmp_path: Path) -> None:
    figure = residuals_figure(truth[:, :columns], found[:, :columns])
    assert len(figure.axes) == 2 * min(columns, 6)
    save_figure(figure, tmp_path / "residuals.png", dpi=40)
    points = figure.axes[1].collections[0].get_offsets()
    np.testing.assert_allclose(points, np.stack([found[:, 0], (found - truth)[:, 0]], axis=1))
    assert ("Target 1: " in figure.axes[0].get_title(loc="left")) == (columns > 1)


def test_exact_and_constant_numbers_can_be_drawn(tmp_path: Path) -> None:
    save_figure(residuals_figure(np.full(5, 2.0), np.full(5, 2.0)), tmp_path / "exact.png", dpi=40)


@pytest.mark.parametrize(
    ("true", "predicted"), [(np.zeros(3), np.zeros(4)), (np.zeros(0), np.zeros(0)), (np.zeros(2), [0, np.nan])]
)
def test_what_cannot_be_drawn_is_named(true: object, predicted: object) -> None:
    with pytest.raises(QuanvolveError, match="predicted"):
        residuals_figure(true, predicted)


def test_other_scores_have_their_own_axis() -> None:
    rows = [{"epoch": e, "train_loss": 1 / e, "valid_loss": 1 / e, "valid_r2": -0.2 + 0.3 * e} for e in (1, 2, 3)]
    _, score = history_figure(rows, best=3, score="r2").axes
    assert score.get_title(loc="left") == "Validation R²"
    np.testing.assert_allclose(score.lines[0].get_ydata(), [0.1, 0.4, 0.7])
    assert score.texts[0].get_text() == "best: R² 0.700, epoch 3"
