"""Formulas as objects: SymPy and LaTeX, Fourier series, spectra, pruning at a stated error."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import sympy
import torch

from quanvolve import Quanv1d, Quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis import Formula
from tests.analysis.test_formula import LAYERS, demo, pixels_of


def by_sympy(formula: Formula, pixels: list[torch.Tensor]) -> np.ndarray:
    """The formula at windows: each pixel of shape (images, places)."""
    names = sympy.symbols([f"x{k}" for k in range(formula.n_pixels)])
    function = sympy.lambdify(names, formula.sympy(), "numpy")
    return np.broadcast_to(function(*(pixel.numpy() for pixel in pixels)), pixels[0].shape)


OTHERS: dict[str, tuple[int, int, tuple[int, int], dict[str, Any]]] = {
    "re-uploading": (1, 4, (1, 2), {"encoding": "reupload", "n_qubits": 2, "n_layers": 3}),
    "re-uploading, two channels": (2, 4, (1, 2), {"encoding": "reupload", "n_qubits": 2, "n_layers": 2, "bias": True}),
    "re-uploading, noise": (1, 4, (1, 2), {"encoding": "reupload", "n_qubits": 2, "noise": {"depolarizing": 0.05}}),
    "re-uploading, scale": (
        1,
        2,
        (1, 2),
        {"encoding": "reupload", "n_qubits": 1, "scale": torch.tensor([[0.5, -1.5]])},
    ),
}


@pytest.mark.parametrize("name", [*LAYERS, *OTHERS])
def test_sympy_evaluates_to_the_layer(name: str) -> None:
    in_channels, out_channels, kernel_size, arguments = {**LAYERS, **OTHERS}[name]
    layer = Quanv2d(in_channels, out_channels, kernel_size, **arguments, seed=5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(6)
    images = 2 * torch.rand(3, in_channels, 4, 5, generator=generator, dtype=torch.float64) - 0.5
    out = layer(images).detach().flatten(2).numpy()
    pixels = pixels_of(images, kernel_size)
    for channel in range(out_channels):
        formula = layer.formula(channel, tolerance=0.0)
        np.testing.assert_allclose(by_sympy(formula, pixels), out[:, channel], rtol=0, atol=1e-9)


def test_functions_of_pixels_reach_sympy() -> None:
    def circuit(inputs: Any) -> Any:
        qp.RY(torch.arctan(inputs[0] / 3), wires=0)
        qp.RY(inputs[1] ** 2, wires=1)
        qp.CNOT(wires=[0, 1])
        return qp.expval(qp.Z(1))

    layer = Quanv2d(1, 1, (1, 2), circuit=circuit, weight_shapes={}, dtype=torch.float64, scale=0.7)
    images = torch.rand(3, 1, 4, 5, dtype=torch.float64)
    found = by_sympy(layer.formula(0), pixels_of(images, (1, 2)))
    np.testing.assert_allclose(found, layer(images).detach().flatten(2).numpy()[:, 0], rtol=0, atol=1e-9)
    with pytest.raises(QuanvolveError, match="is no multiple of pixels, so there is no Fourier series"):
        layer.formula(0).spectrum()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_re_uploading_has_2l_plus_1_frequencies(layers: int) -> None:
    layer = Quanv1d(1, 1, 1, encoding="reupload", n_qubits=1, n_layers=layers, seed=1, scale=1.0, dtype=torch.float64)
    formula = layer.formula(0, tolerance=0.0)
    assert formula.frequencies == (tuple(float(k) for k in range(1, layers + 1)),)
    assert len(formula.spectrum()) <= 2 * layers + 1
    assert formula.degree == 1


def test_spectra_sum_to_the_value() -> None:
    layer = Quanv2d(1, 4, 2, seed=3, dtype=torch.float64)
    window = torch.rand(4, dtype=torch.float64)
    for channel in range(4):
        spectrum = layer.formula(channel, tolerance=0.0).spectrum()
        total = sum(a * np.exp(1j * np.dot(f, window.numpy())) for f, a in spectrum.items())
        assert total.imag == pytest.approx(0, abs=1e-9)
        assert total.real == pytest.approx(float(layer(window.reshape(1, 1, 2, 2)).detach()[0, channel]), abs=1e-8)
        assert all(set(np.abs(f).round(6)) <= {0.0, round(np.pi, 6)} for f in spectrum)


@pytest.mark.parametrize("error", [0.0, 0.01, 0.1, 0.5])
def test_pruning_stays_within_the_error_that_it_states(error: float) -> None:
    layer = Quanv2d(1, 4, 2, seed=3, dtype=torch.float64)
    whole = layer.formula(2)
    short = whole.pruned(error)
    assert short.error <= error + whole.error
    pixels = list(torch.rand(4, 500, 1, dtype=torch.float64))
    difference = np.abs(by_sympy(short, pixels) - by_sympy(whole, pixels)).max()
    assert difference <= short.error + 1e-12
    if error >= 0.1:
        assert len(short.terms) < len(whole.terms)
        assert difference > 0
    assert short.pruned(error) == short


def test_what_a_formula_says_of_itself() -> None:
    first, _, _, last = (demo().formula(c) for c in range(4))
    assert (first.degree, last.degree) == (1, 2)
    assert last.pixels == (1, 3)
    assert last.frequencies == ((), (round(np.pi, 12),), (), (round(np.pi, 12),))
    assert last.latex() == (
        r"\mathrm{ch}_{3} = -0.9533 \cos(\pi x_{1}) \cos(\pi x_{3}) + 0.3019 \sin(\pi x_{1}) \cos(\pi x_{3})"
    )
    for other in (copy.deepcopy(last), pickle.loads(pickle.dumps(last))):
        assert other == last
        assert other.terms == last.terms
    assert re.match(r"ch0 = ", first)


def test_what_has_no_formula_is_named() -> None:
    with pytest.raises(PlanError, match=r"reads an input after.*functions of the window other than multiples"):
        Quanv2d(1, 4, 2, encoding="iqp", seed=0).formula(0)
    with pytest.raises(PlanError, match="reads amplitudes, bits or counts, so its values are no Fourier series"):
        Quanv2d(1, 4, 2, encoding="amplitude", seed=0).formula(0)
    with pytest.raises(
        PlanError, match=r"its Fourier series has up to [\d,]+ frequencies, at most 200,000 are computed"
    ):
        Quanv2d(1, 9, 3, encoding="reupload", seed=0).formula(0)
    with pytest.raises(QuanvolveError, match=r"`error` \(=-1\) must be at least 0"):
        demo().formula(0).pruned(-1)
