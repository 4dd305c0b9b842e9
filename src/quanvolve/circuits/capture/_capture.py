"""Capture: a PennyLane function becomes a :class:`Circuit`.

The function is run on a few points with torch tensors. Its operations are decomposed into the gate vocabulary, and
where each angle comes from is read off by automatic differentiation: an affine function has the same derivative
everywhere, so the derivative at one point gives the coefficients and the other points test the claim. Where it does
not hold, the calls that made the angle are recorded as a program, which the other points test in the same way.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._angles import Traced, describe
from quanvolve.circuits.capture._closed_over import require_none
from quanvolve.circuits.capture._last_look import Function, last_look
from quanvolve.circuits.capture._lowering import lowered
from quanvolve.circuits.capture._measure import observables_of
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone
from quanvolve.circuits.description import Circuit, Observable, Recorder

Shape = int | tuple[int, ...]


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
        function: a function, or a QNode, that takes an argument `inputs` and weights by keyword, applies operations
            and returns expectation values or probabilities. It may be written for a single input vector
            (`inputs[0]`) or for a batch of them (`inputs[:, 0]`).
        n_inputs: how many values `inputs` has: the size of the window.
        weight_shapes: the shape of every weight, by name, as `TorchLayer` takes it.
        threshold: if given, the circuit reads each input as 1 where it is greater than this and as 0 elsewhere.
        n_wires: number of qubits, where the circuit has more than the function touches.
        last_look: whether the description is compared with the function on `default.qubit`, on 270 windows in
            [0, 1], in [-4, 4], in [0, 255], with many zeros and near 0.5, with three draws of the weights; of wide
            circuits, gates and angles are compared on all of them and values on a few. It takes some tenths of a
            second.

    Returns:
        The description. Angles may be any function of inputs and weights that is written with functions of torch.

    Raises:
        CaptureError: if the function cannot be captured; the message names the operation and its position, or both
            values where the description and the function differ. Also if the function uses tensors that want
            gradients and are not its arguments.

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
    function, device_wires = _plain_function(function)
    shapes = _checked_shapes(function, weight_shapes or {})
    # The caller may build a layer on the meta device or without gradients; capture needs real ones.
    with pennylane_alone(), torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
        return _capture(function, n_inputs, shapes, threshold, n_wires or 1, device_wires, last_look)


def _capture(
    function: Callable[..., Any],
    n_inputs: int,
    shapes: dict[str, tuple[int, ...]],
    threshold: float | None,
    least_wires: int,
    device_wires: list[Any],
    look: bool,
) -> Circuit:
    rng = np.random.default_rng(20190409)
    # Signs and sizes are mixed so that a kink anywhere near usual angles shows up between two of the points.
    points = [_draw(rng, size, n_inputs, shapes) for size in (2.0, 0.3, 1.0, 3.0, 10.0, 0.0)]
    for leaf in points[0].values():
        leaf.requires_grad_()

    base, measurements, batched, recorder = _first_run(function, points[0])
    require_none(function, (gate.angle for gate in base), list(points[0].values()))
    order = _wire_order(base, measurements, device_wires, least_wires)
    index = {label: position for position, label in enumerate(order)}
    observables = observables_of(measurements, index)
    others = []
    for point in list(points[1:]):
        try:
            gates, again = _run(function, point, batched)
        except CaptureError:
            if any(bool(leaf.any()) for leaf in point.values()):
                raise
            points.remove(point)  # the function is not defined at zero, as an amplitude encoding
            continue
        _require_same_structure(base, gates)
        _require_same_observables(observables, again, index)
        others.append(gates)

    described, preparation, program = describe(base, others, points, index, recorder)
    circuit = Circuit(
        n_wires=max(len(order), least_wires),
        n_inputs=n_inputs,
        gates=described,
        observables=observables,
        weight_shapes=tuple(shapes.items()),
        threshold=threshold,
        program=program,
        preparation=preparation,
    )
    if look:
        last_look(circuit, Function(lambda point: _record(function, point, batched), lowered, order, batched))
    return circuit


def _plain_function(function: Callable[..., Any]) -> tuple[Callable[..., Any], list[Any]]:
    """The function behind a QNode, and the wires of its device (none for a plain function)."""
    inner = getattr(function, "func", None)  # a QNode keeps the function it was made from
    if inner is None or not hasattr(function, "device"):
        return function, []
    transforms = getattr(function, "compile_pipeline", None)
    if transforms is not None and len(transforms) > 0:
        raise CaptureError(
            f"the QNode has transforms applied to it ({' '.join(str(transforms).split())}), which capture would drop "
            "silently; pass the function without them"
        )
    shots = getattr(function, "shots", None) or getattr(function.device, "shots", None)
    if shots is not None and getattr(shots, "total_shots", None):
        raise CaptureError(
            f"the QNode samples with {shots.total_shots} shots, which capture would drop silently: expectation values "
            "are exact here; pass the function, or a QNode without shots"
        )
    return inner, list(getattr(function.device, "wires", None) or [])


def _checked_shapes(function: Callable[..., Any], weight_shapes: Mapping[str, Shape]) -> dict[str, tuple[int, ...]]:
    parameters = inspect.signature(function).parameters
    if "inputs" not in parameters:
        raise CaptureError(
            f"the circuit function must have an argument named 'inputs', it has {list(parameters)}; name it as "
            "for qp.qnn.TorchLayer"
        )
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters.values()):
        raise CaptureError("the circuit function must not take a variable number of positional arguments (*args)")
    if "inputs" in weight_shapes:
        raise CaptureError("'inputs' is the window, not a weight: leave it out of `weight_shapes`")
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    required = {
        name
        for name, p in parameters.items()
        if p.default is inspect.Parameter.empty and p.kind is not inspect.Parameter.VAR_KEYWORD
    } - {"inputs"}
    missing = sorted(required - set(weight_shapes))
    unknown = [] if open_ended else sorted(set(weight_shapes) - set(parameters))
    if missing or unknown:
        raise CaptureError(
            f"`weight_shapes` must give a shape to every weight of the function: missing {missing}, unknown "
            f"{unknown}; the function takes {list(parameters)}"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    for name, size in weight_shapes.items():
        if isinstance(size, int):
            shapes[name] = () if size == 1 else (size,)  # as TorchLayer reads it
        else:
            shapes[name] = tuple(int(extent) for extent in size)
        if any(extent < 1 for extent in shapes[name]):
            raise CaptureError(f"the shape of weight {name!r} must be positive, got {shapes[name]}")
    return shapes


def _draw(
    rng: np.random.Generator, size: float, n_inputs: int, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    point = {"inputs": torch.tensor(rng.uniform(-size, size, n_inputs))}
    for name, shape in shapes.items():
        point[name] = torch.tensor(rng.uniform(-size, size, shape))
    return point


def _first_run(
    function: Callable[..., Any], point: Mapping[str, Tensor]
) -> tuple[list[Traced], list[Any], bool, Recorder]:
    """Run on a single vector, and if the function indexes a batch axis, on a batch of one."""
    try:
        recorder = Recorder(point, None)
        return (*_run(function, point, False, recorder), False, recorder)
    except IndexError as single:
        try:
            recorder = Recorder(point, point["inputs"].unsqueeze(0))
            return (*_run(function, point, True, recorder), True, recorder)
        except Exception as batch:
            # A function written for a batch fails on a single vector with "too many indices": not its real fault.
            cause = batch if "too many indices" in str(single) else single
            if isinstance(cause, CaptureError):
                raise
            n = point["inputs"].numel()
            raise CaptureError(f"the circuit function failed on a window of {n} inputs: IndexError: {cause}") from cause


def _run(
    function: Callable[..., Any], point: Mapping[str, Tensor], batched: bool, recorder: Recorder | None = None
) -> tuple[list[Traced], list[Any]]:
    recording = recorder or contextlib.nullcontext()
    with recording:
        operations, measurements = _record(function, point, batched, recorder)
        return lowered(operations), measurements


def _record(
    function: Callable[..., Any], point: Mapping[str, Tensor], batched: bool, recorder: Recorder | None = None
) -> tuple[list[Any], list[Any]]:
    """The operations that the function queues, and the measurements that it returns."""
    import pennylane as qp

    arguments: dict[str, Any] = dict(point)
    if batched:
        # The recorder has to meet the very tensor that the function gets.
        arguments["inputs"] = recorder.batch if recorder else arguments["inputs"].unsqueeze(0)
    try:
        with qp.queuing.AnnotatedQueue() as queue, warnings.catch_warnings():
            # Numbers taken out of tensors are legal; whether they matter is tested on further points.
            warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True to a scalar")
            returned = function(**arguments)
    except IndexError:
        raise
    except Exception as error:
        raise CaptureError(
            f"the circuit function failed on a window of {point['inputs'].numel()} inputs: "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
        ) from error
    return list(qp.tape.QuantumScript.from_queue(queue).operations), _as_list(returned)


def _as_list(returned: Any) -> list[Any]:
    if isinstance(returned, Sequence):
        return list(returned)
    return [] if returned is None else [returned]


def _require_same_structure(first: list[Traced], second: list[Traced]) -> None:
    for one, other in zip(first, second, strict=False):
        if one.origin != other.origin:
            raise CaptureError(
                f"{one.origin} is {other.origin} for other values of inputs or weights: a circuit must have the same "
                "gates for all values"
            )
        if (one.name, one.wires) != (other.name, other.wires):
            raise CaptureError(
                f"{one.origin} changes with the values of inputs or weights ({one.name} on {list(one.wires)}, then "
                f"{other.name} on {list(other.wires)}): a circuit must have the same gates for all values"
            )
    if len(first) != len(second):
        longer = first if len(first) > len(second) else second
        raise CaptureError(
            f"{longer[min(len(first), len(second))].origin} is there for some values of inputs or weights only: a "
            "circuit must have the same gates for all values"
        )


def _require_same_observables(expected: tuple[Observable, ...], measurements: list[Any], index: dict[Any, int]) -> None:
    actual = observables_of(measurements, index)
    for position, (one, other) in enumerate(zip(expected, actual, strict=False)):
        if one != other:
            raise CaptureError(
                f"measurement {position} changes with the values of inputs or weights: an observable must be constant"
            )
    if len(actual) != len(expected):
        raise CaptureError(
            f"the function returned {len(expected)} values, then {len(actual)}, depending on inputs or weights: a "
            "circuit must have the same measurements for all values"
        )


def _wire_order(gates: list[Traced], measurements: list[Any], device_wires: list[Any], least_wires: int) -> list[Any]:
    """Integer labels in their own order, as PennyLane's devices have them; others as they first appear."""
    if device_wires and any(hasattr(m, "wires") and not m.wires for m in measurements):
        return device_wires  # such as qp.probs() without wires: it measures the whole device
    seen: dict[Any, None] = {}
    for gate in gates:
        seen.update(dict.fromkeys(gate.wires))
    for measurement in measurements:
        seen.update(dict.fromkeys(getattr(measurement, "wires", ())))
    labels = list(seen)
    if all(isinstance(label, int | np.integer) for label in labels):
        # Where the number of qubits is given, labels are places among them.
        return list(range(least_wires)) if labels and 0 <= min(labels) <= max(labels) < least_wires else sorted(labels)
    return labels
