"""Capture: a PennyLane function becomes a :class:`Circuit`.

The function is run once with tensors that are recorded. Its operations are decomposed into the gate vocabulary, and
what an angle is follows from the calls that made it: if all of them are linear, an affine function of inputs and
weights, else a program of these calls. Nothing is inferred from values. A further run tests that the gates are the
same ones for other values, and a last look compares the description with `default.qubit`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._angles import describe
from quanvolve.circuits.capture._closed_over import ClosedOver
from quanvolve.circuits.capture._combine import outputs_of, postprocessing_of, require_same_outputs
from quanvolve.circuits.capture._deferred import Selection, selections
from quanvolve.circuits.capture._last_look import Function, last_look
from quanvolve.circuits.capture._lowering import lowered
from quanvolve.circuits.capture._other_values import require_same
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone
from quanvolve.circuits.capture._precision import InDoubles
from quanvolve.circuits.capture._recorder import Recorder
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.capture._written import Shape, Written, checked_shapes
from quanvolve.circuits.description import Circuit


def capture(
    function: Callable[..., Any],
    n_inputs: int,
    weight_shapes: Mapping[str, Shape] | None = None,
    *,
    threshold: float | None = None,
    n_wires: int | None = None,
    last_look: bool = True,
) -> Circuit:
    """Turn a PennyLane function, written as for `qp.qnn.TorchLayer`, into a circuit description.

    Args:
        function: a function, or a QNode (whose transforms are applied), that takes an argument `inputs` and weights
            by keyword, applies operations and returns expectation values, variances, purities or probabilities. It
            may be written for a single input vector (`inputs[0]`) or for a batch of them (`inputs[:, 0]`), of which
            it gets one: what it computes of a whole batch (`inputs.mean()`, `len(inputs)`), it computes of one window.
        n_inputs: how many values `inputs` has: the size of the window.
        weight_shapes: the shape of every weight, by name, as `TorchLayer` takes it.
        threshold: if given, the circuit reads each input as 1 where it is greater than this and as 0 elsewhere.
        n_wires: number of qubits, where the circuit has more than the function touches.
        last_look: whether the description is compared with the function on `default.qubit`, on windows in [0, 1],
            in [-4, 4], in [0, 255], with many zeros and near 0.5; of wide circuits, gates and angles are compared on
            all of them and values on a few.

    Returns:
        The description. Angles may be any function of inputs and weights that is written with functions of torch.
        Tensors that want gradients and are used without being arguments, such as `nn.Parameter` and `nn.Linear`, are
        weights too, behind the others, by the names of their variables.

    Raises:
        CaptureError: if the function cannot be captured; the message names the operation and its position, the line
            where a value leaves a tensor, or both values where the description and the function differ.

    References:
        The contract is that of `TorchLayer` in PennyLane's documentation, "Turning quantum nodes into Torch Layers".

    Examples:
        >>> import pennylane as qp
        >>> def circuit(inputs, weights):
        ...     qp.AngleEmbedding(3.0 * inputs, wires=range(2), rotation="Y")
        ...     qp.BasicEntanglerLayers(weights, wires=range(2))
        ...     return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]
        >>> captured = capture(circuit, n_inputs=2, weight_shapes={"weights": (1, 2)})
        >>> captured.gates[1].angle
        Angle(offset=0.0, inputs=((1, 3.0),), weights=())
    """
    return captured(function, n_inputs, weight_shapes, threshold=threshold, n_wires=n_wires, look=last_look).circuit


def _on_cpu() -> contextlib.AbstractContextManager[Any]:
    # Where it changes nothing it would only cost time, in every call of a function of torch.
    on_cpu = torch.get_default_device().type == "cpu"
    return contextlib.nullcontext() if on_cpu else torch.device("cpu")


@dataclass(frozen=True)
class Captured:
    """What was captured of a function.

    Attributes:
        circuit: the description.
        values: of the weights that the function brings with it, which it closes over.
        shots: of the QNode that was captured, if it has any.
    """

    circuit: Circuit
    values: dict[str, Tensor]
    shots: int | None = None


def captured(
    function: Callable[..., Any],
    n_inputs: int,
    weight_shapes: Mapping[str, Shape] | None = None,
    *,
    threshold: float | None = None,
    n_wires: int | None = None,
    look: bool = True,
) -> Captured:
    """As :func:`capture`, with the present values of the weights that the function closes over."""
    written = Written.of(function)
    shapes = checked_shapes(written.function, weight_shapes or {})
    # The caller may build a layer on the meta device or without gradients; capture needs real ones.
    with pennylane_alone(), _on_cpu(), torch.inference_mode(False), torch.enable_grad():
        return _capture(written, n_inputs, shapes, threshold, n_wires or 1, look)


def _capture(
    written: Written,
    n_inputs: int,
    shapes: dict[str, tuple[int, ...]],
    threshold: float | None,
    least_wires: int,
    look: bool,
) -> Captured:
    # Values that nothing singles out: at zero, decompositions of PennyLane leave gates out.
    rng = np.random.default_rng(20190409)
    first, *others = (_draw(rng, low, high, n_inputs, shapes) for low, high in ((0.1, 0.9), (-2.0, 2.0), (0.1, 0.9)))
    for leaf in first.values():
        leaf.requires_grad_()
    closed_over = ClosedOver(written.function, shapes)
    gates, measurements, batched, recorder = _first_run(written, first, closed_over)
    order = _wire_order(gates, measurements, list(written.wires), least_wires)
    index = {label: position for position, label in enumerate(order)}
    with recorder:
        outputs = outputs_of(measurements, index, recorder)
    for gate in gates:  # a parameter may be an angle itself
        if isinstance(gate.angle, Tensor):
            recorder.depends(gate.angle)
    described = describe(gates, {**first, **recorder.brought}, index, recorder)
    postprocessing = postprocessing_of(outputs, {**first, **recorder.brought}, recorder)
    values = {name: tensor.detach().cpu().clone() for name, tensor in closed_over.tensors.items()}
    weight_shapes = {**shapes, **{name: tuple(tensor.shape) for name, tensor in values.items()}}
    circuit = Circuit(
        n_wires=max(len(order), least_wires),
        n_inputs=n_inputs,
        gates=described.gates,
        observables=outputs.observables,
        weight_shapes=tuple(weight_shapes.items()),
        threshold=threshold,
        program=described.program,
        preparation=described.preparation,
        postprocessing=postprocessing,
    )
    brought = {name: value.to(torch.float64) for name, value in values.items()}
    again, measured, point = _elsewhere(written, others, batched)
    require_same(gates, again, circuit, {**point, **brought}, index, described.wanted)
    again_outputs = outputs_of(measured, index, outputs.varying)
    require_same_outputs(outputs, again_outputs, postprocessing, {**point, **brought})
    if look:
        found_out = _measures_all(measurements) and least_wires == 1 and not written.wires
        function = Function(
            record=lambda point: _recorded(written, point, batched),
            gates=lowered,
            wire_order=order,
            batched=batched,
            device="default.mixed" if circuit.noisy else "default.qubit",
            device_wires=None if found_out else order,
        )
        last_look(circuit, function, brought)
    return Captured(circuit, values, written.shots)


def _draw(
    rng: np.random.Generator, low: float, high: float, n_inputs: int, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    point = {"inputs": torch.tensor(rng.uniform(low, high, n_inputs))}
    for name, shape in shapes.items():
        point[name] = torch.tensor(rng.uniform(low, high, shape))
    return point


def _first_run(
    written: Written, point: Mapping[str, Tensor], closed_over: ClosedOver
) -> tuple[list[Traced], list[Any], bool, Recorder]:
    """Run on a single vector, and if the function indexes a batch axis, on a batch of one."""
    try:
        recorder = Recorder(point, None, closed_over)
        return (*_run(written, point, False, recorder), False, recorder)
    except IndexError as single:
        closed_over.tensors.clear()
        try:
            recorder = Recorder(point, point["inputs"].unsqueeze(0), closed_over)
            return (*_run(written, point, True, recorder), True, recorder)
        except Exception as batch:
            # A function written for a batch fails on a single vector with "too many indices": not its real fault.
            cause = batch if "too many indices" in str(single) else single
            if isinstance(cause, CaptureError):
                raise
            n = point["inputs"].numel()
            raise CaptureError(f"the circuit function failed on a window of {n} inputs: IndexError: {cause}") from cause


def _elsewhere(
    written: Written, points: Sequence[dict[str, Tensor]], batched: bool
) -> tuple[list[Traced], list[Any], dict[str, Tensor]]:
    """The function at the first of some points at which it is defined (a logarithm may not be), and that point."""
    for point in points[:-1]:
        with contextlib.suppress(CaptureError):
            return (*_run(written, point, batched), point)
    return (*_run(written, points[-1], batched), points[-1])


def _recorded(written: Written, point: Mapping[str, Tensor], batched: bool) -> tuple[list[Any], list[Any]]:
    with InDoubles():
        return written.record(point, batched)


def _run(
    written: Written, point: Mapping[str, Tensor], batched: bool, recorder: Recorder | None = None
) -> tuple[list[Traced], list[Any]]:
    if recorder is None:  # which operations are constant, and so made of which gates, is not to be told from values
        batch = point["inputs"].unsqueeze(0) if batched else None
        recorder = Recorder(point, batch, ClosedOver(written.function, point))
    with recorder:
        operations, measurements = written.record(point, batched, recorder)
        rest, selected = selections(operations)
        return lowered(rest), [*measurements, *selected]


def _wire_order(gates: list[Traced], measurements: list[Any], device_wires: list[Any], least_wires: int) -> list[Any]:
    """Integer labels in their own order; others, and those of a device that is measured whole, as they first appear."""
    whole = _measures_all(measurements)
    if device_wires and whole:
        return device_wires  # such as qp.probs() without wires: it measures the whole device
    seen: dict[Any, None] = {}
    for gate in gates:
        seen.update(dict.fromkeys(gate.wires))
    for measurement in measurements:
        only = [measurement.wire] if isinstance(measurement, Selection) else getattr(measurement, "wires", ())
        seen.update(dict.fromkeys(only))
    labels = list(seen)
    if all(isinstance(label, int | np.integer) for label in labels):
        # Where the number of qubits is given, labels are places among them.
        if labels and 0 <= min(labels) <= max(labels) < least_wires:
            return list(range(least_wires))
        if not whole or sorted(labels) == list(range(len(labels))):
            return sorted(labels)
    return labels


def _measures_all(measurements: list[Any]) -> bool:
    return any(hasattr(measurement, "wires") and not measurement.wires for measurement in measurements)
