"""`quanvolve bench`: table, CSV, chart, and what is refused."""

from __future__ import annotations

import csv
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from quanvolve import bench
from quanvolve.bench import _contenders, _rounds, _workloads
from quanvolve.bench._contenders import CONTENDERS, Contender
from quanvolve.bench._workloads import WORKLOADS
from tests.bench.conftest import SCRIPTS
from tests.cli.conftest import ENVIRONMENT, PYTHON, cli, ok, refused
from tests.waiting import PATIENCE, alive, children, command_of, hears_ctrl_c, until


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Small workloads, two contenders that are always there, one that is broken and one that is not installed."""
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_library\n")
    found = {name: CONTENDERS[name] for name in ("quanvolve", "pennylane-loop", "lightning")}
    found["aer"] = replace(CONTENDERS["aer"], steps=(("--no-index", "no-such-package"),), modules=())
    found["lightning"] = replace(found["lightning"], script=broken)
    monkeypatch.setattr(_contenders, "CONTENDERS", found)
    monkeypatch.setattr(_workloads, "WORKLOADS", {name: replace(w, images=4, side=8) for name, w in WORKLOADS.items()})
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nothing(folder: Path) -> Contender:
    """In place of this package: one that starts at once and computes nothing."""
    path = folder / "nothing.py"
    path.write_text(
        f"import sys\nsys.path.insert(0, {str(SCRIPTS)!r})\nfrom _driver import Contender, serve\n"
        "class Nothing(Contender):\n quantum = False\n versions = lambda self: 'nothing 0'\n"
        " forward = lambda self, problem: [('', list, list)]\nserve(Nothing())\n"
    )
    return replace(CONTENDERS["quanvolve"], script=path)


def test_bench(tiny: Path) -> None:
    lines = ok("bench", "--quick", "--workloads", "W1", "--rounds", 1, "--output", tiny / "new" / "folder").out
    table, chart = tiny / "new" / "folder" / "bench.csv", tiny / "new" / "folder" / "bench.png"
    assert lines.endswith(f"table {table}\nchart {chart}\n")
    assert "W1: 2x2 windows, stride 2: 4 qubits, the demo's random layer; windows a second\n" in lines
    assert "ModuleNotFoundError: No module named 'no_such_library'" in lines
    assert "(best peer)" in lines
    assert chart.read_bytes().startswith(b"\x89PNG")
    rows = {(r["workload"], r["contender"]): r for r in csv.DictReader(table.read_text().splitlines())}
    assert float(rows["W1", "quanvolve"]["to best peer"]) > 1
    assert rows["W1", "aer"]["note"] == "not installed: --install-peers installs it"
    assert rows["W1", "lightning"]["median"] == ""
    assert rows["W1", "quanvolve"]["rounds"] == "1"
    assert rows["W1", "quanvolve"]["how"] == "polynomial, 8 images"


def test_a_peer_that_does_not_install(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = ("bench", "--quick", "--rounds", 1, "--workloads", "W1", "--peers", "aer", "--install-peers")
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    assert refused(*args) == (
        "--install-peers would download aer, but QUANVOLVE_OFFLINE forbids it: unset it, or leave --install-peers out"
    )
    monkeypatch.delenv("QUANVOLVE_OFFLINE")
    # tests/bench/test_rounds.py has it with a real environment.
    reason = "No matching distribution found for no-such-package"
    monkeypatch.setattr(bench, "install", lambda contender, folder: reason)
    monkeypatch.setitem(_contenders.CONTENDERS, "quanvolve", nothing(tiny))
    out = ok(*args, "--environments", tiny / "environments").out
    assert f"aer not installed: {reason}\n" in out
    assert f"does not install: {reason}" in (tiny / "bench" / "bench.csv").read_text()


def test_what_is_refused(tiny: Path) -> None:
    assert refused("bench", "--workloads", "W1,W7") == (
        "--workloads (='W1,W7') has 'W7', expected some of W1, W1d, W2, W3, W4, W5, W6, with commas between"
    )
    assert "--workloads (=',') has ','" in refused("bench", "--workloads", ",")
    assert refused("bench", "--peers", "qiskit") == (
        "--peers (='qiskit') has 'qiskit', expected some of pennylane-loop, lightning, aer, with commas between"
    )
    assert "'0'" in refused("bench", "--rounds", "0")
    (tiny / "file").write_text("")
    below = tiny / "file" / "below"
    message = refused("bench", "--peers", "", "--environments", below, "--install-peers")
    assert message == f"--environments (='{below}') cannot be made: Not a directory; choose another folder"


def test_ctrl_c_ends_it_cleanly(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_contenders.CONTENDERS, "quanvolve", nothing(tiny))
    asked: list[str] = []
    real = _rounds.Worker.ask

    def ask(self: _rounds.Worker, seconds: float, **request: object) -> dict[str, object]:
        asked.append(str(request["do"]))
        if len(asked) > 4:
            raise KeyboardInterrupt
        return real(self, seconds, **request)

    monkeypatch.setattr(_rounds.Worker, "ask", ask)
    result = cli("bench", "--quick", "--rounds", 1, "--workloads", "W1,W1d", "--peers", "")
    assert result.code == 130
    assert result.err == "quanvolve: interrupted; bench/bench.csv has the workloads before W1d\n"
    assert "W1,quanvolve" in (tiny / "bench" / "bench.csv").read_text()


def test_a_signal_leaves_no_process_behind(tmp_path: Path) -> None:
    args = [*PYTHON, "bench", "--workloads", "W2", "--peers", "pennylane-loop", "--output", str(tmp_path)]
    process = subprocess.Popen(
        args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, preexec_fn=hears_ctrl_c
    )

    def workers() -> list[int]:
        return [child for child in children(process.pid) if b".py" in command_of(child)]

    started = until(workers, "there is a process that could be left behind", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "quanvolve: interrupted\n")
    until(lambda: not any(map(alive, started)), "its processes have ended as well")
