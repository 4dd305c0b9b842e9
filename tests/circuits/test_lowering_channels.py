"""Noise channels in a circuit function, against `default.mixed`."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve.circuits import capture, simulate
from quanvolve.circuits.capture._lowering import lowered
from tests.circuits.lowering import refused

KRAUS = qp.ThermalRelaxationError(0.1, 0.3, 0.4, 0.1, wires=0).kraus_matrices()
CHANNELS = [
    lambda: qp.DepolarizingChannel(0.1, wires=1),
    lambda: qp.AmplitudeDamping(0.2, wires=0),
    lambda: qp.GeneralizedAmplitudeDamping(0.2, 0.3, wires=0),
    lambda: qp.PhaseDamping(0.2, wires=0),
    lambda: qp.BitFlip(0.2, wires=0),
    lambda: qp.PhaseFlip(0.2, wires=1),
    lambda: qp.ResetError(0.1, 0.2, wires=0),
    lambda: qp.PauliError("XY", 0.2, wires=[1, 0]),
    lambda: qp.ThermalRelaxationError(0.1, 0.3, 0.4, 0.1, wires=1),
    lambda: qp.QubitChannel(KRAUS, wires=1),
    lambda: qp.QubitChannel([np.kron(k, np.eye(2)) for k in KRAUS], wires=[1, 0]),
    lambda: qp.BitFlip(torch.tensor(0.2, dtype=torch.float64), wires=0),
]


@pytest.mark.parametrize("apply", CHANNELS, ids=lambda apply: apply().name)
def test_channels(apply: Any) -> None:
    def function(inputs, w):
        qp.AngleEmbedding(inputs, wires=range(2))
        apply()
        qp.StronglyEntanglingLayers(w, wires=range(2))
        return [qp.expval(qp.Z(0)), qp.expval(qp.X(0) @ qp.Y(1)), qp.probs(wires=1)]

    circuit = capture(function, 2, {"w": (1, 2, 3)})
    assert circuit.noisy
    rng = np.random.default_rng(0)
    inputs, w = rng.uniform(-2, 2, 2), rng.uniform(-3, 3, (1, 2, 3))
    values = qp.QNode(function, qp.device("default.mixed", wires=2), diff_method=None)(inputs, w)
    np.testing.assert_allclose(simulate(circuit, inputs, {"w": w}), np.hstack(values), atol=1e-9)


def test_strengths_of_inputs_are_refused() -> None:
    def function(inputs):
        qp.RX(inputs[0], wires=0)
        qp.DepolarizingChannel(0.1 * inputs[0], wires=0)
        return qp.expval(qp.Z(0))

    with refused(r"operation 1 \(DepolarizingChannel\) .* strength of Depol.* depends .* must be constant; give"):
        capture(function, 1)


def test_channels_on_three_wires_are_refused() -> None:
    with refused(r"operation 1 \(PauliError\) .* on 3 wires, and noise .* one or two of them; write it as"):
        lowered([qp.X(0), qp.PauliError("XYZ", 0.2, wires=[0, 1, 2])])
