"""Classes and samples that do not count alike: weights in the loss, in the split and in what is watched."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score, recall_score

import quanvolve
from quanvolve import QuanvClassifier
from quanvolve.estimators._weights import class_weights, merged, weighed

X, Y = load_digits(return_X_y=True)
EIGHT = (Y == 8).astype(int)
SMALL: dict[str, Any] = {"n_filters": 1, "max_epochs": 2, "random_state": 0}


def rare() -> tuple[np.ndarray, np.ndarray]:
    """Numbers of images to train on, 40 of 1,463 being eights, and of those to test on."""
    order = np.random.default_rng(0).permutation(len(Y))
    eights, others = order[EIGHT[order] == 1], order[EIGHT[order] == 0]
    return np.concatenate([eights[:40], others[:1423]]), np.concatenate([eights[40:], others[1423:]])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_rare_class_is_seen_with_balanced_weights(seed: int) -> None:
    train, test = rare()
    recalls = {}
    for class_weight in (None, "balanced"):
        clf = QuanvClassifier(class_weight=class_weight, random_state=seed).fit(X[train], EIGHT[train])
        answers = clf.predict(X[test])
        recalls[class_weight] = recall_score(EIGHT[test], answers)
    assert recalls["balanced"] >= 0.8
    assert recalls["balanced"] > recalls[None] + 0.1
    assert balanced_accuracy_score(EIGHT[test], answers) > 0.85


def test_equal_weights_change_nothing() -> None:
    plain = QuanvClassifier(**SMALL).fit(X[:300], Y[:300])
    for weights in (np.ones(300), [0.25] * 300, 3.0):
        same = QuanvClassifier(**SMALL).fit(X[:300], Y[:300], sample_weight=weights)
        assert np.array_equal(same.predict_proba(X), plain.predict_proba(X))
        assert [row["valid_loss"] for row in same.history_] == [row["valid_loss"] for row in plain.history_]


def test_only_ratios_of_weights_matter() -> None:
    weights = np.random.default_rng(0).random(300) + 0.1
    first, second = (QuanvClassifier(**SMALL).fit(X[:300], Y[:300], w) for w in (weights, 4 * weights))
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X), atol=1e-5)
    plain = QuanvClassifier(**SMALL).fit(X[:300], Y[:300])
    assert not np.allclose(first.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def test_a_sample_without_weight_is_as_if_it_were_not_there() -> None:
    weights = np.ones(300)
    weights[200:] = 0
    kept = QuanvClassifier(**SMALL).fit(X[:200], Y[:200])
    weighted = QuanvClassifier(**SMALL).fit(np.concatenate([X[:200], 99 * X[200:300]]), Y[:300], weights)
    assert np.array_equal(kept.predict_proba(X), weighted.predict_proba(X))


def test_weights_are_repetitions_where_all_samples_are_one_batch() -> None:
    rng = np.random.default_rng(1)
    few, labels, weights = X[:20], Y[:20] % 2, rng.integers(0, 4, 20)
    order = rng.permutation(20)
    repeated = QuanvClassifier(**SMALL, batch_size=64).fit(few.repeat(weights, axis=0), labels.repeat(weights))
    weighted = QuanvClassifier(**SMALL, batch_size=64).fit(few[order], labels[order], weights[order])
    assert np.array_equal(repeated.predict_proba(X), weighted.predict_proba(X))


def test_weights_are_repetitions_in_the_mean() -> None:
    # Half of the fours are called nines, whose weight decides what a four is.
    chosen = np.isin(Y, [4, 9])
    images, labels = X[chosen], Y[chosen].copy()
    wrong = np.flatnonzero(labels == 4)[::2]
    labels[wrong] = 9
    called = []
    for weight in (0.1, 10.0):
        weights = np.ones(len(labels))
        weights[wrong] = weight
        clf = QuanvClassifier("none", monitor="loss", random_state=0).fit(images, labels, weights)
        called.append(np.mean(clf.predict(X[Y == 4]) == 4))
    assert called[0] > 0.9
    assert called[1] < 0.1


def test_the_loss_is_the_weighted_mean() -> None:
    weights = np.random.default_rng(0).random(400) + 0.1
    clf = QuanvClassifier("none", max_epochs=1, lr=1e-12, random_state=0, class_weight={3: 5.0}, weight_decay=0)
    clf.fit(X[:400], Y[:400], weights, validation_data=(X[400:700], Y[400:700], weights[:300]))
    of_class = np.where(Y == 3, 5.0, 1.0)
    probabilities = clf.predict_proba(X)[np.arange(len(Y)), Y]
    scale = np.average(of_class[:400], weights=weights)
    for name, part, w in (("train", slice(0, 400), weights), ("valid", slice(400, 700), weights[:300])):
        each = -np.log(probabilities[part]) * of_class[part]
        assert clf.history_[0][f"{name}_loss"] == pytest.approx(np.average(each, weights=w) / scale, rel=1e-4)
    right = clf.predict(X[400:700]) == Y[400:700]
    assert clf.history_[0]["valid_accuracy"] == pytest.approx(np.average(right, weights=weights[:300]))


def test_weights_of_classes() -> None:
    classes, numbers = np.array([5, 7]), np.array([0, 0, 0, 1])
    assert class_weights(None, classes, numbers, None) is None
    np.testing.assert_allclose(class_weights("balanced", classes, numbers, None), [2 / 3, 2])
    np.testing.assert_allclose(class_weights({7: 5}, classes, numbers, None), [0.5, 2.5])
    np.testing.assert_allclose(class_weights("balanced", classes, numbers, np.array([1.0, 1, 1, 3])), [1, 1])


def test_merging() -> None:
    rows, targets = np.array([[2.0], [1.0], [2.0]]), np.array([1, 0, 1])
    found = merged(rows, targets, None, 8)
    assert (sorted(found[0][:, 0]), sorted(found[2] * 1.5)) == ([1, 2], [1, 2])
    assert merged(rows, targets, None, 2) == (rows, targets, None)
    np.testing.assert_allclose(merged(rows, targets, np.array([1.0, 2, 3]), 2)[2], [0.5, 1, 1.5])
    assert len(merged(rows, np.array([1, 0, 0]), None, 8)[0]) == 3
    assert weighed(rows, targets, None)[2] is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(300), "zero"),
        (-np.ones(300), "Negative"),
        (np.ones(299), r"sample_weight.shape == \(299,\), expected \(300,\)"),
        (np.full(300, np.nan), "NaN"),
        (np.where(np.arange(300) == 7, 1e300, 1.0), r"`sample_weight` has weights from 1 to 1e\+300, beside which"),
    ],
)
def test_weights_that_are_none(weights: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QuanvClassifier(**SMALL).fit(X[:300], Y[:300], weights)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("equal", "`class_weight` (='equal') must be 'balanced', a dict of labels and weights, or None"),
        ({0: -1}, "`class_weight` gives 0 the weight -1, expected a number of at least 0"),
        ({"8": 2.0}, "`class_weight` has a weight for '8', but the labels are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (dict.fromkeys(range(10), 0), "gives every sample the weight 0"),
    ],
)
def test_class_weights_that_are_none(class_weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        QuanvClassifier(class_weight=class_weight, **SMALL).fit(X[:300], Y[:300])


@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 1: 1.0}, {False: 1.0, True: 3.0}])
def test_saved_models_keep_the_weights_of_classes(tmp_path: Any, class_weight: Any) -> None:
    clf = QuanvClassifier(class_weight=class_weight, **SMALL).fit(X[:300], EIGHT[:300])
    clf.save(tmp_path)
    loaded = quanvolve.load(tmp_path)
    assert loaded.class_weight == class_weight
    assert loaded.best_epoch_ == clf.best_epoch_
    assert np.array_equal(loaded.fit(X[:300], EIGHT[:300]).predict_proba(X), clf.predict_proba(X))
