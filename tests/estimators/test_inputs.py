"""What estimators are given in place of an array of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

import datasets as hugging_face
from quanvolve import QuanvClassifier, QuanvTransformer
from quanvolve._errors import QuanvolveError

Y = np.arange(20) % 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_of_pillow_are_images(mode: str) -> None:
    arrays = np.random.default_rng(0).integers(0, 256, (20, 6, 5, *((3,) if mode == "RGB" else ())), dtype=np.uint8)
    pictures = [Image.fromarray(array) for array in arrays]
    options = {"n_filters": 1, "random_state": 0, "channels": "last" if mode == "RGB" else "auto"}
    clf, same = (QuanvClassifier(**options, max_epochs=1).fit(images, Y) for images in (pictures, arrays))
    np.testing.assert_array_equal(clf.predict_proba(pictures), same.predict_proba(arrays))
    maps = QuanvTransformer(**options).fit(pictures)
    np.testing.assert_array_equal(maps.transform(pictures), maps.transform(arrays))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Image.new("L", (4, 4)), Image.new("L", (5, 4))], "X holds pictures of 2 sizes and modes, such as 4x4 in 'L'"),
        ([Image.new("P", (4, 4))] * 2, "X holds pictures of 1 sizes and modes, such as 4x4 in 'P', expected one size"),
        (["a.png", "b.JPG"], r"X is paths of pictures, expected arrays: data = load_dataset\(\(paths, labels\)\)"),
        ([Path("a"), Path("b")], "X is paths of pictures, expected arrays"),
        ("a.png", "X is paths of pictures, expected arrays"),
        (TensorDataset(torch.rand(2, 4)), r"X is a TensorDataset, expected arrays: data = load_dataset\(it\) reads"),
        (hugging_face.Dataset.from_dict({"a": [1, 2]}), r"X is a Dataset, expected arrays: data = load_dataset\(it\)"),
    ],
)
def test_what_has_to_be_read_first(given: Any, message: str) -> None:
    for estimator in (QuanvClassifier(), QuanvTransformer()):
        with pytest.raises(QuanvolveError, match=message):
            estimator.fit(given, Y[: len(given)])
