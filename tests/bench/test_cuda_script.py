"""The script that checks a GPU, where there is none."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from benchmarks.gpu_check._command import main
from benchmarks.gpu_check._contract import contract
from benchmarks.gpu_check._offers import offers
from benchmarks.gpu_check._table import Table

from tests.compile import kernel_contract

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "cuda.py"


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "cuda.csv").open() as file:
        return list(csv.DictReader(file))


def good(table: Table) -> list[str]:
    assert [row for row in table.rows if row["result"] != "good"] == []
    return [row["what"] for row in table.rows]


def table_in(folder: Path) -> Table:
    return Table("cpu", 0.0, 600, 60, folder)


def test_it_runs_where_a_package_named_cuda_is_imported(tmp_path: Path) -> None:
    options = ("--device", "cpu", "--only", "sanitizer", "--seconds", "0", "--output", str(tmp_path / "out"))
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [row["what"] for row in lines(tmp_path / "out")] == ["machine", "compute-sanitizer"]
    assert "2 of 2 lines are good" in done.stdout
    assert "| compute-sanitizer | memcheck |" in (tmp_path / "out" / "cuda.md").read_text()


def test_scripts_beside_it_are_not_disturbed_by_its_name() -> None:
    asked = "import sys, torch; print(hasattr(sys.modules.get('cuda'), 'HERE'))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=SCRIPT.parent, check=True)
    assert done.stdout == "False\n"


def test_without_a_gpu_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "no GPU that torch can use here; --device cpu tries the script without one\n"


def test_a_section_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path), "--only", "speed,spede"])
    assert "there is no section spede, only contract, speed, trees" in capsys.readouterr().err


def test_what_there_is_no_time_for_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    assert main(["--output", str(tmp_path), "--device", "cpu", "--only", "trees,training", "--minutes", "0"]) == 1
    assert [(row["what"], row["case"], row["result"]) for row in lines(tmp_path)[1:]] == [
        ("trees", "from speed, trees, 8 trees, 100 images, forward on", "left out: no time"),
        ("training", "from training, digits, trained filters on", "left out: no time"),
    ]


def test_a_case_that_fails_is_a_line_that_says_where_and_how(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    table.attempt("speed", "W9", lambda: {}["W9"])
    (row,) = lines(tmp_path)
    assert row["result"].startswith("failed: KeyError at test_cuda_script.py:")


def test_the_contract_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_contract, "EVERY", [("leaves", "cpu", "some pixels"), ("cartan", "cpu", "encoded")])
    table = table_in(tmp_path)
    contract(table)
    assert good(table) == ["contract of kernels"] * (2 * len(kernel_contract.CHECKS) + 3)
    assert f"| contract of kernels | {len(table.rows)} cases |" in (tmp_path / "cuda.md").read_text()


def test_what_torch_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda module: module)  # it is tested elsewhere, and takes long
    table = table_in(tmp_path)
    offers(table)
    assert {"used on the CPU, then moved", "vmap", "shots", "default device"} <= {*good(table)}
