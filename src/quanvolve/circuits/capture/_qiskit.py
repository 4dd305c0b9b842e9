"""Circuits of Qiskit as sources of descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._qiskit_gates import gates_of, measured_bits
from quanvolve.circuits.capture._qiskit_observables import (
    observables_of_bits,
    observables_of_operators,
    values_in_state,
)
from quanvolve.circuits.capture._qiskit_parameters import Expressions, Parameters, parameters_of
from quanvolve.circuits.capture._source import Floats, Run, Source
from quanvolve.circuits.description import Observable

_STANDARD = "qiskit.circuit.library.standard_gates"


def from_qiskit(circuit: Any, *, inputs: Any = None, observables: Any = None) -> Source:
    """A `QuantumCircuit` of Qiskit, for the `circuit` of a layer.

    Its parameters are the window and the weights. Weights are what is not the window, in Qiskit's order: those of a
    `ParameterVector` are one tensor of its name and shape (n,), with the n entries that the circuit uses, others have
    a tensor of shape () each, of their own name (in letters, digits and underscores).

    A `PauliEvolutionGate` is what its synthesis makes of it, as on a device: where its terms do not commute, that is
    not the exact evolution.

    Args:
        circuit: without control flow and measurements in the middle; barriers and delays have no effect.
        inputs: which parameters the window sets, in its order: a list of them or of their names, a
            `ParameterVector`, the name of one, or what numbered names begin with ("a" for a0, a_1, ...). If not given,
            those that are called "inputs", "x" or "input" in this sense.
        observables: what is measured: one or a list of `SparsePauliOp` or texts such as "ZIIX", whose last letter is of
            qubit 0. If not given, the probabilities of the outcomes of the classical bits that the circuit measures at
            its end, in the order of the numbers that they write, the first bit being the least significant: the order
            of `Statevector.probabilities`. Without measurements, Z on each qubit, from qubit 0.

    Raises:
        CaptureError: if the circuit cannot be captured, naming the operation, its position and qubits; or if it is not
            clear which parameters are the window, naming all of them.

    References:
        Javadi-Abhari et al., Quantum computing with Qiskit, arXiv:2405.08810 (2024).

    Examples:
        >>> from qiskit.circuit.library import real_amplitudes, zz_feature_map
        >>> written = zz_feature_map(4, reps=1).compose(real_amplitudes(4, reps=1))
        >>> from_qiskit(written, observables=["ZIII", "IIIZ"])
        Source(name='...', program='Qiskit', n_wires=4, n_inputs=4, weight_shapes={'θ': (8,)})
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 2, 2, circuit=from_qiskit(written, observables=["ZIII", "IIIZ"]), seed=0)
        >>> layer.θ.shape
        torch.Size([1, 1, 8])
    """
    from qiskit import QuantumCircuit

    if not isinstance(circuit, QuantumCircuit):
        raise CaptureError(f"`circuit` is a {type(circuit).__name__}, expected a QuantumCircuit of Qiskit")
    return source_of_circuit(circuit, inputs, _measured(circuit, observables))


def source_of_circuit(circuit: Any, inputs: Any, observables: tuple[Observable, ...]) -> Source:
    """A circuit of Qiskit with what is measured in it; `inputs` as in :func:`from_qiskit`."""
    # Circuits of the library are built when their parameters are first looked at.
    parameters = parameters_of(circuit, inputs)

    def run(point: Mapping[str, Tensor]) -> Run:
        return gates_of(circuit, Expressions(parameters.at(point)).value), observables

    return Source(
        name=str(circuit.name),
        program="Qiskit",
        n_wires=circuit.num_qubits,
        n_inputs=len(parameters.inputs),
        weight_shapes=parameters.shapes,
        run=run,
        reference=_reference(circuit, parameters, observables),
    )


def _measured(circuit: Any, observables: Any) -> tuple[Observable, ...]:
    if observables is not None:
        return observables_of_operators(observables, circuit)
    measured = measured_bits(circuit)
    if measured:
        return observables_of_bits(measured)
    return tuple(Observable(((1.0, ((qubit, "Z"),)),)) for qubit in range(circuit.num_qubits))


def _reference(
    circuit: Any, parameters: Parameters, observables: tuple[Observable, ...]
) -> Callable[[Sequence[float], Mapping[str, Any]], Floats]:
    """The circuit's values by Qiskit's `Statevector`."""
    written: list[Any] = []  # when it is first needed

    def reference(window: Sequence[float], weights: Mapping[str, Any]) -> Floats:
        from qiskit.quantum_info import Statevector

        if not written:
            written.append(_in_standard_gates(circuit))
        (plain,) = written
        values = parameters.at({"inputs": window, **{name: np.asarray(w, float) for name, w in weights.items()}})
        used = {parameter.name for parameter in plain.parameters}
        state = Statevector(plain.assign_parameters({name: float(v) for name, v in values.items() if name in used}))
        return values_in_state(state, observables)

    return reference


def _in_standard_gates(circuit: Any) -> Any:
    """The circuit without measurements, in Qiskit's standard gates.

    Its transpiler would know gates by their names, which users may give to gates of their own; and a state vector of
    the circuit itself would have the exact evolution in place of what a device runs.
    """
    plain = circuit.copy_empty_like()

    def add(operation: Any, qubits: list[Any]) -> None:
        if operation.name == "measure" or getattr(operation, "_directive", False):
            return
        standard = operation.base_class.__module__.startswith(_STANDARD) if hasattr(operation, "base_class") else True
        definition = None if standard else operation.definition
        if definition is None:
            plain.append(operation, qubits)
            return
        for instruction in definition.data:
            add(instruction.operation, [qubits[definition.find_bit(qubit).index] for qubit in instruction.qubits])

    for instruction in circuit.data:
        add(instruction.operation, list(instruction.qubits))
    return plain
