"""Numbers in place of classes, from the command line: trained, continued, tested again and predicted."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

import quanvolve
from quanvolve import QuanvRegressor, load_dataset
from quanvolve.study import Table
from quanvolve.study._trial import data_of
from tests.cli.conftest import Result, ok, refused

random = np.random.default_rng(0)
X = random.random((120, 6, 6))
Y = np.stack([X[:, :3].mean(axis=(1, 2)), X[:, 3:].mean(axis=(1, 2)) * 50], axis=1)
FILES = {
    "run.json", "config.json", "model.safetensors", "history.jsonl", "metrics.json", "history.png", "residuals.png",
    "feature_maps.png", "filters.png",
}  # fmt: skip
QUICK = ("--epochs", "4", "--lr", "0.03", "--stride", "1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    folder = tmp_path_factory.mktemp("regression")
    np.savez(folder / "means.npz", X=X, y=Y)
    result = ok("train", folder / "means.npz", *QUICK, "--output", folder / "run")
    return folder / "run", folder / "means.npz", result


def test_the_run_says_what_it_is_and_how_good(trained: tuple[Path, Path, Result]) -> None:
    folder, file, result = trained
    assert {path.name for path in folder.iterdir()} == FILES
    assert json.loads((folder / "run.json").read_text())["options"]["task"] == "regression"
    metrics = json.loads((folder / "metrics.json").read_text())
    data, model = load_dataset(file, task="auto"), quanvolve.load(folder)
    assert isinstance(model, QuanvRegressor)
    predicted = model.predict(data.test_images)
    assert metrics["test_r2"] == pytest.approx(r2_score(data.test_labels, predicted))
    assert metrics["test_mae"] == pytest.approx(mean_absolute_error(data.test_labels, predicted))
    assert metrics["test_rmse"] == pytest.approx(root_mean_squared_error(data.test_labels, predicted))
    assert [one["r2"] for one in metrics["each_target"]] == pytest.approx(
        [r2_score(data.test_labels[:, k], predicted[:, k]) for k in (0, 1)]
    )
    assert (metrics["targets"], metrics["n_train"], metrics["n_valid"], metrics["n_test"]) == (2, 86, 10, 24)
    lines = result.out.splitlines()
    assert lines[-1] == (
        f"test R2 {metrics['test_r2']:.4f}, MAE {metrics['test_mae']:.4g}, RMSE {metrics['test_rmse']:.4g}"
    )
    assert any(line.startswith("task      regression, 2 targets from ") for line in lines)
    assert sum("validation R2" in line for line in lines) == 5  # of four epochs, and in the summary


def test_evaluate_says_the_same(trained: tuple[Path, Path, Result]) -> None:
    folder, _, result = trained
    assert ok("evaluate", folder).out.strip() == result.out.splitlines()[-1]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert ok("evaluate", folder, "--json").json["test_rmse"] == metrics["test_rmse"]


def test_predict_gives_numbers(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    folder, _, _ = trained
    np.save(tmp_path / "new.npy", X[:3])
    expected = quanvolve.load(folder).predict(X[:3])
    answer = ok("predict", folder, tmp_path / "new.npy", "--json").json
    assert [one["prediction"] for one in answer["predictions"]] == expected.tolist()
    lines = ok("predict", folder, tmp_path / "new.npy").out.splitlines()
    assert lines[0].split() == ["image", "target_1", "target_2"]
    assert float(lines[1].split()[-1]) == pytest.approx(expected[0, 1], rel=1e-5)


def test_a_run_without_its_results_makes_them_again(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    folder = shutil.copytree(trained[0], tmp_path / "run")
    before = json.loads((folder / "metrics.json").read_text())
    for name in ("metrics.json", "residuals.png"):
        (folder / name).unlink()
    ok("train", "--output", folder, "--resume", "--quiet")
    assert {path.name for path in folder.iterdir()} == FILES
    after = json.loads((folder / "metrics.json").read_text())
    assert after["test_r2"] == before["test_r2"]
    (folder / "metrics.json").write_text(json.dumps({**after, "test_r2": "good"}))
    (folder / "residuals.png").unlink()
    assert "is damaged" in refused("train", "--output", folder, "--resume")


def test_whole_numbers_are_classes_unless_it_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "ages.npz", X=X, y=np.arange(120) % 3 + 20)
    ok("train", tmp_path / "ages.npz", "--task", "regression", "--epochs", "1", "--quiet", "--output", tmp_path / "a")
    assert isinstance(quanvolve.load(tmp_path / "a"), QuanvRegressor)
    ok("train", tmp_path / "ages.npz", "--epochs", "1", "--quiet", "--output", tmp_path / "b")
    assert quanvolve.load(tmp_path / "b").classes_.tolist() == [20, 21, 22]
    assert "has 2 target(s), but the model" in _mismatch(tmp_path)


def _mismatch(folder: Path) -> str:
    np.savez(folder / "two.npz", X=X, y=Y)
    return refused("evaluate", folder / "a", folder / "two.npz")


def test_explain_has_the_numbers_and_the_residuals(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    folder, _, _ = trained
    metrics = json.loads((folder / "metrics.json").read_text())
    assert ok("explain", folder, "--output", tmp_path / "page.html").out.endswith("page.html\n")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "A regressor with one quantum layer" in page
    for title in ("Feature maps", "Training", "Residuals"):
        assert f"<h2>{title}</h2>" in page
    for name in ("r2", "mae", "rmse"):
        assert f"<dt>test {name.upper()}</dt><dd>{metrics[f'test_{name}']:.4g}</dd>" in page
    assert f"<dt>R2 of target 2</dt><dd>{metrics['each_target'][1]['r2']:.4g}</dd>" in page
    assert "Confusion" not in page
    assert "accuracy" not in page
    assert "holds a QuanvRegressor, expected a classifier" in refused("estimate", folder)


def test_compare_says_which_is_better_by_r2(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    _, file, _ = trained
    study = tmp_path / "study"
    quick = ("--epochs", "2", "--lr", "1e-2", "--filters", "1", "--controls", "conv,pixels", "--output", study)
    result = ok("compare", file, *quick)
    assert "24 test images are too few to show anything: compared over 20 splits of all images" in result.out
    found = ok("study", "show", study, "--json").json
    assert (found["metric"], found["unit"], found["finished"]) == ("r2", "split", True)
    assert [one["name"] for one in found["contenders"]] == ["model", "conv", "pixels"]
    assert all(one["also"]["test_rmse"] > one["also"]["test_mae"] > 0 for one in found["contenders"])
    shown = ok("study", "show", study).out
    assert "RMSE" in shown
    assert "accuracy" not in shown
    rows = list(csv.DictReader(ok("study", "export", study).out.splitlines()))
    assert len(rows) == 60
    assert all(float(row["test_rmse"]) > 0 and float(row["test_r2"]) <= 1 for row in rows)
    ok("study", "plot", study, "--output", tmp_path / "pictures")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} >= {"r2.png", "learning.png", "report.html"}
    page = (study / "report.html").read_text(encoding="utf-8")
    for words in ("<h2>R2</h2>", "Validation R2 by epoch", "by the variance of the targets", "the mean predictor",
                  "the same spread of targets", '<th scope="col">RMSE</th>'):  # fmt: skip
        assert words in page, words
    assert "accuracy" not in page
    more = ok("compare", "--output", study, "--resume", "--splits", "21", "--json").json
    assert more["contenders"][0]["n"] == 21


def test_data_that_have_become_another_task_are_refused(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=X, y=Y)
    quick = ("--seeds", "1", "--epochs", "1", "--lr", "1e-2", "--controls", "pixels", "--output", tmp_path / "study")
    ok("compare", tmp_path / "mine.npz", *quick)
    np.savez(tmp_path / "mine.npz", X=X, y=(Y > 10).astype(int))
    data_of.cache_clear()  # as in another process
    ok("compare", "--output", tmp_path / "study", "--resume", "--seeds", "2")
    failed = [row["error"] for row in Table(tmp_path / "study").rows() if row["status"] == "failed"]
    assert len(failed) == 2
    assert "are for multilabel, but those that the study was begun with were for regression" in failed[0]


def test_search_finds_the_best_r2(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    _, file, _ = trained
    given = ("search", file, "--output", tmp_path / "s", "--space", "filters=1,2", "--sampler", "grid", "--epochs", "2")
    text = ok(*given, "--trials", "2", "--folds", "2").out
    assert "(the best of many, so too good)" in text
    assert "validation R2 " in text
    found = json.loads((tmp_path / "s" / "search.json").read_text())
    model = quanvolve.load(tmp_path / "s" / "model")
    assert isinstance(model, QuanvRegressor)
    data = load_dataset(file, task="auto")
    assert found["test_r2"] == pytest.approx(model.score(data.test_images, data.test_labels))
    assert len(found["nested"]) == 2
    said = refused(*given[:3], tmp_path / "t", "--space", "class_weight=balanced")
    assert "which is no argument of a regressor" in said
