"""Commands in this process, with what they print; runs to look at are trained once and copied where they change."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve.cli import main

PYTHON = [sys.executable, "-m", "quanvolve"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "QUANVOLVE_OFFLINE": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def cli(*args: object) -> Result:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(arg) for arg in args])
    return Result(code, out.getvalue(), err.getvalue())


def ok(*args: object) -> Result:
    """Run a command that must succeed without a word on stderr."""
    result = cli(*args)
    assert (result.code, result.err) == (0, "")
    return result


def refused(*args: object) -> str:
    """Run a command that must fail as all errors do; its message."""
    result = cli(*args)
    assert result.code == 2
    assert result.err.startswith("quanvolve: error: ")
    assert result.err.count("\n") == 1
    assert result.err.endswith("\n")
    assert "Traceback" not in result.out + result.err
    return result.err.removeprefix("quanvolve: error: ").strip()


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    monkeypatch.setenv("QUANVOLVE_CACHE", str(tmp_path / "cache"))
    for name in ("QUANVOLVE_DATA", "QUANVOLVE_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A finished run with quantum filters on the digits, and what its training printed. Not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    return folder, ok("train", "--epochs", 3, "--output", folder)


@pytest.fixture
def run(trained: tuple[Path, Result], tmp_path: Path) -> Path:
    """A finished run that may be changed."""
    return Path(shutil.copytree(trained[0], tmp_path / "run"))


@pytest.fixture
def write_npz(tmp_path: Path) -> Callable[..., Path]:
    """Write a small data set of two kinds of images, bright at the left or at the right, and return its path."""

    def write(name: str = "sides.npz", *, classes: int = 2, shape: tuple[int, ...] = (4, 4), **extra: Any) -> Path:
        rng = np.random.default_rng(0)
        labels = np.arange(60) % classes
        images = rng.integers(0, 60, (60, *shape)).astype(np.uint8)
        half = shape[-1] // 2
        images[labels == 0, ..., :half] += 150
        images[labels == 1, ..., half:] += 150
        np.savez(tmp_path / name, **{"images": images, "labels": labels, **extra})
        return tmp_path / name

    return write
