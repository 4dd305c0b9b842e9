"""Pictures of data sets, also of those without classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quanvolve.data import Dataset, load_dataset, understand
from quanvolve.runs import TrainOptions, data_picture


def labels(kind: str) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.random(12) if kind == "regression" else random.integers(0, 2, (12, 3))


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_what_has_no_classes_is_one_row(task: str) -> None:
    images, own = np.random.default_rng(1).random((12, 4, 4)), labels(task)
    data = Dataset("own", images, own, images[:4], own[:4], (), task=task)
    figure = data_picture(data, understand(data))
    assert figure.texts[0].get_text() == "all"
    assert len(figure.axes) == 8 + 1  # samples, and bars
    if task == "regression":
        shown = [ax.images[0].get_array() for ax in figure.axes[:8]]
        assert np.allclose(shown[0], (images[own.argmin()] - images.min()) / np.ptp(images))


def test_tables_with_numbers_are_for_regression(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("area,price\n" + "".join(f"{k},{k / 4}\n" for k in range(20)))
    data = load_dataset(path, label="price", task="auto")
    assert (data.task, data.class_names, len(data.test_labels)) == ("regression", (), 4)
    assert data.train_labels.dtype == np.float64
    assert "there is no test set: 20% of all are taken for it (seed 0)" in data.notes
    with pytest.raises(
        ValueError,
        match=r"expected classes as whole numbers or text: make classes of these numbers, or say `task='regression'`",
    ):
        load_dataset(path, label="price")


def test_a_loss_by_name_goes_to_the_estimator() -> None:
    options = TrainOptions()
    assert "loss" not in options.params()
    assert replace(options, loss="focal").params()["loss"] == "focal"
