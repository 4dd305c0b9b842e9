"""The command: its sections in turn, as `benchmarks/cuda.py` says."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from benchmarks.gpu_check._agreement import agreement
from benchmarks.gpu_check._contract import contract
from benchmarks.gpu_check._offers import offers
from benchmarks.gpu_check._peers import peers
from benchmarks.gpu_check._sanitizer import sanitizer
from benchmarks.gpu_check._speed import compiled, speed, trees
from benchmarks.gpu_check._table import OutOfTimeError, Table
from benchmarks.gpu_check._training import training

import quanvolve

SECTIONS: dict[str, Callable[[Table], None]] = {
    "contract": contract, "speed": speed, "trees": trees, "peers": peers, "training": training,
    "agreement": agreement, "offers": offers, "compiled": compiled, "sanitizer": sanitizer,
}  # fmt: skip


def main(given: Sequence[str] | None = None) -> int:
    """Check, measure, write; 0 if all is well."""
    parser = argparse.ArgumentParser(description="Whether kernels and layers are right on a GPU, and how fast.")
    parser.add_argument("--output", type=Path, required=True, help="folder that the table is written to")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=0.1, help="that a median is taken over, at most")
    parser.add_argument("--patience", type=int, default=30, help="seconds after which a case has failed")
    parser.add_argument("--minutes", type=float, default=5.5, help="after which the rest is left out")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between")
    arguments = parser.parse_args(given)
    unknown = set(arguments.only.split(",")) - set(SECTIONS)
    if unknown:
        parser.error(
            f"--only {arguments.only}: there is no section {', '.join(sorted(unknown))}, only {', '.join(SECTIONS)}"
        )
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        print("no GPU that torch can use here; --device cpu tries the script without one", file=sys.stderr)
        return 2
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = Table(arguments.device, arguments.seconds, arguments.patience, arguments.minutes, arguments.output)
    name = torch.cuda.get_device_name(table.device) if table.gpu else "cpu"
    table.line("machine", name, beside=f"torch {torch.__version__}, quanvolve {quanvolve.__version__}")
    for section in arguments.only.split(","):
        start = time.perf_counter()
        try:
            SECTIONS[section](table)
        except OutOfTimeError as left:
            table.line(section, f"from {left} on", "left out: no time")
        table.wait()
        print(f"{section}: {time.perf_counter() - start:.1f} s", flush=True)
    good = sum(row["result"] == "good" for row in table.rows)
    print(f"{good} of {len(table.rows)} lines are good; {arguments.output / 'cuda.csv'}")
    return 0 if good == len(table.rows) else 1
