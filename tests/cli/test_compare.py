"""`quanvolve compare`, `study` and `search`: verdicts, tables, pages, and what goes wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from quanvolve import load
from tests.waiting import PATIENCE, hears_ctrl_c

from .conftest import ENVIRONMENT, PYTHON, Result, cli, ok, refused

QUICK = ("--seeds", 3, "--train-size", 200, "--test-size", 100, "--epochs", 3, "--lr", "1e-2", "--filters", 1)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("compared") / "study"
    return folder, ok("compare", "digits", "--output", folder, "--controls", "conv,pixels", *QUICK)


def test_a_preset_of_trees_has_controls_of_its_own(tmp_path: Path) -> None:
    quick = ("--seeds", 1, "--train-size", 100, "--test-size", 40, "--epochs", 1, "--lr", "1e-2")
    result = ok("compare", "digits", "--output", tmp_path / "s", "--preset", "tree", "--batch-size", 50, *quick)
    names = [one["name"] for one in ok("study", "show", tmp_path / "s", "--json").json["contenders"]]
    assert sorted(names) == sorted(["model", "bilinear", "bilinear-wide", "unentangled", "cnn", "quanvolution"])
    assert "6 of 6 trials done" in result.out
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "quanvolve compare digits --seeds 1 --preset tree --epochs 1" in page
    said = refused("compare", "digits", "--output", tmp_path / "t", "--preset", "tree", "--controls", "conv")
    assert "has 'conv', which is none of bilinear, bilinear-wide, unentangled, cnn, quanvolution" in said
    said = refused("compare", "digits", "--output", tmp_path / "t", "--preset", "tree", "--filters", 2)
    assert said.startswith("--filters has no meaning with --preset (='tree'), which fixes the network")
    said = refused("compare", "digits", "--output", tmp_path / "t", "--preset", "hybrid")
    assert "or is a preset of trees ('tree', 'tree-headless')" in said
    said = refused("compare", "digits", "--output", tmp_path / "t", "--controls", "bilinear")
    assert "has 'bilinear', which is none of conv, conv-fixed" in said


def test_a_file_is_no_folder_for_results(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in ("compare", "search"):
        said = refused(command, "digits", "--output", tmp_path / "file")
        assert f"--output {tmp_path / 'file'} is a file, expected a folder" in said


def test_the_verdict_comes_with_a_report(compared: tuple[Path, Result]) -> None:
    folder, result = compared
    lines = result.out.splitlines()
    assert lines[-1] == f"wrote {folder / 'report.html'} and {folder / 'report.md'}"
    said = "3 seeds cannot show any difference among 2 controls, however large: at least 7 can"
    assert lines[0] == f"{said} (--seeds 7)"
    assert lines[-2] == f"{said}."
    assert "9 of 9 trials done" in lines
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index("<h2>Verdict</h2>") < page.index("<h2>Accuracy</h2>")
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "quanvolve compare digits --seeds 3" in page
    table = (folder / "report.md").read_text(encoding="utf-8")
    assert table.count("\n| ") == 4  # a header, the model, two controls


def test_a_study_is_shown_exported_and_drawn(compared: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = compared
    text = ok("study", "show", folder).out
    assert text.startswith("9 done\n")
    assert "pixels" in text
    found = ok("study", "show", folder, "--json").json
    assert found["trials"]["done"] == 9
    assert [one["name"] for one in found["contenders"]] == ["model", "conv", "pixels"]
    assert found["finished"] is True
    rows = list(csv.DictReader(io.StringIO(ok("study", "export", folder).out)))
    assert len(rows) == 9
    assert {row["status"] for row in rows} == {"done"}
    ok("study", "export", folder, "--output", tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text())[0]["config"]["n_filters"] == 1
    ok("study", "plot", folder, "--output", tmp_path / "pictures")
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"accuracy.png", "differences.png", "learning.png", "report.html", "report.md"}
    assert "must end with .csv or .json" in refused("study", "export", folder, "--output", tmp_path / "rows.txt")


def test_a_finished_study_is_not_done_again(compared: tuple[Path, Result]) -> None:
    folder, _ = compared
    before = ok("study", "export", folder).out
    ok("compare", "--output", folder, "--resume")
    assert ok("study", "export", folder).out == before
    assert "already holds a study: continue it with --resume" in refused("compare", "--output", folder)


def test_a_study_is_extended(compared: tuple[Path, Result], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(compared[0], folder)
    before = list(csv.DictReader(io.StringIO(ok("study", "export", folder).out)))
    text = ok("compare", "--output", folder, "--resume", "--seeds", 4, "--controls", "conv,pixels,subsampled").out
    assert "16 of 16 trials done" in text
    assert "4 seeds cannot show any difference among 3 controls, however large: at least 7 can (--seeds 7)" in text
    after = list(csv.DictReader(io.StringIO(ok("study", "export", folder).out)))
    assert [row for row in after if row["id"] in {one["id"] for one in before}] == before
    assert len(after) == 16
    # What is typed again as it was is no change; what differs is refused, with both values.
    ok("compare", "digits", "--output", folder, "--resume", "--seeds", 4, "--filters", 1, "--train-size", 200)
    for given, message in (
        (("--seeds", 2), "`seeds` (=0, 1) lacks 2, 3 of the study in"),
        (("--filters", 2), "has --filters 1, and 2 is given: only seeds, controls and learning rates can be added"),
        (("--train-size", 100), "has `train_size` 200, and 100 is given"),
        (("--lr", "1e-3"), "`lrs` (=0.001) lacks 0.01 of the study in"),
        (("--controls", "conv"), "`controls` (=conv) lacks pixels, subsampled of the study in"),
    ):
        assert message in refused("compare", "--output", folder, "--resume", *given)
    assert "has `dataset` 'digits', and 'mnist' is given" in refused("compare", "mnist", "--output", folder, "--resume")
    assert len(list(csv.DictReader(io.StringIO(ok("study", "export", folder).out)))) == 16


def test_ctrl_c_and_resume(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    arguments = ["compare", "digits", "--output", folder, "--controls", "pixels", "--trainable", "--seeds", 8,
                 "--epochs", 10, "--lr", "1e-2", "--filters", 1]  # fmt: skip
    process = subprocess.Popen(
        [*PYTHON, *map(str, arguments)], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=hears_ctrl_c,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("2 of 16"):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.strip() == (f"quanvolve: interrupted; continue with: quanvolve compare --output {folder} --resume")
    found = ok("compare", "--output", folder, "--resume", "--workers", 2, "--json").json
    assert found["finished"]
    assert found["comparisons"][0]["n"] == 8


def test_a_search_ends_with_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    given: list[Any] = ["search", "digits", "--output", folder, "--space", "encoding=ry,rx", "--space", "filters=1,2",
                        "--sampler", "grid", "--epochs", 2, "--train-size", 150]  # fmt: skip
    text = ok(*given, "--trials", 2).out
    assert "2 of 2 trials done, best validation accuracy" in text
    assert "(the best of many, so too good)" in text
    found = ok(*given, "--trials", 10, "--json").json
    assert found["trials"] == 4
    assert found["params"]["n_filters"] in (1, 2)
    model = load(folder / "model")
    assert model.encoding == found["params"]["encoding"]
    assert json.loads((folder / "search.json").read_text()) == found
    assert sorted(path.name for path in folder.iterdir() if "sqlite-" not in path.name) == [
        "model", "search.json", "search.sqlite",
    ]  # fmt: skip


def test_wrong_arguments(tmp_path: Path) -> None:
    out, new = ("--output", tmp_path / "x"), ("--output", tmp_path / "new")
    assert "`controls` has 'convv', which is none of conv, " in refused("compare", *out, "--controls", "convv")
    assert refused("compare", *out, "--lr", "fast") == "--lr fast is not a list of numbers, such as 1e-2,3e-3"
    assert "nodata" in refused("compare", "nodata", *out)
    assert "does not answer" in refused("compare", *out, "--scheduler", "tcp://127.0.0.1:1", "--seeds", 1)
    assert "it has no study.sqlite" in refused("study", "show", tmp_path)
    assert "it does not exist" in refused("compare", "--output", tmp_path / "no", "--resume")
    assert "--space encoding is not of the form NAME=..." in refused("search", *new, "--space", "encoding")
    assert "must be one of 'tpe', 'gp', 'random', 'grid'" in refused("search", *new, "--sampler", "best")
    (tmp_path / "file").write_text("")
    assert cli("search", "--output", tmp_path / "file").code == 2
    assert cli("study").code in (0, 2)
    assert os.listdir(tmp_path)
