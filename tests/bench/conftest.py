"""Small workloads, and contenders that misbehave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from quanvolve.bench._contenders import CONTENDERS, Contender
from quanvolve.bench._workloads import WORKLOADS, Workload

SCRIPTS = Path(__file__).parents[2] / "benchmarks" / "peers"


def small(name: str) -> Workload:
    """The workload on few and small images."""
    return replace(WORKLOADS[name], images=4, side=6 if WORKLOADS[name].kernel == 3 else 8)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Contender]:
    """Write the script of a peer and return the peer."""

    def write(name: str, code: str, **options: object) -> Contender:
        path = tmp_path / f"{name}.py"
        path.write_text(f"import sys\nsys.path.insert(0, {str(SCRIPTS)!r})\n{code}")
        return replace(CONTENDERS["pennylane"], name=name, title=name.upper(), script=path, **options)  # type: ignore[arg-type]

    return write


WRONG = """
import numpy as np
from _driver import Contender, serve

class Wrong(Contender):
    batches = (16, 40)

    def versions(self):
        return "wrong 1.0"

    def forward(self, problem):
        return [("", np.asarray, lambda windows: np.VALUE((len(windows), problem.n_wires)))]

    def values(self, output):
        return output * np.cos(1.0)

serve(Wrong())
"""
