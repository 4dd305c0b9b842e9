"""Files of Parquet, whichever library is there to read them; and none is imported for nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from quanvolve._errors import DataError
from quanvolve.data import load_dataset
from tests.waiting import PATIENCE


@pytest.mark.parametrize("absent", [("pyarrow",), ("pyarrow", "polars"), ("pyarrow", "polars", "pandas")])
def test_parquet_is_read_by_what_is_there(absent: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    pl.DataFrame({"a": range(10), "label": [0, 1] * 5}).write_parquet(path)
    code = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))
from quanvolve import load_dataset
try:
    print(load_dataset({str(path)!r}))
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    remedy = "which pyarrow, polars or pandas reads, and none of them is there: pip install pyarrow"
    said = "Dataset('own': 8 train + 2 test, 1 int64, 2 classes)" if len(absent) == 1 else remedy
    assert done.stdout.strip().endswith(said)


def test_parquet_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"own.parquet' does not exist, expected a file of Parquet: check the path"):
        load_dataset(tmp_path / "own.parquet")
    (tmp_path / "own.parquet").write_bytes(b"PAR1 damaged PAR1")
    with pytest.raises(DataError, match=r"own.parquet' cannot be read as Parquet \(.*\): get the file again"):
        load_dataset(tmp_path / "own.parquet")


def test_no_library_is_loaded_by_asking() -> None:
    """Neither by importing this package, nor by asking what takes a file."""
    code = """
import sys
from pathlib import Path
from quanvolve.data.sources import SOURCES
for data in (Path("own.csv"), Path("own.parquet"), Path("."), [1], ([1], [2]), object()):
    [source.takes(data) for source in SOURCES]
print([name for name in ("pandas", "polars", "pyarrow", "datasets", "torch", "PIL") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip() == "[]"
