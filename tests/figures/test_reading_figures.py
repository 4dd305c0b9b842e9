"""Pictures of what channels read: the numbers in them, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from quanvolve import Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis import reading
from quanvolve.analysis._channel_circuits import channel_circuits
from quanvolve.figures import (
    bloch_figure,
    gallery_figure,
    reading_figure,
    response_figure,
    save_figure,
    spectrum_figure,
)
from quanvolve.figures._bloch_figure import bloch_path
from quanvolve.figures._reading_figures import surface
from quanvolve.figures._spectrum_figure import strongest_waves
from tests.analysis.test_formula import demo


def drawn(figure: Any) -> Any:
    """Draw for real: many mistakes show only then, and warnings are errors here."""
    FigureCanvasAgg(figure).draw()
    return figure


@pytest.fixture(scope="module")
def layer() -> Quanv2d:
    return Quanv2d(1, 4, 2, stride=2, seed=0)


def test_a_reading_figure_shows_total_shares_in_percent(layer: Quanv2d) -> None:
    found = reading(layer)
    figure = drawn(reading_figure(layer, found))
    panels = [ax for ax in figure.axes if ax.get_title().startswith("ch ")]
    for ax, one in zip(panels, found, strict=True):
        assert [text.get_text() for text in ax.texts] == [f"{100 * share:.0f}" for share in one.total]
        assert len(ax.lines) == sum(share >= 0.005 for share in one.pairs.values())
        assert ax.get_xlabel().splitlines()[1] == f"linear {100 * one.filter_share:.0f} %"


@pytest.mark.parametrize(
    "other",
    [
        Quanv1d(1, 3, 3, seed=0),
        Quanv3d(1, 8, 2, seed=0),
        Quanv2d(2, 4, (1, 2), seed=0),
        Quanv2d(1, 9, 3, seed=0),
        Quanv2d(1, 20, 2, seed=0),
    ],
    ids=["series", "volumes", "channels", "nine", "many"],
)
def test_all_windows_can_be_drawn(other: Any) -> None:
    found = reading(other)
    for make in (reading_figure, response_figure):
        drawn(make(other, found))
    drawn(bloch_figure(other))
    figure = reading_figure(other, found, max_channels=2)
    assert "the first 2 channels read" in figure.get_suptitle()


def test_a_surface_holds_the_values_of_the_layer(layer: Quanv2d) -> None:
    values = surface(layer, 2, (1, 3))
    steps = np.linspace(0, 1, len(values))
    for row, column in ((0, 0), (7, 30), (40, 13)):
        window = torch.tensor([[[[0.5, steps[column]], [0.5, steps[row]]]]], dtype=torch.float32)
        assert values[row, column] == pytest.approx(float(layer(window)[0, 2].detach()), abs=1e-6)
    figure = drawn(response_figure(layer, pixels=(1, 3)))
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("pixel x1", "pixel x3")


def test_bars_of_a_spectrum_are_amplitudes() -> None:
    waves = strongest_waves(demo().formula(3))
    assert [name for name, _ in waves] == ["π x1 + π x3", "π x1 - π x3"]
    # cos a cos b = (cos(a + b) + cos(a - b)) / 2, and ch1 has the amplitude 1.
    assert [size for _, size in waves] == pytest.approx([0.5, 0.5], abs=1e-4)
    figure = drawn(spectrum_figure(demo(), [3]))
    assert [bar.get_width() for bar in figure.axes[0].patches] == [size for _, size in waves]
    shifted = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]], scale=2.5, bias=True)
    with torch.no_grad():
        shifted.bias.fill_(0.25)  # type: ignore[union-attr]
    assert strongest_waves(shifted.formula(0)) == [("2.5 x0", 1.0), ("constant", 0.25)]


def test_bloch_vectors_are_those_of_the_rotation(layer: Quanv2d) -> None:
    path = bloch_path(channel_circuits(layer, 0)[0], 1, 1)
    angles = np.pi * np.linspace(0, 1, path.shape[1])
    np.testing.assert_allclose(path, [np.sin(angles), 0 * angles, np.cos(angles)], atol=1e-9)
    turned = bloch_path(channel_circuits(Quanv2d(1, 4, 2, encoding="rz", seed=0), 0)[0], 0, 0)
    np.testing.assert_allclose(turned, [np.cos(angles), np.sin(angles), 0 * angles], atol=1e-9)
    entangled = bloch_path(channel_circuits(Quanv2d(1, 4, 2, encoding="iqp", seed=0), 0)[0], 0, 0)
    lengths = np.linalg.norm(entangled, axis=0)
    assert lengths.max() <= 1 + 1e-9
    assert lengths.min() < 0.99


def test_a_gallery_has_a_row_for_each_channel(layer: Quanv2d) -> None:
    figure = drawn(gallery_figure(layer, np.linspace(0, 1, 64).reshape(8, 8)))
    assert [ax.get_ylabel() for ax in figure.axes[:16:4]] == ["ch 0", "ch 1", "ch 2", "ch 3"]
    one_pixel = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, seed=0)
    drawn(gallery_figure(one_pixel, np.linspace(0, 1, 64).reshape(8, 8)))


def test_dark_pictures_exchange_ink_and_paper(layer: Quanv2d, tmp_path: Any) -> None:
    figure = spectrum_figure(layer)
    save_figure(figure, tmp_path / "dark.png", dark=True)
    assert to_hex(figure.patch.get_facecolor()) == "#1b1c21"
    for ax in figure.axes[:1]:
        assert to_hex(ax.get_yticklabels()[0].get_color()) == "#e7e7ea"
        assert to_hex(ax.xaxis.label.get_color()) == "#e7e7ea"
        assert to_hex(ax.patches[0].get_facecolor()) == "#0072b2"


def test_what_cannot_be_drawn_is_said(layer: Quanv2d) -> None:
    with pytest.raises(QuanvolveError, match="`layer` is a Conv2d, expected a quantum convolution"):
        reading_figure(torch.nn.Conv2d(1, 1, 1))  # type: ignore[arg-type]
    with pytest.raises(QuanvolveError, match=r"`max_channels` \(=0\) must be at least 1"):
        reading_figure(layer, max_channels=0)
    with pytest.raises(QuanvolveError, match="`readings` is empty"):
        reading_figure(layer, [])
    with pytest.raises(QuanvolveError, match=r"`pixels` \(=\(1, 1\)\) must be two different numbers in 0 to 3"):
        response_figure(layer, pixels=(1, 1))
    with pytest.raises(QuanvolveError, match="the window has one pixel"):
        response_figure(Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1))
    with pytest.raises(QuanvolveError, match=r"`channel` \(=4\) must be in 0 to 3"):
        bloch_figure(layer, channel=4)
    with pytest.raises(QuanvolveError, match=r"`image` has shape \(3, 8, 8\), expected \(C, H, W\) with 1 channel"):
        gallery_figure(layer, np.zeros((3, 8, 8)))
    with pytest.raises(PlanError, match="no Fourier series"):
        spectrum_figure(Quanv2d(1, 1, 2, encoding="amplitude", n_qubits=2))
