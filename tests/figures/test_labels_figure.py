"""The picture of how well each of several labels is found."""

from __future__ import annotations

import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.figures import labels_figure


def test_bars_from_the_best_to_the_worst() -> None:
    (ax,) = labels_figure({"$x$ of a very long name indeed": (0.25, 3), "b": (1.0, 0), "c": (0.5, 12)}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b (0)", "c (12)", "$x$ of a very long name  (3)"]
    assert [bar.get_width() for bar in ax.patches] == [1.0, 0.5, 0.25]
    assert [text.get_text() for text in ax.texts] == ["1.00", "0.50", "0.25"]
    assert ax.get_title(loc="left") == "F1, of each label"


def test_of_many_labels_the_worst_are_drawn() -> None:
    (ax,) = labels_figure({str(k): (k / 100, k) for k in range(60)}).axes
    assert ax.get_title(loc="left") == "F1, the 40 worst of 60 labels"
    assert [bar.get_width() for bar in ax.patches] == [k / 100 for k in range(39, -1, -1)]


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(QuanvolveError, match="`scores` has no label"):
        labels_figure({})
    with pytest.raises(QuanvolveError, match=r"`scores` has the F1 1.5 for 'a', expected a number from 0 to 1"):
        labels_figure({"a": (1.5, 3)})
