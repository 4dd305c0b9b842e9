"""The picture of a data set: which samples of it are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from quanvolve.data import Dataset, Understood

_EACH = 8


def data_picture(data: Dataset, understood: Understood) -> Figure:
    """Samples of each class and how many there are; of training samples where there are some.

    Where no classes are learned, all samples are one row, in the order of their targets.

    Args:
        data: a data set.
        understood: what was understood of it.

    Examples:
        >>> from quanvolve.data import load_digits, understand
        >>> digits = load_digits()
        >>> data_picture(digits, understand(digits)).texts[0].get_text()
        '0'
    """
    import numpy as np  # like what follows: options and names serve help texts, too

    from quanvolve.figures import data_figure  # loads torch

    images = [data.train_images, data.test_images]
    labels = [data.train_labels, data.test_labels]
    if data.valid_images is not None and data.valid_labels is not None:
        images, labels = [*images, data.valid_images], [*labels, data.valid_labels]
    samples = []
    for rows in _rows(labels) if understood.aim is None else [_in_order(labels[0])]:
        chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, min(_EACH, len(rows))).round().astype(int)]
        samples.append(_drawable(np.stack([images[part][row] for part, row in chosen]), data, understood))
    counts = [(c.train, c.valid, c.test) for c in understood.classes]
    return data_figure(samples, [c.name for c in understood.classes], counts, title=understood.name)


def _rows(labels: list[NDArray[np.generic]]) -> list[list[tuple[int, int]]]:
    """For each class the part and the row of its samples."""
    import numpy as np

    found = []
    for label in np.unique(np.concatenate(labels)):
        rows = [(part, int(row)) for part, own in enumerate(labels) for row in np.flatnonzero(own == label)]
        found.append(rows if rows[0][0] else [(part, row) for part, row in rows if part == 0])
    return found


def _in_order(labels: NDArray[np.generic]) -> list[tuple[int, int]]:
    """The training samples by their targets, the first of several before the others."""
    import numpy as np

    return [(0, int(row)) for row in np.argsort(labels.reshape(len(labels), -1)[:, 0], kind="stable")]


def _drawable(samples: NDArray[np.generic], data: Dataset, understood: Understood) -> NDArray[np.float32]:
    """Images in [0, 1], (k, C, H, W); of volumes the middle slices. Series are lines, (k, C, L)."""
    import numpy as np

    scaled = (samples.astype(np.float32) - understood.low) / ((understood.high - understood.low) or 1.0)
    if data.dims == 1 or samples.ndim == 2:
        return scaled.reshape(len(scaled), -1, scaled.shape[-1])
    if understood.dtype == "uint8":
        scaled = samples.astype(np.float32) / 255
    scaled = scaled.reshape(len(scaled), -1, *scaled.shape[-data.dims :])
    if data.dims == 3:
        scaled = scaled[:, :, scaled.shape[2] // 2]
    clipped: NDArray[np.float32] = np.clip(scaled, 0, 1)
    return clipped
