"""Our own verdicts: does the quantum part help, on digits, MNIST, colour images and time series?

    python benchmarks/verdicts.py --data-root DIR --output DIR [NAME ...]

`--data-root` has the folders `mnist`, `rgb` and `timeseries`. Each study is kept in its folder of `--output` and goes
on from there; the results are written to `verdicts.csv` and `verdicts.json` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from quanvolve.study import Protocol, Table, compare, results_of

HERE = Path(__file__).parent
TEN = tuple(range(10))
FEW = ["conv", "unentangled", "other-training", "random-features", "pixels"]
MODEL: dict[str, Any] = {"n_filters": 4, "trainable": True}

STUDIES: dict[str, dict[str, Any]] = {
    "digits": {"dataset": "digits", "protocol": Protocol(TEN, epochs=20)},
    "mnist-500": {
        "dataset": "mnist",
        "protocol": Protocol(TEN, lrs=(1e-2, 3e-3), epochs=20, train_size=500),
    },
    "arrowhead": {
        "dataset": "timeseries/ArrowHead/ArrowHead.npz",
        "params": {"kernel_size": 4, "stride": 2},
        "protocol": Protocol(TEN, lrs=(1e-2, 3e-3), epochs=60, batch_size=8, validation_fraction=0.25),
    },
    "coffee": {
        "dataset": "timeseries/Coffee/Coffee.npz",
        "params": {"kernel_size": 4, "stride": 2},
        "protocol": Protocol(TEN, lrs=(1e-2, 3e-3), epochs=60, batch_size=8, validation_fraction=0.25),
    },
    "mnist-2000": {
        "dataset": "mnist",
        "controls": FEW,
        "protocol": Protocol(TEN, lrs=(1e-2,), epochs=10, train_size=2000),
    },
    "mnist-10000": {
        "dataset": "mnist",
        "controls": FEW,
        "protocol": Protocol(TEN[:8], lrs=(3e-3,), epochs=5, train_size=10_000, batch_size=64),
    },
    "mnist-60000": {
        "dataset": "mnist",
        "controls": FEW,
        "protocol": Protocol(TEN[:3], lrs=(3e-3,), epochs=3, batch_size=128, validation_fraction=0.1),
    },
    "cifar10-subset": {
        "dataset": "rgb/cifar10_subset.npz",
        "controls": ["conv", "random-features", "pixels"],
        "protocol": Protocol(TEN, lrs=(3e-3,), epochs=3),
    },
}


def located(dataset: str, root: Path) -> tuple[str, Path | None]:
    """The data set's name and the folder of its files, or the path of its file."""
    if dataset == "mnist":
        return dataset, root / "mnist"
    return (str(root / dataset), None) if "/" in dataset else (dataset, None)


def main() -> None:
    """Run what is missing, then write all results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    for name in given.names or STUDIES:
        study, folder = STUDIES[name], given.output / name
        dataset, data_dir = located(study["dataset"], given.data_root)
        compare(
            dataset, folder, params={**MODEL, **study.get("params", {})}, controls=study.get("controls"),
            protocol=study["protocol"], data_dir=data_dir, resume=(folder / "study.sqlite").exists(),
            workers=given.workers,
        )  # fmt: skip
        print(name, *results_of(Table(folder)).verdict(), sep="\n  ", flush=True)
        write(given.output)


def write(output: Path) -> None:
    """The results of all studies that are finished."""
    rows, verdicts = [], {}
    for name in STUDIES:
        if not (output / name / "study.sqlite").exists():
            continue
        found = results_of(Table(output / name))
        if not found.finished:
            continue
        verdicts[name] = found.verdict()
        compared = {one.control: one for one in found.comparisons}
        for one in found.standings:
            row: dict[str, Any] = {
                "study": name, "contender": one.name, "seeds": one.n, "accuracy": f"{one.mean:.5f}",
                "deviation": f"{one.deviation:.5f}", "parameters": one.parameters["total"],
                "trained": one.parameters["trained"], "quantum": one.parameters["quantum"],
                "seconds": f"{one.seconds:.1f}", "collapsed": one.collapsed,
            }  # fmt: skip
            if (other := compared.get(one.name)) is not None:
                row |= {
                    "difference": f"{other.difference:.5f}", "low": f"{other.low:.5f}", "high": f"{other.high:.5f}",
                    "p corrected": f"{other.p_corrected:.4f}", "outcome": other.outcome,
                }  # fmt: skip
            rows.append(row)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (HERE / "verdicts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    (HERE / "verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n")


if __name__ == "__main__":
    main()
