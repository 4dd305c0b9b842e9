"""A second studio on a folder: refused in a line, or at work together where the database is one for several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.studio import Settings, create_app
from quanvolve.studio import _holding as holding
from quanvolve.studio._holding import hold
from tests.studio.conftest import Server
from tests.waiting import PATIENCE

Serve = Callable[..., Server]
PG = "postgresql+psycopg://somebody:secret@127.0.0.1:1/one"
HOLDS = """
import sys, time
from pathlib import Path
from quanvolve.studio import Settings
from quanvolve.studio._holding import hold
kept = hold(Settings(Path(sys.argv[1]), port=8701), alone=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_PATIENCE", 0.2)


def elsewhere(folder: Path) -> subprocess.Popen[str]:
    """Another process that has the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_second_studio_is_refused_until_the_first_has_ended_however_it_ended(ending: int, tmp_path: Path) -> None:
    first = elsewhere(tmp_path)
    with pytest.raises(QuanvolveError) as caught:
        hold(Settings(tmp_path), alone=True)
    assert str(caught.value) == (
        f"--output {tmp_path} is in use by the studio of process {first.pid} on {holding.socket.gethostname()} at "
        "http://127.0.0.1:8701: stop that one, or choose another --output (several on one folder need --database "
        "postgresql+psycopg://...)"
    )
    os.kill(first.pid, ending)
    first.communicate()
    second = hold(Settings(tmp_path), alone=True)
    with pytest.raises(QuanvolveError, match=f"in use by the studio of process {os.getpid()} on"):
        hold(Settings(tmp_path), alone=True)
    second.close()
    hold(Settings(tmp_path), alone=True).close()


def test_servers_of_one_database_share_its_folder_and_no_other_has_it(tmp_path: Path) -> None:
    one, other = Settings(tmp_path, PG), Settings(tmp_path, PG.replace("/one", "/other"))
    first, second = hold(one, alone=True), hold(one, alone=True)
    for wrong in (other, Settings(tmp_path)):
        with pytest.raises(QuanvolveError) as caught:
            hold(wrong)
        assert "with the database postgresql+psycopg://somebody:***@127.0.0.1:1/one: stop that one" in str(caught.value)
        assert "secret" not in str(caught.value)
    assert "secret" not in (tmp_path / holding.FILE).read_text()
    first.close()
    with pytest.raises(QuanvolveError, match="is in use by"):
        hold(other)
    second.close()
    hold(other).close()


def test_server_processes_of_one_studio_have_its_folder_together(tmp_path: Path) -> None:
    parent = hold(Settings(tmp_path), alone=True)
    apps = [create_app(Settings(tmp_path, first_model=False)) for _ in range(2)]
    with pytest.raises(QuanvolveError, match="give the same --database"):
        create_app(Settings(tmp_path, f"sqlite:///{tmp_path / 'another.sqlite'}", first_model=False))
    parent.close()
    for app in apps:  # they keep it when the parent is gone
        with pytest.raises(QuanvolveError, match="is in use by"):
            hold(Settings(tmp_path), alone=True)
        app.state.studio.close()
    hold(Settings(tmp_path), alone=True).close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff" * 10])
def test_a_damaged_file_of_the_lock_is_no_obstacle(content: bytes, tmp_path: Path) -> None:
    (tmp_path / holding.FILE).write_bytes(content)
    kept = hold(Settings(tmp_path), alone=True)
    (tmp_path / holding.FILE).write_bytes(content)
    with pytest.raises(QuanvolveError, match="is in use by"):
        hold(Settings(tmp_path), alone=True)
    kept.close()
    hold(Settings(tmp_path), alone=True).close()


def test_one_that_is_taking_the_folder_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(holding, "_PATIENCE", 60.0)
    file = (tmp_path / holding.FILE).open("a+b")
    fcntl.flock(file, fcntl.LOCK_EX)  # and has not yet written who it is
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            file.close()

    monkeypatch.setattr(holding.time, "sleep", pause)
    hold(Settings(tmp_path), alone=True).close()
    assert len(paused) == 3


def test_the_command_refuses_a_folder_in_use_and_takes_it_after_kill_9(serve: Serve, tmp_path: Path) -> None:
    first = serve("--no-first-model", "--jobs", "0")
    command: list[Any] = [sys.executable, "-m", "quanvolve", "studio", "--no-browser", "--jobs", "0",
                          "--no-first-model", "--output", first.folder, "--port", str(first.port)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith(f"quanvolve: error: --output {first.folder} is in use by the studio of process ")
    assert f"process {first.process.pid} on " in done.stderr
    assert f"at {first.url}: stop that one" in done.stderr
    assert done.stderr.count("\n") == 1
    assert first.http.get("/healthz").status_code == 200
    first.kill()
    second = serve("--no-first-model", "--jobs", "0")
    assert second.http.get("/healthz").status_code == 200
