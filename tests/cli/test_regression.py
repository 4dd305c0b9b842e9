"""Numbers in place of classes, from the command line: trained, continued, tested again and predicted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

import quanvolve
from quanvolve import QuanvRegressor, load_dataset
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


def test_what_is_for_classifiers_only_says_so(trained: tuple[Path, Path, Result], tmp_path: Path) -> None:
    folder, file, _ = trained
    assert "holds a QuanvRegressor, expected a classifier" in refused("explain", folder)
    for command in ("compare", "search"):
        said = refused(command, file, "--output", tmp_path / command, "--epochs", "1")
        assert "are for regression, but studies and searches are of classifiers" in said.splitlines()[-1]
    assert not (tmp_path / "compare").exists()
