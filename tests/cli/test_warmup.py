"""`quanvolve warmup`: what is compiled, that it is kept, and what is refused; and what other commands leave alone."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve.cli import main
from quanvolve.nn import _warmup, warm_up
from tests.waiting import PATIENCE


def _made(dtype: torch.dtype) -> nn.Module:
    return Quanv2d(1, 4, 2, seed=0, dtype=dtype)


@pytest.fixture
def one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_warmup, "WORK", {"polynomials": _made})
    warm_up()


def test_a_second_time_all_is_there(one_kind: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warmup"]) == 0
    *progress, last = capsys.readouterr().out.splitlines()
    assert progress == ["0 of 1 kinds of work done; polynomials", "1 of 1 kinds of work done"]
    assert last.startswith("all kernels are there, in ")
    assert main(["warmup", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["compiled"], said["work"]) == (0, {"polynomials": []})
    assert said["folder"] and said["seconds"] >= 0


def test_what_is_compiled_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from numba import njit

    class Small(nn.Module):
        in_channels = 1

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            def double(x: float) -> float:
                return 2 * x

            double.__module__ = "quanvolve.compile.kernels.numba._made_up"
            return images * njit(double)(1.0)

    monkeypatch.setattr(_warmup, "WORK", {"a small kernel": lambda dtype: Small()})
    assert main(["warmup", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["work"]["a small kernel"]) == {"_made_up.double"}
    assert main(["warmup"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"compiled {said['compiled']} functions in 0 s, kept in")


def test_kernels_that_cannot_be_kept_are_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(dtype: torch.dtype) -> nn.Module:
        raise RuntimeError("cannot cache function 'forward': no locator available for file '/nowhere.py'")

    monkeypatch.setattr(_warmup, "WORK", {"polynomials": made})
    assert main(["warmup"]) == 2
    assert capsys.readouterr().err == (
        "quanvolve: error: compiled kernels cannot be kept (cannot cache function 'forward': no locator available for "
        "file '/nowhere.py'): set NUMBA_CACHE_DIR to a folder that can be written\n"
    )


@pytest.mark.parametrize("command", ["--help", "datasets", "reproduce --list", "warmup --help"])
def test_what_only_lists_loads_nothing_heavy(command: str) -> None:
    code = f"""
import sys
from quanvolve.cli import main
main({command.split()!r})
print(*sorted({{name.split('.')[0] for name in sys.modules}}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert set(run.stdout.splitlines()[-1].split()).isdisjoint({"torch", "sklearn", "numba", "scipy", "matplotlib"})
