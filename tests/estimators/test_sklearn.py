"""scikit-learn's own conformance checks, with no expected failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sklearn
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

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
        QuanvClassifier(class_weight="balanced", random_state=0),
    ]
)
@pytest.mark.filterwarnings("ignore:`monitor` .* has no effect without validation data")  # of a handful of samples
def test_scikit_learn_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def going_on(estimator: Any) -> list[Any]:
    """The checks that hold for a training that goes on with its weights.

    The other two fit one estimator twice, on the same data in another form, and compare: `warm_start` is there to make
    the second better. scikit-learn's own networks answer them in the same way.
    """
    twice = {"check_supervised_y_2d", "check_classifiers_multilabel_representation_invariance"}
    checks = list(estimator_checks_generator(estimator))
    assert twice & {check.func.__name__ for _, check in checks}
    return [(one, check) for one, check in checks if check.func.__name__ not in twice]


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(one, check, id=f"{type(one).__name__}-{check.func.__name__}")
        for kind in (QuanvClassifier, QuanvRegressor)
        for one, check in going_on(kind(warm_start=True, random_state=0))
    ],
)
def test_scikit_learn_checks_with_warm_starts(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.usefixtures("routing")
@parametrize_with_checks([QuanvClassifier("none", lr=2e-2, random_state=0)])
def test_scikit_learn_checks_with_metadata_routing(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
