"""What the first call takes: whole processes of the command line, with nothing compiled and with all that is needed.

    python benchmarks/first_call.py [--rounds N] [--data-dir FOLDER]

In every round each command runs once in a process of its own, between others that only import torch and scikit-learn:
a busy machine makes all of them slower, and their ratios stay. "nothing compiled" is an empty folder for Numba
(`NUMBA_CACHE_DIR`) for that process alone; "compiled" is one that the same command has filled. Seconds of processors
(user and system) are those of the process. With a folder that has MNIST (or `QUANVOLVE_DATA`) its training and a test
of 10,000 images run, too.
Writes `first_call.csv` beside this file after each round: medians.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
IMPORTS = [sys.executable, "-c", "import torch, sklearn"]
QUANVOLVE = [sys.executable, "-m", "quanvolve"]
COMMANDS = {
    "--help": ["--help"],
    "reproduce --list": ["reproduce", "--list"],
    "datasets": ["datasets"],
    "circuits": ["circuits"],
    "train digits": ["train", "digits", "--output", "OUT/run"],
    "train digits --preset tree": ["train", "digits", "--preset", "tree", "--output", "OUT/run"],
    "train digits --trainable": ["train", "digits", "--trainable", "--output", "OUT/run"],
    "train mnist --epochs 1": ["train", "mnist", "--epochs", "1", "--output", "OUT/run"],
    "evaluate (10,000 images)": ["evaluate", "MODEL"],
}
NEVER = {"--help", "reproduce --list", "datasets", "circuits"}
"""Commands that compute nothing, so that there is nothing to compile."""


class Took(NamedTuple):
    """Seconds of a process: by the clock, and of processors."""

    clock: float
    processor: float


def run(command: list[str], cache: Path | None) -> Took:
    """One process, with compiled functions of such a folder."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"} | (
        {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    )
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("QUANVOLVE_DATA"))
    chosen = parser.parse_args()
    has_mnist = chosen.data_dir is not None and (Path(chosen.data_dir) / "mnist").is_dir()
    if has_mnist:
        os.environ["QUANVOLVE_DATA"] = str(chosen.data_dir)
    commands = {
        name: words for name, words in COMMANDS.items() if has_mnist or not ("mnist" in name or "MODEL" in words)
    }
    found: dict[tuple[str, str], list[tuple[Took, Took]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        if has_mnist:
            made = [*QUANVOLVE, "train", "mnist", "--epochs", "1", "--output", str(here / "model")]
            run(made, here / "filled" / "evaluate (10,000 images)")
        for number in range(chosen.rounds):
            before = run(IMPORTS, None)
            for group in groups(commands):
                took: dict[tuple[str, str], Took] = {}
                for name in group:
                    filled = here / "filled" / name
                    for state in ["compiled"] if name in NEVER else ["nothing compiled", "compiled"]:
                        own = here / f"{number}-{state}-{list(commands).index(name)}"
                        if state == "compiled" and name not in NEVER and not filled.exists():
                            filled.mkdir(parents=True)
                            run(_words(commands[name], here, own / "filling"), filled)
                        cache = filled if state == "compiled" else own / "cache"
                        took[name, state] = run(_words(commands[name], here, own), cache)
                after = run(IMPORTS, None)
                imports = Took(*(statistics.mean(pair) for pair in zip(before, after, strict=True)))
                for case, seconds in took.items():
                    found.setdefault(case, []).append((seconds, imports))
                    print(number, *case, seconds, imports, flush=True)
                before = after
            write(found)


def groups(commands: dict[str, list[str]]) -> list[list[str]]:
    """The commands between two imports: each by itself, but those that take little."""
    return [[name for name in commands if name in NEVER], *([name] for name in commands if name not in NEVER)]


def write(found: dict[tuple[str, str], list[tuple[Took, Took]]]) -> None:
    """The medians of all rounds so far."""
    with (HERE / "first_call.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = ["rounds", "seconds", "processor seconds", "imports' seconds", "imports' processor seconds"]
        writer.writerow(["command", "state", *head, "times the imports", "processor times the imports"])
        for (name, state), pairs in found.items():
            numbers = [
                statistics.median(numbers)
                for numbers in (
                    [took.clock for took, _ in pairs], [took.processor for took, _ in pairs],
                    [imports.clock for _, imports in pairs], [imports.processor for _, imports in pairs],
                    [took.clock / imports.clock for took, imports in pairs],
                    [took.processor / imports.processor for took, imports in pairs],
                )
            ]  # fmt: skip
            writer.writerow([name, state, len(pairs), *(f"{number:.2f}" for number in numbers)])


def _words(words: list[str], here: Path, out: Path) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    return [*QUANVOLVE, *(word.replace("OUT", str(out)).replace("MODEL", str(here / "model")) for word in words)]


if __name__ == "__main__":
    main()
