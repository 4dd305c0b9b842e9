"""Tables on the command line."""

from __future__ import annotations

import json
from pathlib import Path

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
