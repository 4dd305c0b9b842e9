"""The last look: a captured description must compute what `default.qubit` computes for the function itself.

What was recorded says what the function does, unless something goes past the recorder (a value that PennyLane takes
out of a tensor, a state of another norm). Here the function runs on some windows as PennyLane would run it, and the
description beside it; where they differ, the capture is refused. Windows on which the function raises or gives NaN
have no right value and are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._simulate import angles_of, prepared_states, values_by_numpy
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import Circuit

Floats = npt.NDArray[np.float64]
Tape = tuple[list[Any], list[Any]]
"""Operations and measurements."""

_SEED = 19990119
_TOLERANCE = 1e-6
_WORK = 4e6
"""Amplitudes that gates may touch; beyond, values are compared on fewer windows, and gates on all of them."""
_LARGE, _ROUNDING = 1e6, 1e-9
_GROUPS = 8
"""Structures that a run is compared with: some templates hold a new function each time and are alike with none."""


class Window(NamedTuple):
    """A window, flattened, and the kind of windows it was drawn from."""

    values: Floats
    kind: str


class Run(NamedTuple):
    """One run of the function: its operations and measurements, also as their numbers and all else about them."""

    window: Window
    tape: Tape
    leaves: list[Any]
    structure: Any


def windows(rng: np.random.Generator, n_inputs: int) -> list[Window]:
    """Windows of five kinds: pixels, all negative and both signs, bytes, zeros and mostly zeros, about one half."""
    drawn = [
        Window(rng.uniform(0.0, 1.0, n_inputs), "in [0, 1]"),
        # Windows of many values are hardly ever negative throughout by chance.
        Window(-rng.uniform(0.1, 4.0, n_inputs), "in [-4, 4]"),
        Window(rng.uniform(-4.0, 4.0, n_inputs), "in [-4, 4]"),
        Window(np.floor(rng.uniform(0.0, 256.0, n_inputs)), "in [0, 255]"),
        Window(np.zeros(n_inputs), "with many zeros"),
        Window(np.where(rng.random(n_inputs) < 0.8, 0.0, rng.uniform(0.0, 1.0, n_inputs)), "with many zeros"),
        Window(0.5 + rng.choice([0.1, 0.01, 0.0], n_inputs) * rng.uniform(-1.0, 1.0, n_inputs), "near 0.5"),
    ]
    drawn[3].values[int(rng.integers(n_inputs)) if n_inputs else slice(0)] = 255.0
    return drawn


@dataclass(frozen=True)
class Function:
    """What was captured, to be run again.

    Attributes:
        record: runs the function on a window and weights; its operations and measurements.
        gates: operations, decomposed into the gate vocabulary, and how many numbers each angle may have.
        wire_order: its wire labels, in the order of the description's wires.
        batched: whether it is written for a batch of windows.
        device: of PennyLane, that runs it.
        device_wires: of that device; None where PennyLane finds out what a whole device is.
    """

    record: Callable[[Mapping[str, Tensor]], Tape]
    gates: Callable[[list[Any], int], list[Traced]]
    wire_order: list[Any]
    batched: bool
    device: str
    device_wires: list[Any] | None


def last_look(circuit: Circuit, function: Function, brought: Mapping[str, Tensor]) -> None:
    """Compare a description with the function that it was captured from.

    Args:
        circuit: the description.
        function: what was captured.
        brought: values of the weights that the function closes over.

    Raises:
        CaptureError: where the two differ, with both values, or if the function has no value on any window.
    """
    rng = np.random.default_rng(_SEED)
    weights = {
        name: brought[name] if name in brought else torch.tensor(rng.uniform(-3.0, 3.0, shape))
        for name, shape in circuit.weight_shapes
    }
    arguments = {name: weight for name, weight in weights.items() if name not in brought}
    drawn = windows(rng, circuit.n_inputs)
    if circuit.threshold is not None:
        drawn = [Window((w.values > circuit.threshold).astype(float), w.kind) for w in drawn]
    runs = []
    for window in drawn:
        try:
            tape = function.record({"inputs": torch.from_numpy(window.values), **arguments})
        except Exception:  # a window that the function refuses has no value
            continue
        runs.append(_flattened(window, tape))
    compared = _compare(circuit, function, runs, weights)
    if not compared:
        raise CaptureError(
            "the circuit function has no value on any of the windows it was tried on (in [0, 1], in [-4, 4], in "
            "[0, 255], with many zeros, near 0.5): what was captured cannot be compared with it; write it so that it "
            "takes any window, or pass last_look=False to capture()"
        )


def _compare(circuit: Circuit, function: Function, runs: list[Run], weights: Mapping[str, Tensor]) -> int:
    """Compare on some windows and one draw of the weights; on how many of them the function has a value."""
    amplitudes = (4.0 if circuit.noisy else 2.0) ** circuit.n_wires
    affordable = int(_WORK / (amplitudes * (len(circuit.gates) + 1)))
    few = min(len(runs), affordable)
    compared = 0
    for group in _alike([runs[k] for k in np.linspace(0, len(runs) - 1, few).astype(int)]):
        theirs = _together(group, function)
        ours = _ours(circuit, np.array([run.window.values for run in group]), weights)
        for k, (run, actual) in enumerate(zip(group, ours, strict=True)):
            expected = None if theirs is None else theirs[k]
            if expected is None or _differ(expected, actual):
                expected = _alone(run, function)  # stacked numbers may mean something else to an operation
                if _differ(expected, actual) and not _rounded(circuit, function, run, weights):
                    raise _refusal(run.window, weights, expected, actual)
            compared += not np.isnan(expected).any()
    if few == len(runs):
        return compared
    for group in _alike(runs):
        together = _stacked(group, function.batched)
        if together is not None and _angles_agree(circuit, function, together, group, weights):
            continue
        for run in group:
            if not _angles_agree(circuit, function, run, [run], weights):
                expected, actual = _alone(run, function), _ours(circuit, run.window.values[None], weights)[0]
                if _differ(expected, actual):
                    raise _refusal(run.window, weights, expected, actual)
    return len(runs)


def _rounded(circuit: Circuit, function: Function, run: Run, weights: Mapping[str, Tensor]) -> bool:
    """Whether values differ by the rounding of angles so large that one unit in their last place changes the value."""
    angles, _ = _angles(circuit, run.window.values[None], weights)
    largest = max((abs(float(angle[0])) for angle in angles if angle is not None), default=0.0)
    return largest > _LARGE and _angles_agree(circuit, function, run, [run], weights)


def _angles_agree(
    circuit: Circuit, function: Function, run: Run, windows_of: list[Run], weights: Mapping[str, Tensor]
) -> bool:
    """Whether the gates of a run, or of several as one, are the description's, with the same angles up to rounding."""
    index = {label: place for place, label in enumerate(function.wire_order)}
    try:
        gates = function.gates(run.tape[0], len(windows_of))
    except Exception:  # a decomposition that does not take a batch
        return False
    prepared = [gate for gate in gates if gate.name == PREPARE]
    rest = [gate for gate in gates if gate.name != PREPARE]
    if [(g.name, tuple(index[w] for w in g.wires)) for g in rest] != [(g.name, g.wires) for g in circuit.gates]:
        return False
    if len(prepared) != (circuit.preparation is not None):
        return False
    angles, extended = _angles(circuit, np.array([window_run.window.values for window_run in windows_of]), weights)
    pairs = [(gate.angle, angle) for gate, angle in zip(rest, angles, strict=True) if angle is not None]
    if circuit.preparation is not None:
        pairs.append((prepared[0].angle, prepared_states(circuit.preparation, extended)))
    return all(np.allclose(np.asarray(theirs), ours, rtol=_ROUNDING, atol=_ROUNDING) for theirs, ours in pairs)


def _differ(theirs: Floats, ours: Floats) -> bool:
    if np.isnan(theirs).any():
        return False  # not a value
    if theirs.shape != ours.shape:
        return True
    return not bool((np.abs(theirs - ours) <= _TOLERANCE * (1 + np.abs(theirs))).all())


def _refusal(window: Window, weights: Mapping[str, Tensor], theirs: Floats, ours: Floats) -> CaptureError:
    place = int(np.argmax(~(np.abs(theirs - ours) <= _TOLERANCE))) if theirs.shape == ours.shape else 0
    values = ", ".join(f"{value:.4g}" for value in window.values[:9]) + (", ..." if len(window.values) > 9 else "")
    with_weights = "" if not weights else f" with random weights {', '.join(map(repr, weights))}"
    return CaptureError(
        f"the circuit function cannot be captured: on the window [{values}] (drawn {window.kind}){with_weights} "
        f"default.qubit gives {theirs[place]:.6f} for its value {place}, what was captured gives {ours[place]:.6f}. "
        "Something in it was not seen in the functions of torch and operations that it runs, such as a state that is "
        "not a state of norm one: write it with functions of torch, normalize=True, and the same gates for all windows"
    )


def _flattened(window: Window, tape: Tape) -> Run:
    import pennylane as qp

    leaves, structure = qp.pytrees.flatten(tape)
    arrays = [leaf.detach().resolve_conj().numpy() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    return Run(window, tape, arrays, structure)


def _alike(runs: list[Run]) -> list[list[Run]]:
    """Runs that differ in the numbers of their operations only, together."""
    groups: list[tuple[Any, list[Run]]] = []
    for run in runs:
        kind = (run.structure, [np.shape(leaf) for leaf in run.leaves])
        for known, members in groups[-_GROUPS:]:
            if known == kind:
                members.append(run)
                break
        else:
            groups.append((kind, [run]))
    return [members for _, members in groups]


def _stacked(runs: list[Run], batched: bool) -> Run | None:
    """Runs of one structure as one: numbers that differ get a batch axis; None where that does not work."""
    import pennylane as qp

    stacked, varied = [], False
    for column in zip(*(run.leaves for run in runs), strict=True):
        arrays = [np.asarray(leaf) for leaf in column]
        numeric = arrays[0].dtype.kind in "biufc"
        if all(np.array_equal(arrays[0], array, equal_nan=numeric) for array in arrays[1:]):
            stacked.append(column[0])
            continue
        varied = True
        # A function that is written for a batch gives every number a batch axis of one.
        has_axis = batched and arrays[0].shape[:1] == (1,)
        stacked.append(np.concatenate(arrays) if has_axis else np.stack(arrays))
    if not varied:  # the function does not read its inputs
        return None
    try:
        tape = qp.pytrees.unflatten(stacked, runs[0].structure)
    except Exception:  # a template that cannot be put together again
        return None
    return Run(runs[0].window, tape, stacked, runs[0].structure)


def _together(runs: list[Run], function: Function) -> Floats | None:
    """Values of runs of one structure, one row each, simulated as one; None where that does not work."""
    stacked = _stacked(runs, function.batched)
    if stacked is None:
        return None
    try:
        values = _values(stacked.tape, function)
    except Exception:  # an operation that does not take a batch runs alone
        return None
    return values if len(values) == len(runs) else None


def _alone(run: Run, function: Function) -> Floats:
    try:
        (row,) = _values(run.tape, function)
        return np.asarray(row)
    except Exception:  # PennyLane refuses this window, such as a state of norm zero
        return np.full(1, np.nan)


def _values(tape: Tape, function: Function) -> Floats:
    """One row a window: the values of all measurements, as TorchLayer stacks them."""
    import pennylane as qp

    script = qp.tape.QuantumScript(*tape)
    (results,) = qp.execute([script], qp.device(function.device, wires=function.device_wires), diff_method=None)
    parts = [
        part.detach() if isinstance(part, Tensor) else part  # of parameters that the function closes over
        for part in (results if isinstance(results, tuple) else (results,))
    ]
    return np.concatenate([np.asarray(part, float).reshape(script.batch_size or 1, -1) for part in parts], axis=1)


def _angles(circuit: Circuit, windows: Floats, weights: Mapping[str, Tensor]) -> tuple[list[Floats | None], Floats]:
    return angles_of(circuit, windows, {name: weight.numpy() for name, weight in weights.items()})


def _ours(circuit: Circuit, values: Floats, weights: Mapping[str, Tensor]) -> Floats:
    """The description's values, one row a window."""
    return values_by_numpy(circuit, values, {name: weight.numpy() for name, weight in weights.items()})
