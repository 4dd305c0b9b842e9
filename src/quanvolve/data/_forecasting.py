"""A series cut into windows and what comes after each, for models that forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._dataset import Dataset

_VALIDATION_SHARE = 0.1


def forecasting_windows(
    series: Any,
    length: int,
    horizon: int = 1,
    *,
    steps: int = 1,
    target: int = 0,
    test_fraction: float = 0.2,
    name: str = "series",
) -> Dataset:
    """Cut a series into windows of `length` values and the values that follow.

    The parts follow each other in time: the first windows are for training, then come those that choose the best epoch,
    the last are the test. Between two parts windows are left out where their targets lie beyond the first forecast of
    the next one, so that all that a model is trained on was known by then. Nothing is drawn at random.

    Args:
        series: values (time,), or (channels, time) of series that run side by side.
        length: of a window.
        horizon: how far behind the end of a window the first value lies that is to be forecast; 1 is the next one.
        steps: how many values are to be forecast, one after another.
        target: the channel that is to be forecast.
        test_fraction: the share of the windows that becomes the test set.
        name: of the data set.

    Shape:
        `train_images` are (n, channels, length), `train_labels` (n,), or (n, steps) for several steps.

    Returns:
        The data set, with the validation data in `valid_images` and `valid_labels`.

    Raises:
        DataError: if the series is not finite or too short, or a number has no meaning.

    Examples:
        >>> import numpy as np
        >>> from quanvolve.data import forecasting_windows
        >>> data = forecasting_windows(np.arange(100.0), length=4, horizon=2)
        >>> data
        Dataset('series': 64 train + 19 test, 1x4 float64, 1 target)
        >>> data.train_images[0, 0].tolist(), data.train_labels[0].item()
        ([0.0, 1.0, 2.0, 3.0], 5.0)
        >>> forecasting_windows(np.arange(100.0), 4, steps=3).train_labels[0].tolist()
        [4.0, 5.0, 6.0]
    """
    values = _checked(series)
    for argument, number in (("length", length), ("horizon", horizon), ("steps", steps)):
        if not isinstance(number, int | np.integer) or number < 1:
            raise DataError(f"`{argument}` (={number!r}) must be a whole number of at least 1")
    if not -len(values) <= target < len(values):
        raise DataError(f"`target` (={target!r}) must be the number of one of the {len(values)} channels, from 0")
    if not 0 < test_fraction < 1:
        raise DataError(f"`test_fraction` (={test_fraction!r}) must be between 0 and 1")
    reach = horizon + steps - 1
    count = values.shape[1] - length - reach + 1
    # A model may be trained on what was known when the first forecast of the next part is made.
    apart = reach - 1
    n_test, n_valid = (max(1, round(share * count)) for share in (test_fraction, _VALIDATION_SHARE))
    n_train = count - n_test - n_valid - 2 * apart
    if n_train < 2:
        raise DataError(
            f"the series has {values.shape[1]} values, which are too few for windows of {length} values and targets "
            f"{reach} steps ahead: use a smaller `length`, `horizon` or `test_fraction`"
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, length, axis=1).transpose(1, 0, 2)
    ahead = np.lib.stride_tricks.sliding_window_view(values[target, length + horizon - 1 :], steps)
    parts = (
        slice(0, n_train),
        slice(n_train + apart, n_train + apart + n_valid),
        slice(count - n_test, count),
    )
    (train, y_train), (valid, y_valid), (test, y_test) = (
        (np.ascontiguousarray(windows[part]), np.ascontiguousarray(ahead[part, 0] if steps == 1 else ahead[part]))
        for part in parts
    )
    return Dataset(
        name, train, y_train, test, y_test, (), dims=1, valid_images=valid, valid_labels=y_valid, task="regression"
    )


def _checked(series: Any) -> NDArray[np.float64]:
    try:
        values = np.asarray(series, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("the series must be numbers, of shape (time,) or (channels, time)") from None
    if values.ndim not in (1, 2) or not values.size:
        raise DataError(f"the series has the shape {values.shape}, expected (time,) or (channels, time)")
    missing = int(np.count_nonzero(~np.isfinite(values)))
    if missing:
        raise DataError(f"the series has {missing} value(s) that are NaN or infinite: fill these in first")
    return values if values.ndim == 2 else values[None]
