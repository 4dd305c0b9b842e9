"""What all contenders of the benchmark share: they read requests from standard input and answer with JSON lines.

A contender is a script with a class that extends :class:`Contender`. It needs numpy and the library it benchmarks, and
nothing of this package, so that it runs in an environment of its own. The requests are

- `{"do": "versions"}`: which versions take part;
- `{"do": "prepare", "problem": FOLDER}`: find the fastest way and batch, answer with what it computes;
- `{"do": "time", "least": SECONDS}`: run it for at least so long, answer with windows (or training steps) a second.
"""

import json
import os
import statistics
import sys
import time
import traceback
from pathlib import Path

import numpy as np

CHECKED = 128
"""So many windows at each end of a batch are compared with the reference."""
PATIENCE = 1.0
"""Larger batches than take this many seconds are not tried."""


class Problem:
    """A workload as numbers.

    Attributes:
        images: float32, shape (N, 1, rows, columns), in [0, 1].
        kernel, stride: of the window, along both axes.
        n_wires: number of qubits; the value of each is <Z>.
        gates: each (name, wires, angles). An angle is (offset, inputs, weights), the last two as pairs of an index and
            a factor: offset + sum of factor * input + sum of factor * weight, where an input is a pixel of the window
            times `scale`. "ROT" has the three angles of RZ, RY, RZ in the order of application.
        weights: flat, float64.
        scale: what pixels are multiplied with.
        training: whether a training step is asked for.
        head_weight, head_bias, labels: a linear head (10, features), and the labels of the images.
        rate: learning rate.
        noise: probability of the depolarizing channel (X, Y and Z with a third of it each) after every gate, on each of
            its wires; 0 for none.
        shots: of each window, from the joint distribution of all qubits; 0 for exact values.
    """

    def __init__(self, folder):
        self.__dict__.update(json.loads((Path(folder) / "problem.json").read_text()))
        arrays = np.load(Path(folder) / "arrays.npz")
        self.__dict__.update({name: arrays[name] for name in arrays.files})
        self.places = ((self.images.shape[2] - self.kernel) // self.stride + 1) ** 2

    def windows(self, images):
        """All windows, scaled to angles; shape (windows, inputs)."""
        view = np.lib.stride_tricks.sliding_window_view(images[:, 0], (self.kernel, self.kernel), axis=(1, 2))
        view = view[:, :: self.stride, :: self.stride]
        return np.ascontiguousarray(view.reshape(-1, self.kernel**2) * np.float32(self.scale))

    def bound(self, inputs, weights):
        """Gates with their angles as numbers: (name, wires, angles).

        `inputs[i]` and `weights[k]` may be numbers, arrays or symbols of any library.
        """
        for name, wires, angles in self.gates:
            yield name, wires, [_sum(angle, inputs, weights) for angle in angles]


def _sum(angle, inputs, weights):
    offset, reads, uses = angle
    total = None
    for values, pairs in ((inputs, reads), (weights, uses)):
        for index, factor in pairs:
            term = values[index] if factor == 1.0 else values[index] * factor
            total = term if total is None else total + term
    if total is None:
        return offset
    return total + offset if offset else total


class Contender:
    """What a script fills in.

    Attributes:
        quantum: whether it computes the same as the others, so that its values are compared.
        reads: "windows" (cut and scaled before the clock starts) or whole "images".
        batches: how many of these at once are tried.
    """

    quantum = True
    reads = "windows"
    batches = (64, 256, 1024, 4096, 16384, 65536)

    def versions(self):
        """The versions that take part, in a line."""
        raise TypeError(f"{type(self).__name__} has no versions()")

    def forward(self, problem):
        """Ways to compute values: triples (name, load, run).

        `load` turns a float32 array into what `run` takes, before the clock starts; `run` returns when its values are
        there, in any form that `values` understands.
        """
        raise TypeError(f"{type(self).__name__} does not compute the values alone")

    def step(self, problem):
        """Ways to train: pairs (name, build).

        `build()` starts anew, and returns a function that makes one step: the loss before it and the weights' gradient.
        """
        raise TypeError(f"{type(self).__name__} does not train")

    def values(self, output):
        """An output of `run` as an array (windows, values)."""
        return np.asarray(output)


def cores():
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def serve(contender):
    """Answer requests until standard input ends."""
    output, sys.stdout = sys.stdout, sys.stderr
    state = {}
    for line in sys.stdin:
        try:
            answer = _answer(contender, state, json.loads(line))
        except Exception as error:
            words = traceback.format_exception_only(error)[-1].split()
            answer = {"error": " ".join(words)[:300]}
        print(json.dumps(answer), file=output, flush=True)


def _answer(contender, state, request):
    if request["do"] == "versions":
        return {"versions": contender.versions()}
    if request["do"] == "prepare":
        state.clear()
        problem = Problem(request["problem"])
        return (_prepare_step if problem.training else _prepare_forward)(contender, state, problem)
    if request["do"] == "time":
        seconds, calls = _timed(state["call"], request["least"])
        return {"rate": state["units"] / seconds, "calls": calls}
    raise ValueError(f"unknown request {request['do']!r}")


def _timed(call, least):
    """Seconds of a call that is repeated for at least so long, and how often it ran."""
    calls, start = 0, time.perf_counter()
    while True:
        call()
        calls += 1
        passed = time.perf_counter() - start
        if passed >= least:
            return passed / calls, calls


def _measured(call):
    """Seconds of a call that has run once, roughly."""
    first = _timed(call, 0.02)[0]
    return first if first > 0.3 else statistics.median([first] + [_timed(call, 0.02)[0] for _ in range(2)])


def _prepare_forward(contender, state, problem):
    best = None
    for name, load, run in contender.forward(problem):
        cost = 0.0  # seconds of a window
        for batch in contender.batches:
            count = batch * problem.places if contender.reads == "images" else batch
            # No batch has a window twice, but for the smallest one if there are few images.
            few = count > len(problem.images) * problem.places and batch != contender.batches[0]
            if cost * count > PATIENCE or few:
                break
            loaded = load(_inputs(contender, problem, batch))
            run(loaded)
            cost = _measured(lambda run=run, loaded=loaded: run(loaded)) / count
            if best is None or cost < best[0]:
                best = cost, f"{name}, {batch} {contender.reads}".lstrip(", "), count, run, loaded
    _, how, count, run, loaded = best
    state["call"], state["units"] = lambda: run(loaded), count
    answer = {"how": how}
    if contender.quantum:
        # Those that are timed, at both ends of the batch.
        values = np.asarray(contender.values(run(loaded)), np.float64)
        which = sorted({*range(min(count, CHECKED)), *range(max(count - CHECKED, 0), count)})
        if len(values) != count:
            raise ValueError(f"{len(values)} values came of {count} windows")
        answer |= {"windows": [k % (len(problem.images) * problem.places) for k in which]}
        answer |= {"values": values[which].tolist()}
    return answer


def _inputs(contender, problem, batch):
    """So many images or windows; the first ones again where there are not enough."""
    images = batch if contender.reads == "images" else -(-batch // problem.places)
    given = problem.images[np.arange(images) % len(problem.images)]
    return given if contender.reads == "images" else problem.windows(given)[:batch]


def _prepare_step(contender, state, problem):
    best = None
    for name, build in contender.step(problem):
        run = build()
        run()
        cost = _measured(run)
        if best is None or cost < best[0]:
            best = cost, name, build
    _, name, build = best
    run = build()
    (loss, gradient), (after, _) = run(), run()
    state["call"], state["units"] = run, 1
    answer = {"how": name}
    if contender.quantum:
        answer |= {"losses": [float(loss), float(after)], "gradient": np.asarray(gradient, np.float64).ravel().tolist()}
    return answer
