"""Contenders that agree, and all the ways in which one may fail."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quanvolve.bench import install, make_rows, needs_install, run_workload
from quanvolve.bench._contenders import CONTENDERS, Contender, choose_contenders, script_of
from quanvolve.bench._environments import python_of
from quanvolve.bench._rounds import NOT_INSTALLED, TOLERANCE, Outcome
from quanvolve.bench._worker import Worker, WorkerError
from tests.bench.conftest import WRONG, small

Fake = Callable[..., Contender]


def run(name: str, contenders: list[Contender], folder: Path, **options: object) -> list[Outcome]:
    arguments = {"rounds": 2, "least": 0.001, "tell": lambda text: None, **options}
    return run_workload(small(name), contenders, folder / "work", folder / "environments", **arguments)  # type: ignore[arg-type]


def test_real_contenders_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    said: list[str] = []
    contenders = [CONTENDERS[c] for c in ("quanvolve", "conv2d", "pennylane")]
    ours, conv, peer = run("W3", contenders, tmp_path, tell=said.append)
    assert [o.reason for o in (ours, conv, peer)] == ["", "", ""]
    for outcome in (ours, peer):
        assert outcome.difference is not None
        assert 0 < outcome.difference <= TOLERANCE
        assert len(outcome.rates) == 2
        assert min(outcome.rates) > 0
    assert conv.difference is None
    assert ours.how == "polynomial"
    assert peer.how in ("TorchLayer", "QNode")
    assert peer.versions.startswith("pennylane 0.4")
    assert "W3: round 2 of 2, quanvolve" in said
    assert [row.ratio for row in make_rows([ours, conv, peer]) if row.best] == [1.0]


FAILURES = {
    "import no_such_library": "ModuleNotFoundError: No module named 'no_such_library'",
    "sys.exit(7)": "ended with code 7",
    "print('hello')\nsys.stdin.read()": "answered b'hello\\n' instead of JSON",
    WRONG.replace("np.asarray, lambda", "None, lambda"): "TypeError: 'NoneType' object is not callable",
    WRONG.replace("np.VALUE((len(windows), ", "np.zeros((3, "): "ValueError: 3 values came of 40 windows",
    WRONG.replace("def forward", "def backward"): "TypeError: Wrong does not compute the values alone",
    WRONG.replace('return "wrong 1.0"', "import os; os._exit(3)"): "ended with code 3",
    WRONG.replace("np.VALUE", "np.zeros"): "disagrees: off by 9.0e-01, more than 1e-05",
    WRONG.replace("np.VALUE", "np.nan * np.ones"): "disagrees: off by nan, more than 1e-05",
}


def test_those_that_fail_say_why_and_do_not_stop_the_others(fake: Fake, tmp_path: Path) -> None:
    broken = [fake(f"fake{number}", code) for number, code in enumerate(FAILURES)]
    *found, good = run("W2", [*broken, CONTENDERS["pennylane-loop"]], tmp_path)
    assert [re.sub(r"by [0-9.]+e", "by 9.0e", o.reason) for o in found] == list(FAILURES.values())
    assert all(o.rates == [] and o.rate is None for o in found)
    assert found[-1].versions == "wrong 1.0"
    assert len(good.rates) == 2
    assert good.difference is not None
    assert good.difference <= 1e-7


def test_who_takes_which_workload() -> None:
    assert not CONTENDERS["pennylane-loop"].takes(small("W3"))
    assert not CONTENDERS["memory"].takes(small("W4"))
    assert CONTENDERS["pennylane-jax"].takes(small("W4"))


def test_one_that_takes_too_long(fake: Fake) -> None:
    slow = fake("slow", "sys.stdin.read()")
    with Worker(Path(sys.executable), script_of(slow)) as worker, pytest.raises(WorkerError, match="took longer than"):
        worker.ask(0.2, do="versions")
    with pytest.raises(WorkerError, match="does not start: No such file"):
        Worker(Path("/no/such/python"), script_of(slow))


def test_environments(fake: Fake, tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    peer = fake("peer", "", steps=(("--no-index", "no-such-package==1"),), modules=("no_such_package",))
    assert needs_install(peer, folder)
    (outcome,) = run("W1", [peer], tmp_path)
    assert outcome.reason == NOT_INSTALLED
    reason = install(peer, folder)
    assert reason == "No matching distribution found for no-such-package==1"
    assert needs_install(peer, folder)
    (outcome,) = run("W1", [peer], tmp_path, failed={"peer": f"does not install: {reason}"})
    assert outcome.reason == f"does not install: {reason}"
    # As after an installation that went well, of the same requirements and of others.
    (folder / "peer" / "quanvolve-steps.txt").write_text("--no-index no-such-package==1\n")
    assert python_of(peer, folder) == folder / "peer" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (folder / "peer" / "quanvolve-steps.txt").write_text("--no-index no-such-package==0\n")
    assert python_of(peer, folder) is None
    assert python_of(fake("here", "", steps=(("numpy",),), modules=("numpy",)), folder) == Path(sys.executable)


def test_peers_are_chosen_by_name() -> None:
    assert choose_contenders(None) == list(CONTENDERS.values())
    assert [c.name for c in choose_contenders("")] == ["quanvolve", "conv2d", "memory"]
    assert all(script_of(c).is_file() for c in CONTENDERS.values())
