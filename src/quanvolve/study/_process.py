"""A worker process of a study: ``python -m quanvolve.study._process FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from quanvolve.study._table import Table
from quanvolve.study._work import work

if __name__ == "__main__":
    try:
        work(Table(Path(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(130)
