"""Tests wait for events and not for clocks, and read nothing that lies beside the repository."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import alive, children, until

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tests").rglob("*.py"))
CLOCKS = {"monotonic", "perf_counter", "process_time", "time"}
LEAST = 300  # seconds, of a limit that only ends what would hang for ever; below 1 it is what is tested


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def clocks(source: str) -> list[str]:
    """What in a test depends on how fast the machine is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert) and any(
            isinstance(inner, ast.Call) and name_of(inner) in CLOCKS for inner in ast.walk(node.test)
        ):
            found.append(f"line {node.lineno}: an assertion about time")
        if not isinstance(node, ast.Call):
            continue
        if name_of(node) == "wait_for_timeout":
            found.append(f"line {node.lineno}: {name_of(node)}")
        limits = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
        for limit in limits + (node.args[:1] if name_of(node) in ("wait", "join", "settimeout") else []):
            if isinstance(limit, ast.Constant) and isinstance(limit.value, int | float):
                seconds = limit.value / (1000 if limit.value >= 5000 else 1)  # Playwright counts milliseconds
                if 1 <= seconds < LEAST:
                    found.append(f"line {node.lineno}: a limit of {seconds:g} s")
    return found


def test_no_outcome_depends_on_the_speed_of_the_machine() -> None:
    found = {path.name: clocks(path.read_text()) for path in FILES if path.name != "waiting.py"}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    ["assert time.monotonic() - began < 60", "run(x, timeout=120)", "process.wait(4.0)", "page.wait_for_timeout(300)",
     "job.wait_for(timeout=60_000)", "assert perf_counter() < limit", "connection.settimeout(20)"],
)  # fmt: skip
def test_clocks_are_recognised(source: str) -> None:
    assert len(clocks(source)) == 1


def beside(path: Path) -> list[str]:
    """What a file names that lies beside the repository."""
    text, depth = path.read_text(), len(path.relative_to(ROOT).parts)
    above = [up for up in re.findall(r"__file__\)(?:\.resolve\(\))?\.parents\[(\d+)\]", text) if int(up) >= depth]
    return above + re.findall(r"""\.\./share[d]|/ *["']share[d]["']|["']share[d]["'] */|, *["']share[d]["']\)""", text)


def test_nothing_beside_the_repository_is_read() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "tutorials").glob("*.ipynb")]
    found = {path.name: beside(path) for path in [*FILES, *(ROOT / "src").rglob("*.py"), *pages]}
    assert {name: places for name, places in found.items() if places} == {}


def test_waiting_ends_with_the_process_that_is_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        assert process.pid in children(os.getpid())
        assert alive(process.pid)
        process.kill()
        with pytest.raises(AssertionError, match=r"has ended with -9, and never: it says something"):
            until(lambda: None, "it says something", process)
    assert not alive(process.pid)
