"""Tables on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from quanvolve import load
from quanvolve.data import load_dataset
from tests.cli.conftest import ok, refused


def test_training_on_a_table(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("kind,a,b,c,d\n" + "".join(f"{k % 2},{k},{k % 3},{k % 5},{200 * (k % 2)}\n" for k in range(20)))
    how = ("--label", "kind", "--columns", "pixels")
    found = ok("train", path, *how, "--epochs", 1, "--kernel-size", 1, "--output", tmp_path / "run", "--json").json
    assert found["options"]["columns"] == "pixels"
    stored = json.loads((tmp_path / "run" / "run.json").read_text())["options"]
    assert (stored["label"], stored["columns"], stored["channels"]) == ("kind", "pixels", "auto")
    assert load_dataset(path, label="kind", columns="pixels").train_images.shape == (16, 2, 2)
    ok("evaluate", tmp_path / "run")
    said = refused("train", path, "--label", "kinds", "--output", tmp_path / "other")
    assert "has no column 'kinds': did you mean 'kind'?" in said


def test_rows_of_a_table_are_predicted(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = [f"{k % 7},{k % 3},{k % 5},{k % 2}" for k in range(40)]
    path.write_text("\n".join(["a,b,c,label", *rows]))
    ok("train", path, "--epochs", 2, "--quiet", "--output", tmp_path / "run")
    new = tmp_path / "new.csv"
    new.write_text("a,b,c,label\n6,2,4,0\n0,0,1,1\n")
    expected = load(tmp_path / "run").predict_proba(np.array([[6.0, 2, 4], [0, 0, 1]]))
    found = ok("predict", tmp_path / "run", new, "--json").json["predictions"]
    assert [one["name"] for one in found] == [f"{new}[0]", f"{new}[1]"]
    np.testing.assert_allclose([list(one["probabilities"].values()) for one in found], expected)
    new.write_text("a,b\n6,2\n")
    assert "has 2 column(s) of numbers, but the model takes 3" in refused("predict", tmp_path / "run", new)
