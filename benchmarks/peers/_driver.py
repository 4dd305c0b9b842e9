"""What every contender of the benchmark shares: it reads requests from standard input and answers with JSON lines.

A contender is a script with a class that has `forward(problem)` and perhaps `step(problem)`; each returns a function. It
needs numpy and what it benchmarks, and nothing of this package.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import traceback
from pathlib import Path

import numpy as np


class Problem:
    """A workload as numbers.

    Attributes:
        images: float32, shape (N, 1, rows, columns), in [0, 1].
        kernel, stride: of the window, along both axes.
        n_wires: number of qubits.
        gates: each (name, wires, offset, inputs, weights): the angle is offset + sum of factor * scaled input + sum of
            factor * weight, with inputs and weights as pairs of an index and a factor; None for a fixed gate.
        weights: flat, float64.
        scale: what pixels are multiplied with.
        head_weight, head_bias, labels: a linear head (10, features), and the labels of the images.
        rate: learning rate.
    """

    def __init__(self, folder: str) -> None:
        given = json.loads((Path(folder) / "problem.json").read_text())
        arrays = np.load(Path(folder) / "arrays.npz")
        self.__dict__.update(given)
        self.__dict__.update({name: arrays[name] for name in arrays.files})

    def windows(self, images: np.ndarray) -> np.ndarray:
        """All windows as angles, shape (windows, inputs)."""
        view = np.lib.stride_tricks.sliding_window_view(images[:, 0], (self.kernel, self.kernel), axis=(1, 2))
        view = view[:, :: self.stride, :: self.stride]
        return np.ascontiguousarray(view.reshape(-1, self.kernel**2) * np.float32(self.scale))

    def angles(self, inputs, weights):
        """The angle of every gate; inputs[i] and weights[k] may be arrays of any library."""
        for _, _, angle in self.gates:
            if angle is None:
                yield None
                continue
            offset, reads, uses = angle
            total = None
            for values, pairs in ((inputs, reads), (weights, uses)):
                for index, factor in pairs:
                    term = values[index] if factor == 1.0 else values[index] * factor
                    total = term if total is None else total + term
            if total is None:
                yield offset
            else:
                yield total + offset if offset else total


def _timed(call, least: float) -> tuple[float, int]:
    """Seconds of a call, repeated for at least so long."""
    count, start = 0, time.perf_counter()
    while True:
        call()
        count += 1
        passed = time.perf_counter() - start
        if passed >= least:
            return passed / count, count


def serve(contender) -> None:
    """Answer requests until standard input ends."""
    output, sys.stdout = sys.stdout, sys.stderr
    state: dict = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _answer(contender, state, request)
        except Exception as error:
            last = traceback.format_exception_only(error)[-1].strip().splitlines()[0]
            answer = {"error": last[:300]}
        print(json.dumps(answer), file=output, flush=True)


def _answer(contender, state: dict, request: dict) -> dict:
    if request["do"] == "versions":
        return {"versions": contender.versions()}
    if request["do"] == "forward":
        problem = Problem(request["problem"])
        run = contender.forward(problem)
        few = problem.images[: request["check"]]
        values = np.asarray(run(few), np.float64) if contender.quantum else None
        state["call"], state["units"] = _best(run, problem, contender)
        return {"values": None if values is None else values.reshape(-1).tolist()}
    if request["do"] == "step":
        problem = Problem(request["problem"])
        run = contender.step(problem)
        loss, gradient = run()
        state["call"], state["units"] = run, 1
        found = np.asarray(gradient, np.float64).reshape(-1).tolist() if contender.quantum else None
        return {"loss": float(loss), "gradient": found}
    if request["do"] == "time":
        seconds, count = _timed(state["call"], request["least"])
        return {"rate": state["units"] / seconds, "calls": count}
    raise ValueError(f"unknown request {request['do']!r}")


def _best(run, problem: Problem, contender):
    """The batch of images at which a window costs least, as a call, and how many windows it has."""
    places = ((problem.images.shape[2] - problem.kernel) // problem.stride + 1) ** 2
    best = None
    for batch in contender.batches:
        if batch < 1:  # part of an image
            images, windows = problem.images[:1], int(places * batch)
            call = lambda images=images, windows=windows: run(images, windows)  # noqa: E731
        else:
            images, windows = np.resize(problem.images, (batch, *problem.images.shape[1:])), places * batch
            call = lambda images=images: run(images)  # noqa: E731
        call()
        seconds = statistics.median(_timed(call, 0.0)[0] for _ in range(3))
        if best is None or seconds / windows < best[0]:
            best = seconds / windows, call, windows
        if seconds > 1.5:
            break
    return best[1], best[2]
