"""Windows for forecasts: what is in each part, and that none of them knows the future of another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quanvolve._errors import DataError
from quanvolve.data import forecasting_windows

TIME = np.arange(200.0)


@pytest.mark.parametrize(("length", "horizon", "steps"), [(4, 1, 1), (7, 3, 1), (5, 2, 4), (1, 1, 2)])
def test_targets_follow_their_windows(length: int, horizon: int, steps: int) -> None:
    """The series is time itself, so that every value says when it was."""
    data = forecasting_windows(TIME, length, horizon, steps=steps)
    parts = [
        (data.train_images, data.train_labels), (data.valid_images, data.valid_labels),
        (data.test_images, data.test_labels),
    ]  # fmt: skip
    last_known = -1.0
    for windows, targets in parts:
        assert windows is not None
        assert targets is not None
        assert windows.shape[1:] == (1, length)
        assert targets.shape == ((len(windows),) if steps == 1 else (len(windows), steps))
        assert (np.diff(windows[:, 0], axis=1) == 1).all()
        rows = targets.reshape(len(targets), steps)
        np.testing.assert_array_equal(rows[:, 0], windows[:, 0, -1] + horizon)
        assert (np.diff(rows, axis=1) == 1).all()
        # What the parts before were trained on was known when the first forecast is made.
        assert windows[0, 0, -1] >= last_known
        last_known = rows.max()
    assert last_known == TIME[-1]
    assert data.task == "regression"


def test_several_series_side_by_side() -> None:
    both = np.stack([TIME, -TIME])
    data = forecasting_windows(both, 6, target=1)
    assert data.train_images.shape[1:] == (2, 6)
    np.testing.assert_array_equal(data.train_images[:, 1], -data.train_images[:, 0])
    np.testing.assert_array_equal(data.train_labels, data.train_images[:, 1, -1] - 1)


def test_the_share_of_the_test() -> None:
    data = forecasting_windows(TIME, 10, test_fraction=0.5)
    assert len(data.test_labels) == 95  # of 190 windows
    assert data.valid_labels is not None
    assert len(data.valid_labels) == 19
    assert len(data.train_labels) == 190 - 95 - 19


@pytest.mark.parametrize(
    ("series", "arguments", "message"),
    [
        (TIME, {"length": 0}, r"`length` \(=0\)"),
        (TIME, {"length": 4, "horizon": 1.5}, r"`horizon` \(=1.5\)"),
        (TIME, {"length": 4, "steps": 0}, r"`steps` \(=0\)"),
        (TIME, {"length": 4, "target": 1}, r"`target` \(=1\) must be the number of one of the 1 channels"),
        (TIME, {"length": 4, "test_fraction": 1.0}, r"`test_fraction` \(=1.0\)"),
        (TIME, {"length": 198}, "too few for windows of 198 values"),
        (TIME[:5], {"length": 9}, "has 5 values, which are too few"),
        (np.where(TIME == 3, np.nan, TIME), {"length": 4}, r"has 1 value\(s\) that are NaN"),
        (["a", "b"], {"length": 1}, "must be numbers"),
        (np.zeros((2, 3, 4)), {"length": 1}, r"expected \(time,\) or \(channels, time\)"),
    ],
)
def test_what_cannot_be_cut_is_named(series: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        forecasting_windows(series, **arguments)
