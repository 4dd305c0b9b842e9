"""What labels are for: found where that is clear, and converted where it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from quanvolve._errors import DataError
from quanvolve.data import load_dataset, understand
from tests.datasets import EXCERPTS

X = np.random.default_rng(0).random((30, 4, 4))
HALVES = np.arange(30) / 2
ROWS = np.arange(60).reshape(30, 2) / 4
LABELS = np.stack([np.arange(30) % 2, np.arange(30) % 3 == 0], axis=1).astype(int)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(labels: Any) -> Path:
        np.savez(tmp_path / "own.npz", X=X, y=labels)
        return tmp_path / "own.npz"

    return write


@pytest.mark.parametrize(
    ("labels", "task", "found", "kind"),
    [
        (HALVES, "auto", "regression", "f"),
        (HALVES[:, None], "auto", "regression", "f"),
        (ROWS, "auto", "regression", "f"),
        (LABELS, "auto", "multilabel", "i"),
        (LABELS.astype(float), "auto", "multilabel", "i"),
        (np.arange(30.0) % 3, "auto", "classification", "i"),
        (np.arange(30) % 3, "regression", "regression", "f"),
        (np.array(["no", "yes"] * 15), "auto", "classification", "U"),
        (np.arange(30) % 3, "classification", "classification", "i"),
    ],
)
def test_the_task(file: Any, labels: Any, task: str, found: str, kind: str) -> None:
    data = load_dataset(file(labels), task=task)
    assert data.task == found
    assert data.train_labels.dtype.kind == data.test_labels.dtype.kind == kind
    assert len(data.train_labels) + len(data.test_labels) == 30
    assert len(data.test_labels) == 6
    if found == "regression" and labels.ndim == 1:
        assert sorted([*data.train_labels, *data.test_labels]) == sorted(labels.tolist())
    if kind == "f":
        assert data.class_names == ()


@pytest.mark.parametrize(
    ("labels", "task", "message"),
    [
        (HALVES, "classification", "ask for the task regression"),
        (np.array(["no", "yes"] * 15), "regression", "must be finite numbers for regression"),
        (np.where(HALVES == 3, np.inf, HALVES), "regression", "must be finite numbers"),
        (np.arange(30) % 2, "multilabel", r"must be rows of 0 and 1 .* the shape \(30,\)"),
        (ROWS, "multilabel", "must be rows of 0 and 1"),
        (HALVES, "guess", r"`task` \(='guess'\) must be one of 'auto', 'classification'"),
    ],
)
def test_what_labels_are_not_for(file: Any, labels: Any, task: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(file(labels), task=task)


def test_both_parts_have_as_many_targets(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", X_train=X, y_train=ROWS, X_test=X, y_test=HALVES)
    with pytest.raises(DataError, match=r"`y_test` .* has the shape \(30,\), but `y_train` has the shape \(30, 2\)"):
        load_dataset(tmp_path / "own.npz", task="regression")


def test_series_of_the_archive_may_have_numbers(tmp_path: Path) -> None:
    for part, values in (("TRAIN", (1.5, 2.0)), ("TEST", (3.25, 4.0))):
        text = "@data\n" + "\n".join(f"0,1,{i}:{value}" for i, value in enumerate(values))
        (tmp_path / f"Own_{part}.ts").write_text(text)
    data = load_dataset(tmp_path, task="auto")
    assert data.task == "regression"
    assert data.test_labels.tolist() == [3.25, 4.0]
    assert load_dataset(tmp_path).class_names == ("1.5", "2.0", "3.25", "4.0")
    archive = load_dataset(EXCERPTS / "timeseries" / "Coffee", task="auto")
    assert archive.task == "classification"


def test_what_is_understood(file: Any) -> None:
    understood = understand(load_dataset(file(HALVES), task="auto"))
    assert "task      regression, 1 target from 0 to 14.5, mean" in "\n".join(understood.lines())
    assert understood.warnings == ()
    labels = understand(load_dataset(file(LABELS), task="auto"))
    assert "multi-label classification, 2 labels" in "\n".join(labels.lines(short=True))


NUMBERS = np.round(np.arange(30) / 7, 3)


def _sources(folder: Path) -> dict[str, Any]:
    """The same numbers to be predicted, in all kinds of sources."""
    pixels = np.arange(30 * 16).reshape(30, 16) % 251
    (folder / "own.csv").write_text(
        "label,a,b\n" + "".join(f"{number},{row[0]},{row[1]}\n" for number, row in zip(NUMBERS, pixels, strict=True))
    )
    (folder / "pictures").mkdir()
    for k, row in enumerate(pixels):
        Image.fromarray(row.reshape(4, 4).astype(np.uint8)).save(folder / "pictures" / f"{k}.png")
    rows = "".join(f"{k}.png,{number}\n" for k, number in enumerate(NUMBERS))
    (folder / "pictures" / "labels.csv").write_text("file,label\n" + rows)
    images = torch.arange(30.0).reshape(30, 1, 1, 1).expand(30, 1, 5, 5)
    return {
        "csv": folder / "own.csv",
        "folder": folder / "pictures",
        "frame": pandas.DataFrame({"a": np.arange(30), "label": NUMBERS}),
        "items": (pixels.reshape(30, 4, 4), NUMBERS),
        "torch": TensorDataset(images, torch.tensor(NUMBERS)),
    }


@pytest.mark.parametrize("source", ["csv", "folder", "frame", "items", "torch"])
def test_numbers_to_be_predicted_come_from_every_source(source: str, tmp_path: Path) -> None:
    data = _sources(tmp_path)[source]
    for task in ("auto", "regression"):
        found = load_dataset(data, task=task)
        assert (found.task, found.class_names) == ("regression", ())
        together = np.concatenate([found.train_labels, found.test_labels])
        np.testing.assert_allclose(np.sort(together), NUMBERS, atol=1e-6)
        assert len(found.test_labels) == 6
    if source != "folder":
        with pytest.raises(DataError, match=r"or say `task='regression'` where they are to be predicted$") as caught:
            load_dataset(data)
        assert caught.value.arguments == ("task",)


def test_several_numbers_or_labels_an_item() -> None:
    images = torch.rand(30, 1, 5, 5)
    for labels, task in ((LABELS, "multilabel"), (LABELS / 2, "regression")):
        for data in (TensorDataset(images, torch.tensor(labels)), (images.numpy(), labels)):
            found = load_dataset(data, task="auto")
            assert (found.task, found.train_labels.shape) == (task, (24, 2))
            with pytest.raises(DataError, match=r"item 0 of .* has the label .*: say `task='multilabel'` or 'regr"):
                load_dataset(data)
    ragged = [(image, [0.5] * (2 + k // 29)) for k, image in enumerate(images)]
    with pytest.raises(DataError, match=r"item 29 of the list has the label \[0\.5, 0\.5, 0\.5\], expected as many"):
        load_dataset(ragged, task="regression")
    with pytest.raises(DataError, match="the labels must be finite numbers for regression"):
        load_dataset((images.numpy(), ["cat"] * 30), task="regression")
