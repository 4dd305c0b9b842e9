"""What is understood of data, and what is warned of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanvolve import load_dataset
from quanvolve.data import ClassCount, Dataset, Preparation, list_datasets, source_of, understand
from quanvolve.data._understood import WIDTH


def made(train: list[Any], test: list[Any], valid: list[Any] | None = None, **more: Any) -> Dataset:
    """A data set with these labels, of which no two samples are equal."""
    total = len(train) + len(test) + len(valid or [])
    images = np.arange(total * 4, dtype=np.float32).reshape(total, 2, 2)
    labels = [np.array(own) for own in (train, test, valid or [])]
    names = tuple(str(name) for name in np.unique(np.concatenate([own for own in labels if len(own)])))
    parts = np.split(images, np.cumsum([len(train), len(test)]))
    rest = {} if valid is None else {"valid_images": parts[2], "valid_labels": labels[2]}
    return Dataset("made", parts[0], labels[0], parts[1], labels[1], names, **rest, **more)


def test_counts() -> None:
    data = made(["a", "a", "b"], ["a", "c"], ["b", "b"], preparation=Preparation((2, 2), "pad", 1), notes=("a note",))
    found = understand(data, "a test")
    assert found.classes == (ClassCount("a", 2, 0, 1), ClassCount("b", 1, 2, 0), ClassCount("c", 0, 0, 1))
    assert found.totals == ClassCount("all", 3, 2, 2)
    assert (found.kind, found.shape, found.dtype, found.low, found.high) == ("images", (2, 2), "float32", 0, 11)
    assert (found.preparation, found.notes, found.source) == ("2x2 (pad), grey", ("a note",), "a test")
    assert (found.test_only, found.single) == (("c",), ("b",))
    assert found.warnings == (
        "'c': no sample to train with, so that every answer to them is wrong",
        "'b': one sample to train with, which cannot be in both training and validation",
        "'b': no sample to test with, so that nothing is known of them",
    )
    assert found.lines() == [
        "data      made, a test",
        "images    2x2, float32 from 0 to 11",
        "prepared  2x2 (pad), grey",
        "split     3 train, 2 validation, 2 test",
        "note      a note",
        "warning   'c': no sample to train with, so that every answer to them is wrong",
        "warning   'b': one sample to train with, which cannot be in both training and",
        "          validation",
        "warning   'b': no sample to test with, so that nothing is known of them",
        "",
        "class  train  validation  test",
        "a          2           0     1",
        "b          1           2     0",
        "c          0           0     1",
    ]
    assert json.loads(json.dumps(found.to_dict()))["warnings"] == list(found.warnings)


def test_duplicates() -> None:
    data = made([0, 1] * 5, [0, 1, 0, 1])
    assert (understand(data).duplicates, understand(data).warnings) == (0, ())
    again = np.concatenate([data.train_images[:3], data.test_images[3:]])
    found = understand(replace(data, test_images=again))
    assert (found.duplicates, found.contradictions) == (3, 0)
    assert found.warnings == (
        "3 test samples (75.0%) also among the training samples: the test is easier than it should be",
    )
    found = understand(replace(data, test_images=again, test_labels=np.array([1, 1, 0, 1])))
    assert (found.duplicates, found.contradictions) == (3, 1)
    assert "3 test samples (75.0%) also among the training samples, 1 of them with another label" in found.warnings[0]
    assert found.lines(short=True)[3].startswith("warning   3 test samples")


def test_what_cannot_be_learned_is_said() -> None:
    assert understand(made(["a", "a"], ["a"])).warnings == ("'a' is the only class: there is nothing to tell apart",)
    several = np.eye(3, dtype=np.int64)
    data = replace(made([0, 1, 2], [0, 1, 2]), train_labels=several, test_labels=several, task="multilabel")
    (warning,) = understand(data).warnings
    assert warning.startswith("each sample has exactly one label: if these are classes, save labels.argmax(axis=1)")
    assert understand(replace(data, train_labels=several[::-1] | several)).warnings == ()


def test_unequal_classes() -> None:
    found = understand(made([0] * 50 + [1] * 5, [0, 1]))
    assert found.warnings == ("unequal classes, 50 training samples of '0' and 5 of '1': accuracy alone says little",)
    assert understand(made([0] * 49 + [1] * 5, [0, 1])).warnings == ()


def test_the_short_form_leaves_out_a_long_table() -> None:
    many = understand(made([*range(11), 0], list(range(11))))
    assert many.lines(short=True)[-1] == "classes   11, of 1 to 2 training samples"
    assert len(many.lines()) > 12
    few = understand(made([*range(10), 0], list(range(10))))
    assert few.lines(short=True)[-1].split() == ["9", "1", "1"]


@given(
    names=st.lists(st.text(min_size=1, max_size=90), min_size=1, max_size=30, unique=True),
    notes=st.lists(st.text(st.characters(categories=["L", "Zs"]), max_size=300), max_size=3),
    seed=st.integers(0, 99),
)
def test_lines_fit_a_terminal(names: list[str], notes: list[str], seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, len(names), 60)
    data = made(labels[:40].tolist(), labels[40:].tolist())
    data = replace(data, class_names=tuple(names), notes=tuple(notes))
    for line in understand(data, "a folder of pictures in folders of classes").lines():
        assert line.isprintable()
        assert len(line) <= WIDTH or " " not in line[10:].strip()


@pytest.mark.parametrize("shape", [(2,), (12,), (3, 12), (4, 4), (3, 4, 4), (4, 4, 4), (2, 4, 4, 4)])
def test_kinds(shape: tuple[int, ...]) -> None:
    dims = {(12,): 1, (3, 12): 1, (4, 4, 4): 3, (2, 4, 4, 4): 3}.get(shape, 2)
    images = np.random.default_rng(0).random((6, *shape))
    labels = np.arange(6) % 2
    found = understand(Dataset("made", images, labels, images[:2], labels[:2], ("a", "b"), dims))
    kinds = {1: "series", 2: "images" if len(shape) > 1 else "features", 3: "volumes"}
    assert found.kind == kinds[dims]
    assert found.shape == shape
    assert found.duplicates == 2


def test_where_data_come_from() -> None:
    assert source_of("digits") == "bundled with scikit-learn"
    assert source_of("a.npz") == "an .npz file"
    assert source_of("mnist") == next(info.source for info in list_datasets() if info.name == "mnist")
    assert understand(load_dataset("moons")).kind in ("features", "series")
