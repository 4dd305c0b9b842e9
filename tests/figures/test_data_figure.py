"""The picture of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.figures import data_figure

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 9), (1, 20), (3, 20)])
@pytest.mark.parametrize("classes", [1, 2, 20, 33])
def test_rows_and_bars(shape: tuple[int, ...], classes: int) -> None:
    samples = [RNG.random((1 + k % 5, *shape)) for k in range(classes)]
    counts = [(10 + k, k % 2, 3) for k in range(classes)]
    names = [f"class {k} with a name of many letters" if k else "$x^" for k in range(classes)]
    figure = data_figure(samples, names, counts, title="_odd $name")
    drawn = min(classes, 20)
    assert len(figure.axes) == sum(len(own) for own in samples[:drawn]) + 1
    texts = [text.get_text() for text in figure.texts]
    assert texts[0] == "$x^"
    assert texts[-1] == ("_odd $name" if classes <= 20 else "_odd $name, 20 of 33 classes")
    numbers = [text.get_text() for text in figure.axes[-1].texts]
    assert numbers[-1] == (f"{9 + drawn} + {(drawn - 1) % 2} + 3" if classes > 1 else "10 + 3")
    figure.canvas.draw()
    # Nothing lies outside of the paper, and no name on a picture.
    paper = figure.bbox
    first = figure.axes[0].get_window_extent().x0
    for text in figure.texts[:-1]:
        box = text.get_window_extent()
        assert paper.x0 <= box.x0
        assert box.x1 <= first
    for text in figure.axes[-1].texts:
        assert text.get_window_extent().x1 <= paper.x1


@pytest.mark.parametrize(
    ("samples", "names", "counts", "said"),
    [
        ([], [], [], "are of 0, 0 and 0 classes"),
        ([np.zeros((1, 1, 2, 2))], ["a", "b"], [(1, 0, 0)], "are of 1, 2 and 1 classes"),
        ([np.zeros((1, 2))], ["a"], [(1, 0, 0)], r"must be \(k, C, H, W\)"),
        ([np.zeros((1, 1, 2)), np.zeros((1, 1, 2, 2))], ["a", "b"], [(1, 0, 0)] * 2, r"must be \(k, C, H, W\)"),
    ],
)
def test_what_is_refused(samples: list[Any], names: list[str], counts: list[Any], said: str) -> None:
    with pytest.raises(QuanvolveError, match=said):
        data_figure(samples, names, counts)
