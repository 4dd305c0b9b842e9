"""QuanvClassifier: it learns, it repeats itself, fixed filters are computed once, bad input is named."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from quanvolve import QuanvClassifier
from quanvolve.estimators import Monitor, _network, best_epoch
from quanvolve.estimators._split import set_aside

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=0)


@pytest.mark.parametrize(
    ("params", "least"),
    [
        ({}, 0.93),
        ({"circuit": "random"}, 0.9),
        ({"trainable": True, "max_epochs": 15}, 0.93),
        ({"head": "cnn", "max_epochs": 10}, 0.93),
        ({"backbone": "classical"}, 0.9),
        ({"backbone": "classical", "trainable": True}, 0.9),
        ({"backbone": "none"}, 0.9),
    ],
)
def test_learns_the_digits(params, least):
    clf = QuanvClassifier(random_state=0, **params).fit(X_TRAIN, Y_TRAIN)
    assert clf.score(X_TEST, Y_TEST) > least


def test_same_random_state_gives_the_same_model_twice():
    first, second = (
        QuanvClassifier(random_state=5, trainable=True, head="cnn", max_epochs=2).fit(X_TRAIN, Y_TRAIN)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict_proba(X_TEST), second.predict_proba(X_TEST))
    other = QuanvClassifier(random_state=6, trainable=True, head="cnn", max_epochs=2).fit(X_TRAIN, Y_TRAIN)
    assert not np.array_equal(first.predict_proba(X_TEST), other.predict_proba(X_TEST))


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    QuanvClassifier(random_state=0, max_epochs=1, n_filters=1).fit(X_TRAIN, Y_TRAIN)
    assert torch.equal(torch.rand(3), expected)


class _Count(Monitor):
    def __init__(self):
        self.features = self.batches = 0
        self.rows = []

    def on_features(self, done, total):
        self.features = (done, total)

    def on_batch(self, epoch, batch, loss):
        self.batches += 1

    def on_epoch(self, row):
        self.rows.append(row)


def test_fixed_filters_run_once_for_all_epochs(monkeypatch):
    calls = []
    forward = _network.feature_maps
    monkeypatch.setattr(_network, "feature_maps", lambda *a, **k: calls.append(1) or forward(*a, **k))
    watch = _Count()
    clf = QuanvClassifier(random_state=0, max_epochs=3, n_filters=1).fit_watched(X_TRAIN, Y_TRAIN, monitor=watch)
    assert len(calls) == 1
    assert watch.features == (len(X_TRAIN), len(X_TRAIN))
    assert [row["epoch"] for row in watch.rows] == [1, 2, 3]
    assert watch.rows == clf.history_
    assert watch.batches == 3 * 36  # 1,131 of the 1,257 images, 32 at a time


def test_fixed_filters_too_large_to_keep_give_the_same_model(monkeypatch):
    kept = QuanvClassifier(random_state=0, max_epochs=2, n_filters=1).fit(X_TRAIN, Y_TRAIN)
    monkeypatch.setattr(_network, "CACHE_BYTES", 0)
    computed = QuanvClassifier(random_state=0, max_epochs=2, n_filters=1).fit(X_TRAIN, Y_TRAIN)
    np.testing.assert_allclose(kept.predict_proba(X_TEST), computed.predict_proba(X_TEST), atol=1e-4)
    before = computed.module_.backbone.weights.clone()
    assert torch.equal(before, kept.module_.backbone.weights)


def test_trainable_filters_are_trained():
    fixed = QuanvClassifier(random_state=0, max_epochs=1, n_filters=1).fit(X_TRAIN, Y_TRAIN)
    trained = QuanvClassifier(random_state=0, max_epochs=1, n_filters=1, trainable=True).fit(X_TRAIN, Y_TRAIN)
    assert not torch.equal(fixed.module_.backbone.weights, trained.module_.backbone.weights)


def test_the_best_epoch_is_kept():
    history = [
        {"epoch": 1, "valid_accuracy": 0.5, "valid_loss": 1.0},
        {"epoch": 2, "valid_accuracy": 0.9, "valid_loss": 0.6},
        {"epoch": 3, "valid_accuracy": 0.9, "valid_loss": 0.5},
        {"epoch": 4, "valid_accuracy": 0.9, "valid_loss": 0.5},
        {"epoch": 5, "valid_accuracy": 0.7, "valid_loss": 0.1},
    ]
    assert best_epoch(history) == 3
    assert best_epoch([{"epoch": 1, "valid_accuracy": None, "valid_loss": None}]) == 1


def test_patience_stops_early():
    clf = QuanvClassifier(random_state=0, max_epochs=200, patience=2, lr=0.05, n_filters=1).fit(X_TRAIN, Y_TRAIN)
    assert len(clf.history_) < 200
    assert len(clf.history_) - best_epoch(clf.history_) == 2


def test_without_validation():
    clf = QuanvClassifier(random_state=0, max_epochs=2, validation_fraction=0).fit(X_TRAIN, Y_TRAIN)
    assert clf.history_[-1]["valid_accuracy"] is None


@pytest.mark.parametrize("labels", [np.array(["cat", "dog"]), np.array([True, False]), np.array([-3.0, 7.0])])
def test_labels_of_any_type(labels):
    y = labels[(Y_TRAIN > 4).astype(int)]
    clf = QuanvClassifier(random_state=0, max_epochs=2).fit(X_TRAIN, y)
    assert set(clf.predict(X_TEST)) <= set(labels)
    assert clf.predict(X_TEST).dtype == y.dtype


def test_few_samples():
    with pytest.warns(UserWarning, match=r"3 of 3 classes have a single training sample \(0, 1, 2\)"):
        clf = QuanvClassifier(random_state=0, max_epochs=2).fit(X_TRAIN[:3], [0, 1, 2])
    assert clf.predict_proba(X_TEST[:2]).shape == (2, 3)


def test_colour_images_and_joint_mixing():
    rng = np.random.default_rng(0)
    images = rng.random((40, 3, 6, 6))
    y = (images[:, 0].mean(axis=(1, 2)) > 0.5).astype(int)
    clf = QuanvClassifier(
        random_state=0, kernel_size=1, stride=1, channel_mixing="joint", max_epochs=3, n_filters=1
    ).fit(images, y)
    assert clf.module_.backbone.circuits[0].n_wires == 3


def test_pickle_and_grid_search():
    clf = QuanvClassifier(random_state=0, max_epochs=2).fit(X_TRAIN, Y_TRAIN)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X_TEST), clf.predict_proba(X_TEST))
    search = GridSearchCV(QuanvClassifier(random_state=0, max_epochs=2), {"n_filters": [1, 2]}, cv=2)
    assert search.fit(X_TRAIN, Y_TRAIN).best_score_ > 0.5


def test_verbose_prints_a_line_an_epoch(capsys):
    QuanvClassifier(random_state=0, max_epochs=2, n_filters=1, verbose=1).fit(X_TRAIN, Y_TRAIN)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1  loss ")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"backbone": "quantam"},
            r"`backbone` \(='quantam'\) must be one of 'quantum', 'unentangled', 'classical'",
        ),
        ({"head": "mlpp"}, r"`head` \(='mlpp'\) must be one of 'linear', 'cnn'"),
        ({"max_epochs": 0}, r"`max_epochs` \(=0\) must be a whole number of at least 1"),
        ({"batch_size": 1.5}, r"`batch_size` \(=1.5\) must be a whole number"),
        ({"lr": 0}, r"`lr` \(=0\) must be greater than 0 and finite"),
        ({"lr": float("inf")}, r"`lr` \(=inf\) must be greater than 0 and finite"),
        ({"weight_decay": -1}, r"`weight_decay` \(=-1\) must be at least 0 and finite"),
        ({"validation_fraction": 1.0}, r"`validation_fraction` \(=1.0\) must be in \[0, 1\)"),
        ({"patience": 0}, r"`patience` \(=0\) must be at least 1, or None"),
        ({"encoding": "rw"}, r"`encoding` \(='rw'\) must be one of 'ry', 'rx', 'rz', 'dense'"),
        ({"n_qubits": 3}, r"`n_qubits` \(=3\) must be at least 4"),
    ],
)
def test_parameters_that_do_not_fit(params, message):
    with pytest.raises(ValueError, match=message):
        QuanvClassifier(**params).fit(X_TRAIN[:100], Y_TRAIN[:100])


def test_one_class_only():
    with pytest.raises(ValueError, match="samples of at least 2 classes in the data, but the data contains only one"):
        QuanvClassifier().fit(X_TRAIN[:5], np.zeros(5))


def test_diverged_training_is_named():
    with pytest.raises(ValueError, match=r"training diverged in epoch 1: .* use a smaller `lr` \(=1e\+37\)"):
        QuanvClassifier(lr=1e37, max_epochs=3, random_state=0).fit(X_TRAIN, Y_TRAIN)


def test_continuous_labels():
    with pytest.raises(ValueError, match="Unknown label type"):
        QuanvClassifier().fit(X_TRAIN[:5], np.linspace(0, 1, 5))


def test_fewer_labels_than_samples():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        QuanvClassifier().fit(X_TRAIN[:5], Y_TRAIN[:4])


class _Weights(Monitor):
    """Remembers the head's weights after each epoch."""

    def __init__(self, clf):
        self.clf, self.after, self.rates = clf, [], []

    def on_epoch(self, row):
        self.after.append({name: t.clone() for name, t in self.clf.module_.state_dict().items()})
        self.rates.append(row["lr"])


def test_the_weights_of_the_best_epoch_are_kept_and_the_rate_follows_a_cosine():
    # With so few validation images and so high a rate the last epoch is not the best one.
    clf = QuanvClassifier(random_state=0, max_epochs=12, lr=0.3, n_filters=1, validation_fraction=0.2)
    watch = _Weights(clf)
    clf.fit_watched(X_TRAIN[:200], Y_TRAIN[:200], monitor=watch)
    best = best_epoch(clf.history_)
    assert best < 12
    assert all(torch.equal(t, watch.after[best - 1][name]) for name, t in clf.module_.state_dict().items())
    assert not all(torch.equal(t, watch.after[-1][name]) for name, t in clf.module_.state_dict().items())
    np.testing.assert_allclose(watch.rates, 0.3 * 0.5 * (1 + np.cos(np.pi * np.arange(12) / 12)))


def test_the_validation_split_is_stratified():
    y = np.repeat([0, 1], [360, 40])
    _, valid = set_aside(len(y), 0.1, y, seed=0)
    assert np.bincount(y[valid]).tolist() == [36, 4]


def test_the_classical_twin_is_not_linear():
    clf = QuanvClassifier(backbone="classical", random_state=0, max_epochs=1).fit(X_TRAIN, Y_TRAIN)
    maps = clf.module_.backbone(torch.rand(5, 1, 8, 8))
    assert maps.shape == (5, *clf.output_shape_)
    assert maps.min() == 0


def test_weight_decay_shrinks_the_weights():
    sizes = [
        QuanvClassifier(random_state=0, max_epochs=5, n_filters=1, weight_decay=decay)
        .fit(X_TRAIN, Y_TRAIN)
        .module_.head[-1]
        .weight.norm()
        for decay in (0.0, 10.0)
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_channels_are_standardized_by_the_training_images():
    clf = QuanvClassifier(random_state=0, max_epochs=1, n_filters=1, validation_fraction=0).fit(X_TRAIN, Y_TRAIN)
    images = torch.from_numpy(X_TRAIN / 16).float().reshape(-1, 1, 8, 8)
    maps = clf.module_.head[0](clf.module_.backbone(images))
    torch.testing.assert_close(maps.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(maps.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-2, rtol=0)


def test_large_offsets_do_not_swallow_the_pixels():
    y = np.arange(60) % 2
    X_far = 1e8 + np.random.default_rng(0).random((60, 16)) + y[:, None]
    assert len(np.unique(QuanvClassifier(random_state=0, max_epochs=1).fit(X_far, y).predict_proba(X_far)[:, 0])) == 60
