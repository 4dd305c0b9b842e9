"""PennyLane's devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends._settings import Floats, Measured, Weights, angles_of, values_of_bits
from quanvolve.circuits import PENNYLANE_NAMES, Circuit, bases_of, pennylane_alone


class PennyLaneBackend:
    """Any PennyLane device, by name or made by the user.

    Args:
        device: a name such as "default.qubit", "lightning.qubit" or "default.mixed", or a device with enough wires,
            numbered from 0.
        shots: samples of each setting; None for exact values, where the device has them.
        seed: of the samples, for devices given by name that take one.
        options: further arguments of a device given by name.

    Raises:
        QuanvolveError: if there is no such device, or it cannot run a circuit.

    Examples:
        >>> from quanvolve.backends import PennyLaneBackend, measure
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> backend = PennyLaneBackend("default.qubit")
        >>> measure(backend, circuit, {"weights": np.zeros((1, 2))}, np.zeros((3, 2))).values.round(6)[0]
        array([1., 1.])
    """

    settings_a_job = 64

    def __init__(self, device: Any, shots: int | None = None, seed: int | None = None, **options: Any) -> None:
        import pennylane as qp

        if shots is not None and (not isinstance(shots, int) or isinstance(shots, bool) or shots < 1):
            raise QuanvolveError(f"`shots` (={shots!r}) must be a whole number of at least 1, or None for exact values")
        self.shots = shots
        self._options = {**options, **({} if seed is None else {"seed": seed})}
        self._device: Any = None if isinstance(device, str) else device
        self._made: dict[int, Any] = {}
        self.name = device if isinstance(device, str) else str(device.name)
        if isinstance(device, str):
            self._make(1)
        self.identity = f"pennylane {qp.__version__} {self.name} shots={shots} {sorted(self._options.items())!r}"

    def _make(self, n_wires: int) -> Any:
        import pennylane as qp

        if self._device is not None:
            wires = self._device.wires
            if wires is not None and not set(range(n_wires)) <= set(wires):
                raise QuanvolveError(
                    f"the circuit has {n_wires} qubits, the device {self.name} has the wires {list(wires)}: it "
                    f"needs 0 to {n_wires - 1}"
                )
            return self._device
        if n_wires not in self._made:
            try:
                with pennylane_alone():
                    self._made[n_wires] = qp.device(self.name, wires=n_wires, **self._options)
            except Exception as error:
                raise QuanvolveError(f"the PennyLane device {self.name!r} cannot be made: {error}") from error
        return self._made[n_wires]

    def check(self, circuit: Circuit) -> None:
        """Write a circuit in the gates of the device, which runs nothing.

        Raises:
            QuanvolveError: if it has more qubits than the device, or something that this cannot run.
        """
        import pennylane as qp

        device = self._make(circuit.n_wires)
        angles, values = angles_of(
            circuit, {name: np.zeros(shape) for name, shape in circuit.weight_shapes}, np.ones((1, circuit.n_inputs))
        )
        node = self._node(qp, device)
        bases = [basis.letters for basis in bases_of(circuit)] if self.shots is not None else [_words(circuit)]
        for measured in bases:
            if measured:
                try:
                    with pennylane_alone():
                        qp.workflow.construct_batch(node, level="device")(circuit, angles[0], values[0], measured)
                except Exception as error:
                    first = (str(error) or type(error).__name__).splitlines()[0]
                    raise QuanvolveError(f"the device {self.name} cannot run the circuit: {first}") from error

    def _node(self, qp: Any, device: Any) -> Any:
        node = qp.QNode(_function, device, diff_method=None)
        return node if self.shots is None else qp.set_shots(node, shots=self.shots)

    def run(self, circuit: Circuit, weights: Weights, inputs: Floats) -> Measured:
        """Run each setting; arguments as in :meth:`Backend.run`."""
        import pennylane as qp

        device = self._make(circuit.n_wires)
        angles, values = angles_of(circuit, weights, inputs)
        bases = bases_of(circuit)
        node = self._node(qp, device)
        means, variances = np.zeros((2, len(angles), circuit.n_outputs))
        for row in range(len(angles)):
            if self.shots is None:
                means[row] = _exact(qp, node, circuit, angles[row], values[row])
                continue
            for basis in bases:
                with pennylane_alone():
                    drawn = node(circuit, angles[row], values[row], basis.letters)
                samples = np.asarray(drawn).reshape(self.shots, -1)
                mean, variance = values_of_bits(basis, samples[None].astype(bool), circuit.n_outputs)
                means[row] += mean[0]
                variances[row] += variance[0]
        return Measured(means, np.sqrt(variances))


def _exact(qp: Any, node: Any, circuit: Circuit, angles: Floats, values: Floats) -> Floats:
    words = _words(circuit)
    with pennylane_alone():
        expectations = node(circuit, angles, values, words) if words else []
    means: dict[Any, float] = dict(zip(words, (float(mean) for mean in expectations), strict=True))
    means[()] = 1.0
    return np.array([sum(c * means[word] for c, word in o.pauli_terms()) for o in circuit.observables])


def _words(circuit: Circuit) -> list[Any]:
    return sorted({word for observable in circuit.observables for _, word in observable.pauli_terms() if word})


def _function(circuit: Circuit, angles: Floats, values: Floats, measured: Any) -> Any:
    """The circuit, then expectation values of words, or samples of all wires in a basis given by letters."""
    import pennylane as qp

    if circuit.preparation is not None:
        state = np.zeros(2 ** len(circuit.preparation.wires))
        state[: len(circuit.preparation.values)] = values[list(circuit.preparation.values)]
        norm = np.linalg.norm(state)
        qp.StatePrep(state / norm if norm else np.eye(len(state))[0], wires=circuit.preparation.wires)
    number = 0
    for gate in circuit.gates:
        make = getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))
        if gate.angle is None:
            make(wires=list(gate.wires))
        else:
            make(angles[number], wires=gate.wires[0])
            number += 1
    if measured and isinstance(measured[0], str):
        for wire, letter in enumerate(measured):
            if letter == "Y":
                qp.adjoint(qp.S(wires=wire))
            if letter in "XY":
                qp.Hadamard(wires=wire)
        return qp.sample(wires=range(circuit.n_wires))
    return [
        qp.expval(
            qp.prod(*(getattr(qp, letter)(wire) for wire, letter in word)) if len(word) > 1 else _single(qp, word)
        )
        for word in measured
    ]


def _single(qp: Any, word: Any) -> Any:
    ((wire, letter),) = word
    return getattr(qp, letter)(wire)
