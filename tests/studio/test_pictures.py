"""Drawings in the form of a data set's digits: those of the data set itself must come back as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from quanvolve.data import load_dataset
from quanvolve.studio._pictures import as_drawn
from tests.datasets import MNIST

NEAREST, BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BILINEAR


@pytest.mark.parametrize(
    ("margin", "invert", "way", "error"),
    [
        ((0, 0, 0, 0), False, NEAREST, 0.001),  # an image that was only made larger is the same again
        ((90, 5, 30, 60), False, NEAREST, 0.001),
        ((20, 70, 0, 40), True, NEAREST, 0.001),
        ((0, 90, 60, 0), False, BILINEAR, 0.035),  # smoothing blurs it; another place would cost 0.06
    ],
)
def test_digits_of_mnist_come_back_whatever_their_size_and_place(
    margin: tuple[int, ...], invert: bool, way: Image.Resampling, error: float
) -> None:
    errors = []
    for image in load_dataset("mnist", data_dir=MNIST).test_images[:60] / np.float32(255):
        drawn = np.asarray(Image.fromarray(image).resize((7 * 28, 7 * 28), way))
        drawn = np.pad(drawn, (margin[:2], margin[2:]))
        errors.append(np.abs(as_drawn(1 - drawn if invert else drawn, (28, 28)) - image).mean())
    assert np.mean(errors) < error


def test_the_box_and_the_centre_of_mass_are_mnists() -> None:
    pen = np.zeros((200, 300))
    pen[30:170, 100:120] = 1
    pen[150:170, 100:200] = 1
    found = as_drawn(pen, (28, 28))
    rows, columns = np.flatnonzero(found.max(1) > 0.5), np.flatnonzero(found.max(0) > 0.5)
    assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == (20, 14)
    for axis in (0, 1):
        mass = found.sum(axis=1 - axis)
        assert abs((mass * (np.arange(28) + 0.5)).sum() / mass.sum() - 14.5) <= 0.5


@given(arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(1, 60)), elements=st.floats(-1e6, 1e6)),
       st.sampled_from(["digits", "mnist"]), st.sampled_from([(8, 8), (28, 28), (5, 9)]))  # fmt: skip
def test_any_picture_becomes_an_image(picture: np.ndarray, dataset: str, size: tuple[int, int]) -> None:
    found = as_drawn(picture, size, dataset)
    assert found.shape == size
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1
