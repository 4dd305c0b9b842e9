"""Bad input is refused with a text that names the value, the expectation and the remedy."""

import re
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import CaptureError, PlanError, QuanvolveError
from quanvolve.circuits import named_circuit


def function(inputs, theta, phi):
    qp.AngleEmbedding(inputs, wires=range(4), rotation="Y")
    qp.BasicEntanglerLayers(theta, wires=range(4))
    qp.RX(phi, wires=0)
    return [qp.expval(qp.Z(wire)) for wire in range(4)]


def reuploading(inputs):
    qp.AngleEmbedding(inputs, wires=range(4))
    qp.CNOT(wires=[0, 1])
    qp.AngleEmbedding(inputs, wires=range(4))
    return qp.expval(qp.Z(0))


SHAPES = {"theta": (1, 4), "phi": 1}
FOUR = named_circuit("basic_entangler", 4, n_layers=1)

CONSTRUCTION: list[tuple[dict[str, Any], str]] = [
    ({"in_channels": 0}, r"`in_channels` \(=0\) must be a whole number of at least 1"),
    ({"out_channels": -4}, r"`out_channels` \(=-4\) must be a whole number of at least 1"),
    ({"out_channels": 2.0}, r"`out_channels` \(=2.0\) must be a whole number"),
    ({"groups": 0}, r"`groups` \(=0\) must be a whole number of at least 1"),
    ({"in_channels": 3, "groups": 2}, r"`in_channels` \(=3\) must be divisible by `groups` \(=2\); the nearest valid"),
    ({"in_channels": 2, "out_channels": 5, "groups": 2}, r"`out_channels` \(=5\) must be divisible by `groups` \(=2\)"),
    ({"channel_mixing": "mean"}, r"`channel_mixing` \(='mean'\) must be 'sum' or 'joint'"),
    ({"kernel_size": 0}, r"`kernel_size` \(=0\) must be a whole number of at least 1, or 2 such numbers"),
    ({"kernel_size": (2, 2, 2)}, r"`kernel_size` \(=\(2, 2, 2\)\) must be"),
    ({"kernel_size": 2.5}, r"`kernel_size` \(=2.5\) must be"),
    ({"stride": 0}, r"`stride` \(=0\) must be a whole number of at least 1"),
    ({"padding": -1}, r"`padding` \(=-1\) must be a whole number of at least 0"),
    ({"padding": "full"}, r"`padding` \(='full'\) must be 'same', 'valid' or a number"),
    ({"padding": "same", "stride": 2}, r"`padding='same'` needs `stride=1`, got `stride` \(=\(2, 2\)\)"),
    ({"dilation": 0}, r"`dilation` \(=0\) must be"),
    ({"padding_mode": "mirror"}, r"`padding_mode` \(='mirror'\) must be one of zeros, reflect, replicate, circular"),
    ({"circuit": "strongly_ent"}, r"`circuit` \(='strongly_ent'\) must be one of .*did you mean 'strongly_entangling'"),
    ({"encoding": "rq"}, r"`encoding` \(='rq'\) must be one of .*'ry'.*"),
    ({"readout": "zzz"}, r"`readout` \(='zzz'\) must be one of .*'z'"),
    ({"circuit": 7}, r"`circuit` \(=7\) must be a name from list_circuits\(\), a function, script or TorchLayer"),
    ({"circuit": []}, r"`circuit` \(=\[\]\) must be a name"),
    (
        {"n_qubits": 3},
        r"`n_qubits` \(=3\) must be at least 4.*use `n_qubits=4`, a smaller `kernel_size`, or an encoding",
    ),
    ({"n_layers": 0}, r"`n_layers` \(=0\) must be .*at least 1"),
    ({"engine": "fast"}, r"`engine` \(='fast'\) must be one of 'auto', .*'polynomial', 'tensor_train', 'statevector'"),
    ({"noise": 0.1}, r"`noise` \(=0.1\) must be a mapping from names \(depolarizing"),
    ({"shots": 0}, r"`shots` \(=0\) must be a whole number of at least 1"),
    ({"scale": float("nan")}, r"`scale` \(=nan\) must be finite"),
    ({"scale": float("inf")}, r"`scale` \(=inf\) must be finite"),
    ({"scale": torch.tensor([[[1.0]], [[float("nan")]]]), "in_channels": 2}, r"`scale`.*finite"),
    ({"scale": torch.ones(3)}, r"`scale` has shape \(3,\), expected one that broadcasts to \(1, 2, 2\)"),
    ({"weight_shapes": {"weights": 3}}, r"`weight_shapes` belongs to circuit functions; 'strongly_entangling' has its"),
    ({"circuit": FOUR, "weight_shapes": SHAPES}, r"`weight_shapes` belongs to circuit functions"),
    ({"circuit": function}, r"missing \['phi', 'theta'\]"),
    ({"circuit": FOUR, "kernel_size": 3}, r"the circuit reads 4 inputs, but a window has 9: choose `kernel_size`"),
    ({"circuit": FOUR, "n_qubits": 5}, r"`n_qubits` \(=5\) differs from the circuit's 4 qubits"),
    ({"circuit": [FOUR, FOUR, FOUR]}, r"`circuit` has 3 circuits, expected one for all filters or 2"),
    ({"circuit": [FOUR, "random"]}, r"`circuit` must be one Circuit or a sequence of them"),
    ({"weights": np.zeros((2, 1, 2, 4))}, r"'weights' has shape \(2, 1, 2, 4\), expected \(2, 1, 2, 4, 3\)"),
    ({"weights": {"w": 0.0}}, r"`weights` has the names \['w'\], the circuit has \['weights'\]"),
    ({"weights": np.full((2, 1, 2, 4, 3), np.nan)}, r"'weights' has values that are not finite"),
    (
        {"circuit": function, "weight_shapes": SHAPES, "weights": np.zeros((2, 1, 1, 4))},
        r"the circuit has the weights \['theta', 'phi'\]: give `weights` as a mapping",
    ),
]


def _short(value: object) -> str:
    # Addresses differ from process to process.
    text = re.sub(r" at 0x[0-9a-f]+", "", str(value)).replace("\n", "")
    return text[:60] if isinstance(value, str | dict) else ""


@pytest.mark.parametrize(("arguments", "message"), CONSTRUCTION, ids=_short)
def test_construction_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message) as caught:
        Quanv2d(**{"in_channels": 1, "out_channels": 8, "kernel_size": 2, **arguments})
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"), [(3, 3, 2), (4, 6, 3), (6, 4, 5), (12, 8, 7), (6, 4, 3), (5, 5, 4)]
)
def test_the_nearest_valid_groups_are_valid(in_channels: int, out_channels: int, groups: int) -> None:
    with pytest.raises(QuanvolveError, match="the nearest valid `groups` is") as caught:
        Quanv2d(in_channels, out_channels, 1, groups=groups)
    nearest = int(re.search(r"nearest valid `groups` is (\d+)", str(caught.value)).group(1))
    valid = [g for g in range(1, 20) if in_channels % g == out_channels % g == 0]
    assert nearest in valid
    assert abs(nearest - groups) == min(abs(g - groups) for g in valid)


def test_too_many_qubits_are_refused_at_construction() -> None:
    with pytest.raises(PlanError, match=r"no plan can run .*has 25 qubits, .* at most 16: use a smaller `kernel_size`"):
        Quanv2d(1, 16, 5, encoding="iqp")
    with pytest.raises(PlanError, match=r"has 12 qubits, .*use a smaller `kernel_size`, or fewer channels"):
        Quanv2d(3, 12, 2, channel_mixing="joint", engine="polynomial")


def test_an_engine_that_cannot_run_the_circuit_is_refused_at_construction() -> None:
    message = r"'polynomial'.*gate 5 \(RX on wire 0\) reads an input after its qubit met another one.*'statevector'"
    with pytest.raises(PlanError, match=message):
        Quanv2d(1, 1, 2, circuit=reuploading, engine="polynomial")


def test_a_window_that_does_not_fit_the_function_is_named() -> None:
    with pytest.raises(CaptureError, match=r"failed on a window of 9 inputs"):
        Quanv2d(1, 4, 3, circuit=function, weight_shapes=SHAPES)


@pytest.mark.parametrize("name", ["bias", "scale", "forward", "training", "circuits", "geometry"])
def test_weight_names_of_the_layer_itself_are_taken(name: str) -> None:
    namespace: dict[str, Any] = {"qp": qp}
    exec(f"def f(inputs, {name}):\n    qp.RX(inputs[0] + {name}[0], wires=0)\n    return qp.expval(qp.Z(0))", namespace)
    with pytest.raises(QuanvolveError, match=rf"the weight name '{name}' is taken by the layer itself: rename"):
        Quanv2d(1, 1, 1, circuit=namespace["f"], weight_shapes={name: (2,)})


def good() -> torch.Tensor:
    return torch.rand(2, 3, 6, 7)


def spoiled(value: float) -> torch.Tensor:
    x = good()
    x[1, 2, 3, 4] = value
    x[0, 0, 0, 0] = value
    return x


CALLS: list[tuple[torch.Tensor, str]] = [
    (spoiled(float("nan")), r"contain 2 value\(s\) that are not finite, such as nan: .*replace them, e.g. with"),
    (spoiled(float("inf")), r"contain 2 value\(s\) that are not finite, such as inf"),
    (spoiled(float("-inf")), r"contain 2 value\(s\) that are not finite, such as -inf"),
    (torch.rand(6, 7), r"expected images of shape \(N, C, H, W\) or \(C, H, W\), got shape \(6, 7\): add or remove"),
    (torch.rand(1, 2, 3, 6, 7), r"expected images of shape .* got shape \(1, 2, 3, 6, 7\)"),
    (torch.tensor(1.0), r"got shape \(\)"),
    (
        torch.rand(2, 1, 6, 7),
        r"expected 3 input channel\(s\) \(`in_channels`\), got 1 in images of shape \(2, 1, 6, 7\)",
    ),
    (torch.rand(1, 6, 7), r"expected 3 input channel\(s\) \(`in_channels`\), got 1"),
    (torch.rand(2, 6, 7, 3), r"expected 3 input channel\(s\) \(`in_channels`\), got 6"),
    (torch.rand(2, 3, 1, 7), r"a window of 2x2 is larger than the padded image of 1x7: use a `kernel_size` \(=2x2\)"),
    (torch.rand(0, 3, 1, 7), r"a window of 2x2 is larger than the padded image of 1x7"),
    (
        good().double(),
        r"the images are float64 and the layer is float32: convert one of them, e.g. images.to\(torch.float32\)",
    ),
    (
        (255 * good()).to(torch.uint8),
        r"the images are uint8 and the layer is float32: .*uint8 pixels also want a division",
    ),
    (good().to("meta"), r"the images are on meta and the layer is on cpu: move one of them"),
]


@pytest.mark.parametrize(
    ("images", "message"), CALLS, ids=lambda value: str(value)[:60] if isinstance(value, str) else ""
)
@pytest.mark.parametrize("trainable", [True, False])
def test_calls_refuse(images: torch.Tensor, message: str, trainable: bool) -> None:
    layer = Quanv2d(3, 4, 2, trainable=trainable)
    with pytest.raises(QuanvolveError, match=message):
        layer(images)


@pytest.mark.parametrize(("mode", "padding"), [("reflect", 2), ("circular", 3)])
def test_padding_beyond_its_mode_names_the_limit(mode: str, padding: int) -> None:
    layer = Quanv2d(1, 4, 2, padding=padding, padding_mode=mode)
    with pytest.raises(QuanvolveError, match=rf"`padding` .* too large for `padding_mode='{mode}'` on an image of 2x5"):
        layer(torch.rand(1, 1, 2, 5))


def test_a_dilated_window_counts_its_reach() -> None:
    layer = Quanv2d(1, 4, 2, dilation=3, padding=(0, 1))
    with pytest.raises(
        QuanvolveError, match=r"a window of 4x4 is larger than the padded image of 3x7.*`dilation` \(=3x3\)"
    ):
        layer(torch.rand(1, 1, 3, 5))


# -- circuits without weights ------------------------------------------------------------------------------------------


def plain(inputs):
    qp.RY(inputs[0], wires=0)
    return qp.expval(qp.Z(0))


def test_a_circuit_without_weights() -> None:
    x = torch.rand(2, 1, 3, 4)
    layer = Quanv2d(1, 1, 1, circuit=plain)
    torch.testing.assert_close(layer(x), x.cos())
    assert "_extra_state" in layer.state_dict()


def test_a_circuit_without_weights_has_the_dtype_it_was_given() -> None:
    x = torch.rand(2, 1, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(Quanv2d(1, 1, 1, circuit=plain, dtype=torch.float64)(x), x.cos())


def test_a_circuit_without_weights_can_be_moved() -> None:
    x = torch.rand(2, 1, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(Quanv2d(1, 1, 1, circuit=plain).double()(x), x.cos())
    assert Quanv2d(1, 1, 1, circuit=plain, device="meta")(torch.empty(2, 1, 3, 4, device="meta")).is_meta


@pytest.mark.parametrize("shape", [(), (1, 1, 1)])
def test_a_circuit_without_weights_can_train_its_scale(shape: tuple[int, ...]) -> None:
    scale = torch.nn.Parameter(torch.full(shape, 2.0))
    x = torch.rand(2, 1, 3, 4)
    layer = Quanv2d(1, 1, 1, circuit=plain, scale=scale)
    torch.testing.assert_close(layer(x), (2 * x).cos())
    layer(x).sum().backward()
    torch.testing.assert_close(scale.grad.sum(), (-x * (2 * x).sin()).sum())


def test_a_scale_parameter_of_another_dtype_is_refused_by_name() -> None:
    # It cannot be converted: then it would not be the parameter that the user's optimizer holds.
    scale = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    with pytest.raises(QuanvolveError, match=r"`scale`.*float64.*float32"):
        Quanv2d(1, 4, 2, scale=scale)
