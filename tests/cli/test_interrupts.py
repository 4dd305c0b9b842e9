"""Ctrl-C at any moment: exit code 130, one line, and what is there is gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quanvolve import _interrupt
from quanvolve.study import Plan, Protocol, Table, contenders_for
from tests.cli.conftest import ENVIRONMENT, PYTHON

ROOT = Path(__file__).parents[2]
ALONE = {**ENVIRONMENT, "NUMBA_NUM_THREADS": "1"}
TRAIN = ["--trainable", "--filters", "1", "--epochs", "2"]

# Sends SIGINT to its own process at an import, counted from the first one after Ctrl-C was taken over.
AT_AN_IMPORT = """
import os, runpy, signal, sys
number, count = int(sys.argv.pop(1)), -1
def hook(event, args):
    global count
    if event == "import":
        if count >= 0 or args[0] == "quanvolve.cli":
            count += 1
        if count == number:
            count += 1
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(hook)
sys.argv[0] = "quanvolve"
runpy.run_module("quanvolve", run_name="__main__", alter_sys=True)
"""


def moments(**given: Any) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.moments"], input=json.dumps(given), capture_output=True, text=True, cwd=ROOT,
        env=ALONE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(found: list[dict[str, Any]], same: bool = True) -> None:
    first, *others = found
    assert (first["code"], first["said"]) == (0, "")
    assert others
    for one in others:
        stopped = one["stopped"]
        assert stopped["code"] == 130, one
        assert stopped["said"].startswith("quanvolve: "), one
        assert "interrupted" in stopped["said"], one
        assert stopped["said"].count("\n") == 1, one
        assert one["left"] == [], one
        assert (one["after"]["code"], one["after"]["said"]) == (0, ""), one
        if same:
            assert one["kept"] == first["kept"], one


@pytest.mark.parametrize("number", [0, 1, 30, 300])
def test_before_the_imports_are_done(number: int, tmp_path: Path) -> None:
    args = [sys.executable, "-c", AT_AN_IMPORT, str(number), "train", "--output", str(tmp_path / "run")]
    done = subprocess.run(args, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "quanvolve: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_training_in_kernels_and_between(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    """`quanvolve.compile` is called by torch's C++, forwards and backwards, where nothing may be raised."""
    folder = tmp_path / "run"
    check(
        moments(
            args=["train", str(write_npz()), *TRAIN, "--output", str(folder)],
            again=["train", "--resume", "--output", str(folder)],
            work=str(tmp_path), folder=str(folder),
            modules=["quanvolve.compile.ops._operator", "torch.autograd"], shares=[0.1, 0.6],
        )
    )  # fmt: skip


def test_workers_end_with_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = subprocess.Popen(
        [*PYTHON, "compare", "--output", str(folder), "--controls", "pixels", "--trainable", "--seeds", "8", "--epochs",
         "10", "--lr", "1e-2", "--filters", "1", "--workers", "2"],
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("1 of 16"):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said == f"quanvolve: interrupted; continue with: quanvolve compare --output {folder} --resume\n"
    if sys.platform == "linux":
        commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
        assert not [one for one in commands if str(folder).encode() in one]
    assert Table(folder).counts()["running"] == 0


def test_a_worker_ends_with_the_pipe_of_who_started_it(tmp_path: Path) -> None:
    protocol = Protocol(seeds=tuple(range(100)), lrs=(1e-2,), epochs=50)
    table = Table.create(tmp_path, Plan("digits", None, tuple(contenders_for({}, ["pixels"])), protocol))
    worker = subprocess.Popen(
        [sys.executable, "-m", "quanvolve.study._process", str(tmp_path), "--leash"], env=ENVIRONMENT,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    while not table.counts()["running"]:
        assert worker.poll() is None
    worker.communicate()
    assert worker.returncode == 137
    assert table.claim("here:1:1") is not None


# What a program does after it listens; it tells by a line when the moment has come.
SCRIPT = """
import os, signal, sys, threading, time
from quanvolve import _interrupt
signal.signal(signal.SIGINT, {before})
_interrupt.GRACE = 0.1
_interrupt.listen()
def tell():
    os.write(1, b"now\\n")
{body}
sys.exit(_interrupt.unwinding(work))
"""
BODIES = {
    # A wait that is plain Python is left at once.
    "waiting": """
def work():
    with _interrupt.interruptible("interrupted; go on"):
        try:
            tell()
            threading.Event().wait()
        finally:
            print("unwound", flush=True)
""",
    # Foreign code that calls Python, and swallows what that raises; the next line of ours is where it is raised.
    "foreign": """
import types
foreign = types.ModuleType("foreign")
exec('''
def call(stop):
    try:
        while not stop():
            pass
    except BaseException:
        print("raised in foreign code", flush=True)
''', foreign.__dict__)
def work():
    with _interrupt.interruptible("interrupted; go on"):
        tell()
        foreign.call(_interrupt.asked)
        print("never reached", flush=True)
""",
    # Foreign code that does not come back.
    "stuck": """
import types
foreign = types.ModuleType("foreign")
exec('''
def call():
    while True:
        pass
''', foreign.__dict__)
def work():
    with _interrupt.interruptible("interrupted; go on"):
        tell()
        foreign.call()
""",
    # A library that makes another exception of it.
    "converted": """
def work():
    with _interrupt.interruptible("interrupted; go on"):
        try:
            tell()
            threading.Event().wait()
        except KeyboardInterrupt:
            raise RuntimeError("two\\nlines")
""",
    # One that swallows it: the work comes to its end, but was interrupted all the same.
    "swallowed": """
def work():
    with _interrupt.interruptible("interrupted; go on"):
        try:
            tell()
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
    return 0
""",
    # In a destructor nothing can be raised.
    "destructor": """
class Held:
    def __del__(self):
        tell()
        while not _interrupt.asked():
            pass
def work():
    with _interrupt.interruptible("interrupted; go on"):
        held = Held()
        del held
        print("never reached", flush=True)
""",
}


def script(body: str, *, before: str = "signal.default_int_handler") -> subprocess.Popen[str]:
    program = SCRIPT.format(body=body, before=before)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    return process


@pytest.mark.parametrize("case", BODIES)
def test_wherever_the_program_is(case: str) -> None:
    process = script(BODIES[case])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert err == f"quanvolve: interrupted{'' if case == 'swallowed' else '; go on'}\n"
    assert out == ("unwound\n" if case == "waiting" else "")


def test_pressed_again() -> None:
    """Whoever presses it again does not wait for the unwinding."""
    process = script("""
def work():
    with _interrupt.interruptible("interrupted; go on"):
        try:
            tell()
            threading.Event().wait()
        finally:
            tell()
            threading.Event().wait()
""")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "quanvolve: interrupted; go on\n")


def test_half_written_files_are_removed_without_unwinding(tmp_path: Path) -> None:
    process = script(f"""
from pathlib import Path
from quanvolve._files import replacing
def work():
    with _interrupt.interruptible("interrupted; go on"), replacing(Path({str(tmp_path / "a")!r})) as part:
        part.write_text("half")
        tell()
        _interrupt._state.asked = True
        threading.Event().wait()
""")
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "quanvolve: interrupted; go on\n")
    assert list(tmp_path.iterdir()) == []


def test_who_ignores_it_goes_on_to() -> None:
    """A shell starts processes in the background so."""
    process = script("def work():\n    tell()\n    sys.stdin.read()\n    return 7\n", before="signal.SIG_IGN")
    process.send_signal(signal.SIGINT)
    process.terminate()
    process.communicate()
    assert process.returncode == -signal.SIGTERM


def test_other_errors_pass() -> None:
    with pytest.raises(_interrupt.Interrupted, match="go on"), _interrupt.interruptible(lambda: "go on"):
        raise KeyboardInterrupt
    with pytest.raises(KeyError), _interrupt.interruptible("go on"):
        raise KeyError  # nobody has pressed it


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "compare", "search", "calibrate", "explain"])
def test_every_tenth_of_every_command(command: str, write_npz: Callable[..., Path], run: Path, tmp_path: Path) -> None:
    data, folder = str(write_npz()), tmp_path / "result"
    study = ["--trainable", "--filters", "1", "--epochs", "2"]
    args, again, modules = {
        "train": (["train", data, *TRAIN], ["train", "--resume"], ["", "quanvolve", "weakref"]),
        "compare": (
            ["compare", data, *study, "--controls", "pixels", "--seeds", "1", "--lr", "1e-2"],
            ["compare", "--resume"], ["", "quanvolve"],
        ),
        "search": (
            ["search", data, "--trials", "2", "--epochs", "2", "--space", "encoding=ry,rx", "--no-prune"],
            None, ["", "optuna"],
        ),
        "calibrate": (["calibrate", str(run), "--shots", "50", "--held-out", "2"], None, ["", "qiskit"]),
        "explain": (["explain", str(run)], None, ["", "quanvolve"]),
    }[command]  # fmt: skip
    output = ["--output", str(folder / "page.html" if command == "explain" else folder)]
    check(
        moments(
            args=[*args, *output], again=[*(again or args), *output], work=str(tmp_path), folder=str(folder),
            modules=modules, shares=[k / 10 for k in range(10)],
        ),
        same=command == "train",
    )  # fmt: skip
