"""Several labels a sample: rows of 0 and 1 in, rows of 0 and 1 out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from sklearn.model_selection import cross_val_score

import quanvolve
from quanvolve import QuanvClassifier
from quanvolve._errors import QuanvolveError

random = np.random.default_rng(0)
X = random.random((300, 8))
Y = np.stack([X[:, 0] > 0.4, X[:, 3] > 0.6, X[:, 6] > 0.5, X[:, 0] + X[:, 7] > 1.2], axis=1).astype(int)


def classifier(**params: Any) -> QuanvClassifier:
    given = {"kernel_size": (2,), "stride": 1, "lr": 0.05, "max_epochs": 20, "random_state": 0, **params}
    return QuanvClassifier(**given)


def test_each_label_is_learned_by_itself() -> None:
    clf = classifier().fit(X[:200], Y[:200])
    probabilities, answers = clf.predict_proba(X[200:]), clf.predict(X[200:])
    assert clf.multilabel_
    assert answers.shape == probabilities.shape == (100, 4)
    np.testing.assert_array_equal(answers, probabilities > 0.5)
    assert f1_score(Y[200:], answers, average="macro") > 0.9
    assert average_precision_score(Y[200:], probabilities) > 0.95
    assert clf.score(X[200:], Y[200:]) == accuracy_score(Y[200:], answers)  # all labels right


def test_samples_without_any_label_and_labels_without_any_sample() -> None:
    rows = Y.copy()
    rows[:, 2] = 0
    rows[:50] = 0
    clf = classifier().fit(X, rows)
    assert (clf.predict(X)[:, 2] == 0).all()


def test_classes_given_as_rows_are_taken_for_labels_and_said() -> None:
    with pytest.warns(
        UserWarning, match=r"y has the shape \(300, 2\) and a single 1 in each row, .*`y.argmax\(axis=1\)`"
    ):
        assert classifier(max_epochs=1).fit(X, np.eye(2, dtype=int)[Y[:, 0]]).multilabel_


@pytest.mark.parametrize("loss", ["cross_entropy", "focal", torch.nn.BCEWithLogitsLoss()])
def test_losses(loss: Any) -> None:
    clf = classifier(loss=loss).fit(X, Y)
    assert f1_score(Y, clf.predict(X), average="micro") > 0.85


def test_smoothed_labels_make_probabilities_less_sure() -> None:
    sure, smoothed = (
        np.abs(classifier(label_smoothing=share).fit(X, Y).predict_proba(X) - 0.5).mean() for share in (0.0, 0.4)
    )
    assert smoothed < 0.8 * sure


@pytest.mark.parametrize("monitor", ["accuracy", "f1", "roc_auc", "loss"])
def test_the_best_epoch_is_the_best_by_what_is_watched(monitor: str) -> None:
    clf = classifier(monitor=monitor, lr=0.2, max_epochs=6).fit(X, Y)
    values = [row[f"valid_{monitor}"] for row in clf.history_]
    assert values[clf.best_epoch_ - 1] == (min(values) if monitor == "loss" else max(values))


def test_weights_decide_which_labels_a_sample_has() -> None:
    same = np.full((64, 8), 0.5)
    same[0] = 0.0  # so that there is a range
    rows = np.stack([np.tile([1, 0], 32), np.tile([0, 1], 32)], axis=1)
    rows[0] = 1  # so that they are no classes
    clf = classifier(validation_fraction=0.0, max_epochs=60).fit(same, rows, sample_weight=np.tile([3.0, 1.0], 32))
    np.testing.assert_allclose(clf.predict_proba(same[1:2]), [[0.75, 0.25]], atol=0.05)


def test_saved_and_loaded_it_predicts_bit_equally(tmp_path: Path) -> None:
    clf = classifier(max_epochs=2).fit(X, Y)
    clf.save(tmp_path / "several")
    loaded = quanvolve.load(tmp_path / "several")
    assert loaded.multilabel_
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    classifier(max_epochs=1).fit(X, Y[:, 0]).save(tmp_path / "one")
    assert "multilabel" not in json.loads((tmp_path / "one" / "config.json").read_text())
    assert not quanvolve.load(tmp_path / "one").multilabel_


def test_sparse_rows_and_scores_of_scikit_learn() -> None:
    clf = classifier(max_epochs=3)
    np.testing.assert_array_equal(clf.fit(X, csr_matrix(Y)).predict(X), clf.fit(X, Y).predict(X))
    for scoring in ("f1_macro", "average_precision", "roc_auc"):
        assert cross_val_score(clf, X, Y, cv=2, scoring=scoring).min() > 0.4


@pytest.mark.parametrize(
    ("params", "rows", "message"),
    [
        ({}, Y + 1, r"has the shape \(300, 4\) and other values than 0 and 1"),
        ({"class_weight": "balanced"}, Y, "`class_weight` .* is for one label a sample"),
        ({"monitor": "balanced_accuracy"}, Y, "use one of 'accuracy', 'f1', 'roc_auc', 'average_precision', 'loss'"),
    ],
)
def test_what_is_for_one_label_a_sample_says_so(params: dict[str, Any], rows: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        classifier(**params).fit(X, rows)


def test_a_training_goes_on_with_as_many_labels() -> None:
    clf = classifier(warm_start=True, max_epochs=1).fit(X, Y)
    clf.fit(X, Y)
    with pytest.raises(QuanvolveError, match=r"but the model was fitted on rows of 4 labels"):
        clf.fit(X, Y[:, :3])
    with pytest.raises(QuanvolveError, match="use `fit`"):
        clf.partial_fit(X, Y)
