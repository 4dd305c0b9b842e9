"""The kit catches every defect in a layer made for it, with the check that should, and passes right layers."""

import copy
import subprocess
import sys

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import nn

from quanvolve import Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.testing import (
    ConformanceError,
    Report,
    check_distinct_filters,
    check_geometry,
    check_gradients,
    check_independence,
    check_physicality,
    check_quanv,
    check_round_trip,
    check_weight_sharing,
    own_reference,
    what_is_read,
)
from tests.circuits.pennylane_catalogue import CROSSED

from . import wrong_layers as wrong


def circuit_on_window(layer: nn.Module):
    """The circuit of the layers by PennyLane, independent of their simulator."""
    weights = torch.as_tensor(layer.weights).detach().numpy()

    def function(pixels, row):
        for q in range(4):
            qp.RY(np.pi * pixels[q], wires=q)
        for q in range(4):
            qp.RY(row[q], wires=q)
        for q in range(4):
            qp.CNOT(wires=[q, (q + 1) % 4])
        return [qp.expval(qp.Z(q)) for q in range(4)]

    node = qp.QNode(function, qp.device("default.qubit", wires=4), diff_method=None)

    def reference(window):
        parts = window.reshape(layer.in_channels, 4)
        return np.concatenate([sum(np.array(node(pixels, row)) for pixels in parts) for row in weights])

    return reference


def noisy_circuit_on_window(layer: nn.Module):
    """The same as density matrices, with depolarizing noise after every rotation, the encoding's included."""
    weights = layer.weights.detach().numpy()

    def function(pixels, row):
        for angles in (np.pi * pixels, row):
            for q in range(4):
                qp.RY(angles[q], wires=q)
                qp.DepolarizingChannel(wrong.STRENGTH, wires=q)
        for q in range(4):
            qp.CNOT(wires=[q, (q + 1) % 4])
        return [qp.expval(qp.Z(q)) for q in range(4)]

    node = qp.QNode(function, qp.device("default.mixed", wires=4), diff_method=None)
    return lambda window: np.concatenate([np.array(node(window, row)) for row in weights])


def make(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return kind()


@pytest.mark.parametrize("kind", [wrong.Right, wrong.TwoChannels])
@pytest.mark.parametrize("simulated", [True, False])
def test_a_right_layer_passes(kind: type[nn.Module], simulated: bool) -> None:
    layer = make(kind)
    report = check_quanv(layer, circuit_on_window(layer) if simulated else None, make=kind)
    assert report.passed
    assert len(report.results) == 8
    assert str(report).count("passed") == 8


CAUGHT = [
    (wrong.Overwritten, check_geometry, "values are wrong"),
    (wrong.ChannelsOverwritten, check_geometry, "only input channel 1 counts, as if the channels had overwritten"),
    (wrong.CornerOnly, check_geometry, "places are computed, such as a corner of the image"),
    (wrong.Runs, check_geometry, "it reads runs of pixels along a row in place of windows"),
    (wrong.Scrambled, check_geometry, "on the wrong axes, as if channels and places were mixed up by a reshape"),
    (wrong.Transposed, check_geometry, "at the wrong places, as if rows and columns were exchanged"),
    (wrong.TransposedShape, check_geometry, "its axes are in another order, it should be (N, channels, *places)"),
    (wrong.Carried, check_independence, "as if state were carried from one window to the next"),
    (wrong.CarriedCalls, check_independence, "a second call on the same images gives other values"),
    (wrong.DrawnForCalls, check_independence, "as if something were drawn or kept"),
    (wrong.DrawnForWindows, check_weight_sharing, "as if angles were drawn for each window"),
    (wrong.DrawnForImages, check_weight_sharing, "as if angles were drawn for each image"),
    (wrong.LateBinding, check_distinct_filters, "all filters are identical"),
    (wrong.DefaultSeed, check_distinct_filters, "all filters are identical"),
    (wrong.NotSaved, check_round_trip, "the attribute 'weights' holds weights that are not in `state_dict`"),
    (wrong.NotSavedList, check_round_trip, "the attribute 'weights' holds weights that are not in `state_dict`"),
    (wrong.Detached, check_gradients, "the output has no gradient graph"),
    (wrong.DetachedWeights, check_gradients, "of weights the gradient is missing (None), finite differences give"),
    (wrong.ArgMax, check_gradients, "the gradient of weights is zero although larger steps change the output"),
    (wrong.NoiseOnAmplitudes, check_physicality, "the state is not normalised, as when noise is added to amplitudes"),
]


@pytest.mark.parametrize(("kind", "check", "message"), CAUGHT, ids=[kind.__name__ for kind, *_ in CAUGHT])
def test_each_defect_is_caught_by_its_check(kind: type[nn.Module], check, message: str) -> None:
    layer = make(kind)
    arguments = {"reference": circuit_on_window(layer)} if check is check_geometry else {}
    result = check(layer, **arguments)
    assert not result.passed
    assert message in result.message
    with pytest.raises(ConformanceError, match=result.check):
        result.require()
    with pytest.raises(ConformanceError) as raised:
        check_quanv(layer, circuit_on_window(layer))
    assert f"{kind.__name__} is not a quantum convolution as it should be" in str(raised.value)
    assert f"  {result.check}: " in str(raised.value)


@pytest.mark.parametrize("kind", [wrong.Overwritten, wrong.CornerOnly, wrong.Runs, wrong.Transposed, wrong.Scrambled])
def test_geometry_needs_no_reference_to_catch_most_mistakes(kind: type[nn.Module]) -> None:
    assert not check_geometry(make(kind)).passed


def test_weights_that_are_not_saved_are_caught_by_building_anew_too() -> None:
    result = check_round_trip(make(wrong.NotSaved), make=wrong.NotSaved)
    assert "after saving and loading, values differ" in result.message


def test_noise_is_compared_with_density_matrices() -> None:
    right, skips = make(wrong.NoisyRight), make(wrong.NoiseSkipsEncoding)
    assert check_quanv(right, noisy_circuit_on_window(right)).passed
    result = check_physicality(skips, noisy_circuit_on_window(skips))
    assert not result.passed
    assert "its channels must act after every gate, those of the encoding included" in result.message


def test_what_is_read_is_reported_and_not_failed() -> None:
    assert str(what_is_read(make(wrong.NotEntangled))) == "8 of 8 channels read one value only"
    assert what_is_read(make(wrong.UnusedPixels)).unused == (3,)
    assert "no channel reads the window's values 3" in str(what_is_read(make(wrong.UnusedPixels)))
    assert str(what_is_read(make(wrong.Right))) == "every value of the window is read"
    layer = make(wrong.NotEntangled)
    assert check_quanv(layer)["what is read"].message == "8 of 8 channels read one value only"


OURS = [
    (Quanv1d, (1, 4, 3), {}),
    (Quanv1d, (2, 6, 2), {"stride": 2, "padding": 1, "groups": 2}),
    (Quanv2d, (1, 4, 2), {"stride": 2, "bias": True}),
    (Quanv2d, (2, 3, (1, 2)), {"channel_mixing": "joint", "dilation": 2}),
    (Quanv3d, (1, 4, (1, 2, 2)), {}),
]


@pytest.mark.parametrize("circuit", CROSSED)
@pytest.mark.parametrize(("kind", "shape", "options"), OURS)
def test_our_layers_pass_for_every_named_circuit(kind, shape, options, circuit: str) -> None:
    layer = kind(*shape, circuit=circuit, n_layers=1, seed=0, **options)
    assert check_quanv(layer).passed


@pytest.mark.parametrize("encoding", ["rx", "rz", "dense", "amplitude", "iqp", "zz_feature_map", "reupload"])
@pytest.mark.parametrize(("kind", "kernel"), [(Quanv1d, 4), (Quanv2d, 2), (Quanv3d, (1, 2, 2))])
def test_our_layers_pass_for_every_encoding(kind, kernel, encoding: str) -> None:
    assert check_quanv(kind(1, 5, kernel, encoding=encoding, readout="zz", seed=1)).passed


@pytest.mark.parametrize("readout", ["z", "x", "y", "probs", "popcount", "popcount_expected"])
def test_our_layers_pass_for_every_exact_readout(readout: str) -> None:
    layer = Quanv2d(1, 3, 2, encoding="threshold", readout=readout, trainable=readout != "popcount", seed=0)
    if readout == "popcount":
        # A constant layer in bits: its three filters may agree on every window.
        assert check_geometry(layer).passed
        assert check_independence(layer).passed
        assert check_physicality(layer).passed
        assert check_round_trip(layer).passed
    else:
        assert check_quanv(layer).passed


def test_nothing_of_the_users_layer_changes() -> None:
    layer = make(wrong.Right).train()
    before = copy.deepcopy(layer.state_dict())
    torch.manual_seed(11)
    state = torch.get_rng_state()
    check_quanv(layer)
    assert torch.equal(torch.get_rng_state(), state)
    assert layer.training
    assert layer.weights.dtype == torch.float32
    assert layer.weights.grad is None
    assert all(torch.equal(a, b) for a, b in zip(before.values(), layer.state_dict().values(), strict=True))


def test_a_module_without_attributes_needs_them_as_arguments() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = make(wrong.Right)

        def forward(self, images):
            return self.inner(images)

    with pytest.raises(QuanvolveError, match=r"Bare has no attribute `kernel_size`: give it, such as kernel_size"):
        check_quanv(Bare())
    assert check_quanv(Bare(), kernel_size=(2, 2), stride=(2, 2)).passed
    with pytest.raises(QuanvolveError, match="unknown argument\\(s\\) strides: expected stride, padding"):
        check_quanv(Bare(), kernel_size=(2, 2), strides=2)
    with pytest.raises(QuanvolveError, match="pads its images, so that windows cannot be cut out of them: give a"):
        check_geometry(Bare(), kernel_size=(2, 2), stride=(2, 2), padding=1)
    with pytest.raises(QuanvolveError, match="Bare is no layer of this package: write its reference by hand"):
        own_reference(Bare())


def test_an_ordinary_convolution_is_one_too_but_for_its_range() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(2, 3, (2, 3), stride=(1, 2))
    assert check_geometry(convolution).passed
    assert check_weight_sharing(convolution).passed
    assert not check_physicality(
        nn.Sequential(convolution), bounds=(-0.01, 0.01), kernel_size=(2, 3), in_channels=2
    ).passed
    assert isinstance(check_geometry(nn.Conv2d(1, 1, 3)).require().message, str)


def test_the_kit_loads_without_pennylane() -> None:
    program = (
        "import sys, quanvolve.testing; assert 'pennylane' not in sys.modules; assert 'sklearn' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_report_says_which_check_failed() -> None:
    report = Report((check_distinct_filters(make(wrong.LateBinding)),))
    assert not report.passed
    assert str(report).startswith("FAILED  distinct filters  all filters are identical")
