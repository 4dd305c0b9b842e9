"""Write the tables of the README and the documentation from the committed benchmark results.

Usage: python docs/tables.py [--check]
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
from dataclasses import fields
from pathlib import Path

from quanvolve.reproduce import Reproduction, Result, find, names

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


MODELS = {
    "quantum, fixed": "quantum, fixed at random",
    "quantum, trained": "quantum, trained",
    "`Conv2d`, fixed": "nn.Conv2d + ReLU, fixed at random",
    "`Conv2d`, trained": "nn.Conv2d + ReLU, trained",
    "pixels": "no filters",
}


def accuracy() -> str:
    """Test accuracy in percent, a row for each group of models, and below it the command behind each number."""
    with (ROOT / "benchmarks" / "mnist_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["group"], row["model"]): row for row in rows}
    groups = sorted({row["group"] for row in rows}, key=lambda group: ("raw" in group, "cnn" in group, len(group)))
    lines = [f"| test accuracy, percent | {' | '.join(MODELS)} |", "|---" * (len(MODELS) + 1) + "|"]
    for group in groups:
        scores = {model: float(found[group, model]["test accuracy"]) for g, model in found if g == group}
        best = max(scores.values())
        cells = []
        for model in MODELS.values():
            number = f"{100 * scores[model]:.2f}" if model in scores else ""
            cells.append(f"**{number}**" if scores.get(model) == best and len(scores) > 1 else number)
        lines.append(f"| {group} | {' | '.join(cells)} |")
    lines += ["", "<details><summary>The command behind each number</summary>", ""]
    lines += [f"- {row['group']}, {row['model']}: `{row['command']}`" for row in rows]
    return "\n".join([*lines, "", "</details>"])


def presets() -> str:
    """Test accuracy of the presets in percent, over the seeds that were run, and what a model costs."""
    with (ROOT / "benchmarks" / "preset_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| preset | backbone | parameters | test accuracy, percent | seeds | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for preset, backbone in dict.fromkeys((row["preset"], row["backbone"]) for row in rows):
        own = [row for row in rows if (row["preset"], row["backbone"]) == (preset, backbone)]
        scores = [100 * float(row["test accuracy"]) for row in own]
        spread = f" \u00b1 {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        minutes = statistics.mean(float(row["seconds"]) for row in own) / 60
        quantum = int(own[0]["quantum parameters"] or 0)
        size = f"{int(own[0]['parameters']):,}" + (f" ({quantum:,} of circuits)" if quantum else "")
        score = f"{statistics.mean(scores):.2f}{spread}"
        lines.append(f"| `{preset}` | {backbone} | {size} | {score} | {len(scores)} | {minutes:.1f} |")
    return "\n".join(lines)


def tree_accuracy() -> str:
    """Test accuracy of coherent trees and of what they are compared with, over the seeds that were run."""
    with (ROOT / "benchmarks" / "tree_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| training images | model | parameters | test accuracy, percent | validation accuracy, percent | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for images, model in dict.fromkeys((row["training images"], row["model"]) for row in rows):
        own = [row for row in rows if (row["training images"], row["model"]) == (images, model)]
        shown = []
        for column in ("test accuracy", "validation accuracy"):
            scores = [100 * float(row[column]) for row in own]
            spread = f" \u00b1 {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
            shown.append(f"{statistics.mean(scores):.2f}{spread}")
        size = f"{int(own[0]['parameters']):,}"
        lines.append(f"| {int(images):,} | `{model}` | {size} | {' | '.join(shown)} | {len(own)} |")
    return "\n".join(lines)


def wide() -> str:
    """Wide windows: rates, bonds, and the peers that can run them."""
    with (ROOT / "benchmarks" / "wide_windows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| qubits | ansatz, layers | what | quanvolve | bond | others |", "|---|---|---|---|---|---|"]
    for row in rows:
        if row["contender"] != "quanvolve":
            continue
        case = ("kernel", "ansatz", "layers", "what")
        others = [r for r in rows if r["contender"] != "quanvolve" and all(r[key] == row[key] for key in case)]
        beside = ", ".join(f"{short(r['a second'])} ({r['contender']})" for r in others)
        lines.append(
            f"| {row['qubits']} | `{row['ansatz']}`, {row['layers']} | {row['what']} a second | "
            f"**{short(row['a second'])}** | {row['bond']} | {beside} |"
        )
    return "\n".join(lines)


def tree_speed() -> str:
    """Coherent trees: milliseconds of 100 images, and how many times ours others take."""
    with (ROOT / "benchmarks" / "coherent_tree.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| 100 images, 1,024 qubits, 8 trees | threads | milliseconds | of processors | times ours |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: row["what"]):
        lines.append(
            f"| {row['what']}: {row['contender']} | {row['threads']} | {row['milliseconds']} | {row['processor ms']} | "
            f"{row['times ours']} |"
        )
    return "\n".join(lines)


def wide_accuracy() -> str:
    """Test accuracy in percent by the size of the window, mean over the seeds; filter parameters in brackets."""
    with (ROOT / "benchmarks" / "wide_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    models = list(dict.fromkeys(row["model"] for row in rows))
    lines = ["| window | " + " | ".join(models) + " |", "|---|" + "---|" * len(models)]
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        cells = []
        for model in models:
            own = [row for row in rows if (row["kernel"], row["model"]) == (kernel, model)]
            if not own:
                cells.append("")
                continue
            score = statistics.mean(100 * float(row["test accuracy"]) for row in own)
            cells.append(f"{score:.2f} ({int(own[0]['filter parameters']):,})")
        lines.append(f"| {kernel}x{kernel} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


STEPS = {
    "W1d": "512 images forward, 2x2 windows, 4 qubits, 2 entangling layers",
    "W3": "training step, 32 images, the same layer with weights that are trained",
    "W4": "training step, 32 images, 3x3 windows, 9 qubits",
    "W6": "64 images forward, the demo's circuit, 1,000 shots beside exact values",
    "preset": "training step of the preset `quantum`, 128 images, beside its classical twin",
}


def training_steps() -> str:
    """What quantum layers take, in times of what is compared with, on a quiet machine and on a busy one."""
    with (ROOT / "benchmarks" / "training_step.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = list(dict.fromkeys((row["machine"], row["threads of torch"]) for row in rows))
    titles = [f"{machine}, {threads} thread{'s' * (threads != '1')}" for machine, threads in columns]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (len(columns) + 1) + "|"]
    for name in dict.fromkeys(row["what"] for row in rows):
        own = [row for row in rows if row["what"] == name and row["contender"] in ("quanvolve", "quantum")]
        ratios = {(row["machine"], row["threads of torch"]): f"{float(row['times the first']):.2g}" for row in own}
        lines.append(f"| {name}: {STEPS[name]} | {' | '.join(ratios[column] for column in columns)} |")
    return "\n".join(lines)


def qcnn_speed() -> str:
    """Training steps of QCNNs a second, and how many times as many as others do."""
    with (ROOT / "benchmarks" / "qcnn_speed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    own = ("quanvolve float64", "quanvolve float32")
    others = [name for name in dict.fromkeys(row["contender"] for row in rows) if name not in own]
    lines = [
        "| encoding | block | steps a second, float64 | float32 | " + " | ".join(others) + " |",
        "|---" * (4 + len(others)) + "|",
    ]
    for encoding, block in dict.fromkeys((row["encoding"], row["block"]) for row in rows):
        found = {row["contender"]: row for row in rows if (row["encoding"], row["block"]) == (encoding, block)}
        cells = [f"{float(found[name]['steps a second']):,.0f}" for name in own]
        for name in others:
            row = found[name]
            rate = row["steps a second"]
            cells.append(f"{float(rate):.1f} (**{float(row['times quanvolve float64']):.0f}x**)" if rate else "")
        lines.append(f"| `{encoding}` | `{block}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def qcnn_binary() -> str:
    """Test accuracy in percent of QCNNs and their classical twins, mean and spread over the seeds."""
    with (ROOT / "benchmarks" / "qcnn_binary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| numbers | model | parameters | accuracy | CNN's parameters | CNN's accuracy |", "|---" * 6 + "|"]

    def cells(way: str, model: str) -> list[str]:
        own = [row for row in rows if (row["numbers"], row["model"]) == (way, model)]
        scores = [100 * float(row["test accuracy"]) for row in own]
        return [own[0]["parameters"], f"{statistics.mean(scores):.2f} \u00b1 {statistics.stdev(scores):.2f}"]

    models = list(dict.fromkeys(row["model"] for row in rows if row["model"].startswith("qcnn_")))
    for way in dict.fromkeys(row["numbers"] for row in rows):
        for model in models:
            both = [f"`{model}`", *cells(way, model), *cells(way, f"CNN like {model}")]
            lines.append(f"| {way} | " + " | ".join(both) + " |")
        size, score = cells(way, "logistic regression")
        lines.append(f"| {way} | logistic regression | {size} | {score} | | |")
    return "\n".join(lines)


def mitigation() -> str:
    """Errors of calibrated filters by form of mitigation, in percent of the ideal values' root mean square."""
    with (ROOT / "benchmarks" / "mitigation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    forms = [
        "none", "readout", "readout and zne, linear", "readout and zne, exponential", "readout and zne, richardson",
    ]  # fmt: skip
    lines = [f"| filter | two-qubit gates | shots | {' | '.join(forms)} |", "|---" * (len(forms) + 3) + "|"]
    for case in dict.fromkeys((row["filter"], row["two-qubit gates"], row["shots"]) for row in rows):
        own = {r["mitigation"]: r for r in rows if (r["filter"], r["two-qubit gates"], r["shots"]) == case}
        errors = {form: 100 * float(own[form]["error"]) for form in forms}
        best = min(errors.values())
        cells = [f"**{error:.1f}**" if error == best else f"{error:.1f}" for error in errors.values()]
        lines.append(f"| {case[0]} | {case[1]} | {int(case[2]):,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tree_on_device() -> str:
    """A tree of 1,024 qubits on simulators of devices, beside the layer's exact values."""
    with (ROOT / "benchmarks" / "tree_on_device.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| runs on | optimization level | image of | shots | measured Z | the layer, exact | depth | two-qubit gates |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        measured = f"{float(row['measured']):.3f} \u00b1 {float(row['standard error']):.3f}"
        name = "Aer, no noise" if row["runs on"] == "aer" else f"`{row['runs on']}`"
        lines.append(
            f"| {name} | {row['optimization level']} | {row['label']} | {row['shots']} | {measured} | "
            f"{float(row['exact value']):.3f} | {int(row['depth']):,} | {int(row['two-qubit gates']):,} |"
        )
    return "\n".join(lines)


def workers() -> str:
    """What a second worker is worth."""
    with (ROOT / "benchmarks" / "workers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| | workers | seconds | speed-up |", "|---|---|---|---|"]
    names = {"processes": "processes", "dask": "Dask"}
    lines += [f"| {names[r['kind']]} | {r['workers']} | {r['median seconds']} | {r['speed-up']} |" for r in rows]
    return "\n".join(lines)


def a_day() -> str:
    """What a day buys on two cores, a GPU and 64 workers: measured, or computed where the line says how."""
    with (ROOT / "benchmarks" / "a_day.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| in a day | two cores, measured | 64 workers | one GPU, at most |", "|---|---|---|---|"]
    for what in dict.fromkeys(row["what"] for row in rows):
        own = {row["on"]: row for row in rows if row["what"] == what}
        beside = own["two cores"]["nn.Conv2d a day"]
        first = large(own["two cores"]["a day"]) + (f" (`nn.Conv2d` {large(beside)})" if beside else "")
        cells = [first, *(large(own[on]["a day"]) if on in own else "" for on in ("64 workers", "one GPU"))]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def large(number: str) -> str:
    """A large number in words: 15.7 million, 94 billion."""
    value = float(number)
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:,.0f}"


def memory() -> str:
    """What a forward and a backward pass of an image of a million pixels take."""
    with (ROOT / "benchmarks" / "scaling.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"].startswith("memory")]
    lines = ["| 64 channels of 1x1024x1024, forward and backward | MiB |", "|---|---|"]
    return "\n".join([*lines, *(f"| {row['case']} ({row['plan']}) | {row['value']} |" for row in rows)])


def gpu() -> str:
    """What the check of a GPU found, if one was made since there are kernels for GPUs."""
    path = ROOT / "benchmarks" / "cuda.csv"
    if not path.exists():
        return "No GPU was at hand since there are kernels for GPUs: **no figure of their speed exists yet.**"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    machine = next(row for row in rows if row["what"] == "machine")
    good = sum(row["result"] == "good" for row in rows)
    lines = [f"{machine['case']}, {machine['beside']}: {good} of {len(rows)} lines are good.", ""]
    lines += ["| | | beside | ratio |", "|---|---|---|---|"]
    for row in rows:
        if row["what"].startswith(("speed", "peer", "training")) and row["result"] == "good" and row["value"]:
            lines.append(
                f"| {row['what']}: {row['case']} | {row['value']} {row['unit']} | {row['beside']} | {row['ratio']} |"
            )
    lines += ["", *(f"- {row['what']}, {row['case']}: {row['result']}" for row in rows if row["result"] != "good")]
    return "\n".join(lines).rstrip()


def first_call() -> str:
    """Whole processes of the command line, in units of the imports of torch and scikit-learn."""
    with (ROOT / "benchmarks" / "first_call.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| `quanvolve ...` | nothing compiled | compiled |", "|---|---|---|"]
    for command in dict.fromkeys(row["command"] for row in rows):
        own = {row["state"]: row for row in rows if row["command"] == command}
        cells = [
            f"{float(own[state]['processor times the imports']):.2f}" if state in own else ""
            for state in ("nothing compiled", "compiled")
        ]
        lines.append(f"| `{command}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def verdicts() -> str:
    """Our own verdicts: accuracies in percent, and the first sentence of each."""
    with (ROOT / "benchmarks" / "verdicts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sentences = json.loads((ROOT / "benchmarks" / "verdicts.json").read_text())
    names = ["model", "conv", "unentangled", "random-features", "pixels"]
    lines = [f"| accuracy, percent | seeds | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    marks = {"better": " ▲", "worse": " ▼"}
    for study in dict.fromkeys(row["study"] for row in rows):
        own = {row["contender"]: row for row in rows if row["study"] == study}
        cells = []
        for name in names:
            row = own.get(name)
            mark = "" if row is None else marks.get(row["outcome"], "")
            cells.append("" if row is None else f"{100 * float(row['accuracy']):.2f}{mark}")
        lines.append(f"| {study} | {own['model']['seeds']} | {' | '.join(cells)} |")
    lines += [
        "",
        "▲ the quantum model is better than this control, ▼ it is worse, after correction; otherwise no difference",
    ]
    lines += ["was seen, or so few seeds could show none.", ""]
    lines += [f"- {study}: {found[0]}" for study, found in sentences.items()]
    return "\n".join(lines)


def onnx() -> str:
    """The default classifier and its exports on MNIST's test images."""
    with (ROOT / "benchmarks" / "onnx_speed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| | seconds | images a second | largest difference of a probability |", "|---|---|---|---|"]
    for row in rows:
        seconds = float(row["median seconds"])
        rate = short(str(int(row["images"]) / seconds))
        name = "this package" if row["contender"] == "quanvolve" else f"`{row['contender']}`"
        off = "" if row["contender"] == "quanvolve" else row["largest difference"]
        lines.append(f"| {name} | {seconds:.3f} | {rate} | {off} |")
    return "\n".join(lines)


def sweep() -> str:
    """Named circuits of all kinds beside PennyLane: the worst, median and best ratio for each number of qubits."""
    with (ROOT / "benchmarks" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {"TorchLayer ms": "PennyLane `TorchLayer`", "JAX ms": "PennyLane + JAX, compiled"}
    lines = [f"| qubits, windows | | {' | '.join(columns.values())} |", "|---|---|---|---|"]
    losing = []
    for qubits, windows in sorted({(int(row["qubits"]), int(row["windows"])) for row in rows}):
        for what in ("forward", "step"):
            own = [row for row in rows if int(row["qubits"]) == qubits and row["what"] == what]
            cells = []
            for column, name in columns.items():
                ratios = {
                    " ".join(row[key] for key in ("encoding", "ansatz", "readout")): float(row[column])
                    / float(row["quanvolve ms"])
                    for row in own
                    if row[column]
                }
                least, most = min(ratios.values()), max(ratios.values())
                shown = [f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}" for ratio in
                         (least, statistics.median(ratios.values()), most)]  # fmt: skip
                cells.append(f"{shown[0]}x, **{shown[1]}x**, {shown[2]}x ({len(ratios)})")
                slower = [ratio for ratio in ratios.values() if ratio < 1]
                if slower:
                    losing.append(
                        f"- {qubits} qubits, {what}: {len(slower)} of {len(ratios)} slower than {name}, the worst "
                        f"takes {1 / least:.1f} times as long ({min(ratios, key=lambda key: ratios[key])})"
                    )
            lines.append(f"| {qubits}, {windows} | {what} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "Cells in which this package is not the fastest:" if losing else "No cell is slower.",
                      *([""] if losing else []), *losing])  # fmt: skip


WHAT = {
    "W1": "W1: 2x2 windows, the demo's random layer",
    "W1d": "W1d: 2x2 windows, two entangling layers",
    "W2": "W2: 3x3 windows, 9 qubits",
    "W3": "W3: training step of W1d",
    "W4": "W4: training step, 3x3 windows",
    "W5": "W5: W1 with depolarizing noise",
    "W6": "W6: W1 with 1,000 shots a window",
}


def speed() -> str:
    """The workloads: this package, the best peer, and a classical convolution; then MNIST as a whole."""
    with (ROOT / "benchmarks" / "bench.csv").open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith(("#", '"#'))))
    lines = ["| workload | quanvolve | best peer | ratio | `nn.Conv2d` |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(row["workload"] for row in rows if row["median"]):
        own = {row["contender"]: row for row in rows if row["workload"] == name and row["median"]}
        ours, conv = own["quanvolve"], own["conv2d"]
        peers = [row for contender, row in own.items() if contender not in ("quanvolve", "conv2d", "memory")]
        best = max(peers, key=lambda row: float(row["median"]))
        ratio = float(ours["median"]) / float(best["median"])
        lines.append(
            f"| {WHAT[name]} | **{short(ours['median'])}** {ours['unit']} | "
            f"{short(best['median'])} ({best['contender']}) | {ratio:.1f}x | {short(conv['median'])} |"
        )
    with (ROOT / "benchmarks" / "scaling.csv").open(newline="") as file:
        whole = {row["case"]: row["value"] for row in csv.DictReader(file)}
    warm, cold = (whole[f"70,000 images, 16 channels{kind}"] for kind in ("", ", first touch of the output"))
    lines += [
        "",
        f"All 70,000 MNIST images through 4 filters of 4 qubits (16 channels), `QuanvTransformer` on bytes: {warm} s; "
        f"{cold} s the first time in a process, when the 840 MiB of the result are new to it.",
    ]
    return "\n".join(lines)


def short(number: str) -> str:
    """A rate to read: 115 M, 30.3 k, 133."""
    value = float(number)
    for limit, letter in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def fill(text: str, name: str, content: str) -> str:
    """Replace what stands between a pair of markers."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{content}\n{end}{after}"


def studio() -> str:
    """Predictions a second and the slowest hundredth, with and without common batches, and memory."""
    with (ROOT / "benchmarks" / "studio.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(int(row["connections"]), row["batching"]): row for row in rows if row["what"] == "load"}
    lines = [
        "| connections | predictions a second | median, ms | 99 %, ms | one by one, a second | 99 %, ms | gain |",
        "|---|---|---|---|---|---|---|",
    ]
    for connections in sorted({key for key, _ in found}):
        own, alone = found[connections, "True"], found[connections, "False"]
        gain = float(own["per_second"]) / float(alone["per_second"])
        numbers = [f"{float(row['per_second']):,.0f}" for row in (own, alone)]
        lines.append(
            f"| {connections} | {numbers[0]} | {float(own['median_ms']):.1f} | {float(own['p99_ms']):.1f} "
            f"| {numbers[1]} | {float(alone['p99_ms']):.1f} | {gain:.2f}x |"
        )
    memory = next(row for row in rows if row["what"] == "memory")
    errors = sum(int(row["errors"]) for row in found.values())
    return "\n".join([
        *lines, "",
        f"Medians of interleaved rounds, {errors} errors (`benchmarks/studio.py`). Memory over "
        f"{int(memory['requests']):,} requests: {float(memory['mib_before']):.0f} MiB before, "
        f"{float(memory['mib_after']):.0f} MiB after.",
    ])  # fmt: skip


def reproduced() -> list[tuple[Reproduction, Result]]:
    """The published results that were run."""
    found = []
    for one in map(find, names()):
        path = one.folder / "result.json"
        if path.is_file():
            content = json.loads(path.read_text())
            found.append((one, Result(**{field.name: content[field.name] for field in fields(Result)})))
    return found


def summary() -> str:
    """A line for each published result."""
    lines = [
        "| published result | its model | ours, percent | matched control | percent | as expected |",
        "|---|---|---|---|---|---|",
    ]
    for one, result in reproduced():
        own = one.arms[0].name
        met = sum(result.lies_in(expected) for expected in one.expected)
        lines.append(
            f"| {one.title} | {own} | {result.shown(own)} | {one.control} | {result.shown(one.control)} | "
            f"{met} of {len(one.expected)} |"
        )
    return "\n".join(lines)


def reproductions() -> str:
    """What was claimed, what came out, and what the matched control does, for each that was run."""
    lines = []
    for one, result in reproduced():
        lines += [f"## {one.title}", "", f"`quanvolve reproduce {one.name}` \u00b7 {one.source}", ""]
        lines += [f"- {sentence}" for sentence in result.sentences(one)]
        lines += [f"- Done otherwise: {one.differs}"] if one.differs != "-" else []
        lines += ["", "| arm | test accuracy, percent |", "|---|---|"]
        lines += [f"| {arm.name} | {result.shown(arm.name)} |" for arm in one.arms]
        lines += ["", f"{one.seeds} seeds, {result.seconds / 60:.1f} minutes on one core, beside other work.", ""]
    return "\n".join(lines).rstrip()


TABLES = {
    README: (
        ("accuracy", accuracy),
        ("presets", presets),
        ("verdicts", verdicts),
        ("speed", speed),
        ("summary", summary),
    ),
    ROOT / "docs" / "hardware.md": (("mitigation", mitigation),),
    ROOT / "docs" / "compare.md": (("verdicts", verdicts),),
    ROOT / "docs" / "tree-on-a-device.md": (("tree-on-device", tree_on_device),),
    ROOT / "docs" / "reading.md": (("onnx", onnx),),
    ROOT / "docs" / "scale.md": (("workers", workers), ("a-day", a_day), ("memory", memory)),
    ROOT / "docs" / "gpu.md": (("gpu", gpu),),
    ROOT / "docs" / "speed.md": (
        ("first-call", first_call),
        ("training-steps", training_steps),
        ("sweep", sweep),
    ),
    ROOT / "docs" / "studio.md": (("studio", studio),),
    ROOT / "docs" / "reproductions.md": (("summary", summary), ("reproductions", reproductions)),
    ROOT / "docs" / "coherent.md": (("trees", tree_speed),),
    ROOT / "docs" / "tree-accuracy.md": (("tree-accuracy", tree_accuracy),),
    ROOT / "docs" / "wide.md": (("wide", wide), ("wide-accuracy", wide_accuracy)),
    ROOT / "docs" / "qcnn.md": (("qcnn-speed", qcnn_speed), ("qcnn-binary", qcnn_binary)),
}


def main() -> int:
    """Rewrite the tables, or with --check say whether they are up to date."""
    changed = 0
    for path, tables in TABLES.items():
        text = path.read_text()
        filled = text
        for name, content in tables:
            filled = fill(filled, name, content())
        changed |= int(filled != text)
        if "--check" not in sys.argv:
            path.write_text(filled)
    return changed if "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
