"""State preparations, channels and measurements inside the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, entangled, layers, measured

CASES: list[KindCase] = []
_STATE = np.array([1.0, 1j, -1.0, 0.5]) / np.sqrt(3.25)
_REAL = np.array([0.5, -0.5, 0.1, 0.7]) / np.linalg.norm([0.5, -0.5, 0.1, 0.7])


def _add(name: str, prepare: Callable[..., Any], expected: str = EQUAL, n_inputs: int = 3, **options: Any) -> None:
    """The preparation, then rotations by the weights and entangling gates on three wires."""
    given = options.pop("before", None)

    def function(inputs: Any, weights: Any) -> list[Any]:
        if given is not None:
            given(inputs, weights)
        prepare(inputs, weights)
        for wire in range(3):
            qp.RX(weights[wire], wires=wire)
        entangled()
        for wire in range(3):
            qp.RY(weights[3 + wire] + inputs[wire % n_inputs], wires=wire)
        return measured()

    CASES.append(KindCase(f"states: {name}", function, {"weights": (6,)}, expected, n_inputs=n_inputs, **options))


def _embedded(x: Any, wires: Any, **options: Any) -> Any:
    return qp.AmplitudeEmbedding(x, wires=wires, **options)


_add("AmplitudeEmbedding", lambda x, w: _embedded(x, [0, 1], normalize=True), n_inputs=4)
_add("AmplitudeEmbedding, padded with zeros", lambda x, w: _embedded(x, [0, 1], pad_with=0.0, normalize=True))
_add("AmplitudeEmbedding, padded with a number", lambda x, w: _embedded(x, [0, 1], pad_with=0.3, normalize=True))
_add("AmplitudeEmbedding, padded with i", lambda x, w: _embedded(x, [0, 1], pad_with=0.3j, normalize=True), EITHER)
_add("AmplitudeEmbedding of a function", lambda x, w: _embedded(torch.cos(x) + 1.5, [0, 1], pad_with=0, normalize=True))
_add(
    "AmplitudeEmbedding of products",
    lambda x, w: _embedded(torch.outer(x, x).reshape(-1)[:8] + 1, range(3), normalize=True),
)
_add("AmplitudeEmbedding, wires reversed", lambda x, w: _embedded(x, [2, 0], normalize=True), n_inputs=4)
_add("AmplitudeEmbedding, all wires", lambda x, w: _embedded(x, [0, 1, 2], pad_with=0.1, normalize=True), n_inputs=5)
_add("AmplitudeEmbedding, normalised by hand", lambda x, w: _embedded(x / torch.linalg.norm(x), [0, 1]), n_inputs=4)
_add(
    "AmplitudeEmbedding of inputs and weights",
    lambda x, w: _embedded(x + w[:4] + 0.1, [0, 1], normalize=True),
    EITHER,
    4,
)
_add("AmplitudeEmbedding of weights", lambda x, w: _embedded(w[:4], [0, 1], normalize=True), EITHER)
_add(
    "AmplitudeEmbedding of complex numbers",
    lambda x, w: _embedded(torch.exp(1j * x), [0, 1], pad_with=0.2, normalize=True),
    EITHER,
)
_add("StatePrep of inputs", lambda x, w: qp.StatePrep(x, wires=[0, 1], normalize=True), n_inputs=4)
_add("StatePrep of sines", lambda x, w: qp.StatePrep(torch.stack([torch.cos(x[0]), torch.sin(x[0])]), wires=0))
_add("StatePrep, constant", lambda x, w: qp.StatePrep(_REAL, wires=[0, 1]))
_add("StatePrep, constant, complex", lambda x, w: qp.StatePrep(_STATE, wires=[0, 1]))
_add("StatePrep, constant of torch", lambda x, w: qp.StatePrep(torch.tensor(_STATE), wires=[2, 1]))
_add("StatePrep of weights", lambda x, w: qp.StatePrep(w[:4] / w[:4].norm(), wires=[0, 1]), EITHER)
_add("StatePrep of a phase", lambda x, w: qp.StatePrep(torch.exp(1j * x[:2]) / 2**0.5, wires=[0]), EITHER)
_add(
    "two embeddings",
    lambda x, w: (_embedded(x[:2], [0], normalize=True), _embedded(x[2:], [1, 2], pad_with=0.1, normalize=True)),
)
_add(
    "two embeddings and two constants",
    lambda x, w: (
        _embedded(x[:2] + 0.1, [0], normalize=True),
        qp.StatePrep(_STATE[[0, 1]] / 2**0.5 * 1.27475, wires=[1], normalize=True),
    ),
)
_add(
    "an embedding after gates on other wires",
    lambda x, w: _embedded(x, [0, 1], pad_with=0.1, normalize=True),
    before=lambda x, w: qp.RY(w[0], wires=2),
)
_add(
    "an embedding after gates on its wires",
    lambda x, w: _embedded(x, [0, 1], pad_with=0.1, normalize=True),
    EITHER,
    before=lambda x, w: qp.RY(w[0], wires=0),
)
_add(
    "an embedding in the middle",
    lambda x, w: _embedded(x, [0, 1], pad_with=0.1, normalize=True),
    EITHER,
    before=lambda x, w: layers(x, w),
)
_add("adjoint of an embedding", lambda x, w: qp.adjoint(_embedded(x, [0, 1], pad_with=0.1, normalize=True)), EITHER)
_add("BasisState, constant", lambda x, w: qp.BasisState(np.array([1, 0, 1]), wires=range(3)))
_add("BasisState in the middle", lambda x, w: qp.BasisState(np.array([1, 0, 1]), wires=range(3)), EITHER, before=layers)
_add("BasisEmbedding, constant", lambda x, w: qp.BasisEmbedding(5, wires=range(3)))
_add("BasisEmbedding of thresholds", lambda x, w: qp.BasisEmbedding((x > 0.5).int(), wires=range(3)), EITHER)
_add("BasisEmbedding of long integers", lambda x, w: qp.BasisEmbedding((x > 0.5).long(), wires=range(3)), EITHER)
_add("BasisState of thresholds", lambda x, w: qp.BasisState((x > 0.5).int(), wires=range(3)), EITHER)
_add("thresholds as angles", lambda x, w: [qp.RX(torch.pi * (x[k] > 0.5), wires=k) for k in range(3)])
_add("Mottonen, constant", lambda x, w: qp.MottonenStatePreparation(_STATE, wires=[0, 1]))
_add(
    "Mottonen of inputs",
    lambda x, w: qp.MottonenStatePreparation((torch.cos(x) + 1.5) / (torch.cos(x) + 1.5).norm(), wires=[0, 1]),
    n_inputs=4,
)
_add(
    "Mottonen of weights",
    lambda x, w: qp.MottonenStatePreparation((torch.cos(w[:4]) + 1.5) / (torch.cos(w[:4]) + 1.5).norm(), wires=[0, 1]),
)
_add("Mottonen of both signs", lambda x, w: qp.MottonenStatePreparation(x / x.norm(), wires=[0, 1]), EITHER, n_inputs=4)
_add("ArbitraryStatePreparation", lambda x, w: qp.ArbitraryStatePreparation(w, wires=[0, 1]))
_add("QubitStateVector by a matrix", lambda x, w: qp.QubitUnitary(np.array([[0.6, 0.8], [0.8, -0.6]]), wires=0))

# -- measurements on the way -------------------------------------------------------------------------------------------


def _measured_and_used(x: Any, w: Any) -> None:
    layers(x, w)
    m = qp.measure(0)
    qp.cond(m, qp.RX)(w[0], wires=1)


def _reset(x: Any, w: Any) -> None:
    layers(x, w)
    qp.measure(0, reset=True)


def _postselected(x: Any, w: Any) -> None:
    layers(x, w)
    qp.measure(0, postselect=0)


def _either_way(x: Any, w: Any) -> None:
    layers(x, w)
    m = qp.measure(0)
    qp.cond(m, lambda: qp.RX(w[0], wires=1), lambda: qp.RY(x[0], wires=2))()


def _combined(x: Any, w: Any) -> None:
    layers(x, w)
    m, n = qp.measure(0), qp.measure(1)
    qp.cond((m + n) == 1, qp.X)(wires=2)


def _teleported(x: Any, w: Any) -> None:
    layers(x, w)
    m = qp.measure(0)
    qp.cond(m == 1, qp.Z)(wires=1)
    n = qp.measure(1, reset=True)
    qp.cond(n, qp.X)(wires=2)


for _name, _way in {
    "measure": lambda x, w: (layers(x, w), qp.measure(0)),
    "measure and cond": _measured_and_used,
    "reset": _reset,
    "postselect": _postselected,
    "cond with an else": _either_way,
    "two measurements": _combined,
    "measured twice": _teleported,
    "measured between": lambda x, w: (qp.RY(x[0], 0), qp.measure(0), qp.RY(x[1], 0), qp.RX(w[0], 0)),
}.items():
    _add(f"on the way: {_name}", _way, EITHER)


def _of_a_measurement(inputs: Any, weights: Any) -> Any:
    layers(inputs, weights)
    m = qp.measure(0)
    return [qp.expval(m), qp.expval(qp.Z(1)), qp.probs(op=m)]


CASES.append(KindCase("states: on the way: expval of a measurement", _of_a_measurement, {"weights": (6,)}, EITHER))

# -- channels ----------------------------------------------------------------------------------------------------------

_KRAUS = [np.sqrt(0.9) * np.eye(2), np.sqrt(0.1) * np.array([[0, 1], [1, 0]])]
for _name, _channel in {
    "DepolarizingChannel": lambda w: qp.DepolarizingChannel(0.1, wires=0),
    "AmplitudeDamping": lambda w: qp.AmplitudeDamping(0.1, wires=0),
    "PhaseDamping": lambda w: qp.PhaseDamping(0.1, wires=0),
    "BitFlip": lambda w: qp.BitFlip(0.1, wires=0),
    "PhaseFlip": lambda w: qp.PhaseFlip(0.1, wires=0),
    "GeneralizedAmplitudeDamping": lambda w: qp.GeneralizedAmplitudeDamping(0.1, 0.3, wires=0),
    "ResetError": lambda w: qp.ResetError(0.1, 0.05, wires=0),
    "PauliError": lambda w: qp.PauliError("XY", 0.1, wires=[0, 1]),
    "ThermalRelaxationError": lambda w: qp.ThermalRelaxationError(0.1, 1.2, 1.3, 0.1, wires=0),
    "QubitChannel": lambda w: qp.QubitChannel(_KRAUS, wires=0),
    "of a weight": lambda w: qp.DepolarizingChannel(torch.sigmoid(w[0]) / 4, wires=0),
}.items():

    def _noisy(inputs: Any, weights: Any, channel: Any = _channel) -> list[Any]:
        layers(inputs, weights)
        channel(weights)
        entangled()
        return measured()

    _mixed = qp.QNode(_noisy, qp.device("default.mixed", wires=3), interface="torch", diff_method="backprop")
    CASES.append(KindCase(f"states: channel {_name}", _noisy, {"weights": (6,)}, EITHER, reference=_mixed))
