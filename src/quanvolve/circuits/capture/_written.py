"""Circuit functions and QNodes of the user's: what they are called with, and what they queue."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._deferred import deferred, flattened
from quanvolve.circuits.capture._recorder import Recorder

Shape = int | tuple[int, ...]
_IDEAL = ("default.qubit", "default.mixed", "default.clifford", "default.tensor", "reference.qubit", "null.qubit")


@dataclass(frozen=True)
class Written:
    """A circuit function as the user wrote it, or what a QNode says of one.

    Attributes:
        function: that queues operations.
        transforms: of a QNode, applied to what was queued.
        wires: of a QNode's device.
        shots: of a QNode.
    """

    function: Callable[..., Any]
    transforms: Any = None
    wires: tuple[Any, ...] = ()
    shots: int | None = None

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Written:
        """What a function or a QNode is.

        Raises:
            CaptureError: if a QNode has something that a description cannot have.
        """
        inner = getattr(function, "func", None)  # a QNode keeps the function it was made from
        device = getattr(function, "device", None)
        if inner is None or device is None:
            return cls(function)
        name = str(getattr(device, "name", type(device).__name__))
        if name not in _IDEAL and not name.startswith("lightning"):
            raise CaptureError(
                f"the QNode runs on the device {name!r}, which capture cannot see into (its noise, its shots): pass "
                "the function itself for exact values, with `noise` and `shots` for what the device does"
            )
        if getattr(device, "readout_err", None):
            raise CaptureError(
                f"the QNode's device has a readout error of {device.readout_err}, which capture would drop: pass the "
                "function itself, with `noise` (such as readout=0.01)"
            )
        shots = getattr(function, "shots", None) or getattr(device, "shots", None)
        if getattr(shots, "has_partitioned_shots", False):
            raise CaptureError(f"the QNode has several numbers of shots ({shots}): give one number, as `shots`")
        transforms = getattr(function, "compile_pipeline", None)
        return cls(
            inner,
            transforms if transforms is not None and len(transforms) else None,
            tuple(getattr(device, "wires", None) or ()),
            getattr(shots, "total_shots", None) or None,
        )

    def record(
        self, point: Mapping[str, Tensor], batched: bool, recorder: Recorder | None = None
    ) -> tuple[list[Any], list[Any]]:
        """The operations that the function queues, and the measurements that it returns."""
        import pennylane as qp

        arguments: dict[str, Any] = dict(point)
        if batched:
            # The recorder has to meet the very tensor that the function gets.
            arguments["inputs"] = recorder.batch if recorder else arguments["inputs"].unsqueeze(0)
        try:
            with qp.queuing.AnnotatedQueue() as queue, warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True to a scalar")
                returned = self.function(**arguments)
        except (IndexError, CaptureError):
            raise
        except Exception as error:
            raise CaptureError(
                f"the circuit function failed on a window of {point['inputs'].numel()} inputs: "
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
            ) from error
        operations = list(qp.tape.QuantumScript.from_queue(queue).operations)
        measurements = flattened(returned)
        if self.transforms is not None:
            operations, measurements = self._transformed(operations, measurements)
        return deferred(operations, measurements)

    def _transformed(self, operations: list[Any], measurements: list[Any]) -> tuple[list[Any], list[Any]]:
        import pennylane as qp

        what = f"the QNode has transforms applied to it ({' '.join(str(self.transforms).split())}), which"
        try:
            with qp.queuing.QueuingManager.stop_recording():
                tapes, _ = self.transforms([qp.tape.QuantumScript(operations, measurements)])
        except Exception as error:
            raise CaptureError(
                f"{what} fail on what the function does ({type(error).__name__}: "
                f"{(str(error).splitlines() or ['no message'])[0]}); pass the function without them"
            ) from error
        if len(tapes) != 1:
            raise CaptureError(
                f"{what} make {len(tapes)} circuits of one, and compute with their results: a filter runs one circuit; "
                "pass the function without them"
            )
        return list(tapes[0].operations), list(tapes[0].measurements)


def checked_shapes(function: Callable[..., Any], weight_shapes: Mapping[str, Shape]) -> dict[str, tuple[int, ...]]:
    """The shape of every weight that is an argument of the function.

    Raises:
        CaptureError: if its arguments do not fit.
    """
    parameters = inspect.signature(function).parameters
    if not isinstance(weight_shapes, Mapping):
        raise CaptureError(
            f"`weight_shapes` (={weight_shapes!r}) must be a mapping from the names of weights to their shapes, such "
            "as {'weights': (2, 4)}"
        )
    if "inputs" not in parameters:
        raise CaptureError(
            f"the circuit function must have an argument named 'inputs', it has {list(parameters)}; name it as "
            "for qp.qnn.TorchLayer"
        )
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters.values()):
        raise CaptureError("the circuit function must not take a variable number of positional arguments (*args)")
    by_place = [
        name
        for name, p in parameters.items()
        if p.kind is inspect.Parameter.POSITIONAL_ONLY and (name == "inputs" or name in weight_shapes)
    ]
    if by_place:
        raise CaptureError(
            f"the circuit function takes {by_place} by place only, expected arguments that can be given by name: leave "
            "the `/` out of its signature"
        )
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
    return {name: _shape(name, size) for name, size in weight_shapes.items()}


def _shape(name: str, size: Any) -> tuple[int, ...]:
    """The shape of a weight from what `weight_shapes` has for it; the number 1 is a scalar, as TorchLayer reads it."""
    alone = isinstance(size, Integral)
    try:
        extents: tuple[Any, ...] = (size,) if alone else tuple(size)
        if isinstance(size, str | Mapping) or any(isinstance(extent, bool) for extent in extents):
            raise TypeError
        shape = tuple(operator.index(extent) for extent in extents)
    except TypeError:
        raise CaptureError(
            f"the shape of weight {name!r} must be a whole number or whole numbers, such as 3 or (2, 4), got {size!r}"
        ) from None
    if any(extent < 1 for extent in shape):
        raise CaptureError(f"the shape of weight {name!r} must be positive, got {shape}")
    return () if alone and shape == (1,) else shape
