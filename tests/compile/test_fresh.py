"""Compiled kernels on disk are those of the present source, also of what is compiled into them."""

import shutil
import subprocess
import sys
from pathlib import Path

import quanvolve

ROOT = Path(quanvolve.__file__).parent
PROGRAM = """
import torch
from quanvolve import Quanv2d
print(float(Quanv2d(1, 4, 2, seed=0)(torch.full((1, 1, 2, 2), 0.3)).sum()))
"""


def test_a_changed_function_of_another_file_is_compiled_anew(tmp_path: Path) -> None:
    copy = tmp_path / "quanvolve"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def value() -> float:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "PATH": ""},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return float(run.stdout)

    first = value()
    assert value() == first
    sines = copy / "compile" / "kernels" / "numba" / "_trig.py"
    text = sines.read_text()
    changed = text.replace("-1.6666654611e-1", "-1.2e-1")  # the sine's term of third order
    assert changed != text
    sines.write_text(changed)
    assert abs(value() - first) > 1e-3
