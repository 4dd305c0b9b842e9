"""Several labels a sample, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, hamming_loss

import quanvolve
from quanvolve import load_dataset
from quanvolve._errors import QuanvolveError
from quanvolve.study import compare
from tests.cli.conftest import ok, refused

X = np.random.default_rng(0).random((120, 6, 6))
Y = np.stack([X[:, 0, 0] > 0.5, X[:, 5, 5] > 0.5], axis=1).astype(int)


def test_from_training_to_prediction(tmp_path: Path) -> None:
    np.savez(tmp_path / "halves.npz", X=X, y=Y)
    run = tmp_path / "run"
    result = ok("train", tmp_path / "halves.npz", "--epochs", "15", "--lr", "0.05", "--output", run)
    metrics = json.loads((run / "metrics.json").read_text())
    model, data = quanvolve.load(run), load_dataset(tmp_path / "halves.npz", task="auto")
    probabilities = model.predict_proba(data.test_images)
    answers = model.predict(data.test_images)
    assert metrics["task"] == "multilabel"
    assert metrics["test_f1_micro"] == f1_score(data.test_labels, answers, average="micro")
    assert metrics["test_f1_macro"] == f1_score(data.test_labels, answers, average="macro")
    assert metrics["test_average_precision"] == average_precision_score(data.test_labels, probabilities)
    assert metrics["test_hamming_loss"] == hamming_loss(data.test_labels, answers)
    assert metrics["test_subset_accuracy"] == model.score(data.test_images, data.test_labels)
    assert metrics["test_f1_macro"] > 0.7
    assert not (run / "confusion.png").exists()
    last = result.out.splitlines()[-1]
    assert last.startswith(f"test F1 {metrics['test_f1_micro']:.4f} (micro), {metrics['test_f1_macro']:.4f} (macro)")
    assert ok("evaluate", run).out.strip() == last
    np.save(tmp_path / "new.npy", X[:2])
    said = ok("predict", run, tmp_path / "new.npy", "--json").json["predictions"]
    for one, row in zip(said, model.predict(X[:2]), strict=True):
        assert one["labels"] == [str(k) for k in np.flatnonzero(row)]
    assert ok("predict", run, tmp_path / "new.npy").out.startswith("image")
    ok("explain", run)
    page = (run / "explanation.html").read_text(encoding="utf-8")
    assert "<h2>Labels</h2>" in page
    assert f"<dt>macro F1</dt><dd>{metrics['test_f1_macro']:.4f}</dd>" in page
    assert "one label a sample" in refused(
        "train", tmp_path / "halves.npz", "--class-weight", "balanced", "--output", tmp_path / "other"
    )


def test_compare_and_search_go_by_mean_average_precision(tmp_path: Path) -> None:
    np.savez(tmp_path / "halves.npz", X=X, y=Y)
    quick = ("--epochs", "2", "--lr", "3e-2", "--seeds", "6", "--filters", "1", "--controls", "pixels")
    out = ok("compare", tmp_path / "halves.npz", *quick, "--output", tmp_path / "study").out
    found = ok("study", "show", tmp_path / "study", "--json").json
    assert (found["metric"], found["comparisons"][0]["metric"]) == ("average_precision", "average_precision")
    assert "accuracy" not in out
    assert all(0 <= one["also"]["test_f1"] <= 1 for one in found["contenders"])
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "<h2>Mean average precision</h2>" in page
    assert "What a ranking at random reaches is drawn" in page
    given = ("--space", "filters=1,2", "--sampler", "grid", "--epochs", "2", "--trials", "2")
    text = ok("search", tmp_path / "halves.npz", *given, "--output", tmp_path / "search").out
    assert "test mean average precision " in text
    model, data = quanvolve.load(tmp_path / "search" / "model"), load_dataset(tmp_path / "halves.npz", task="auto")
    best = average_precision_score(data.test_labels, model.predict_proba(data.test_images))
    assert json.loads((tmp_path / "search" / "search.json").read_text())["test_average_precision"] == best


def test_another_monitor_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    np.savez(tmp_path / "halves.npz", X=X, y=Y)
    with pytest.raises(QuanvolveError, match=r"`monitor` \(='f1'\) must be 'average_precision' where samples have sev"):
        compare(str(tmp_path / "halves.npz"), tmp_path / "study", params={"monitor": "f1"})
    assert not (tmp_path / "study").exists()
