"""Losses, what is watched, validation data of one's own, going on from earlier weights, portions."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score
from torch import nn
from torch.nn.functional import cross_entropy

import quanvolve
from quanvolve import QuanvClassifier, QuanvRegressor
from quanvolve._errors import ModelError
from quanvolve.estimators import FocalLoss, Monitor, best_epoch
from quanvolve.estimators._metrics import SCORES, roc_auc

X, Y = load_digits(return_X_y=True)
TRAIN, VALID = slice(0, 300), slice(300, 500)
HELD_OUT = (X[VALID], Y[VALID])
SMALL: dict[str, Any] = {"n_filters": 1, "max_epochs": 3, "random_state": 0}


def small(**params: Any) -> QuanvClassifier:
    return QuanvClassifier(**{**SMALL, **params})


def fitted(**params: Any) -> QuanvClassifier:
    return small(**params).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)


def twice(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return 2 * cross_entropy(scores, labels)


def each(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(scores, labels, reduction="none")


class Told(Monitor):
    """What training has said."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_features(self, done: int, total: int) -> None:
        self.told.append((done, total))


class TestLosses:
    @pytest.mark.parametrize(
        ("loss", "same"),
        [
            (nn.CrossEntropyLoss(), {}),
            (each, {}),
            (FocalLoss(), {"loss": "focal"}),
            (FocalLoss(gamma=0.0), {}),
            (nn.CrossEntropyLoss(label_smoothing=0.2), {"label_smoothing": 0.2}),
        ],
    )
    @pytest.mark.parametrize("class_weight", [None, "balanced"])
    def test_modules_and_functions_are_as_good_as_names(self, loss: Any, same: Any, class_weight: Any) -> None:
        own, named = fitted(loss=loss, class_weight=class_weight), fitted(class_weight=class_weight, **same)
        np.testing.assert_allclose(own.predict_proba(X), named.predict_proba(X), atol=1e-5)

    def test_they_are_what_is_made_small(self) -> None:
        plain, double, smooth = fitted(), fitted(loss=twice), fitted(label_smoothing=0.3)
        assert double.history_[0]["valid_loss"] == pytest.approx(2 * plain.history_[0]["valid_loss"], rel=0.05)
        assert smooth.predict_proba(X).max(axis=1).mean() < plain.predict_proba(X).max(axis=1).mean()

    def test_focal(self) -> None:
        scores, labels = torch.randn(7, 3, dtype=torch.float64), torch.arange(7) % 3
        p = scores.softmax(dim=1)[torch.arange(7), labels]
        for gamma in (0.0, 1.0, 3.5):
            expected = -((1 - p) ** gamma) * p.log()
            torch.testing.assert_close(FocalLoss(gamma, "none")(scores, labels), expected)
            torch.testing.assert_close(FocalLoss(gamma)(scores, labels), expected.mean())
            torch.testing.assert_close(FocalLoss(gamma, "sum")(scores, labels), expected.sum())

    def test_a_loss_of_ones_own_is_asked_for_again(self, tmp_path: Path) -> None:
        clf = fitted(loss=each)
        clf.save(tmp_path)
        loaded = quanvolve.load(tmp_path)
        assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))
        with pytest.raises(ValueError, match="`loss` is None, which stands for a loss of one's own"):
            loaded.fit(X, Y)

    def test_they_can_be_cloned_and_pickled(self) -> None:
        clf = fitted(loss=nn.CrossEntropyLoss(), label_smoothing=0.0)
        assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))
        assert isinstance(clone(clf).loss, nn.CrossEntropyLoss)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"loss": "hinge"}, "`loss` (='hinge') must be one of 'cross_entropy', 'focal', a module of torch or a"),
            ({"label_smoothing": 1}, "`label_smoothing` (=1) must be in [0, 1)"),
            (
                {"label_smoothing": 0.1, "loss": "focal"},
                "`label_smoothing` (=0.1) has a meaning with `loss='cross_entr",
            ),
            (
                {"loss": twice, "class_weight": "balanced"},
                "`loss` gives one number for a whole batch, but samples have",
            ),
            (
                {"loss": lambda s, y: s.sum(dim=0)},
                "`loss` gives a tensor of shape (10,) for 32 samples, expected a sca",
            ),
            (
                {"monitor": "auc"},
                "`monitor` (='auc') must be one of 'accuracy', 'balanced_accuracy', 'roc_auc', 'f1', '",
            ),
            ({"loss": nn.CrossEntropyLoss}, "`loss` is the class CrossEntropyLoss: give an instance, such as"),
            ({"loss": nn.NLLLoss()}, "`loss` (=NLLLoss()) takes logarithms of probabilities, but `head='linear'`"),
            ({"loss": lambda s, y: 1.0}, "`loss` gives a float, expected a tensor"),
            ({"loss": lambda s, y: torch.ones(())}, "`loss` gives a tensor that does not depend on the outputs"),
            ({"loss": lambda s, y: each(s.detach(), y)}, "`loss` gives a tensor that does not depend on the outputs"),
            ({"callbacks": 3}, "`callbacks` (=3) must be a list of skorch's callbacks, or None"),
            ({"callbacks": ["loud"]}, "`callbacks` has 'loud', expected a callback of skorch such as"),
        ],
    )
    def test_what_does_not_fit(self, params: Any, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            fitted(**params)

    def test_what_a_loss_of_ones_own_was_given_is_said(self) -> None:
        with pytest.raises(ValueError, match="same as input size") as raised:
            fitted(loss=nn.BCEWithLogitsLoss())
        note = "`loss` was called with outputs of the network, float32 (32, 10), and targets, int64 (32,)."
        assert raised.value.__notes__ == [note]

    def test_a_head_of_ones_own_may_give_logarithms(self) -> None:
        def head(shape: tuple[int, ...], n: int) -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), n), nn.LogSoftmax(dim=1))

        clf = fitted(head=head, loss=nn.NLLLoss(), lr=0.02)
        assert clf.history_[-1]["valid_loss"] > 0
        assert clf.score(*HELD_OUT) > 0.6


class TestMonitor:
    @pytest.mark.parametrize("monitor", ["accuracy", "balanced_accuracy", "roc_auc", "f1", "loss"])
    def test_it_chooses_the_epoch(self, monitor: str) -> None:
        clf = fitted(monitor=monitor, lr=0.2, max_epochs=8)
        column = [row[f"valid_{monitor}"] for row in clf.history_]
        best = min(column) if monitor == "loss" else max(column)
        assert column[clf.best_epoch_ - 1] == best
        probabilities, answers = clf.predict_proba(X[VALID]), clf.predict(X[VALID])
        found = {
            "accuracy": np.mean(answers == Y[VALID]),
            "balanced_accuracy": balanced_accuracy_score(Y[VALID], answers),
            "roc_auc": roc_auc_score(Y[VALID], probabilities, multi_class="ovr"),
            "f1": f1_score(Y[VALID], answers, average="macro"),
            "loss": -np.log(probabilities[np.arange(200), Y[VALID]]).mean(),
        }
        assert best == pytest.approx(found[monitor], rel=1e-4)

    def test_patience_follows_it(self) -> None:
        clf = fitted(monitor="loss", lr=0.5, max_epochs=40, patience=2)
        assert len(clf.history_) - best_epoch(clf.history_, "loss") == 2
        assert len(clf.history_) < 40

    def test_patience_without_validation_data_is_said_to_have_none(self) -> None:
        with pytest.warns(
            UserWarning, match=r"`patience` \(=2\) has no effect .* or a larger `validation_frac"
        ) as said:
            small(patience=2, validation_fraction=0.001).fit(X[TRAIN], Y[TRAIN])
        assert [one.filename for one in said] == [__file__]

    def test_of_two_classes_and_of_classes_without_samples(self) -> None:
        truth, p = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]])
        assert roc_auc(truth, p) == roc_auc_score(truth, p[:, 1]) == 0.75
        assert roc_auc(truth, np.column_stack([p, np.zeros(4)])) == 0.75
        assert roc_auc(np.zeros(4, int), p) is None
        assert SCORES["balanced_accuracy"](np.array([0, 0, 1]), np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]])) == 0.5

    def test_validation_of_one_class_has_no_roc_auc(self) -> None:
        with pytest.raises(ValueError, match="`monitor='roc_auc'` needs validation samples of at least 2 classes"):
            small(monitor="roc_auc").fit(X[TRAIN], Y[TRAIN], validation_data=(X[:1], Y[:1]))

    def test_it_is_refused_before_anything_is_computed(self) -> None:
        clf = small(monitor="roc_auc", validation_fraction=0.01)
        watched = Told()
        with pytest.raises(ValueError, match="or a larger `validation_fraction`"):
            clf.fit_watched(X[:100], Y[:100], monitor=watched)
        assert watched.told == []

    def test_without_validation_data_the_last_epoch_is_kept(self) -> None:
        clf = small(monitor="f1", validation_fraction=0)
        with pytest.warns(UserWarning, match=r"`monitor` \(='f1'\) has no effect without validation data"):
            clf.fit(X[TRAIN], Y[TRAIN])
        assert (clf.best_epoch_, clf.history_[0]["valid_f1"]) == (3, None)

    def test_it_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        fitted(monitor="balanced_accuracy", verbose=1, max_epochs=1)
        assert "  valid balanced accuracy 0." in capsys.readouterr().out


class TestValidationData:
    def test_all_training_data_are_trained_on(self) -> None:
        whole = small(validation_fraction=0, max_epochs=1).fit(X[TRAIN], Y[TRAIN])
        clf = fitted(max_epochs=1)
        assert np.array_equal(clf.predict_proba(X), whole.predict_proba(X))
        assert clf.history_[0]["valid_accuracy"] == clf.score(*HELD_OUT)

    def test_a_class_of_one_sample_is_not_set_aside(self) -> None:
        labels = Y[TRAIN].copy()
        labels[0] = 77
        with pytest.warns(UserWarning, match=r"\(77\): what is learned of such a class is that sample"):
            small().fit(X[TRAIN], labels, validation_data=HELD_OUT)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (X[VALID], "`validation_data` must be (X, y) or (X, y, weights)"),
            ((X[VALID, :9], Y[VALID]), "X has 9 features, but QuanvClassifier is expecting 64 features"),
            ((X[VALID], Y[TRAIN]), "inconsistent numbers of samples"),
            ((X[VALID], Y[VALID] + 5), "y has the label 10, which is not one of those that are known: 0, 1, 2, 3, 4"),
            ((X[VALID].reshape(-1, 4, 16), Y[VALID]), "X has images of shape (4, 16), but the model was fitted on"),
        ],
    )
    def test_it_is_checked(self, given: Any, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            small().fit(X[TRAIN], Y[TRAIN], validation_data=given)

    def test_it_alone_has_weights(self) -> None:
        weights = np.where(Y[VALID] == 8, 10.0, 1.0)
        for loss in ("cross_entropy", "focal", nn.CrossEntropyLoss(), each):
            clf = small(loss=loss, max_epochs=1)
            clf.fit(X[TRAIN], Y[TRAIN], validation_data=(*HELD_OUT, weights))
            plain = fitted(loss=loss, max_epochs=1)
            assert np.array_equal(clf.predict_proba(X), plain.predict_proba(X))
            assert clf.history_[0]["valid_accuracy"] == pytest.approx(clf.score(*HELD_OUT, sample_weight=weights))
            assert clf.history_[0]["valid_loss"] != plain.history_[0]["valid_loss"]

    def test_it_is_refused_before_anything_is_computed(self) -> None:
        watched = Told()
        with pytest.raises(ValueError, match="y has the label 10"):
            small().fit_watched(X[TRAIN], Y[TRAIN], validation_data=(X[VALID], Y[VALID] + 5), monitor=watched)
        assert watched.told == []

    def test_another_range_is_said(self) -> None:
        with pytest.warns(UserWarning, match="bring X to that range"):
            small().fit(X[TRAIN], Y[TRAIN], validation_data=(255 * X[VALID], Y[VALID]))


class TestGoingOn:
    @pytest.mark.parametrize("params", [{}, {"trainable": True}, {"head": "mlp"}, {"backbone": "none"}])
    def test_warm_start_begins_with_the_weights_that_there_are(self, params: Any) -> None:
        clf = fitted(**params, warm_start=True)
        before = clf.predict_proba(X)
        clf.set_params(lr=1e-9, max_epochs=1, weight_decay=0).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
        np.testing.assert_allclose(clf.predict_proba(X), before, atol=1e-3)
        assert len(clf.history_) == 1
        clf.set_params(warm_start=False).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
        assert not np.allclose(clf.predict_proba(X), before, atol=1e-3)

    def test_warm_start_after_loading(self, tmp_path: Path) -> None:
        fitted(warm_start=True).save(tmp_path)
        loaded = quanvolve.load(tmp_path).set_params(lr=1e-9, max_epochs=1)
        before = loaded.predict_proba(X)
        np.testing.assert_allclose(loaded.fit(X[TRAIN], Y[TRAIN]).predict_proba(X), before, atol=1e-3)

    def test_what_cannot_go_on(self) -> None:
        clf = fitted(warm_start=True)
        with pytest.raises(ValueError, match="y has the label 11, which is not one of those that are known"):
            clf.fit(X[TRAIN], np.where(Y[TRAIN] == 1, 11, Y[TRAIN]))
        with pytest.raises(ValueError, match="X has 32 features"):
            clf.fit(X[TRAIN, :32], Y[TRAIN])
        with pytest.raises(ValueError, match=r"`n_filters` \(=2\) was 1 when the network was made"):
            clf.set_params(n_filters=2).fit(X[TRAIN], Y[TRAIN])

    @pytest.mark.parametrize("params", [{}, {"trainable": True}])
    def test_portions(self, params: Any, tmp_path: Path) -> None:
        clf = small(lr=0.02, **params)
        for start in range(0, 1500, 100):
            portion = slice(start, start + 100)
            clf.partial_fit(X[portion], Y[portion], classes=np.arange(10))
        assert clf.score(X[1500:], Y[1500:]) > 0.7
        assert [row["epoch"] for row in clf.history_] == list(range(1, 16))
        assert {row["lr"] for row in clf.history_} == {clf.lr}
        clf.save(tmp_path)
        assert np.array_equal(quanvolve.load(tmp_path).predict_proba(X), clf.predict_proba(X))

    def test_portions_are_the_epochs_of_one_training(self) -> None:
        # With the rate of the last epoch all along, and the moments of the optimizer going on.
        clf, steady = small(lr=0.01), small(lr=0.01)
        for _ in range(3):
            clf.partial_fit(X[TRAIN], Y[TRAIN], classes=range(10))
        again = pickle.loads(pickle.dumps(steady.partial_fit(X[TRAIN], Y[TRAIN], range(10))))
        for _ in range(2):
            again.partial_fit(X[TRAIN], Y[TRAIN])
        assert np.array_equal(clf.predict_proba(X), again.predict_proba(X))
        fresh = small(lr=0.01).partial_fit(X[TRAIN], Y[TRAIN], range(10))
        fresh._optimizer = {}
        fresh.partial_fit(X[TRAIN], Y[TRAIN]).partial_fit(X[TRAIN], Y[TRAIN])
        assert not np.array_equal(clf.predict_proba(X), fresh.predict_proba(X))

    def test_a_portion_after_fit(self) -> None:
        clf = fitted()
        before = clf.predict_proba(X)
        clf.set_params(lr=1e-9).partial_fit(X[VALID], Y[VALID], sample_weight=np.arange(1, 201))
        np.testing.assert_allclose(clf.predict_proba(X), before, atol=1e-3)
        assert (len(clf.history_), clf.best_epoch_) == (4, 4)

    @pytest.mark.parametrize(
        ("calls", "message"),
        [
            ([{}], "the first call of `partial_fit` needs `classes`"),
            ([{"classes": [3]}], "`classes` (=[3]) must have at least 2 labels"),
            ([{"classes": range(9)}], "y has the label 9, which is not one of those that are known"),
            ([{"classes": {0, 1}}], "y has the label 2, which is not one of those that are known"),
            ([{"classes": range(10)}, {"classes": range(11)}], "must be those of the first call, 0, 1, 2"),
        ],
    )
    def test_portions_that_do_not_fit(self, calls: list[Any], message: str) -> None:
        clf = small()
        for call in calls[:-1]:
            clf.partial_fit(X[TRAIN], Y[TRAIN], **call)
        with pytest.raises(ValueError, match=re.escape(message)):
            clf.partial_fit(X[TRAIN], Y[TRAIN], **calls[-1])

    @pytest.mark.parametrize("model", [small(), QuanvRegressor(max_epochs=1, random_state=0)])
    def test_a_training_that_failed_leaves_nothing_to_use(self, model: Any, tmp_path: Path) -> None:
        def failed(*_: Any) -> torch.Tensor:
            raise ZeroDivisionError

        good = model.loss
        for earlier in (model, clone(model).fit(X[TRAIN], Y[TRAIN])):
            with pytest.raises(ZeroDivisionError):
                earlier.set_params(loss=failed).fit(X[TRAIN], Y[TRAIN])
            for use, given in ((earlier.predict, X), (earlier.prepared, X), (earlier.save, tmp_path)):
                with pytest.raises(NotFittedError):
                    use(given)
            classes = {} if isinstance(model, QuanvRegressor) else {"classes": range(10)}
            with pytest.raises(ZeroDivisionError):
                earlier.partial_fit(X[TRAIN], Y[TRAIN], **classes)
            earlier.set_params(loss=good).partial_fit(X[TRAIN], Y[TRAIN], **classes)
            assert [row["epoch"] for row in earlier.history_] == [1]
            assert np.isfinite(earlier.predict(X)).all()

    def test_balanced_classes_need_all_data(self) -> None:
        clf = small(class_weight="balanced")
        assert not hasattr(clf, "partial_fit")  # as whatever calls it for others looks first
        with pytest.raises(AttributeError) as raised:
            clf.partial_fit(X[TRAIN], Y[TRAIN], range(10))
        assert "`class_weight='balanced'` needs all data at once" in str(raised.value.__cause__)


class TestCheckpoints:
    CHANGES = (
        {"loss": "focal"}, {"loss": each}, {"label_smoothing": 0.1}, {"class_weight": "balanced"}, {"monitor": "f1"},
    )  # fmt: skip

    @pytest.mark.parametrize("params", CHANGES)
    def test_they_are_of_these_settings(self, tmp_path: Path, params: Any) -> None:
        path = tmp_path / "checkpoint.safetensors"
        small(max_epochs=1).fit_watched(X[TRAIN], Y[TRAIN], checkpoint=path)
        with pytest.raises(ModelError, match="belongs to a run with other data or settings"):
            small(max_epochs=1, **params).fit_watched(X[TRAIN], Y[TRAIN], checkpoint=path, resume=True)

    @pytest.mark.parametrize("more", [{"sample_weight": np.arange(1, 301)}, {"validation_data": HELD_OUT}])
    def test_they_are_of_these_data(self, tmp_path: Path, more: Any) -> None:
        path = tmp_path / "checkpoint.safetensors"
        small(max_epochs=1).fit_watched(X[TRAIN], Y[TRAIN], checkpoint=path)
        with pytest.raises(ModelError, match="belongs to a run with other data or settings"):
            small(max_epochs=1).fit_watched(X[TRAIN], Y[TRAIN], checkpoint=path, resume=True, **more)

    @pytest.mark.parametrize("params", [{"loss": nn.CrossEntropyLoss()}, {"monitor": "roc_auc"}, {"trainable": True}])
    def test_resumed_training_ends_with_the_same_weights(self, tmp_path: Path, params: Any) -> None:
        path, weights = tmp_path / "checkpoint.safetensors", np.random.default_rng(0).random(300) + 0.1
        params = {"class_weight": "balanced", **params}

        class Killed(quanvolve.estimators.Monitor):
            def on_batch(self, epoch: int, batch: int, loss: float) -> None:
                if (epoch, batch) == (3, 2):
                    raise InterruptedError

        def train(**more: Any) -> QuanvClassifier:
            clf = small(**params)
            return clf.fit_watched(X[TRAIN], Y[TRAIN], sample_weight=weights, validation_data=HELD_OUT, **more)

        whole = train()
        with pytest.raises(InterruptedError):
            train(checkpoint=path, monitor=Killed())
        resumed = train(checkpoint=path, resume=True)
        assert np.array_equal(whole.predict_proba(X), resumed.predict_proba(X))
        assert resumed.best_epoch_ == whole.best_epoch_
