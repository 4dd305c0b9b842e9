"""Pictures of what coherent trees read, and of how mixed their qubits are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from quanvolve.analysis import tree_purity, tree_reading
from quanvolve.figures import purity_figure, save_figure, tree_reading_figure

IMAGES = np.random.default_rng(0).random((6, 1, 4, 8))


@pytest.fixture(scope="module")
def tree() -> CoherentTree:
    return CoherentTree(1, (4, 8), n_trees=3, seed=0)


def test_heat_maps_are_those_of_the_reading(tree: CoherentTree, tmp_path: Any) -> None:
    found = tree_reading(tree, IMAGES)
    figure = tree_reading_figure(tree, IMAGES, found, max_trees=2)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:3] == ["mean of 6 images", "tree 0", "tree 1"]
    assert figure.get_suptitle() == "What the roots read of the image (trees 0 to 1 of 3)"
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), IMAGES.mean((0, 1)))
    np.testing.assert_allclose(figure.axes[2].images[0].get_array(), found.of_tree(1)[0])
    np.testing.assert_allclose(figure.axes[5].images[0].get_array(), found.of_tree(1)[1])
    assert figure.axes[4].get_ylabel() == "dropped:\npixel replaced\nby its mean"
    save_figure(figure, tmp_path / "reading.png")
    assert (tmp_path / "reading.png").stat().st_size > 10_000


def test_series_are_drawn_as_bars() -> None:
    tree = CoherentTree(1, 8, seed=0)
    series = IMAGES[:, :, 0]
    figure = tree_reading_figure(tree, series, by="mixed")
    heights = [patch.get_height() for patch in figure.axes[1].patches]
    np.testing.assert_allclose(heights, tree_reading(tree, series).of_tree(0)[0])
    assert figure.axes[3].get_ylabel() == "dropped:\nqubits completely\nmixed"
    assert [ax.get_title() for ax in purity_figure(tree, series).axes] == [""]


def test_purities_are_drawn_by_level(tree: CoherentTree) -> None:
    found = tree_purity(tree, IMAGES)
    figure = purity_figure(tree, IMAGES)
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 5)
    np.testing.assert_allclose(line.get_ydata(), found.means)
    assert [ax.get_title() for ax in figure.axes[1:5]] == [
        "level 0: 4 x 4", "level 1: 2 x 4", "level 2: 2 x 2", "level 3: 1 x 2",
    ]  # fmt: skip
    np.testing.assert_allclose(figure.axes[2].images[0].get_array(), found.levels[1].mean((0, 1)))


def test_what_cannot_be_drawn_is_said(tree: CoherentTree) -> None:
    with pytest.raises(QuanvolveError, match="`tree` is over volumes, which this picture does not show: tree_reading"):
        tree_reading_figure(CoherentTree(1, (2, 2, 2), seed=0), np.zeros((1, 1, 2, 2, 2)))
    with pytest.raises(QuanvolveError, match=r"`max_trees` \(=0\) must be at least 1"):
        tree_reading_figure(tree, IMAGES, max_trees=0)
    with pytest.raises(QuanvolveError, match="`tree` is a int, expected a CoherentTree"):
        purity_figure(3, IMAGES)  # type: ignore[arg-type]
