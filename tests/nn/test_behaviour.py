"""What makes it a convolution: shared weights, independent windows, derivatives."""

import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d

ALL = [
    {"circuit": "random"},
    {"circuit": "basic_entangler", "encoding": "rx"},
    {"circuit": "strongly_entangling"},
    {"circuit": "strongly_entangling", "channel_mixing": "joint", "kernel_size": (1, 2)},
]


def build(arguments: dict, **more: object) -> Quanv2d:
    return Quanv2d(**{"in_channels": 2, "out_channels": 5, "kernel_size": 2, "seed": 0, **arguments, **more})


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("arguments", ALL)
def test_translated_images_give_translated_maps(arguments: dict) -> None:
    layer = build(arguments)
    big = images(1, 2, 8, 9)
    out = layer(big)
    for down, right in ((0, 1), (1, 0), (2, 3)):
        moved = layer(big[:, :, down:, right:])
        torch.testing.assert_close(moved, out[:, :, down:, right:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("arguments", ALL)
@pytest.mark.parametrize("stride", [1, 2])
def test_one_pixel_changes_only_the_windows_that_read_it(arguments: dict, stride: int) -> None:
    layer = build(arguments, stride=stride)
    x = images(2, 2, 6, 7)
    changed = x.clone()
    changed[0, 1, 2, 3] = 1 - changed[0, 1, 2, 3]
    before, after = layer(x), layer(changed)
    height, width = layer.geometry.kernel_size
    reads = torch.zeros(before.shape[2:], dtype=torch.bool)
    for i in range(reads.shape[0]):
        for j in range(reads.shape[1]):
            reads[i, j] = 0 <= 2 - stride * i < height and 0 <= 3 - stride * j < width
    assert reads.any()
    different = ((before - after).detach().abs() > 1e-6).any(dim=1)
    assert torch.equal(different[0], reads)
    assert not different[1].any()


@pytest.mark.parametrize("arguments", ALL)
def test_images_of_a_batch_are_independent(arguments: dict) -> None:
    layer = build(arguments)
    x = images(6, 2, 4, 5)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(layer(x[order]), layer(x)[order], rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.cat([layer(image[None]) for image in x]), layer(x), rtol=0, atol=1e-6)


def test_groups_read_only_their_own_channels() -> None:
    layer = Quanv2d(4, 8, 2, groups=2, seed=0)
    x = images(1, 4, 4, 4)
    changed = x.clone()
    changed[:, 2:] = 1 - changed[:, 2:]
    before, after = layer(x), layer(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert ((before - after)[:, 4:].abs() > 1e-4).any(dim=(0, 2, 3)).all()


@pytest.mark.parametrize("arguments", ALL)
def test_gradcheck_of_images_weights_scale_and_bias(arguments: dict) -> None:
    scale = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    layer = build(arguments, out_channels=3, scale=scale, bias=True, dtype=torch.float64, n_layers=1)
    x = images(2, 2, 3, 3).double().requires_grad_()
    names = [name for name, _ in layer.named_parameters()]
    assert set(names) == {"weights", "scale", "bias"}

    def function(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    leaves = [value.detach().clone().requires_grad_() for value in layer.parameters()]
    assert torch.autograd.gradcheck(function, (x, *leaves), fast_mode=True)


def test_gradcheck_with_groups_padding_and_dilation() -> None:
    layer = Quanv2d(
        2, 4, (1, 2), 2, 1, (1, 2), groups=2, padding_mode="reflect", seed=0, dtype=torch.float64, n_layers=1
    )
    x = images(2, 2, 3, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, w: torch.func.functional_call(layer, {"weights": w}, (x,)),
        (x, layer.weights.detach().clone().requires_grad_()),
        fast_mode=True,
    )


def test_images_of_a_fixed_layer_have_gradients() -> None:
    layer = Quanv2d(1, 4, 2, trainable=False, seed=0, dtype=torch.float64)
    x = images(1, 1, 3, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))


def test_values_are_expectation_values() -> None:
    layer = Quanv2d(1, 40, 2, circuit="random", n_layers=3, seed=0)
    assert float(layer(10 * images(4, 1, 6, 6) - 5).detach().abs().max()) <= 1 + 1e-6
    summed = Quanv2d(3, 8, 2, seed=0)
    assert float(summed(images(4, 3, 6, 6)).detach().abs().max()) <= 3 + 1e-6


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            (1, 4, 2),
            "1, 4, kernel_size=(2, 2), stride=(1, 1), bias=False, circuit='strongly_entangling', n_qubits=4",
        ),
        (
            (4, 6, (1, 2), (2, 1), (0, 1), 2, 2, True, "circular"),
            "4, 6, kernel_size=(1, 2), stride=(2, 1), padding=(0, 1), dilation=(2, 2), groups=2, "
            "padding_mode=circular, circuit='strongly_entangling', n_qubits=2, 2 measured values of the groups' "
            "last filters left out",
        ),
        (
            (1, 2, 1, 1, "same"),
            "1, 2, kernel_size=(1, 1), stride=(1, 1), padding='same', bias=False, "
            "circuit='strongly_entangling', n_qubits=1",
        ),
    ],
)
def test_repr_is_in_conv2ds_form(arguments: tuple, text: str) -> None:
    assert repr(Quanv2d(*arguments)) == f"Quanv2d({text})"


def test_repr_begins_as_conv2ds() -> None:
    arguments = (4, 6, (1, 2), (2, 1), (0, 1), 2, 2, False, "circular")
    conv = repr(torch.nn.Conv2d(*arguments)).removeprefix("Conv2d(").removesuffix(")")
    assert Quanv2d(*arguments).extra_repr().startswith(conv)


def test_repr_of_a_function_names_it() -> None:
    def my_circuit(inputs):
        qp.AngleEmbedding(inputs, wires=range(4))
        return [qp.expval(qp.Z(wire)) for wire in range(4)]

    layer = Quanv2d(2, 7, (1, 2), circuit=my_circuit, channel_mixing="joint", trainable=False)
    assert layer.extra_repr() == (
        "2, 7, kernel_size=(1, 2), stride=(1, 1), bias=False, circuit='my_circuit', n_qubits=4, "
        "channel_mixing='joint', trainable=False, 1 measured value of the last filter left out"
    )


def test_the_plan_is_a_sentence() -> None:
    layer = Quanv2d(1, 4, 2)
    assert layer.plan.startswith("polynomial: 4 qubits in a product encoding give 81 features a window")
    assert "1 circuit structure" in layer.plan
    assert "3 circuit structures" in Quanv2d(1, 12, 2, circuit="random").plan


def test_a_layer_inside_a_model_with_hooks_and_named_modules() -> None:
    model = torch.nn.Sequential(Quanv2d(1, 4, 2, seed=0), torch.nn.ReLU())
    seen = []
    model[0].register_forward_hook(lambda module, given, out: seen.append(out.shape))
    model(images(1, 1, 4, 4))
    assert seen == [(1, 4, 3, 3)]
    assert [name for name, _ in model.named_parameters()] == ["0.weights"]
    assert [type(module).__name__ for module in model.modules()] == ["Sequential", "Quanv2d", "ReLU"]
