"""Tables on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas

import quanvolve
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


def test_the_rows_of_a_table_are_predicted(tmp_path: Path) -> None:
    """With the column of labels and without, packed, and as Parquet; what does not fit is named."""
    rows = [(k % 2, k % 9, (3 * k) % 11, 200 * (k % 2) + k) for k in range(24)]
    frame = pandas.DataFrame(rows, columns=["kind", "a", "b", "c"])
    frame.to_csv(tmp_path / "own.csv", index=False)
    run = tmp_path / "run"
    ok("train", tmp_path / "own.csv", "--label", "kind", "--epochs", 1, "--kernel-size", 1, "--output", run)
    without = frame.drop(columns="kind")
    without.to_csv(tmp_path / "rest.csv.zip", index=False)
    without.to_parquet(tmp_path / "rest.parquet")
    clf = quanvolve.load(run)
    expected = clf.predict_proba(without.to_numpy(float).reshape(-1, *clf.image_shape_))
    for name in ("own.csv", "rest.csv.zip", "rest.parquet"):
        found = ok("predict", run, tmp_path / name, "--json").json["predictions"]
        assert found[3]["name"] == f"{tmp_path / name}[3]"
        np.testing.assert_allclose([list(one["probabilities"].values()) for one in found], expected, atol=1e-6)
    run.joinpath("run.json").unlink()
    assert len(ok("predict", run, tmp_path / "rest.csv.zip", "--json").json["predictions"]) == 24
    said = refused("predict", run, tmp_path / "own.csv")
    assert (
        "own.csv' holds 4 values in a row (1x4), but the model takes 3 (1x3): give the columns of its training" in said
    )


def test_pixels_and_series_in_tables_are_predicted(tmp_path: Path) -> None:
    for word, columns in (("pixel", 16), ("t", 6)):
        values = np.random.default_rng(0).integers(0, 256, (24, columns))
        frame = pandas.DataFrame(values, columns=[f"{word}{k}" for k in range(columns)])
        path, run = tmp_path / f"{word}.csv", tmp_path / word
        frame.assign(label=np.arange(24) % 2).to_csv(path, index=False)
        ok("train", path, "--epochs", 1, "--kernel-size", 2, "--output", run)
        clf = quanvolve.load(run)
        expected = clf.predict_proba(values.reshape(-1, *clf.image_shape_).astype(float))
        # The order of columns is that of their numbers.
        frame[frame.columns[::-1]].to_csv(tmp_path / "rest.csv", index=False)
        found = ok("predict", run, tmp_path / "rest.csv", "--json").json["predictions"]
        np.testing.assert_allclose([list(one["probabilities"].values()) for one in found], expected, atol=1e-6)
