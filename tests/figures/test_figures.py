"""The pictures: what they say, what they refuse, and how they reach the disk."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.datasets import load_digits

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.figures import (
    confusion_figure,
    feature_maps_figure,
    filters_figure,
    history_figure,
    overview_figure,
    save_figure,
)
from quanvolve.figures._filter_figures import short_formula

HISTORY = [
    {"epoch": e, "train_loss": 1 / e, "valid_loss": 1.2 / e, "valid_accuracy": a, "lr": 0.01, "seconds": 1.0}
    for e, a in ((1, 0.5), (2, 0.925), (3, 0.9))
]


@pytest.fixture(scope="module")
def digits():
    return torch.tensor(load_digits().images[:3] / 16, dtype=torch.float32)


@pytest.fixture(scope="module")
def layer():
    return Quanv2d(1, 4, 2, stride=2, seed=0)


@pytest.fixture(autouse=True)
def _no_open_figures():
    import matplotlib.pyplot as plt

    yield
    assert plt.get_fignums() == []


def texts(artist):
    return [text.get_text() for text in artist.texts]


def drawn(figure):
    """Draw for real: many mistakes show only then, and warnings are errors here."""
    FigureCanvasAgg(figure).draw()
    return figure


# -- history ---------------------------------------------------------------------------------------------------------


def test_history_has_losses_and_accuracy():
    losses, accuracy = drawn(history_figure(HISTORY)).axes
    assert losses.get_xlabel() == accuracy.get_xlabel() == "epoch"
    assert losses.get_ylabel() == "loss"
    assert accuracy.get_ylabel() == "accuracy (percent)"
    assert [line.get_label() for line in losses.lines] == ["training", "validation"]
    np.testing.assert_allclose(losses.lines[1].get_ydata(), [1.2, 0.6, 0.4])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [50, 92.5, 90])
    assert texts(accuracy) == ["best: 92.5 percent, epoch 2"]
    assert (accuracy.lines[1].get_xdata(), accuracy.lines[1].get_marker()) == ([2], "*")


def test_history_of_one_epoch():
    losses, accuracy = drawn(history_figure(HISTORY[:1])).axes
    assert list(losses.get_xticks()) == [1]
    assert texts(accuracy) == ["best: 50.0 percent, epoch 1"]


def test_history_without_validation():
    rows = [{"epoch": 1, "train_loss": 0.5, "valid_loss": None}, {"epoch": 2, "train_loss": 0.4}]
    losses, accuracy = drawn(history_figure(rows)).axes
    assert [line.get_label() for line in losses.lines] == ["training"]
    assert texts(accuracy) == ["no validation data"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no rows"),
        ([{"epoch": 1}], "row 0 of `history` has no 'train_loss'"),
        ([HISTORY[0], {"epoch": 2, "train_loss": "low"}], "row 1 of `history` has the 'train_loss' 'low'"),
    ],
)
def test_history_refuses(rows, message):
    with pytest.raises(QuanvolveError, match=message):
        history_figure(rows)


# -- confusion -------------------------------------------------------------------------------------------------------


def test_confusion_has_counts_but_no_zeros():
    figure = drawn(confusion_figure(np.array([[9, 1, 0], [0, 5, 0], [0, 0, 0]]), ["cat", "dog", "$5"], 14 / 15))
    ax = figure.axes[0]
    assert [(t.get_text(), t.get_position()) for t in ax.texts] == [("9", (0, 0)), ("1", (1, 0)), ("5", (1, 1))]
    assert ax.get_title(loc="left") == "93.3 percent of 15 right"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog", "$5"]
    right, wrong = (image.get_array() for image in ax.images)
    assert right[0, 0] == pytest.approx(0.9)
    assert wrong[0, 1] == pytest.approx(0.1)
    assert wrong.mask[0, 0]
    assert wrong.mask[0, 2]


@pytest.mark.parametrize("k", [2, 10, 26])
def test_confusion_cells_hold_their_numbers(k):
    figure = drawn(confusion_figure(np.full((k, k), 123), [chr(97 + i) for i in range(k)], 1 / k))
    ax = figure.axes[0]
    cell = ax.get_window_extent().width / k
    assert len(ax.texts) == k * k
    assert max(text.get_window_extent().width for text in ax.texts) < cell
    assert min(text.get_fontsize() for text in ax.texts) >= 6.5


@pytest.mark.parametrize(
    ("matrix", "names", "accuracy", "message"),
    [
        (np.zeros((2, 3)), ["a", "b"], 0.5, r"`matrix` has shape \(2, 3\), expected \(k, k\)"),
        (np.eye(2), ["a"], 0.5, "`class_names` has 1 names, `matrix` has 2 classes"),
        (-np.eye(2), ["a", "b"], 0.5, "must hold counts"),
        (np.eye(2) / 2, ["a", "b"], 0.5, "must hold counts"),
        (np.eye(2), ["a", "b"], 93.0, r"`accuracy` \(=93.0\)"),
        ([["x"]], ["a"], 0.5, "`matrix` must be an array of numbers"),
    ],
)
def test_confusion_refuses(matrix, names, accuracy, message):
    with pytest.raises(QuanvolveError, match=message):
        confusion_figure(matrix, names, accuracy)


# -- feature maps ----------------------------------------------------------------------------------------------------


def test_feature_maps_share_a_scale_around_zero(digits, layer):
    maps = layer(digits[:, None])  # with a gradient, as it comes from a layer
    figure = drawn(feature_maps_figure(digits, maps, labels=[0, 1, 2]))
    *columns, bar = figure.axes
    assert [ax.get_title() for ax in columns] == ["image", "ch 0", "ch 1", "ch 2", "ch 3"]
    assert [label.get_text() for label in columns[0].get_yticklabels()] == ["0", "1", "2"]
    assert [len(ax.images) for ax in columns] == [3] * 5
    limit = float(maps.detach().abs().max())
    for ax in columns[1:]:
        assert [image.get_clim() for image in ax.images] == [pytest.approx((-limit, limit))] * 3
    np.testing.assert_allclose(columns[0].images[2].get_array(), digits[2])
    np.testing.assert_allclose(columns[2].images[1].get_array(), maps[1, 1].detach())
    assert bar.get_ylabel() == "measured value"


def test_feature_maps_say_how_many_channels_are_left_out():
    rng = np.random.default_rng(0)
    figure = drawn(feature_maps_figure(rng.random((1, 3, 6, 4)), np.zeros((1, 20, 3, 2)), max_channels=5))
    assert len(figure.axes) == 1 + 5 + 1
    assert figure.get_suptitle() == "Images and the first 5 of 20 quantum channels"
    assert figure.axes[0].images[0].get_array().shape == (6, 4, 4)


@pytest.mark.parametrize(
    ("images", "maps", "options", "message"),
    [
        (np.zeros((8, 8)), np.zeros((1, 1, 4, 4)), {}, r"`images` has shape \(8, 8\), expected"),
        (np.zeros((1, 8, 8)), np.zeros((1, 4, 4)), {}, r"`maps` has shape \(1, 4, 4\), expected"),
        (np.zeros((1, 8, 8)), np.zeros((2, 1, 4, 4)), {}, "`maps` has 2 rows, `images` has 1"),
        (np.zeros((1, 8, 8)), np.zeros((1, 1, 4, 4)), {"labels": "ab"}, "`labels` has 2 names"),
        (np.zeros((1, 8, 8)), np.zeros((1, 1, 4, 4)), {"max_channels": 0}, r"`max_channels` \(=0\)"),
        (np.full((1, 8, 8), 255), np.zeros((1, 1, 4, 4)), {}, "values from 255 to 255"),
        (np.full((1, 8, 8), np.nan), np.zeros((1, 1, 4, 4)), {}, "64 value.s. that are not finite"),
    ],
)
def test_feature_maps_refuse(images, maps, options, message):
    with pytest.raises(QuanvolveError, match=message):
        feature_maps_figure(images, maps, **options)


# -- filters ---------------------------------------------------------------------------------------------------------


def test_filters_that_share_a_structure_are_drawn_once_with_values_and_formulas(layer):
    figure = drawn(filters_figure(layer))
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == "filter 0: 4 qubits, 36 gates, 24 weights"
    found = texts(ax)
    assert {"π x0", "ch 3", f"{float(layer.weights.detach()[0, 0, 1, 2, 0]):.2f}"} <= set(found)
    lines = [line.replace("\u00a0", " ") for line in texts(figure)]
    terms = layer.formula(0).removeprefix("ch0 = ").split(" cos")[0]
    assert any(line.startswith(f"ch0 = {terms}") for line in lines)
    assert any("π x2" in line for line in lines)
    assert any("…" in line and "terms)" in line for line in lines)


def test_random_filters_have_a_panel_each():
    figure = drawn(filters_figure(Quanv2d(1, 64, 2, stride=2, circuit="random", seed=0)))
    assert [ax.get_title(loc="left").split(":")[0] for ax in figure.axes] == [f"filter {f}" for f in range(4)]
    assert "ch 15" in texts(figure.axes[3])
    assert "Quanv2d, circuit 'random': the first 4 of 16 filters" in texts(figure)


def test_filters_over_several_channels_and_values_that_are_left_out():
    layer = Quanv2d(3, 6, (1, 4), circuit="random", seed=0, scale=torch.ones(3, 1, 1), bias=True)
    figure = drawn(filters_figure(layer, max_filters=9))
    assert [ax.get_title(loc="left").split(":")[0] for ax in figure.axes] == [
        "filter 0 on input channel 0 of 3",
        "filter 1 on input channel 0 of 3",
    ]
    assert texts(figure.axes[1]).count("left out") == 2
    assert "x0" in texts(figure.axes[0])


def test_filters_of_groups_name_their_own_channels():
    figure = filters_figure(Quanv2d(2, 4, (1, 2), groups=2, circuit="random", seed=0))
    assert [{"ch 2", "ch 3"} <= set(texts(ax)) for ax in figure.axes] == [False, True]


def test_filters_refuse(layer):
    with pytest.raises(QuanvolveError, match="`layer` is a Linear, expected a quantum convolution"):
        filters_figure(torch.nn.Linear(1, 1))
    with pytest.raises(QuanvolveError, match=r"`max_filters` \(=0\)"):
        filters_figure(layer, max_filters=0)


def test_short_formulas_end_with_a_term():
    text = "ch0 = 0.5 cos(x0 + x1) - 0.25 sin(pi x2) + 0.1"
    assert short_formula(text, 100) == "ch0 = 0.5 cos(x0 + x1) - 0.25 sin(π x2) + 0.1"
    assert short_formula(text, 42) == "ch0 = 0.5 cos(x0 + x1) + … (3 terms)"


# -- overview --------------------------------------------------------------------------------------------------------


def test_overview_tells_the_story(digits, layer):
    figure = drawn(overview_figure(layer, digits[0]))
    assert texts(figure)[::2] == [
        "1  Windows",
        "2  Angles",
        "3  One circuit for all windows",
        "4  Each output is a channel",
    ]
    assert texts(figure)[1::2] == [
        "16 windows of 2x2 pixels",
        "angle = π * pixel",
        "blue: pixels, orange: weights",
        "4 channels of 4x4",
    ]
    image, window, circuit, *maps, _bar = figure.axes
    assert len(image.patches) == 16 + 1
    assert [ax.get_title() for ax in maps] == ["ch 0", "ch 1", "ch 2", "ch 3"]
    assert "RY(π x0)" in texts(circuit)
    # The marked window, the pixels shown and the marked place of the maps are the same one.
    x, y = image.patches[-1].get_xy()
    left, top = int(x + 0.5), int(y + 0.5)
    pixels = digits[0, top : top + 2, left : left + 2].flatten()
    assert [text.split("\n")[0] for text in texts(window)] == [f"x{i} = {v:.2f}" for i, v in enumerate(pixels)]
    assert maps[0].patches[-1].get_xy() == (left // 2 - 0.5, top // 2 - 0.5)


def test_overview_ends_with_probabilities(digits, layer):
    figure = drawn(overview_figure(layer, digits[0], probabilities={"zero": 0.7, "one": 0.3}))
    assert "5  Probabilities" in texts(figure)
    (ax,) = [ax for ax in figure.axes if "70 %" in texts(ax)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["zero", "one"]


def test_overview_of_overlapping_padded_and_joint_windows(digits):
    figure = drawn(overview_figure(Quanv2d(1, 9, 3, padding=1, seed=0), digits[1]))
    assert "the first 4 of 9 channels of 8x8" in texts(figure)
    assert figure.axes[0].get_xlim() == (-1.5, 8.5)
    assert len(figure.axes[0].patches) == 2 + 1
    joint = Quanv2d(3, 1, (1, 2), circuit="basic_entangler", channel_mixing="joint", seed=0)
    figure = drawn(overview_figure(joint, np.random.default_rng(0).random((3, 4, 4))))
    assert len(texts(figure.axes[1])) == 6
    assert "1 channel of 4x3" in texts(figure)


@pytest.mark.parametrize(
    ("image", "probabilities", "message"),
    [
        (np.zeros((3, 8, 8)), None, r"`image` has shape \(3, 8, 8\), expected \(H, W\) or \(1, H, W\)"),
        (np.zeros(8), None, r"`image` has shape \(8,\)"),
        (np.zeros((1, 1)), None, "larger than the padded image"),
        (np.full((8, 8), 2.0), None, "values from 2 to 2"),
        (np.zeros((8, 8)), [[0.5]], r"`probabilities` has shape \(1, 1\)"),
        (np.zeros((8, 8)), [50, 50], "values from 50 to 50"),
    ],
)
def test_overview_refuses(layer, image, probabilities, message):
    with pytest.raises(QuanvolveError, match=message):
        overview_figure(layer, image, probabilities=probabilities)


# -- all of them -----------------------------------------------------------------------------------------------------


def test_saving_replaces_the_file_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "history.png"
    path.write_bytes(b"old")
    figure = history_figure(HISTORY)
    replaced = []

    def replace(source, target):
        assert path.read_bytes() == b"old"
        replaced.append(source.read_bytes()[:4])
        os.rename(source, target)

    monkeypatch.setattr("quanvolve.figures._style.os.replace", replace)
    save_figure(figure, path, dpi=50)
    assert replaced == [b"\x89PNG"]
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert os.listdir(tmp_path) == ["history.png"]


def test_failed_saving_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "history.svg"
    path.write_bytes(b"old")
    figure = history_figure(HISTORY)

    def fail(part, **options):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(QuanvolveError, match=r"cannot write .*history\.svg: No space left on device"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["history.svg"]


def test_saving_names_bad_paths(tmp_path):
    figure = history_figure(HISTORY)
    with pytest.raises(QuanvolveError, match=r"the ending must be one of .*png"):
        save_figure(figure, tmp_path / "history.xyz")
    with pytest.raises(QuanvolveError, match="No such file or directory"):
        save_figure(figure, tmp_path / "missing" / "history.png")


def test_figures_can_be_drawn_in_threads(digits, layer):
    with ThreadPoolExecutor(2) as pool:
        figures = list(pool.map(lambda image: drawn(overview_figure(layer, image)), digits))
    assert [len(figure.axes) for figure in figures] == [8, 8, 8]


def test_importing_the_room_loads_no_matplotlib_and_no_layers():
    code = (
        "import sys, quanvolve.explain, quanvolve.circuits; "
        "print([m for m in ('matplotlib', 'pennylane', 'quanvolve.nn', 'quanvolve.estimators') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
