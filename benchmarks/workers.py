"""What a second worker is worth: one study by 1 and 2 processes, and by 1 and 2 workers of Dask.

    python benchmarks/workers.py

Every worker computes with one thread. Writes `workers.csv` beside this file.
"""

from __future__ import annotations

import contextlib
import csv
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA")}

from quanvolve.study import Plan, Protocol, Table, contenders_for
from quanvolve.study._cluster import work_on_cluster

HERE = Path(__file__).parent
ROUNDS = 3
PLAN = Plan(
    "digits", None, tuple(contenders_for({"n_filters": 2, "trainable": True}, ["conv", "unentangled"])),
    Protocol(seeds=tuple(range(8)), lrs=(1e-2,), epochs=15),
)  # fmt: skip


def by_processes(folder: Path, workers: int) -> float:
    """Seconds of so many processes, their start included."""
    Table.create(folder, PLAN)
    command = [sys.executable, "-m", "quanvolve.study._process", str(folder)]
    start = time.perf_counter()
    for process in [subprocess.Popen(command) for _ in range(workers)]:
        process.wait()
    return time.perf_counter() - start


@contextlib.contextmanager
def dask(workers: int) -> Iterator[str]:
    """The address of a scheduler with so many workers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    commands = [["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]]
    commands += [["worker", address, "--nthreads", "1", "--nworkers", "1", "--no-dashboard"]] * workers
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", f"from distributed.cli.dask_{kind} import main; main()", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for kind, *arguments in commands
    ]  # fmt: skip
    try:
        time.sleep(8)
        yield address
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def by_dask(folder: Path, workers: int) -> float:
    """Seconds of so many workers that are up already."""
    table = Table.create(folder, PLAN)
    with dask(workers) as address:
        start = time.perf_counter()
        work_on_cluster(table, address)
        return time.perf_counter() - start


def main() -> None:
    """Time all in turn."""
    times: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            for kind, run in (("processes", by_processes), ("dask", by_dask)):
                for workers in (1, 2):
                    seconds = run(Path(folder) / f"{number}-{kind}-{workers}", workers)
                    times.setdefault((kind, workers), []).append(seconds)
                    print(number, kind, workers, f"{seconds:.1f} s", flush=True)
    with (HERE / "workers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "workers", "trials", "median seconds", "speed-up"])
        for (kind, workers), own in times.items():
            alone = statistics.median(times[kind, 1])
            median = statistics.median(own)
            writer.writerow([kind, workers, len(PLAN.trials()), f"{median:.1f}", f"{alone / median:.2f}"])


if __name__ == "__main__":
    main()
