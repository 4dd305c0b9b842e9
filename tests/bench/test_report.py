"""Rows, the CSV file and the chart."""

from __future__ import annotations

import csv
from pathlib import Path

from quanvolve.bench import bench_figure, make_rows, write_csv
from quanvolve.bench._contenders import CONTENDERS
from quanvolve.bench._report import COLUMNS, Row, cells
from quanvolve.bench._rounds import Outcome
from quanvolve.bench._workloads import WORKLOADS

W1, W3 = WORKLOADS["W1"], WORKLOADS["W3"]


def rows() -> list[Row]:
    outcomes = [
        Outcome(W1, CONTENDERS["quanvolve"], "quanvolve 1", "polynomial", [9e7, 1e8, 1.2e8], 3e-7),
        Outcome(W1, CONTENDERS["conv2d"], "torch 2", "32 images", [4e7]),
        Outcome(W1, CONTENDERS["pennylane-jax"], "jax 0", "vmap", [3e6, 5e6, 4e6], 2e-7),
        Outcome(W1, CONTENDERS["aer"], "qiskit 2", "64 windows", [4e3], 2e-8),
        Outcome(W1, CONTENDERS["deepquantum"], reason="does not install: no, [never] $x$"),
    ]
    return make_rows(outcomes)


def test_rows() -> None:
    found = rows()
    assert [row.outcome.contender.name for row in found] == [
        *("quanvolve", "conv2d", "pennylane-jax", "aer", "deepquantum")
    ]
    assert [row.ratio for row in found] == [25.0, 10.0, 1.0, 0.001, None]
    assert [row.best for row in found] == [False, False, True, False, False]
    assert cells(found[0])[1:] == ("100 M", "15 %", "25.0x", "3e-07", "polynomial")
    assert cells(found[2])[3] == "1.00x (best peer)"
    assert cells(found[4])[1:] == ("-", "-", "-", "-", "does not install: no, [never] $x$")
    alone = make_rows([Outcome(W1, CONTENDERS["quanvolve"], rates=[1.0]), Outcome(W1, CONTENDERS["aer"], reason="no")])
    assert [(row.ratio, row.best) for row in alone] == [(None, False), (None, False)]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "bench.csv"
    write_csv(rows(), path)
    *lines, last = list(csv.reader(path.read_text().splitlines()))
    assert tuple(lines[0]) == COLUMNS
    table = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert table[0]["median"] == "1e+08"
    assert (table[2]["lowest"], table[2]["highest"], table[2]["rounds"]) == ("3e+06", "5e+06", "3")
    assert table[3]["to best peer"] == "0.001"
    assert (table[4]["median"], table[4]["note"]) == ("", "does not install: no, [never] $x$")
    assert last[0].startswith("# ")


def test_chart() -> None:
    found = rows() + make_rows([Outcome(W3, CONTENDERS["aer"], reason="x" * 90)])
    figure = bench_figure(found)
    first, second = figure.axes
    assert first.get_xscale() == "log"
    assert first.get_title(loc="left").startswith("W1 ")
    assert first.get_title(loc="right") == "windows a second"
    assert [label.get_text() for label in first.get_yticklabels()] == [row.outcome.contender.title for row in rows()]
    assert len(first.patches) == 4
    texts = [text.get_text() for text in first.texts]
    assert texts[0] == "100 M  25.0x the best peer"
    assert texts[2] == "4.00 M  best peer"
    assert [text.get_text() for text in second.texts] == ["x" * 59 + "…"]
    figure.canvas.draw()
    right = first.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right + 1 for text in first.texts)
