"""What labels are for: found where that is clear, and converted where it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
