"""Measurements in the middle of a circuit, put off to its end: what was measured decides as a control wire.

Where a wire goes on after it was measured, or is set back to 0, its outcome is copied to a further wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve._errors import CaptureError

Tape = tuple[list[Any], list[Any]]
"""Operations and measurements."""


class Selection(NamedTuple):
    """An outcome that a measurement in the middle selects: only runs that have it count.

    Attributes:
        bit: 0 or 1.
        wire: that holds it at the end.
    """

    bit: int
    wire: Any

    def projector(self) -> Any:
        """What selects it on PennyLane's simulator."""
        import pennylane as qp

        projector = qp.Projector([self.bit], wires=[self.wire])
        projector.selection = self
        return projector


def selections(operations: Sequence[Any]) -> tuple[list[Any], list[Selection]]:
    """Operations without those that select outcomes, and what these select."""
    selected = [getattr(operation, "selection", None) for operation in operations]
    rest = [operation for operation, selection in zip(operations, selected, strict=True) if selection is None]
    return rest, [selection for selection in selected if selection is not None]


def deferred(operations: Sequence[Any], measurements: Sequence[Any]) -> Tape:
    """Operations without measurements in the middle, and the measurements that then read the same.

    Args:
        operations: of a circuit function. Each stays at its place, so that errors can count them.
        measurements: at its end.

    Raises:
        CaptureError: for measurements of products of Pauli operators.

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, section 4.4: the principle of deferred
        measurement.
    """
    import pennylane as qp

    kinds = (qp.ops.MidMeasure, qp.ops.mid_measure.PauliMeasure)
    if not any(isinstance(operation, kinds) for operation in operations):
        return list(operations), list(measurements)
    labels = {wire for part in (*operations, *measurements) for wire in getattr(part, "wires", ())}
    further = max((label for label in labels if isinstance(label, int)), default=-1) + 1
    holders: dict[Any, Any] = {}
    done: list[Any] = []
    selected: list[Any] = []
    with qp.queuing.QueuingManager.stop_recording():
        for position, operation in enumerate(operations):
            if isinstance(operation, kinds):
                _require_plain(operation, position)
                (wire,) = operation.wires
                later = (*operations[position + 1 :], *measurements)
                stays = not operation.reset and not any(wire in getattr(p, "wires", ()) for p in _acting(later))
                holders[operation.meas_uid] = wire if stays else further
                if operation.postselect is not None:
                    selected.append(Selection(operation.postselect, holders[operation.meas_uid]))
                if stays:
                    done.append(qp.Identity(wire))
                    continue
                copy = qp.CNOT([wire, further])
                done.append(qp.prod(qp.CNOT([further, wire]), copy) if operation.reset else copy)
                further += 1
            elif isinstance(operation, qp.ops.Conditional):
                done.append(_controlled(operation, holders))
            else:
                done.append(operation)
        # Whatever reads a holder reads its bit: outcomes may be selected at the end.
        done += [selection.projector() for selection in selected]
        return done, [_read(measurement, holders, k) for k, measurement in enumerate(measurements)]


def flattened(returned: Any) -> list[Any]:
    """What a circuit function returned, in one list: a measurement, or lists and tuples of them, also nested."""
    if isinstance(returned, list | tuple):
        return [leaf for item in returned for leaf in flattened(item)]
    return [] if returned is None else [returned]


def _acting(parts: Sequence[Any]) -> list[Any]:
    """What acts on its wires or measures them, not what only reads outcomes of measurements in the middle."""
    return [part for part in parts if getattr(part, "mv", None) is None]


def _require_plain(operation: Any, position: int) -> None:
    name = type(operation).__name__
    if name == "PauliMeasure":
        raise CaptureError(
            f"operation {position} ({name}) cannot be captured: it measures a product of Pauli operators in the middle "
            "of the circuit; turn the wires with gates and use qp.measure on one of them"
        )


def _controlled(operation: Any, holders: Mapping[Any, Any]) -> Any:
    """The operation under control of the wires that hold the outcomes, for each case in which it acts."""
    import pennylane as qp

    wires, values = _table(operation.meas_val, holders)
    cases = [
        qp.ctrl(operation.base, control=wires, control_values=[bool(bit) for bit in bits])
        for bits, acts in np.ndenumerate(values)
        if acts
    ]
    if not cases:
        return qp.Identity(operation.base.wires)
    return cases[0] if len(cases) == 1 else qp.prod(*cases)


def _read(measurement: Any, holders: Mapping[Any, Any], position: int) -> Any:
    """A measurement, of the wires that hold outcomes where it reads them."""
    import pennylane as qp

    value = getattr(measurement, "mv", None)
    name = type(measurement).__name__
    if value is None:
        if isinstance(measurement, qp.measurements.MeasurementProcess) and not measurement.wires:
            raise CaptureError(
                f"measurement {position} ({name}) has no wires, but measurements in the middle of the circuit add "
                "wires to it: name the wires, as in qp.probs(wires=[0, 1])"
            )
        return measurement
    if isinstance(measurement, qp.measurements.ProbabilityMP):
        values = value if isinstance(value, list) else [value]
        return qp.probs(wires=[holders[outcome.measurements[0].meas_uid] for outcome in values])
    if isinstance(measurement, qp.measurements.ExpectationMP):
        return qp.expval(_mean(*_table(value, holders)))
    return measurement


def _table(value: Any, holders: Mapping[Any, Any]) -> tuple[list[Any], npt.NDArray[np.float64]]:
    """The wires that a function of outcomes reads, as they were measured, and its values, an axis for each of them."""
    # PennyLane sorts by random identifiers.
    places = {measured.meas_uid: k for k, measured in enumerate(value.measurements)}
    read = [uid for uid in holders if uid in places]
    results = np.array([float(result) for _, result in value.items()]).reshape((2,) * len(places))
    return [holders[uid] for uid in read], results.transpose([places[uid] for uid in read])


def _mean(wires: list[Any], values: npt.NDArray[np.float64]) -> Any:
    """The observable whose mean is that of a function of bits: its Walsh-Hadamard transform in words of Z."""
    import pennylane as qp

    for axis in range(len(wires)):
        at_zero, at_one = np.take(values, 0, axis), np.take(values, 1, axis)
        values = np.stack([at_zero + at_one, at_zero - at_one], axis) / 2
    words = {
        tuple(wires[k] for k, turned in enumerate(place) if turned): float(coefficient)
        for place, coefficient in np.ndenumerate(values)
        if coefficient != 0.0
    } or {(): 0.0}
    return qp.Hamiltonian(
        list(words.values()),
        [qp.prod(*map(qp.Z, word)) if len(word) > 1 else qp.Z(*word) if word else qp.Identity(wires) for word in words],
    )
