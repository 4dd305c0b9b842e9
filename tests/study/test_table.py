"""The table of trials: nothing twice, nothing lost, whoever works on it and however they end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.study import Plan, Protocol, Table, compare, contenders_for, results_of, work
from quanvolve.study import _work as work_module
from quanvolve.study._table import STALE, Trial, this_worker
from tests.waiting import until

QUICK = Protocol(seeds=(0, 1, 2), lrs=(1e-2,), epochs=3, train_size=200, test_size=60)


def plan(controls: list[str] | None = None, protocol: Protocol = QUICK, **params: Any) -> Plan:
    chosen = ["pixels", "subsampled"] if controls is None else controls
    return Plan("digits", None, tuple(contenders_for({"n_filters": 1, **params}, chosen)), protocol)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table.create(tmp_path / "study", plan())


def test_every_trial_is_claimed_once(table: Table) -> None:
    seen = []
    while (trial := table.claim(this_worker())) is not None:
        seen.append((trial.contender, trial.seed))
    assert sorted(seen) == sorted(table.plan.trials())
    assert table.counts() == {"pending": 0, "running": 9, "done": 0, "failed": 0}


def test_trials_of_dead_processes_are_taken_up(table: Table) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    host = this_worker().rsplit(":", 2)[0]
    started = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    worker = f"{host}:{child.pid}:{started}"
    first = table.claim(worker)
    assert first is not None
    assert table.claim(this_worker()).id != first.id  # type: ignore[union-attr]
    child.kill()
    child.wait()
    assert table.claim(this_worker()) == first
    assert not table.finish(first, worker, {"test_accuracy": 1.0})  # it is no longer theirs
    result = {
        "test_accuracy": 0.5, "n_test": 60, "n_train": 300, "majority": 0.1, "valid_accuracy": 0.4, "lr": 0.01,
        "seconds": 1.0, "parameters": {"total": 5, "trained": 3, "quantum": 2}, "learning_curve": [0.3, 0.4],
    }  # fmt: skip
    assert table.finish(first, this_worker(), result)
    assert not table.finish(first, this_worker(), {**result, "test_accuracy": 0.6})
    assert table.rows()[first.id - 1]["result"] == result
    assert table.rows()[first.id - 1]["attempts"] == 2


def test_silent_workers_elsewhere_lose_their_trials(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("quanvolve.study._table.time.time", lambda: now)
    first = table.claim("elsewhere:12:34")
    assert first is not None
    assert table.claim(this_worker()) != first
    now += STALE + 1
    assert table.claim("another:1:1") == first
    table.alive(first, "another:1:1")
    assert table.claim("third:1:1") != first


def test_kill_9_loses_no_finished_trial(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    protocol = Protocol(seeds=tuple(range(6)), lrs=(1e-2,), epochs=12, train_size=300, test_size=60)
    table = Table.create(folder, plan(["pixels"], protocol, trainable=True))
    command = [sys.executable, "-m", "quanvolve.study._process", str(folder)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    until(lambda: table.counts()["done"] >= 2, "two trials are done", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {row["id"]: row for row in table.rows() if row["status"] == "done"}
    assert 2 <= len(before) < 12
    found = compare("", folder, resume=True)
    after = {row["id"]: row for row in table.rows()}
    assert all(row["status"] == "done" for row in after.values())
    assert all(after[number] == row for number, row in before.items())
    assert found.comparisons[0].n == 6


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    told: list[dict[str, int]] = []
    found = compare(
        "digits", tmp_path / "s", params={"n_filters": 1}, controls=["pixels"], protocol=QUICK, workers=2,
        progress=lambda counts, what: told.append(counts),
    )  # fmt: skip
    rows = found.rows
    assert all(row["status"] == "done" and row["attempts"] == 1 for row in rows)
    assert len({row["worker"] for row in rows}) <= 2
    assert told[-1] == {"pending": 0, "running": 0, "done": 6, "failed": 0}


def test_the_same_study_gives_the_same_numbers(tmp_path: Path) -> None:
    found = [
        compare(
            "digits", tmp_path / str(k), params={"n_filters": 1, "trainable": True}, controls=["conv"], protocol=QUICK
        )
        for k in range(2)
    ]
    assert found[0].standings[0].mean == found[1].standings[0].mean
    assert [c.difference for c in found[0].comparisons] == [c.difference for c in found[1].comparisons]


def test_a_failing_trial_is_written_down_and_the_rest_goes_on(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    real = work_module.run_trial

    def failing(plan: Any, contender: Any, seed: int, earlier: Any) -> Any:
        if (contender.name, seed) == ("pixels", 1):
            raise ZeroDivisionError("by hand")
        return real(plan, contender, seed, earlier)

    monkeypatch.setattr(work_module, "run_trial", failing)
    work(table)
    assert table.counts() == {"pending": 0, "running": 0, "done": 8, "failed": 1}
    (row,) = [row for row in table.rows() if row["status"] == "failed"]
    assert row["error"].startswith("ZeroDivisionError: by hand (test_table.py:")
    assert row["versions"]["torch"]
    assert [one.n for one in results_of(table).comparisons] == [2, 3]
    monkeypatch.setattr(work_module, "run_trial", real)
    assert table.retry_failed() == 1
    work(table)
    assert table.counts()["done"] == 9


def test_an_interruption_gives_the_trial_back(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(work_module, "run_trial", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work(table)
    assert table.counts()["pending"] == 9


def test_results_say_what_was_done(tmp_path: Path) -> None:
    found = compare("digits", tmp_path / "s", params={"n_filters": 1}, controls=["pixels"], protocol=QUICK)
    row = found.rows[0]
    result = row["result"]
    assert row["config"]["n_filters"] == 1
    assert set(row["versions"]) == {"quanvolve", "torch", "numpy", "scikit-learn", "skorch"}
    assert (result["n_train"], result["n_test"], result["tried"][0][0]) == (200, 60, 0.01)
    assert result["parameters"] == {"total": 24 + 650, "trained": 650, "quantum": 24}
    assert found.finished


def test_wrong_folders_and_plans(tmp_path: Path, table: Table) -> None:
    with pytest.raises(ModelError, match="is not the folder of a study: it does not exist"):
        Table(tmp_path / "no")
    with pytest.raises(ModelError, match=r"is not the folder of a study: it has no study\.sqlite"):
        Table(tmp_path)
    with pytest.raises(QuanvolveError, match="already holds a study: continue it with `resume=True`"):
        Table.create(table.folder, table.plan)
    with pytest.raises(QuanvolveError, match="has no result of the model yet: continue it with `resume=True`"):
        results_of(table)
    with sqlite3.connect(table.path) as connection:
        connection.execute("UPDATE study SET value = '{}'")
    with pytest.raises(ModelError, match="the plan of the study is damaged"):
        Table(table.folder)
    table.path.write_bytes(b"no database" * 1000)
    with pytest.raises(ModelError, match=r"study\.sqlite cannot be used: file is not a database"):
        Table(table.folder)


def test_protocols_and_contenders_that_make_no_sense() -> None:
    for arguments, message in (
        ({"seeds": ()}, r"`seeds` \(=\(\)\) must be different numbers"),
        ({"seeds": (1, 1)}, r"`seeds` \(=\(1, 1\)\) must be different numbers"),
        ({"lrs": (0.0,)}, r"`lrs` \(=\(0.0,\)\) must be positive"),
        ({"validation_fraction": 0.0}, "without validation images the learning rate would be chosen on test images"),
        ({"epochs": 0}, r"`epochs` \(=0\) must be at least 1"),
        ({"train_size": 1}, r"`train_size` \(=1\) must be at least 2"),
    ):
        with pytest.raises(QuanvolveError, match=message):
            Protocol(**arguments)  # type: ignore[arg-type]
    with pytest.raises(QuanvolveError, match="`controls` has 'convv', which is none of conv, "):
        contenders_for({}, ["convv"])
    with pytest.raises(QuanvolveError, match="the model of a comparison has quantum filters"):
        contenders_for({"backbone": "classical"})
    with pytest.raises(QuanvolveError, match="a study keeps its contenders as JSON"):
        plan(circuit=lambda inputs: None).to_json()
    names = [one.name for one in contenders_for({"head": "quantum"})]
    assert "quantum-quantum" not in names  # that is the model
    assert len(names) == len(set(names))
    assert Plan.from_json(plan().to_json()) == plan()


def test_more_images_than_there_are_is_a_failed_trial(tmp_path: Path) -> None:
    protocol = Protocol(seeds=(0,), lrs=(1e-2,), epochs=1, train_size=10**6)
    with pytest.raises(
        QuanvolveError, match=r"no result of the model yet: it failed with QuanvolveError: `train_size`"
    ):
        compare("digits", tmp_path / "s", params={"n_filters": 1}, controls=["pixels"], protocol=protocol)


def test_trials_travel_as_plain_data(table: Table) -> None:
    from quanvolve.study._cluster import run_task

    result, error = run_task(table.plan.to_json(), (1, "pixels", 0, None))
    assert error == ""
    assert json.loads(json.dumps(result)) == result
    assert Trial(1, "pixels", 0).contender == "pixels"
