"""What reads a layer whose outputs are functions of expectation values: right, or refused in one sentence."""

import re
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis import audit, reading
from quanvolve.backends import PennyLaneBackend, calibrate_model, estimate, on_backend, run_layer
from quanvolve.circuits import capture
from quanvolve.figures import filters_figure
from quanvolve.testing import check_quanv


def function(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.CNOT([0, 1])
    return qp.var(qp.Z(1)), qp.expval(w[0] * qp.Z(0) + w[1] * qp.X(0))


@pytest.fixture(scope="module")
def layer() -> Quanv2d:
    return Quanv2d(1, 2, (1, 2), circuit=capture(function, 2, {"w": 2}), scale=2.0, seed=0, dtype=torch.float64)


@pytest.mark.parametrize(
    "run",
    [
        lambda layer, images: run_layer(layer, images, PennyLaneBackend("default.qubit")),
        lambda layer, images: on_backend(torch.nn.Sequential(layer), PennyLaneBackend("default.qubit")),
        lambda layer, images: estimate(layer, images),
        lambda layer, images: calibrate_model(layer, PennyLaneBackend("default.qubit")),
    ],
)
def test_devices_refuse_it(layer: Quanv2d, run: Any) -> None:
    with pytest.raises(QuanvolveError) as refused:
        run(layer, torch.rand(1, 1, 2, 2, dtype=torch.float64))
    assert "outputs are functions of its expectation values, such as variances, purities or sums" in str(refused.value)
    assert "run circuit.without_postprocessing() there" in str(refused.value)
    assert "(no circuit has run)" in str(refused.value)


def test_there_is_no_formula_but_one_of_the_expectation_values(layer: Quanv2d) -> None:
    message = "the channel is a function of expectation values, such as a variance, and no trigonometric polynomial"
    with pytest.raises(PlanError, match=message):
        layer.formula()
    for ask in (lambda: layer.recipe, layer.polynomial):
        with pytest.raises(PlanError, match=r"ask it of circuit\.without_postprocessing\(\), whose outputs these are"):
            ask()
    plain = Quanv2d(
        1,
        3,
        (1, 2),
        circuit=layer.circuits[0].without_postprocessing(),
        scale=2.0,
        weights=layer.w,
        dtype=torch.float64,
    )
    assert plain.formula(0) == "ch0 = cos(2 x0) cos(2 x1)"


def test_readings_are_of_the_outputs(layer: Quanv2d) -> None:
    variance, weighted = reading(layer)
    pixels = torch.rand(20_000, 1, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = layer(pixels).reshape(-1, 2).numpy()
    assert abs(variance.mean - values[:, 0].mean()) < 0.01
    assert abs(variance.variance - values[:, 0].var()) < 0.01
    assert variance.pixels == (0, 1)
    assert variance.method.startswith("by a quadrature")
    assert abs(weighted.mean - values[:, 1].mean()) < 0.05
    # 1 - (cos 2 x0 cos 2 x1)^2 by hand
    np.testing.assert_allclose(values[:, 0], 1 - (np.cos(2 * pixels[:, 0, 0].numpy()) ** 2).prod(1), atol=1e-12)


def test_the_audit_differentiates_the_outputs(layer: Quanv2d) -> None:
    found = audit(layer, torch.rand(8, 1, 4, 4, dtype=torch.float64)).layers[0]
    assert (found.n_weights, found.dead, found.rank) == (2, (), 2)


def test_a_picture_says_that_there_is_no_formula(layer: Quanv2d) -> None:
    figure = filters_figure(layer)
    texts = " ".join(text.get_text() for text in (*figure.texts, *(t for ax in figure.axes for t in ax.texts)))
    assert "these channels are functions of expectation values" in texts
    assert re.search(r"ch 0 = 1 - m0\^2", texts)


def test_the_conformance_kit_passes_it(layer: Quanv2d) -> None:
    report = check_quanv(layer)
    assert report.passed, str(report)


def test_trajectories_say_that_they_are_biased() -> None:
    circuit = capture(function, 2, {"w": 2})
    noisy = Quanv2d(1, 2, (1, 2), circuit=circuit, noise={"depolarizing": 0.05}, engine="trajectories:50", seed=0)
    assert "whose errors make them biased" in noisy.plan
    assert noisy(torch.rand(1, 1, 1, 2)).shape == (1, 2, 1, 1)
