"""A circuit of the user's from anywhere: what capture needs to know of it, whatever program it was written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._angles import describe
from quanvolve.circuits.capture._closed_over import ClosedOver
from quanvolve.circuits.capture._last_look import windows
from quanvolve.circuits.capture._other_values import require_same
from quanvolve.circuits.capture._recorder import Recorder
from quanvolve.circuits.capture._simulate import values_by_numpy
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.description import Circuit, Observable

Floats = npt.NDArray[np.float64]
Run = tuple[list[Traced], tuple[Observable, ...]]

_SEED = 20190409
_POINTS = ((0.1, 0.9), (0.1, 0.9), (-2.0, 2.0))
"""The ranges from which numbers are drawn: one point is recorded, at the others the description is tested."""
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Source:
    """A circuit that another program wrote, as a function of a window and of weights.

    A layer takes it as its `circuit`.

    Args:
        name: of the circuit.
        program: which it was written for, as errors name it.
        n_wires: number of qubits.
        n_inputs: values of a window.
        weight_shapes: by name, in their order.
        run: gates and observables from tensors by name: "inputs", of shape (n_inputs,), and the weights. Wires are
            numbers of qubits.
        reference: the measured values by the simulator of the other program, from a window and weights by name.
        weights: the values that the weights had, where the circuit had some.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from quanvolve.circuits import from_qiskit
        >>> written = QuantumCircuit(1)
        >>> written.ry(Parameter("x"), 0)
        <...>
        >>> written.rx(Parameter("tilt"), 0)
        <...>
        >>> source = from_qiskit(written)
        >>> source.n_inputs, source.weight_shapes
        (1, {'tilt': ()})
    """

    name: str
    program: str
    n_wires: int
    n_inputs: int
    weight_shapes: Mapping[str, tuple[int, ...]]
    run: Callable[[Mapping[str, Tensor]], Run] = field(repr=False)
    reference: Callable[[Sequence[float], Mapping[str, Any]], Floats] = field(repr=False)
    weights: Mapping[str, Tensor] | None = field(repr=False, default=None)


def circuit_of(source: Source) -> Circuit:
    """The description of a circuit that another program wrote.

    Args:
        source: from :func:`from_qiskit`, :func:`from_openqasm` or :func:`from_script`.

    Raises:
        CaptureError: if the circuit cannot be captured; the message names the operation and its position.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from quanvolve.circuits import from_qiskit
        >>> written = QuantumCircuit(1)
        >>> written.ry(2 * Parameter("x"), 0)
        <...>
        >>> circuit_of(from_qiskit(written)).gates
        (Gate(name='RY', wires=(0,), angle=Angle(offset=0.0, inputs=((0, 2.0),), weights=()), transfer=None),)
    """
    # The caller may build a layer on the meta device or without gradients; capture needs real ones.
    with torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
        rng = np.random.default_rng(_SEED)
        first, *others = (_drawn(source, rng, low, high) for low, high in _POINTS)
        for leaf in first.values():
            leaf.requires_grad_()
        recorder = Recorder(first, None, ClosedOver(source.run, first))
        with recorder:
            gates, observables = source.run(first)
        index = {wire: wire for wire in range(source.n_wires)}
        described = describe(gates, first, index, recorder)
        circuit = Circuit(
            n_wires=source.n_wires,
            n_inputs=source.n_inputs,
            gates=described.gates,
            observables=observables,
            weight_shapes=tuple(source.weight_shapes.items()),
            program=described.program,
            preparation=described.preparation,
        )
        for point in others:
            with Recorder(point, None, ClosedOver(source.run, point)):
                again, _ = source.run(point)
            require_same(gates, again, circuit, point, index, described.wanted)
    _compare(circuit, source, rng)
    return circuit


def _drawn(source: Source, rng: np.random.Generator, low: float, high: float) -> dict[str, Tensor]:
    shapes = {"inputs": (source.n_inputs,), **source.weight_shapes}
    return {name: torch.tensor(rng.uniform(low, high, shape)) for name, shape in shapes.items()}


def _compare(circuit: Circuit, source: Source, rng: np.random.Generator) -> None:
    """Compare the description with the other program's simulator on some windows."""
    one_of_each = {window.kind: window.values for window in windows(rng, source.n_inputs)}
    weights = {name: rng.uniform(-3.0, 3.0, shape) for name, shape in source.weight_shapes.items()}
    described = values_by_numpy(circuit, np.array(list(one_of_each.values())), weights)
    for window, ours in zip(one_of_each.values(), described, strict=True):
        if np.isnan(ours).any():
            continue  # an angle that is not a number, such as the arc cosine of 2, which the other program refuses
        with np.errstate(all="ignore"):  # a window of zeros is no state
            theirs = source.reference(window.tolist(), weights)
        wrong = np.flatnonzero(~np.isnan(theirs) & ~(np.abs(theirs - ours) <= _TOLERANCE * (1 + np.abs(theirs))))
        if len(wrong):
            place = int(wrong[0])
            raise CaptureError(
                f"the circuit {source.name!r} cannot be captured: on the window {window.round(4).tolist()} "
                f"{source.program} gives {theirs[place]:.6f} for its value {place}, what was captured gives "
                f"{ours[place]:.6f}: write it with other gates, and report this"
            )
