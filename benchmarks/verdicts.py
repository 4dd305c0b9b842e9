"""Our own verdicts: does the quantum part help, on digits, MNIST, colour images and time series?

    python benchmarks/verdicts.py --data-root DIR --output DIR [NAME ...]
    python benchmarks/verdicts.py --derive

`--data-root` has the folders `mnist`, `rgb` and `timeseries`. Each study is kept in its folder of `--output` and goes
on from there. The result of every seed is written to `verdicts_seeds.csv` beside this file, and what follows from them
to `verdicts.csv` and `verdicts.json`; `--derive` does only the latter. Studies without results by seed keep their rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
from pathlib import Path
from typing import Any

from quanvolve.study import Comparison, Outcome, Protocol, Table, compare, compare_paired, has_collapsed, results_of
from quanvolve.study._verdict import verdict

HERE = Path(__file__).parent
TEN = tuple(range(10))
COLUMNS = [
    "study", "contender", "seeds", "accuracy", "deviation", "parameters", "trained", "quantum", "seconds", "collapsed",
    "difference", "low", "high", "confidence", "p corrected", "outcome",
]  # fmt: skip
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
        "protocol": Protocol(TEN, lrs=(1e-2, 3e-3), epochs=60, batch_size=8, validation_fraction=0.25, splits=0),
    },
    "coffee": {
        "dataset": "timeseries/Coffee/Coffee.npz",
        "params": {"kernel_size": 4, "stride": 2},
        "protocol": Protocol(TEN, lrs=(1e-2, 3e-3), epochs=60, batch_size=8, validation_fraction=0.25, splits=0),
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
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--derive", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    if given.derive:
        derive()
        return
    if given.data_root is None or given.output is None:
        parser.error("give --data-root and --output, or --derive")
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


def read(name: str) -> list[dict[str, Any]]:
    """The rows of a table beside this file; none if there is none."""
    if not (HERE / name).exists():
        return []
    with (HERE / name).open(newline="") as file:
        return list(csv.DictReader(file))


def save(name: str, rows: list[dict[str, Any]]) -> None:
    """Write a table beside this file, studies in their order."""
    rows = sorted(rows, key=lambda row: list(STUDIES).index(row["study"]))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (HERE / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def write(output: Path) -> None:
    """The results of all studies that are finished, by seed, and what follows."""
    seeds, rows = read("verdicts_seeds.csv"), read("verdicts.csv")
    for name in STUDIES:
        if not (output / name / "study.sqlite").exists():
            continue
        table = Table(output / name)
        if table.counts()["pending"] or table.counts()["running"]:
            continue
        found = results_of(table)
        seeds = [row for row in seeds if row["study"] != name]
        rows = [row for row in rows if row["study"] != name]
        for trial in found.rows:
            if (result := trial["result"]) is not None:
                seeds.append({
                    "study": name, "contender": trial["contender"], "seed": trial["seed"],
                    "right": round(result["test_accuracy"] * result["n_test"]), "images": result["n_test"],
                    "majority": round(result["majority"] * result["n_test"]), "lr": result["lr"],
                })  # fmt: skip
        rows += [
            {
                "study": name, "contender": one.name, "seeds": one.n, "parameters": one.parameters["total"],
                "trained": one.parameters["trained"], "quantum": one.parameters["quantum"],
                "seconds": f"{one.seconds:.1f}",
            }
            for one in found.standings
        ]  # fmt: skip
    save("verdicts_seeds.csv", seeds)
    save("verdicts.csv", rows)
    derive()


def derive() -> None:
    """What follows from the results by seed."""
    seeds, rows = read("verdicts_seeds.csv"), read("verdicts.csv")
    sentences = HERE / "verdicts.json"
    verdicts = json.loads(sentences.read_text()) if sentences.exists() else {}
    for name in dict.fromkeys(row["study"] for row in seeds):
        outcomes: dict[str, dict[int, Outcome]] = {}
        for row in seeds:
            if row["study"] == name:
                right, images, majority = (int(row[key]) for key in ("right", "images", "majority"))
                one = Outcome(right / images, images, majority / images)
                outcomes.setdefault(row["contender"], {})[int(row["seed"])] = one
        model = outcomes["model"]
        found = compare_paired(model, {key: own for key, own in outcomes.items() if key != "model"})
        verdicts[name] = verdict(model, found)
        compared = {one.control: one for one in found}
        for row in rows:
            if row["study"] == name:
                row |= derived(list(outcomes[row["contender"]].values()), compared.get(row["contender"]))
    save("verdicts.csv", [{key: row.get(key, "") for key in COLUMNS} for row in rows])
    sentences.write_text(json.dumps({name: verdicts[name] for name in STUDIES if name in verdicts}, indent=1) + "\n")


def derived(own: list[Outcome], other: Comparison | None) -> dict[str, Any]:
    """What a row says of accuracies, and of the difference to the model."""
    accuracies = [one.score for one in own]
    row: dict[str, Any] = {
        "accuracy": f"{statistics.mean(accuracies):.5f}", "deviation": f"{statistics.stdev(accuracies):.5f}",
        "collapsed": "yes" if has_collapsed(own) else "no",
    }  # fmt: skip
    if other is not None:
        row |= {"difference": f"{other.difference:.5f}", "outcome": other.outcome}
        numbers = {
            "low": other.low,
            "high": other.high,
            "confidence": other.confidence,
            "p corrected": other.p_corrected,
        }
        row |= {key: "" if math.isnan(number) else f"{number:.5f}" for key, number in numbers.items()}
    return row


if __name__ == "__main__":
    main()
