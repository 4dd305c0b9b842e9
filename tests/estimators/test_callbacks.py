"""skorch's callbacks in a training: what they find, how they end it, and that loggers of others write what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
    MlflowLogger,
    TensorBoard,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

import quanvolve
from quanvolve import QuanvClassifier

X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300]


class Diary(Callback):  # type: ignore[misc]  # skorch has no types
    """Notes what it is told, and stops after an epoch."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last

    def initialize(self) -> Diary:
        self.notes: list[str] = []
        self.rows: list[dict[str, Any]] = []
        return self

    def on_train_begin(self, net: Any, **_: Any) -> None:
        self.notes.append("begin")

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        self.notes.append(f"epoch {net.history[-1, 'epoch']}")
        self.rows.append({key: value for key, value in net.history[-1].items() if key != "batches"})
        if self.last == len(net.history):
            raise KeyboardInterrupt

    def on_train_end(self, net: Any, **_: Any) -> None:
        self.notes.append("end")


def made(*callbacks: Any, **params: Any) -> QuanvClassifier:
    settings = {"n_filters": 1, "max_epochs": 4, "random_state": 0, **params}
    return QuanvClassifier(callbacks=list(callbacks), **settings)


def test_they_find_what_the_history_has() -> None:
    diary = Diary()
    clf = made(diary, monitor="f1", class_weight="balanced").fit(X, Y, sample_weight=np.arange(1, 301))
    assert diary.notes == ["begin", "epoch 1", "epoch 2", "epoch 3", "epoch 4", "end"]
    for row, told in zip(clf.history_, diary.rows, strict=True):
        for name in ("epoch", "train_loss", "valid_loss", "valid_accuracy", "valid_f1"):
            assert told[name] == row[name], name


def test_they_change_nothing_else() -> None:
    assert np.array_equal(made(Diary()).fit(X, Y).predict_proba(X), made().fit(X, Y).predict_proba(X))


def test_they_can_end_the_training() -> None:
    diary = Diary(last=2)
    clf = made(("diary", diary)).fit(X, Y)
    assert diary.notes == ["begin", "epoch 1", "epoch 2", "end"]
    assert len(clf.history_) == 2
    stopping = EarlyStopping(monitor="valid_loss", patience=2, threshold=0.5)
    assert len(made(stopping, max_epochs=20).fit(X, Y).history_) < 20


def test_an_ended_training_has_ended_when_it_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    first = made(Diary(last=2)).fit_watched(X, Y, checkpoint=path)
    again = made(Diary()).fit_watched(X, Y, checkpoint=path, resume=True)
    assert (len(first.history_), len(again.history_)) == (2, 2)
    assert np.array_equal(first.predict_proba(X), again.predict_proba(X))


def test_a_resumed_training_goes_on_counting(tmp_path: Path) -> None:
    path, diary = tmp_path / "checkpoint.safetensors", Diary()

    class Killed(quanvolve.estimators.Monitor):
        def on_batch(self, epoch: int, batch: int, loss: float) -> None:
            if epoch == 3:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        made(Diary()).fit_watched(X, Y, checkpoint=path, monitor=Killed())
    made(diary).fit_watched(X, Y, checkpoint=path, resume=True)
    assert diary.notes == ["begin", "epoch 3", "epoch 4", "end"]


def test_control_c_ends_the_program_and_not_the_training() -> None:
    class Pressed(quanvolve.estimators.Monitor):
        def on_batch(self, epoch: int, batch: int, loss: float) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(Diary()).fit_watched(X, Y, monitor=Pressed())


def test_scores_and_gradients_of_skorch() -> None:
    scoring = EpochScoring("f1_macro", name="skorch_f1", lower_is_better=False)
    diary = Diary()
    clf = made(scoring, GradientNormClipping(0.1), diary, monitor="f1").fit(X, Y, sample_weight=np.arange(1, 301))
    assert 0 < diary.rows[-1]["skorch_f1"] <= 1
    assert not np.array_equal(clf.predict_proba(X), made(monitor="f1").fit(X, Y, np.arange(1, 301)).predict_proba(X))


def test_they_can_set_the_learning_rate() -> None:
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.5)
    clf = made(("schedule", schedule), lr=0.008).fit(X, Y)
    assert [row["lr"] for row in clf.history_] == [0.008, 0.004, 0.002, 0.001]
    assert not np.array_equal(clf.predict_proba(X), made(lr=0.008).fit(X, Y).predict_proba(X))


def test_they_find_which_epoch_was_the_best(tmp_path: Path) -> None:
    diary = Diary()
    kept = Checkpoint(monitor="valid_balanced_accuracy_best", dirname=str(tmp_path))
    clf = made(kept, diary, monitor="balanced_accuracy", lr=0.05, max_epochs=6).fit(X, Y)
    better = [row["epoch"] for row in diary.rows if row["valid_balanced_accuracy_best"]]
    assert (better[0], better[-1]) == (1, clf.best_epoch_)
    assert [row["event_cp"] for row in diary.rows] == [row["epoch"] in better for row in diary.rows]


def test_scores_of_several_labels() -> None:
    labels, diary = np.stack([Y % 2, Y > 4], axis=1), Diary()
    scorings = [EpochScoring(name, name=name, lower_is_better=False) for name in ("f1_macro", "accuracy", "roc_auc")]
    clf = made(*scorings, diary, monitor="f1").fit(X, labels)
    for row, told in zip(clf.history_, diary.rows, strict=True):
        assert told["f1_macro"] == pytest.approx(row["valid_f1"])
        assert told["accuracy"] == pytest.approx(row["valid_accuracy"])
    assert diary.rows[-1]["roc_auc"] > 0.7


def test_portions_call_them() -> None:
    diary = Diary()
    clf = made(diary)
    clf.partial_fit(X, Y, range(10)).partial_fit(X, Y)
    assert diary.notes[-3:] == ["begin", "epoch 2", "end"]


def test_estimators_with_callbacks_are_cloned_and_saved(tmp_path: Path) -> None:
    clf = made(Diary(), max_epochs=2)
    assert len(cross_val_score(clf, X, Y, cv=2)) == 2
    assert isinstance(clone(clf).callbacks[0], Diary)
    clf.fit(X, Y).save(tmp_path)
    assert quanvolve.load(tmp_path).callbacks is None


def test_tensorboard(tmp_path: Path) -> None:
    clf = made(TensorBoard(SummaryWriter(tmp_path)), monitor="roc_auc").fit(X, Y)
    events = EventAccumulator(str(tmp_path)).Reload()
    written = {tag: [event.value for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    for tag, name in (("Loss/train_loss", "train_loss"), ("Loss/valid_loss", "valid_loss")):
        np.testing.assert_allclose(written[tag], [row[name] for row in clf.history_], rtol=1e-6)
    np.testing.assert_allclose(written["Loss/valid_roc_auc"], [row["valid_roc_auc"] for row in clf.history_], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")  # in MLflow
def test_mlflow(tmp_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = mlflow.create_experiment("digits", artifact_location=(tmp_path / "artifacts").as_uri())
    client = mlflow.MlflowClient()
    run = client.create_run(experiment)
    clf = made(MlflowLogger(run, client)).fit(X, Y)
    logged = [metric.value for metric in client.get_metric_history(run.info.run_id, "valid_accuracy")]
    assert logged == [row["valid_accuracy"] for row in clf.history_]
    assert client.get_run(run.info.run_id).info.status == "FINISHED"
    assert {entry.path for entry in client.list_artifacts(run.info.run_id)} >= {"history.json", "params.pth"}
