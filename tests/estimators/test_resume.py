"""Interrupted training goes on to the same weights; damaged or foreign checkpoints are refused."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from quanvolve import QuanvClassifier
from quanvolve._errors import ModelError
from quanvolve.estimators import Monitor

X, Y = load_digits(return_X_y=True)
X, Y = X[:400], Y[:400]


class _Killed(Exception):
    pass


class _KillDuring(Monitor):
    """Stands in for a kill -9: an exception in the middle of an epoch, which nothing handles."""

    def __init__(self, epoch, batch):
        self.moment = (epoch, batch)

    def on_batch(self, epoch, batch, loss):
        if (epoch, batch) == self.moment:
            raise _Killed


def _make(**changes):
    return QuanvClassifier(
        **{"trainable": True, "n_filters": 1, "head": "cnn", "max_epochs": 4, "random_state": 0, **changes}
    )


@pytest.mark.parametrize("params", [{}, {"trainable": False, "head": "linear"}, {"patience": 1}])
@pytest.mark.parametrize("moment", [(1, 3), (2, 1), (3, 5)])
def test_resumed_training_ends_with_the_same_weights(tmp_path, params, moment):
    whole = _make(**params).fit(X, Y)
    if len(whole.history_) < moment[0]:
        moment = (len(whole.history_), 1)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(_Killed):
        _make(**params).fit_watched(X, Y, monitor=_KillDuring(*moment), checkpoint=path)
    assert path.exists() == (moment[0] > 1)
    torch.manual_seed(99)  # whatever the new process's generator holds must not matter
    resumed = _make(**params).fit_watched(X, Y, checkpoint=path, resume=True)
    for (name, a), b in zip(whole.module_.state_dict().items(), resumed.module_.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    timeless = [[{k: v for k, v in row.items() if k != "seconds"} for row in c.history_] for c in (whole, resumed)]
    assert timeless[0] == timeless[1]


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    first = _make(max_epochs=2).fit_watched(X, Y, checkpoint=path)
    again = _make(max_epochs=2).fit_watched(X, Y, checkpoint=path, resume=True)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert first.history_ == again.history_


@pytest.mark.parametrize("params", [{"lr": 0.01}, {"random_state": 1}, {"n_filters": 2}, {"max_epochs": 5}])
def test_a_checkpoint_of_another_run_is_refused(tmp_path, params):
    path = tmp_path / "checkpoint.safetensors"
    _make(max_epochs=1).fit_watched(X, Y, checkpoint=path)
    with pytest.raises(ModelError, match="belongs to a run with other data or settings"):
        _make(**{"max_epochs": 1, **params}).fit_watched(X, Y, checkpoint=path, resume=True)


def test_a_checkpoint_for_other_data_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    _make(max_epochs=1).fit_watched(X, Y, checkpoint=path)
    with pytest.raises(ModelError, match="other data or settings"):
        _make(max_epochs=1).fit_watched(X[:-1], Y[:-1], checkpoint=path, resume=True)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"\xff" * 200])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint.safetensors is damaged \("):
        _make().fit_watched(X, Y, checkpoint=path, resume=True)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    _make(max_epochs=1).fit_watched(X, Y, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="is damaged"):
        _make(max_epochs=1).fit_watched(X, Y, checkpoint=path, resume=True)


def test_no_partial_files_stay_behind(tmp_path):
    _make(max_epochs=2).fit_watched(X, Y, checkpoint=tmp_path / "checkpoint.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.safetensors"]
