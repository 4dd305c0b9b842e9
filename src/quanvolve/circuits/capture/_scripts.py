"""PennyLane's scripts and torch layers: circuits that have numbers for their parameters already."""

from __future__ import annotations

import copy
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._lowering import lowered
from quanvolve.circuits.capture._measure import observables_of
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone
from quanvolve.circuits.capture._source import Floats, Run, Source
from quanvolve.circuits.description import Observable

_NUMBERS_OF_AN_OPERATION = {
    "QubitUnitary", "DiagonalQubitUnitary", "ControlledQubitUnitary", "StatePrep", "AmplitudeEmbedding", "BasisState",
    "SpecialUnitary", "BlockEncode",
}  # fmt: skip
"""Operations whose parameters are what they are, and not angles: constants, where the window does not set them."""


class TrainedFunction(NamedTuple):
    """What is in a `qp.qnn.TorchLayer`.

    Attributes:
        function: its QNode, for :func:`capture`.
        weight_shapes: by name.
        weights: their present values.
    """

    function: Callable[..., Any]
    weight_shapes: dict[str, tuple[int, ...]]
    weights: dict[str, Tensor]


def in_torch_layer(layer: Any) -> TrainedFunction:
    """The function and the weights of a `qp.qnn.TorchLayer`.

    Args:
        layer: trained or not; its function may have another name for the window than `inputs`, as
            `TorchLayer.set_input_argument` allows.

    Raises:
        CaptureError: if it has, and a weight is called `inputs`.

    Examples:
        >>> import pennylane as qp
        >>> @qp.qnode(qp.device("default.qubit", wires=1))
        ... def node(inputs, tilt):
        ...     qp.RY(inputs[..., 0], wires=0)
        ...     qp.RX(tilt, wires=0)
        ...     return qp.expval(qp.Z(0))
        >>> in_torch_layer(qp.qnn.TorchLayer(node, {"tilt": ()})).weight_shapes
        {'tilt': ()}
    """
    weights = {name: weight.detach().clone() for name, weight in layer.qnode_weights.items()}
    node = layer.qnode
    if layer.input_arg != "inputs":
        if "inputs" in weights:
            raise CaptureError(
                f"the TorchLayer calls its window {layer.input_arg!r} and a weight 'inputs', which here is the name "
                "of the window: rename the weight"
            )
        node = copy.copy(node)
        node.func = _renamed(node.func, layer.input_arg)
    return TrainedFunction(node, {name: tuple(weight.shape) for name, weight in weights.items()}, weights)


def _renamed(function: Callable[..., Any], window: str) -> Callable[..., Any]:
    """The function with `inputs` in place of its own name for the window."""

    @functools.wraps(function)
    def renamed(*, inputs: Any, **weights: Any) -> Any:
        return function(**{window: inputs}, **weights)

    signature = inspect.signature(function)
    own = [one.replace(name="inputs") if name == window else one for name, one in signature.parameters.items()]
    renamed.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    return renamed


def from_script(script: Any, *, inputs: Sequence[int] | None = None) -> Source:
    """A `QuantumScript` of PennyLane, for the `circuit` of a layer.

    The window sets some of its trainable parameters. The others are weights, of the names "parameter_0",
    "parameter_1", ... by their number among the trainable ones, and begin at the values that they have in the script.
    Matrices and states of operations, and coefficients of observables, stay what they are.

    Args:
        script: with expectation values or probabilities.
        inputs: numbers of trainable parameters, in the order in which the window's values are laid on them; one of
            more than one number takes as many values of the window.

    Raises:
        CaptureError: if `inputs` is not given or does not fit, naming all parameters; or if the script cannot be
            captured, naming the operation.

    Examples:
        >>> import pennylane as qp
        >>> operations = [qp.RY(0.1, 0), qp.RY(0.2, 1), qp.CNOT([0, 1]), qp.Rot(0.3, 0.4, 0.5, 1)]
        >>> script = qp.tape.QuantumScript(operations, [qp.expval(qp.Z(1))])
        >>> source = from_script(script, inputs=[0, 1])
        >>> source.n_inputs, list(source.weights)
        (2, ['parameter_2', 'parameter_3', 'parameter_4'])
    """
    if script.shots.total_shots or script.batch_size is not None:
        raise CaptureError(
            "the script has shots or a batch of parameters, which capture would drop silently: make it without"
        )
    every = script.get_parameters(trainable_only=False)
    places = list(script.trainable_params)
    count = len(script.operations)
    owners = {
        k: script.par_info[place]["op"] for k, place in enumerate(places) if script.par_info[place]["op_idx"] < count
    }
    values = {k: every[places[k]] for k in owners}
    if inputs is None or not set(inputs) <= set(owners) or len(set(inputs)) < len(inputs) or not inputs:
        listed = [f"{k}: {op.name} on wires {list(op.wires)}, shape {np.shape(values[k])}" for k, op in owners.items()]
        problem = "is not given" if inputs is None else f"(={list(inputs)}) does not fit"
        raise CaptureError(
            f"`inputs` {problem}: say which trainable parameters of the script are the window, in its order, as in "
            f"from_script(script, inputs=[0, 1]); it has {'; '.join(listed) or 'none'}"
        )
    window = {k: np.shape(values[k]) for k in inputs}
    weights = {
        f"parameter_{k}": torch.as_tensor(values[k]).detach().to(torch.float64)
        for k, op in owners.items()
        if k not in window and op.name not in _NUMBERS_OF_AN_OPERATION
    }
    numbers = {name: int(name.removeprefix("parameter_")) for name in weights}
    labels = list(script.wires)
    if all(isinstance(label, int | np.integer) for label in labels):
        labels.sort()  # in their own order, as PennyLane's devices have them
    index = {label: position for position, label in enumerate(labels)}

    def bound(point: Mapping[str, Any]) -> Any:
        parts, start = {}, 0
        for k, shape in window.items():
            size = math.prod(shape)
            parts[k] = point["inputs"][start : start + size].reshape(shape)
            start += size
        parts |= {number: point[name] for name, number in numbers.items()}
        order = sorted(parts)
        return script.bind_new_parameters([parts[k] for k in order], [places[k] for k in order])

    @pennylane_alone()
    def run(point: Mapping[str, Tensor]) -> Run:
        new = bound(point)
        gates = [
            type(gate)(gate.name, tuple(index[wire] for wire in gate.wires), gate.angle, gate.origin, gate.transfer)
            for gate in lowered(new.operations)
        ]
        return gates, tuple(o for k, m in enumerate(new.measurements) for o in _observables(m, index, k))

    @pennylane_alone()
    def reference(values: Sequence[float], weights: Mapping[str, Any]) -> Floats:
        import pennylane as qp

        arrays = {name: np.asarray(weight, float) for name, weight in weights.items()}
        new = bound({"inputs": np.asarray(values, float), **arrays})
        (results,) = qp.execute([new], qp.device("default.qubit", wires=labels), diff_method=None)
        parts = results if isinstance(results, tuple) else (results,)
        return np.concatenate([np.asarray(part, float).reshape(-1) for part in parts])

    return Source(
        name=type(script).__name__,
        program="default.qubit",
        n_wires=len(labels),
        n_inputs=sum(math.prod(shape) for shape in window.values()),
        weight_shapes={name: tuple(weight.shape) for name, weight in weights.items()},
        run=run,
        reference=reference,
        weights=weights,
    )


def _observables(measurement: Any, index: Mapping[Any, int], position: int) -> list[Observable]:
    if type(measurement).__name__ in ("VarianceMP", "PurityMP"):
        raise CaptureError(
            f"measurement {position} ({type(measurement).__name__}) of a script cannot be captured: write a function "
            "that returns it, and give it to the layer"
        )
    return observables_of(measurement, index, position)
