"""What users of `nn.Conv2d` expect beside values: its attributes, its initialisation, its plain errors."""

import numpy as np
import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.compile import use_kernels


def test_attributes_of_conv2d():
    arguments = {"kernel_size": (2, 3), "stride": 2, "padding": 1, "dilation": (1, 2), "padding_mode": "reflect"}
    ours, theirs = Quanv2d(2, 4, **arguments, n_layers=1), nn.Conv2d(2, 4, **arguments)
    names = ("in_channels", "out_channels", "groups", *arguments)
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]


@pytest.mark.parametrize("trainable", [True, False])
def test_reset_parameters_draws_anew(trainable):
    layer = Quanv2d(1, 4, 2, bias=True, seed=0, trainable=trainable)
    layer.bias.data.fill_(3.0)
    before, image = layer.weights.clone(), torch.rand(1, 1, 4, 4)
    out = layer(image)
    torch.manual_seed(1)
    layer.reset_parameters()
    assert not torch.equal(layer.weights, before)
    assert 0 <= layer.weights.min() <= layer.weights.max() < 2 * np.pi
    assert layer.bias.abs().sum() == 0
    assert not torch.equal(layer(image), out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "pi"}, r"`scale` \(='pi'\) must be a number, a torch.Tensor or an nn.Parameter"),
        ({"scale": np.ones(4)}, r"`scale` .* must be a number, a torch.Tensor"),
        ({"seed": 1.5}, r"`seed` \(=1.5\) must be a whole number from 0 to 2\*\*64 - 1, or None"),
    ],
)
def test_plain_errors(arguments, message):
    with pytest.raises(QuanvolveError, match=message):
        Quanv2d(1, 4, 2, **arguments)


def test_memory_of_training_is_bounded_by_recomputation(monkeypatch):
    with use_kernels(False):
        _recompute(monkeypatch)


def _recompute(monkeypatch):
    """Chunks of windows, and blocks of filters of large circuits, keep no graph between forward and backward."""
    from quanvolve.compile.batch import _chunks
    from quanvolve.compile.plans import _polynomial
    from quanvolve.compile.reference import _polynomial as _evaluate

    calls = {"windows": 0, "filters": 0}

    def counted(name, function):
        def call(*arguments, **options):
            calls[name] += 1
            return function(*arguments, **options)

        return call

    layer, images = Quanv2d(1, 4, 2, seed=0), torch.rand(6, 1, 5, 5, requires_grad=True)
    layer(images).sum().backward()
    expected = layer.weights.grad.clone(), images.grad.clone()
    layer.zero_grad()
    images.grad = None
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 1)
    monkeypatch.setattr(_polynomial, "BLOCK_BYTES", 1)
    monkeypatch.setattr(_evaluate, "features", counted("windows", _evaluate.features))
    monkeypatch.setattr(_polynomial, "coefficients", counted("filters", _polynomial.coefficients))
    out = layer(images)
    assert calls == {"windows": 6 * 16, "filters": 4}  # a place each; an output each
    out.sum().backward()
    assert calls == {"windows": 2 * 6 * 16, "filters": 2 * 4}
    torch.testing.assert_close(layer.weights.grad, expected[0])
    torch.testing.assert_close(images.grad, expected[1])


def test_arrays_are_not_tensors():
    with pytest.raises(QuanvolveError, match=r"expected a torch\.Tensor, got ndarray: convert it"):
        Quanv2d(1, 4, 2)(np.zeros((1, 1, 8, 8), np.float32))
