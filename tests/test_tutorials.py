"""The tutorials: whole notebooks, without outputs, and every cell of them runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RUN = """
import json, sys
cells = json.load(open(sys.argv[1]))["cells"]
names = {"__name__": "__main__"}
for number, cell in enumerate(cells):
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
"""


def test_there_are_seven_without_outputs() -> None:
    assert len(NOTEBOOKS) == 7
    for path in NOTEBOOKS:
        book = json.loads(path.read_text())
        assert book["cells"][0]["source"][0].startswith("# "), path.name
        for cell in book["cells"]:
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:quanvolve", "-c", RUN, str(path)], cwd=tmp_path, text=True,
        capture_output=True, timeout=PATIENCE, env={**os.environ, "QUANVOLVE_QUICK": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
