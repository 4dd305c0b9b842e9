"""The table of a check: lines that are measured, each on its own, and written at once."""

from __future__ import annotations

import csv
import signal
import statistics
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("what", "case", "dtype", "value", "unit", "beside", "ratio", "result")
MANY = ("contract of kernels", "agreement with the CPU")
"""What has so many lines that only their number is told where all is well."""
Row = dict[str, str]


class OutOfTimeError(Exception):
    """The check has taken as long as it may."""


class Table:
    """Lines about a device; after each of them what there is lies in the files.

    Args:
        device: that is checked.
        seconds: that a median is taken over, at most.
        patience: seconds after which a case has failed.
        minutes: after which what is left is left out, and said to be.
        folder: of `cuda.csv` and `cuda.md`.
    """

    def __init__(self, device: str, seconds: float, patience: int, minutes: float, folder: Path) -> None:
        self.device, self.seconds, self.patience, self.folder = torch.device(device), seconds, patience, folder
        self.rows: list[Row] = []
        self.begun = time.perf_counter()
        self.end = self.begun + 60 * minutes

    @property
    def gpu(self) -> bool:
        return self.device.type == "cuda"

    def line(self, what: str, case: str, result: str = "good", **more: Any) -> None:
        row = dict.fromkeys(COLUMNS, "") | {"what": what, "case": case, "result": result}
        row |= {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in more.items()}
        self.rows.append(row)
        with open(self.folder / "cuda.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        (self.folder / "cuda.md").write_text(self.markdown())
        if result != "good" or what not in MANY:
            passed = f"{time.perf_counter() - self.begun:6.1f} s"
            print(passed, *(row[name] for name in COLUMNS if row[name]), sep=" | ", flush=True)

    def attempt(self, what: str, case: str, call: Callable[[], dict[str, Any]]) -> None:
        """A line of what a call tells, or of how it fails."""
        if time.perf_counter() > self.end:
            raise OutOfTimeError(f"{what}, {case}")
        signal.signal(signal.SIGALRM, self._give_up)
        signal.alarm(self.patience)
        try:
            told = call()
        except Exception as error:
            signal.alarm(0)
            words = " ".join(str(error).replace(f"{ROOT}/", "").split())
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            self.line(what, case, f"failed: {type(error).__name__} at {place}: {words[:240]}")
        else:
            signal.alarm(0)
            self.line(what, case, **told)

    def _give_up(self, *_: object) -> None:
        raise TimeoutError(f"not done in {self.patience} s")

    def wait(self) -> None:
        if self.gpu:
            torch.cuda.synchronize(self.device)

    def median(self, call: Callable[[], object]) -> float:
        """Seconds of a call."""
        for _ in range(3):
            call()
        self.wait()
        start = time.perf_counter()
        call()
        self.wait()
        runs = max(5, min(200, int(self.seconds / (time.perf_counter() - start + 1e-9))))
        if not self.gpu:
            return statistics.median(self._by_clock(call) for _ in range(runs))
        marks = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(runs)]
        for first, last in marks:
            first.record()
            call()
            last.record()
        self.wait()
        return statistics.median(first.elapsed_time(last) for first, last in marks) / 1e3

    def _by_clock(self, call: Callable[[], object]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def markdown(self) -> str:
        """The lines for people: those that are many are counted."""
        lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
        for what in MANY:
            good = [row for row in self.rows if row["what"] == what and row["result"] == "good"]
            if good:
                lines.append(f"| {what} | {len(good)} cases |" + " |" * (len(COLUMNS) - 3) + " good |")
        told = [row for row in self.rows if row["what"] not in MANY or row["result"] != "good"]
        lines += ["| " + " | ".join(row[name].replace("|", "/") for name in COLUMNS) + " |" for row in told]
        return "\n".join(lines) + "\n"
