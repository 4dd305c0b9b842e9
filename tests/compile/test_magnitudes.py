"""Inputs of any size: values stay within their bounds, and single precision means what double precision means."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import use_kernels
from quanvolve.nn import quanv2d

SLACK = 1e-5
LAYERS: dict[str, dict[str, Any]] = {
    "dense polynomial": {"circuit": "strongly_entangling", "engine": "polynomial"},
    "sparse polynomial": {"circuit": "random", "n_layers": 1, "engine": "polynomial"},
    "polynomial of products": {"encoding": "dense", "engine": "polynomial"},
    "tensor train": {"engine": "tensor_train"},
    "truncated train": {"engine": "truncated_train", "trainable": False},
    "table": {"encoding": "threshold", "engine": "table"},
    "state vector": {"engine": "statevector"},
    "amplitude": {"encoding": "amplitude"},
    "iqp": {"encoding": "iqp"},
    "zz_feature_map": {"encoding": "zz_feature_map"},
    "reupload": {"encoding": "reupload"},
    "probabilities": {"readout": "probs"},
    "noisy polynomial": {"noise": {"depolarizing": 0.01}},
    "density": {"encoding": "iqp", "noise": {"depolarizing": 0.01}, "engine": "density"},
    "trajectories": {"encoding": "iqp", "noise": {"depolarizing": 0.01}, "engine": "trajectories:3"},
    "shots": {"shots": 3},
    "shots, parameter-shift": {"shots": 3, "diff_method": "parameter-shift"},
    "light cones": {"circuit": "none"},
}
PRODUCTS = ("iqp", "zz_feature_map", "density", "trajectories")
"""Those whose angles are products of two pixels."""
DRAWN = ("trajectories", "shots", "shots, parameter-shift")
MADE: dict[tuple[Any, ...], Quanv2d] = {}


def layer_of(name: str, dtype: torch.dtype, scale: float, kind: str) -> Quanv2d:
    """Layers are made once for all examples."""
    key = (name, dtype, scale, kind)
    if key not in MADE:
        given: Any = scale
        if kind == "tensor":
            given = torch.full((1, 2, 2), scale, dtype=dtype)
        if kind == "trained":
            given = nn.Parameter(torch.tensor(scale, dtype=dtype))
        MADE[key] = Quanv2d(1, 3, 2, seed=0, scale=given, dtype=dtype, **LAYERS[name])
    return MADE[key]


def largest(dtype: torch.dtype) -> float:
    """Of float32 the largest number; in double precision, products of three such numbers must not overflow."""
    return float(torch.finfo(torch.float32).max) if dtype != torch.float64 else 1e100


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(LAYERS)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    scale=st.sampled_from([math.pi, 3.0, 1e-3]),
    kind=st.sampled_from(["number", "tensor", "trained"]),
    kernels=st.booleans(),
    exponents=st.lists(st.floats(-40, 1), min_size=12, max_size=12),
    signs=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_values_and_gradients_at_any_magnitude(
    name: str,
    dtype: torch.dtype,
    scale: float,
    kind: str,
    kernels: bool,
    exponents: list[float],
    signs: list[bool],
) -> None:
    layer = layer_of(name, dtype, scale, kind)
    top = math.log10(largest(dtype))
    sizes = [min(largest(dtype), 10 ** min(top, top + e if e < 0 else top)) for e in exponents]
    pixels = [size if sign else -size for size, sign in zip(sizes, signs, strict=True)]
    images = torch.tensor(pixels, dtype=dtype).reshape(1, 1, 3, 4).requires_grad_()
    with use_kernels(kernels):
        out = layer(images)
        assert out.detach().abs().max() <= 1 + SLACK
        wanted = [images, *layer.circuit_weights().values()] if layer.trainable else [images]
        found = torch.autograd.grad(out.sum(), wanted)
    # The derivative of an angle x y by x is y: it may be beyond the largest number of the format itself.
    if not (name in PRODUCTS and float(images.detach().abs().max()) > 1e-3 * torch.finfo(dtype).max):
        assert all(torch.isfinite(gradient).all() for gradient in found)


@pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "torch"])
@pytest.mark.parametrize("kind", ["number", "tensor", "trained"])
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in DRAWN])
def test_single_precision_means_the_angles_of_double_precision(name: str, kind: str, kernels: bool) -> None:
    single = layer_of(name, torch.float32, 3.0, kind)
    double = layer_of(name, torch.float64, 3.0, kind)
    with torch.no_grad(), use_kernels(kernels):
        for key, weight in double.circuit_weights().items():
            weight.copy_(getattr(single, key))
        for size in (1.0, 1e3, 1e6, 1e9, 1e15, 1e25):
            images = size * (2 * torch.rand(2, 1, 5, 6, generator=torch.Generator().manual_seed(1)) - 1)
            expected = double(images.double()).float()
            # Formats round differently, but by no more than they do for small angles.
            torch.testing.assert_close(single(images), expected, rtol=0, atol=2e-6, msg=lambda m, s=size: f"{s}: {m}")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [9e4, 1.2e5, 1e6, 1e12, 3e38])
def test_reading_in_place_and_by_tables(stride: int, size: float) -> None:
    layer = Quanv2d(2, 4, 2, stride=stride, seed=0, scale=1.0)
    images = torch.rand(3, 2, 12, 13, generator=torch.Generator().manual_seed(1))
    images[:, :, ::3] *= size  # small and large pixels side by side
    with torch.no_grad():
        expected = layer.double()(images.double()).float()
        found = layer.float()(images)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_large_weights_are_angles_too() -> None:
    for engine in ("polynomial", "tensor_train", "statevector"):
        for kernels in (True, False):
            layer = Quanv2d(1, 4, 2, engine=engine, seed=0)
            with torch.no_grad(), use_kernels(kernels):
                layer.weights.mul_(1e30)
                images = torch.rand(1, 1, 4, 4)
                found = layer(images)
                torch.testing.assert_close(found, layer.double()(images.double()).float(), rtol=0, atol=2e-6)


def _general() -> Circuit:
    gates = (Gate("RY", (0,), Angle(0.3, ((0, 1.0), (1, -0.5)))), Gate("RX", (1,), Angle(0.0, ((1, 2.0),))))
    words = Observable(((0.5, ((0, "Z"),)), (-2.0, ((0, "X"), (1, "Y")))))
    return Circuit(2, 2, (*gates, Gate("CNOT", (0, 1))), (words,))


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("size", [1e8, 1e20, 3e38])
def test_general_observables_stay_within_their_weights(size: float, kernels: bool) -> None:
    layer = Quanv2d(1, 1, (1, 2), circuit=_general(), scale=3.0)
    images = size * (2 * torch.rand(1, 1, 8, 9) - 1)
    with use_kernels(kernels):
        assert layer(images).abs().max() <= 2.5 * (1 + SLACK)


# -- angles that are no numbers ----------------------------------------------------------------------------------------


def huge(*shape: int) -> Tensor:
    return torch.full(shape, 1e308, dtype=torch.float64)


WIDE: dict[str, tuple[Callable[[], nn.Module], Tensor, str]] = {
    "1d": (lambda: Quanv1d(1, 2, 2, dtype=torch.float64), huge(1, 1, 4), "images"),
    "2d": (lambda: Quanv2d(1, 2, 2, dtype=torch.float64), huge(1, 1, 4, 4), "images"),
    "3d": (lambda: Quanv3d(1, 2, 1, dtype=torch.float64), huge(1, 1, 2, 2, 2), "images"),
    "linear": (lambda: QuantumLinear(2, 2, dtype=torch.float64), huge(3, 2), "features"),
    "fixed": (lambda: Quanv2d(1, 2, 2, dtype=torch.float64, trainable=False), huge(1, 1, 4, 4), "images"),
    "frozen": (lambda: Quanv2d(1, 2, 2, dtype=torch.float64).frozen(), huge(1, 1, 4, 4), "images"),
    "trained scale": (
        lambda: Quanv2d(1, 2, 2, dtype=torch.float64, scale=nn.Parameter(torch.full((1, 2, 2), 3.0).double())),
        huge(1, 1, 4, 4),
        "images",
    ),
    "sums in an angle": (
        lambda: Quanv2d(1, 1, (1, 2), circuit=_general(), dtype=torch.float64),
        huge(1, 1, 4, 4),
        "images",
    ),
}


@pytest.mark.parametrize("name", WIDE)
def test_an_angle_that_overflows_is_refused(name: str) -> None:
    make, given, items = WIDE[name]
    text = (
        rf"the {items} contain values of up to 1e\+308, which `scale` \(up to .*\) makes angles that are not finite: "
    )
    with pytest.raises(QuanvolveError, match=text):
        make()(given)


def test_the_functional_twin_refuses_it_too() -> None:
    weights = torch.zeros(1, 1, 1, 4, dtype=torch.float64)
    from quanvolve.circuits import named_circuit

    with pytest.raises(QuanvolveError, match=r"which `scale` \(up to 3\.14159\) makes angles that are not finite"):
        quanv2d(huge(1, 1, 4, 4), weights, named_circuit("basic_entangler", 4, n_layers=1), 2)


def test_functions_of_the_window_that_are_no_numbers_are_refused() -> None:
    text = (
        r"the circuit's functions make \d+ value\(s\) of the windows that are not finite, such as (inf|nan): .*`scale`"
    )
    layer = Quanv2d(1, 2, 2, encoding="iqp", dtype=torch.float64)
    with pytest.raises(QuanvolveError, match=text):
        layer(torch.full((1, 1, 3, 3), 1e200, dtype=torch.float64))


def test_single_precision_cannot_overflow() -> None:
    layer = Quanv2d(1, 2, 2, scale=torch.finfo(torch.float32).max)
    assert torch.isfinite(layer(torch.full((1, 1, 3, 3), torch.finfo(torch.float32).max))).all()
