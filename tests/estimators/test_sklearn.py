"""scikit-learn's own conformance checks, with no expected failures."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from quanvolve import QuanvClassifier, QuanvRegressor, QuanvTransformer


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
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
