"""How weights are drawn."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv1d, Quanv2d, Quanv3d, QuanvTransformer, load
from quanvolve._errors import QuanvolveError


def test_uniform_and_small_weights() -> None:
    uniform = Quanv2d(1, 90, 3, init="uniform", seed=0).weights.detach()
    assert 0 <= uniform.min() < 0.1
    assert 2 * math.pi - 0.1 < uniform.max() < 2 * math.pi
    small = Quanv2d(1, 90, 3, init="small", n_layers=2, seed=0).weights.detach()
    assert abs(float(small.std()) - 0.25) < 0.02, "1 / (2 sqrt(2 + 2))"
    assert abs(float(small.mean())) < 0.05


@pytest.mark.parametrize(("kernel", "wide"), [(3, False), (4, True)])
def test_auto_depends_on_the_number_of_qubits(kernel: int, wide: bool) -> None:
    layer = Quanv2d(1, kernel**2, kernel, seed=0)
    assert (layer.weights.abs().max() < 2) == wide
    with torch.no_grad():
        layer.weights.fill_(9.0)
    layer.reset_parameters()
    assert (layer.weights.abs().max() < 2) == wide


def test_every_dimension_takes_it() -> None:
    assert Quanv1d(1, 3, 3, init="small", seed=0).weights.abs().max() < 2
    assert Quanv3d(1, 8, 2, init="small", seed=0).weights.abs().max() < 2


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(QuanvolveError, match=r"`init` \(='zeros'\) must be one of 'auto', 'uniform', 'small'"):
        Quanv2d(1, 4, 2, init="zeros")


def test_small_weights_keep_the_signal_of_many_qubits() -> None:
    windows = torch.rand(256, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    spread = {}
    for init in ("uniform", "small"):
        with torch.no_grad():
            found = [Quanv2d(1, 25, 5, init=init, seed=s)(windows).std(0).mean() for s in range(4)]
        spread[init] = float(torch.stack(found).mean())
    assert spread["small"] > 2 * spread["uniform"]


def test_large_finite_pixels_are_not_refused() -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    images = torch.full((1, 1, 2, 2), 3e38)
    assert layer(images).shape == (1, 4, 1, 1)


def two_weights(inputs: torch.Tensor, tilt: torch.Tensor, turns: torch.Tensor) -> Any:
    qp.AngleEmbedding(inputs, wires=range(2))
    qp.RX(tilt, wires=0)
    qp.BasicEntanglerLayers(turns, wires=range(2))
    return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]


def of_function(init: Any, **options: Any) -> Quanv2d:
    shapes = {"tilt": (), "turns": (2, 2)}
    return Quanv2d(1, 4, (1, 2), circuit=two_weights, weight_shapes=shapes, init=init, **options)


def test_a_function_fills_the_weight_of_each_filter_as_it_does_those_of_a_torch_layer() -> None:
    asked = []

    def fill(weight: torch.Tensor) -> None:
        asked.append(tuple(weight.shape))
        torch.nn.init.normal_(weight, 5.0, 0.1)

    layer = of_function(fill, seed=3, dtype=torch.float64)
    assert asked == [(1,), (1,), (2, 2), (2, 2)]
    assert abs(layer.turns - 5.0).max() < 1
    assert not torch.equal(layer.turns[0], layer.turns[1])
    before = torch.random.get_rng_state()
    again = of_function(fill, seed=3, dtype=torch.float64)
    assert torch.equal(layer.turns, again.turns)
    assert torch.equal(before, torch.random.get_rng_state()), "a seed leaves torch's own generator alone"
    again.reset_parameters()
    assert not torch.equal(layer.turns, again.turns)
    assert abs(again.turns - 5.0).max() < 1


def test_a_function_may_return_a_tensor_instead() -> None:
    layer = of_function(lambda weight: torch.full_like(weight, 0.5))
    assert torch.equal(layer.turns, torch.full((2, 1, 2, 2), 0.5))
    with pytest.raises(
        QuanvolveError, match=r"`init` makes of weight 'tilt', of shape \(1,\), a tensor of shape \(3,\)"
    ):
        of_function(lambda weight: torch.zeros(3))
    with pytest.raises(QuanvolveError, match="`init` gives weight 'tilt' values that are not finite"):
        of_function(lambda weight: weight.fill_(math.nan))


def test_weights_by_name() -> None:
    given = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = of_function({"tilt": 0.25, "turns": given})
    assert torch.equal(layer.tilt, torch.full((2, 1), 0.25))
    assert torch.equal(layer.turns, given.expand(2, 1, 2, 2))
    assert not layer.turns.is_set_to(given)
    mixed = of_function({"turns": torch.nn.init.zeros_}, seed=0)
    assert not mixed.turns.any()
    assert mixed.tilt.abs().min() > 0, "drawn as by default"
    every = torch.arange(8.0).reshape(2, 1, 2, 2)
    assert torch.equal(of_function({"turns": every}).turns, every)
    assert of_function({"tilt": "small"}, seed=0).tilt.abs().max() < 2


def test_what_does_not_fit_by_name_is_named() -> None:
    with pytest.raises(
        QuanvolveError, match=r"`init` has the names \['tild'\], the circuit has the weights \['tilt', 't"
    ):
        of_function({"tild": 0.0})
    with pytest.raises(
        QuanvolveError, match=r"weight 'turns' an array of shape \(3,\), expected the circuit's own \(2, 2"
    ):
        of_function({"turns": [1.0, 2.0, 3.0]})
    with pytest.raises(QuanvolveError, match=r"`init` \(='zeros'\) must be one of"):
        of_function({"turns": "zeros"})


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (
            torch.zeros(2, 2),
            r"`init` is of type Tensor, expected one of 'auto'.*a mapping from .*\(tilt, turns\)",
        ),
        (np.zeros(3), r"`init` is of type ndarray, expected"),
        (None, r"`init` is of type NoneType, expected"),
        ({"turns": None}, r"`init` has for weight 'turns' a value of type NoneType .*a number or a tensor"),
        ({"turns": [[1.0, 2.0], [3.0]]}, r"'turns' a value of type list that is no array of real numbers"),
        ({"turns": torch.zeros(2, 2, dtype=torch.complex64)}, r"`init` of weight 'turns' came as a complex tensor"),
        (lambda weight: 3.0, r"`init` makes of weight 'tilt' a value of type float: fill the tensor in place, or"),
        (lambda weight: np.ones(weight.shape), r"`init` makes of weight 'tilt' a value of type ndarray"),
    ],
)
def test_what_init_cannot_be_is_named(init: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        of_function(init)


def test_a_model_with_a_function_is_saved_with_its_weights(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((4, 4, 4))
    made = QuanvTransformer(n_filters=1, circuit="basic_entangler", n_layers=1, init=torch.nn.init.ones_).fit(images)
    made.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.init == "auto"
    np.testing.assert_array_equal(again.transform(images), made.transform(images))
