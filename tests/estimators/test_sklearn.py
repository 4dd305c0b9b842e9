"""scikit-learn's own conformance checks, with no expected failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sklearn
from sklearn.utils.estimator_checks import parametrize_with_checks

from quanvolve import QuanvClassifier, QuanvRegressor, QuanvTransformer


@pytest.fixture
def routing() -> Iterator[None]:
    """scikit-learn hands on metadata such as weights."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@parametrize_with_checks(
    [
        QuanvTransformer(random_state=0),
        QuanvTransformer(n_filters=1, circuit="strongly_entangling"),
        QuanvClassifier(random_state=0),
        QuanvClassifier(trainable=True, n_filters=1, random_state=0),
        QuanvClassifier(head="cnn", n_filters=1, random_state=0),
        QuanvClassifier(backbone="classical", random_state=0),
        QuanvRegressor(random_state=0),
        QuanvRegressor(trainable=True, stride=1, lr=0.02, loss="huber", random_state=0),
        QuanvClassifier(loss="focal", monitor="f1", lr=1e-2, random_state=0),
    ]
)
def test_scikit_learn_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.usefixtures("routing")
@parametrize_with_checks([QuanvClassifier("none", lr=2e-2, random_state=0)])
def test_scikit_learn_checks_with_metadata_routing(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
