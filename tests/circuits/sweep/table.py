"""Verdicts of many cases, one line each, counted, and in a CSV file."""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from tests.circuits.sweep.judge import CRASHED, DIFFERENT, EQUAL, NOT_RUN, REFUSED, Verdict


class Case(Protocol):
    """A circuit with a name that can be judged."""

    @property
    def name(self) -> str: ...

    def judged(self) -> Verdict: ...

    def wrong(self, verdict: Verdict) -> str:
        """What is wrong with a verdict, or nothing."""


def reason(message: str) -> str:
    """A message without what is different each time: names, positions, values."""
    said = re.sub(r"operation \d+ \((.+?)\)(?= |,|:)", "operation N", message)
    said = re.sub(r"\[[^\]]*\]", "[..]", said)
    said = re.sub(r"-?\d+\.?\d*(e[+-]?\d+)?", "#", said)
    said = re.sub(r"contains [\w()*.]+", "contains X", said)
    return re.sub(r"decomposing \S+", "decomposing X", said)[:150]


def main(cases: Sequence[Case], what: str) -> None:
    """The command line: judge the cases that are asked for, print them and write them down."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the names of the cases that are run")
    parser.add_argument("--shard", default="0/1", help="each n-th case, from the i-th: i/n")
    parser.add_argument("--csv", type=Path, help="where the table is written")
    parser.add_argument("--quiet", action="store_true", help="show only what is wrong")
    given = parser.parse_args()
    torch.set_num_threads(1)
    first, step = map(int, given.shard.split("/"))
    rows = run([case for case in cases if given.only in case.name][first::step], given.csv, given.quiet)
    print(summary(rows))


def run(cases: Sequence[Case], path: Path | None, quiet: bool = False) -> list[tuple[str, Verdict]]:
    """Judge, printing and writing each verdict as it comes."""
    rows: list[tuple[str, Verdict]] = []
    file: Any = path.open("w", newline="") if path else None
    try:
        writer = csv.writer(file) if file else None
        for case in cases:
            start = time.perf_counter()
            verdict = case.judged()
            rows.append((case.name, verdict))
            wrong = case.wrong(verdict)
            if wrong or not quiet:
                print(
                    f"{'WRONG' if wrong else 'right':6} {verdict.kind:9} {case.name}   {verdict.message[:160]}",
                    flush=True,
                )
            if writer:
                seconds = f"{time.perf_counter() - start:.2f}"
                writer.writerow([case.name, verdict.kind, wrong, reason(verdict.message), verdict.message, seconds])
                file.flush()
    finally:
        if file:
            file.close()
    return rows


def summary(rows: Sequence[tuple[str, Verdict]]) -> str:
    """Counts, and what is not equal by its reason."""
    counts = Counter(verdict.kind for _, verdict in rows)
    lines = ["", ", ".join(f"{counts[kind]} {kind}" for kind in (EQUAL, DIFFERENT, CRASHED, REFUSED, NOT_RUN))]
    for kind in (DIFFERENT, CRASHED, REFUSED):
        by_reason: dict[str, list[str]] = defaultdict(list)
        for name, verdict in rows:
            if verdict.kind == kind:
                by_reason[reason(verdict.message)].append(name)
        for said, names in sorted(by_reason.items(), key=lambda pair: -len(pair[1])):
            lines += ["", f"{kind}, {len(names)}: {said}", *(f"    {name}" for name in names)]
    return "\n".join(lines)


def read(paths: Sequence[str]) -> list[tuple[str, Verdict]]:
    """Tables that were written, as one."""
    rows = []
    for path in paths:
        with open(path, newline="") as file:
            rows += [(row[0], Verdict(row[1], row[4])) for row in csv.reader(file)]
    return rows


if __name__ == "__main__":
    print(summary(read(sys.argv[1:])))
