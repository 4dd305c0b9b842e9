"""Qiskit's backends: Aer, the fake backends and IBM's devices, through primitives V2."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends._settings import Floats, Measured, Weights, angles_of, values_of_bits
from quanvolve.circuits import QISKIT_NAMES, Angle, Circuit, Gate, Observable, bases_of, with_noise

_GATES = {name: ours for ours, name in QISKIT_NAMES.items()}
_SILENT = ("barrier", "delay", "id", "measure")


@dataclass(frozen=True)
class Transpiled:
    """A circuit as a backend runs it.

    Args:
        depth: longest chain of gates, the measurement left out.
        two_qubit_gates: how many gates act on two qubits.
        qubits: of the backend, in the order of the circuit's wires at the end.
    """

    depth: int
    two_qubit_gates: int
    qubits: tuple[int, ...]


class QiskitBackend:
    """A backend of Qiskit: a simulator of Aer, a fake backend, or a device of IBM.

    A circuit is transpiled once, with the angles as parameters, and bound to all settings of a job by the primitive.

    Args:
        backend: a backend object, such as ``AerSimulator()`` or ``FakeManilaV2()``; the name of a fake backend, such as
            "fake_manila", or of a device of the saved IBM account, such as "ibm_fez"; "aer" for Aer without noise.
        shots: samples of each setting.
        optimization_level: of the transpiler, 0 to 3.
        seed: of transpiler and simulator.

    Raises:
        QuanvolveError: if Qiskit is not installed, there is no such backend or no account, or the circuit has more
            qubits than the backend.

    References:
        Qiskit's primitives, version 2: `SamplerV2` takes a circuit and an array of parameter values as one pub.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> backend = QiskitBackend("aer", shots=1000, seed=0)
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> backend.run(circuit, {"weights": np.zeros((1, 2))}, np.zeros((1, 2))).values
        array([[1., 1.]])
    """

    settings_a_job = 300

    def __init__(
        self, backend: Any, shots: int = 4096, *, optimization_level: int = 2, seed: int | None = None
    ) -> None:
        if not isinstance(shots, int) or isinstance(shots, bool) or shots < 1:
            raise QuanvolveError(f"`shots` (={shots!r}) must be a whole number of at least 1")
        self.shots: int | None = shots
        self.optimization_level, self.seed = optimization_level, seed
        self.backend = _find(backend) if isinstance(backend, str) else backend
        self.name = str(getattr(self.backend, "name", backend))
        versions = " ".join(f"{name} {_import(name).__version__}" for name in ("qiskit", "qiskit_ibm_runtime"))
        noise = getattr(getattr(self.backend, "options", None), "noise_model", None)
        self.identity = f"{versions} {self.name} shots={shots} level={optimization_level} seed={seed} noise={noise}"
        self._circuits: dict[Circuit, tuple[list[Any], list[Any]]] = {}

    def run(self, circuit: Circuit, weights: Weights, inputs: Floats) -> Measured:
        """Run one job for each measurement basis; arguments as in :meth:`Backend.run`."""
        assert self.shots is not None
        parameters, written = self._written(circuit)
        angles, _ = angles_of(circuit, weights, inputs)
        sampler = self._sampler()
        pubs = []
        for one in written:
            kept = [k for k, parameter in enumerate(parameters) if parameter in one.parameters]
            bound = {tuple(parameters[k] for k in kept): angles[:, kept]} if kept else np.zeros((len(angles), 0))
            pubs.append((one, bound, self.shots))
        results = sampler.run(pubs).result()
        values, variances = np.zeros((2, len(angles), circuit.n_outputs))
        for basis, result in zip(bases_of(circuit), results, strict=True):
            packed = result.data.meas.array  # settings, shots, bytes; the last bit is qubit 0
            bits = np.unpackbits(packed, axis=-1)[..., ::-1][..., : circuit.n_wires].astype(bool)
            mean, variance = values_of_bits(basis, bits.reshape(len(angles), -1, circuit.n_wires), circuit.n_outputs)
            values += mean
            variances += variance
        return Measured(values, np.sqrt(variances))

    def _sampler(self) -> Any:
        """The primitive: that of the backend's own package, or Qiskit's for any backend that runs circuits."""
        local = "qiskit_ibm_runtime" not in type(self.backend).__module__
        if local:
            options = {} if self.seed is None else {"seed_simulator": self.seed}
            return _import("qiskit.primitives").BackendSamplerV2(backend=self.backend, options=options)
        sampler = _sampler_class()(mode=self.backend)
        if self.seed is not None and "fake_provider" in type(self.backend).__module__:
            sampler.options.simulator.seed_simulator = self.seed
        return sampler

    def _written(self, circuit: Circuit) -> tuple[list[Any], list[Any]]:
        """The parameters, and for each measurement basis the transpiled circuit."""
        if circuit not in self._circuits:
            self._circuits[circuit] = _transpiled(circuit, self.backend, self.optimization_level, self.seed)
        return self._circuits[circuit]

    def transpiled(self, circuit: Circuit) -> Transpiled:
        """What the circuit becomes on the backend."""
        one = self._written(circuit)[1][0]
        counted = one.copy()
        counted.remove_final_measurements(inplace=True)
        return Transpiled(
            counted.depth(), sum(len(i.qubits) == 2 and i.operation.name != "barrier" for i in one.data), _places(one)
        )

    def noisy_circuit(self, circuit: Circuit) -> Circuit:
        """The transpiled circuit as a description, with the noise model of the backend.

        Its exact values are those that the backend would give with any number of shots. The wires are those qubits of
        the backend that the circuit uses.

        Raises:
            QuanvolveError: if a gate of the backend has no description, or there is no noise model.

        Examples:
            >>> from quanvolve.circuits import named_circuit
            >>> noisy = QiskitBackend("fake_manila", seed=0).noisy_circuit(named_circuit("basic_entangler", 4))
            >>> noisy.n_inputs, noisy.noisy
            (4, True)
        """
        parameters, written = self._written(circuit)
        one = written[0]
        angles = [gate.angle for gate in circuit.gates if gate.angle is not None]
        known = dict(zip(parameters, angles, strict=True))
        gates = []
        for instruction in one.data:
            name = instruction.operation.name
            if name in _SILENT:
                continue
            if name not in _GATES:
                raise QuanvolveError(f"the backend {self.name} has the gate {name!r}, which has no description")
            wires = tuple(int(one.find_bit(qubit).index) for qubit in instruction.qubits)
            angle = _affine(instruction.operation.params[0], known) if instruction.operation.params else None
            gates.append(Gate(_GATES[name], wires, angle))
        places = _places(one)
        observables = tuple(
            Observable(tuple((c, tuple((places[wire], p) for wire, p in word)) for c, word in o.pauli_terms()))
            for o in circuit.observables
        )
        whole = replace(circuit, n_wires=one.num_qubits, gates=tuple(gates), observables=observables)
        return with_noise(_without_idle(whole), self._noise_model(whole))

    def _noise_model(self, circuit: Circuit) -> Any:
        model = getattr(getattr(self.backend, "options", None), "noise_model", None)
        if model is None:
            aer = _import("qiskit_aer.noise")
            model = aer.NoiseModel.from_backend(self.backend)
        used = sorted({wire for gate in circuit.gates for wire in gate.wires} | _measured(circuit))
        return _Renamed(model, {qubit: wire for wire, qubit in enumerate(used)})


class _Renamed:
    """An Aer noise model with other numbers for its qubits, in the form that descriptions read."""

    def __init__(self, model: Any, numbers: dict[int, int]) -> None:
        self.basis_gates, self.noise_instructions = model.basis_gates, model.noise_instructions
        self._model, self._numbers = model, numbers

    def to_dict(self) -> dict[str, Any]:
        """Aer's own dictionary, without the errors of other qubits."""
        found = []
        for error in self._model.to_dict()["errors"]:
            places = [tuple(int(q) for q in qubits) for qubits in error.get("gate_qubits") or ()]
            if not places:
                found.append(error)
                continue
            kept = [tuple(self._numbers[q] for q in own) for own in places if all(q in self._numbers for q in own)]
            if kept:
                found.append({**error, "gate_qubits": kept})
        return {"errors": found}


def _measured(circuit: Circuit) -> set[int]:
    return {wire for o in circuit.observables for _, word in o.pauli_terms() for wire, _ in word}


def _without_idle(circuit: Circuit) -> Circuit:
    used = sorted({wire for gate in circuit.gates for wire in gate.wires} | _measured(circuit))
    number = {qubit: wire for wire, qubit in enumerate(used)}
    return replace(
        circuit,
        n_wires=len(used),
        gates=tuple(replace(gate, wires=tuple(number[wire] for wire in gate.wires)) for gate in circuit.gates),
        observables=tuple(
            Observable(tuple((c, tuple((number[wire], p) for wire, p in word)) for c, word in o.terms))
            for o in circuit.observables
        ),
    )


def _affine(parameter: Any, known: dict[Any, Angle]) -> Angle:
    """A parameter of a transpiled gate, which is affine in those of the circuit, as an angle."""
    if not getattr(parameter, "parameters", None):
        return Angle(float(parameter))
    own = sorted(parameter.parameters, key=lambda p: p.name)
    bare = offset = float(parameter.bind(dict.fromkeys(own, 0.0)))
    inputs: dict[int, float] = {}
    weights: dict[tuple[str, int], float] = {}
    for one in own:
        factor = float(parameter.bind({other: float(other == one) for other in own})) - bare
        angle = known[one]
        offset += factor * angle.offset
        for index, c in angle.inputs:
            inputs[index] = inputs.get(index, 0.0) + factor * c
        for name, index, c in angle.weights:
            weights[name, index] = weights.get((name, index), 0.0) + factor * c
    return Angle(
        offset,
        tuple((i, c) for i, c in inputs.items() if c),
        tuple((name, i, c) for (name, i), c in weights.items() if c),
    )


def _places(transpiled: Any) -> tuple[int, ...]:
    """The qubit that each classical bit is measured on: where the circuit's wires are at the end."""
    found = {}
    for instruction in transpiled.data:
        if instruction.operation.name == "measure":
            bit = transpiled.find_bit(instruction.clbits[0]).index
            found[bit] = int(transpiled.find_bit(instruction.qubits[0]).index)
    return tuple(found[bit] for bit in sorted(found))


def _transpiled(circuit: Circuit, backend: Any, level: int, seed: int | None) -> tuple[list[Any], list[Any]]:
    qiskit, library = _import("qiskit"), _import("qiskit.circuit")
    if circuit.preparation is not None:
        raise QuanvolveError(
            "the circuit prepares amplitudes, for which each window needs a circuit of its own: use an encoding with "
            "angles, or a PennyLane device"
        )
    limit = backend.num_qubits
    if limit is not None and circuit.n_wires > limit:
        raise QuanvolveError(f"the circuit has {circuit.n_wires} qubits, the backend {backend.name} has {limit}")
    count = sum(gate.angle is not None for gate in circuit.gates)
    parameters = list(library.ParameterVector("angle", count))
    found = []
    manager = qiskit.transpiler.generate_preset_pass_manager(
        optimization_level=level, backend=backend, seed_transpiler=seed
    )
    for basis in bases_of(circuit):
        one = qiskit.QuantumCircuit(circuit.n_wires)
        free = iter(parameters)
        for gate in circuit.gates:
            arguments = [] if gate.angle is None else [next(free)]
            getattr(one, QISKIT_NAMES[gate.name])(*arguments, *gate.wires)
        for wire, letter in enumerate(basis.letters):
            if letter == "Y":
                one.sdg(wire)
            if letter in "XY":
                one.h(wire)
        one.measure_all()
        found.append(manager.run(one))
    return parameters, found


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise QuanvolveError(
            f"this needs Qiskit, and {name} cannot be imported: install it with pip install 'quanvolve[qiskit]'"
        ) from error


def _sampler_class() -> Any:
    """The sampler of IBM's runtime; newer versions have moved it."""
    try:
        return import_module("qiskit_ibm_runtime.executor_sampler").Sampler
    except ImportError:
        return _import("qiskit_ibm_runtime").SamplerV2


def _find(name: str) -> Any:
    """A backend by name."""
    if name == "aer":
        return _import("qiskit_aer").AerSimulator()
    runtime = _import("qiskit_ibm_runtime")
    if name.startswith("fake_"):
        module = _import("qiskit_ibm_runtime.fake_provider")
        classes = [getattr(module, attribute) for attribute in dir(module) if attribute.startswith("Fake")]
        known = {one.backend_name: one for one in classes if getattr(one, "backend_name", None)}
        if name not in known:
            raise QuanvolveError(f"there is no fake backend {name!r}, known are {', '.join(sorted(known))}")
        return known[name]()
    if not name.startswith("ibm_"):
        raise QuanvolveError(
            f"there is no Qiskit backend {name!r}: give 'aer', a fake backend such as 'fake_manila', a device such as "
            "'ibm_fez', or a backend object"
        )
    try:
        token = os.environ.get("QISKIT_IBM_TOKEN")
        service = runtime.QiskitRuntimeService(**({"token": token} if token else {}))
        return service.backend(name)
    except Exception as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise QuanvolveError(
            f"the device {name!r} cannot be reached: {first}; save an account once with "
            "QiskitRuntimeService.save_account(token=...), or set QISKIT_IBM_TOKEN"
        ) from error
