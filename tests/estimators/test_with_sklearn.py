"""Our estimators inside scikit-learn's: searches, ensembles, calibration, importances, curves, routed weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import brier_score_loss, get_scorer
from sklearn.model_selection import GridSearchCV, cross_validate, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from quanvolve import QuanvClassifier, QuanvTransformer

X, Y = load_digits(return_X_y=True)
TRAIN, TEST = slice(0, 400), slice(400, 700)


def clf(**params: Any) -> QuanvClassifier:
    return QuanvClassifier(**{"n_filters": 1, "max_epochs": 4, "lr": 0.01, "random_state": 0, **params})


@pytest.mark.parametrize("labels", [Y == 8, Y > 4])
def test_grid_search_by_roc_auc(labels: np.ndarray) -> None:
    grid = {"class_weight": [None, "balanced"], "lr": [0.003, 0.02], "monitor": ["roc_auc"]}
    found = GridSearchCV(clf(), grid, scoring="roc_auc", cv=2).fit(X[TRAIN], labels[TRAIN])
    assert found.best_score_ > 0.7
    assert found.score(X[TEST], labels[TEST]) == get_scorer("roc_auc")(found.best_estimator_, X[TEST], labels[TEST])


def test_boosting_gives_weights() -> None:
    boosted = AdaBoostClassifier(clf(), n_estimators=3, random_state=0).fit(X[TRAIN], Y[TRAIN])
    first, second, _ = boosted.estimators_
    wrong = first.predict(X[TRAIN]) != Y[TRAIN]
    # What the first got wrong weighs more in the second.
    assert second.score(X[TRAIN][wrong], Y[TRAIN][wrong]) > 0.3
    assert boosted.score(X[TEST], Y[TEST]) > 0.6


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(method: str) -> None:
    calibrated = CalibratedClassifierCV(clf(), method=method, cv=3).fit(X[TRAIN], Y[TRAIN] == 8)
    p = calibrated.predict_proba(X[TEST])[:, 1]
    assert brier_score_loss(Y[TEST] == 8, p) < np.mean(Y[TEST] == 8) * np.mean(Y[TEST] != 8)


def test_importance_of_pixels() -> None:
    found = permutation_importance(clf().fit(X[TRAIN], Y[TRAIN]), X[TEST], Y[TEST], n_repeats=1, random_state=0)
    importance = found.importances_mean.reshape(8, 8)
    assert importance[:, 2:6].sum() > importance[:, [0, 7]].sum()  # the edges are nearly empty


def test_learning_curve() -> None:
    sizes, _, test = learning_curve(clf(), X[:600], Y[:600], train_sizes=[80, 290], cv=2, shuffle=True, random_state=0)
    assert sizes.tolist() == [80, 290]
    assert test.mean(axis=1)[1] > test.mean(axis=1)[0]


def test_ensembles_and_pipelines() -> None:
    members = [("ours", clf()), ("theirs", GaussianNB())]
    for ensemble in (
        VotingClassifier(members, voting="soft"),
        BaggingClassifier(clf(max_epochs=10), n_estimators=2, random_state=0),
        make_pipeline(MinMaxScaler(clip=True), clf()),
        make_pipeline(QuanvTransformer(n_filters=1, random_state=0), GaussianNB()),
    ):
        assert ensemble.fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST]) > 0.5


def test_stacking() -> None:
    stack = StackingClassifier([("ours", clf(max_epochs=10))], GaussianNB(), cv=2)
    assert stack.fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST]) > 0.5


def test_weights_are_routed() -> None:
    weights = np.where(Y[TRAIN] == 8, 50.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        ours = clf().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        found = cross_validate(
            ours,
            X[TRAIN],
            Y[TRAIN],
            cv=2,
            params={"sample_weight": weights},
            return_estimator=True,
            return_indices=True,
        )
        train = found["indices"]["train"][0]
        expected = clf().fit(X[train], Y[train], sample_weight=weights[train])
        assert np.array_equal(found["estimator"][0].predict_proba(X), expected.predict_proba(X))
        pipeline = make_pipeline(
            MinMaxScaler(clip=True), clf().set_fit_request(sample_weight=True, validation_data=False)
        )
        pipeline.fit(X[TRAIN], Y[TRAIN], sample_weight=weights)
        assert (pipeline.predict(X[TEST]) == 8).mean() > (Y[TEST] == 8).mean()
