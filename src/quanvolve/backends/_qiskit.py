"""Qiskit's backends: Aer, the fake backends and IBM's devices, through primitives V2."""

from __future__ import annotations

import copy
import hashlib
import os
from importlib import import_module
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.backends._cache import Cache
from quanvolve.backends._described import described
from quanvolve.backends._settings import Floats, Measured, Weights, angles_of, values_of_bits
from quanvolve.backends._transpile import Transpiled, fold, transpile
from quanvolve.circuits import Circuit, bases_of


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
        versions = " ".join(f"{name} {import_qiskit(name).__version__}" for name in ("qiskit", "qiskit_ibm_runtime"))
        noise = getattr(getattr(self.backend, "options", None), "noise_model", None)
        self._identity = f"{versions} {self.name} shots={shots} level={optimization_level} seed={seed} noise={noise}"
        self.scale = 1
        self.qubits: tuple[int, ...] | None = None
        self._circuits: dict[Circuit, tuple[list[Any], list[Any]]] = {}

    def check(self, circuit: Circuit) -> None:
        """Transpile a circuit, which costs nothing.

        Raises:
            QuanvolveError: if it has more qubits than the backend, or cannot be written for it.
        """
        self._written(circuit)

    def run(self, circuit: Circuit, weights: Weights, inputs: Floats) -> Measured:
        """Run one job for each measurement basis; arguments as in :meth:`Backend.run`."""
        assert self.shots is not None
        parameters, written = self._written(circuit)
        angles, _ = angles_of(circuit, weights, inputs)
        sampler = self._sampler(self._job_seed(circuit, weights, inputs))
        pubs: list[tuple[Any, Any, int]] = []
        for transpiled in written:
            used = [k for k, parameter in enumerate(parameters) if parameter in transpiled.parameters]
            if used:
                pubs.append((transpiled, {tuple(parameters[k] for k in used): angles[:, used]}, self.shots))
            else:
                pubs.append((transpiled, None, self.shots * len(angles)))  # without parameters there is one setting
        # Settings, shots, bytes; the last bit is qubit 0.
        arrays = [result.data.meas.array for result in sampler.run(pubs).result()]
        packed = np.concatenate([array.reshape(-1, self.shots, array.shape[-1]) for array in arrays])
        bits = np.unpackbits(packed, axis=-1)[..., ::-1][..., : circuit.n_wires].astype(bool)
        values, variances = np.zeros((2, len(angles), circuit.n_outputs))
        for basis, basis_bits in zip(
            bases_of(circuit), bits.reshape(len(written), len(angles), *bits.shape[1:]), strict=True
        ):
            mean, variance = values_of_bits(basis, basis_bits, circuit.n_outputs)
            values += mean
            variances += variance
        return Measured(values, np.sqrt(variances))

    def _job_seed(self, circuit: Circuit, weights: Weights, inputs: Floats) -> int | None:
        """A seed for the simulator of its own for each job: equal ones would draw the same noise in all of them."""
        if self.seed is None:
            return None
        digest = hashlib.sha256(Cache.key(circuit, weights, self.identity).encode() + inputs.tobytes())
        return int.from_bytes(digest.digest()[:4], "big") >> 1

    def sampler(self, job: bytes) -> Any:
        """The primitive, with a seed of its own for each job."""
        digest = hashlib.sha256(self.identity.encode() + job).digest()
        return self._sampler(None if self.seed is None else int.from_bytes(digest[:4], "big") >> 1)

    def _sampler(self, seed: int | None) -> Any:
        """The primitive: that of the backend's own package, or Qiskit's for any backend that runs circuits."""
        local = "qiskit_ibm_runtime" not in type(self.backend).__module__
        if local:
            options = {} if seed is None else {"seed_simulator": seed}
            return import_qiskit("qiskit.primitives").BackendSamplerV2(backend=self.backend, options=options)
        sampler = _sampler_class()(mode=self.backend)
        if seed is not None and "fake_provider" in type(self.backend).__module__:
            sampler.options.simulator.seed_simulator = seed
        return sampler

    def _written(self, circuit: Circuit) -> tuple[list[Any], list[Any]]:
        """The parameters, and for each measurement basis the transpiled circuit."""
        if circuit not in self._circuits:
            parameters, written = transpile(
                circuit, self.backend, level=self.optimization_level, seed=self.seed, qubits=self.qubits
            )
            self._circuits[circuit] = parameters, [fold(transpiled, self.scale) for transpiled in written]
        return self._circuits[circuit]

    def transpiled(self, circuit: Circuit) -> Transpiled:
        """What the circuit becomes on the backend."""
        return Transpiled.of(self._written(circuit)[1][0])

    def noisy_circuits(self, circuit: Circuit) -> tuple[Circuit, ...]:
        """The transpiled circuits as descriptions, one for each measurement basis, with the noise model of the backend.

        The sum of their exact values is what the backend would give with any number of shots. The wires are those
        qubits of the backend that the circuit uses.

        Raises:
            QuanvolveError: if a gate of the backend has no description, or there is no noise model.

        Examples:
            >>> from quanvolve.circuits import named_circuit
            >>> (noisy,) = QiskitBackend("fake_manila", seed=0).noisy_circuits(named_circuit("basic_entangler", 4))
            >>> noisy.n_inputs, noisy.noisy
            (4, True)
        """
        parameters, written = self._written(circuit)
        model = getattr(getattr(self.backend, "options", None), "noise_model", None)
        if model is None:
            model = import_qiskit("qiskit_aer.noise").NoiseModel.from_backend(self.backend)
        return tuple(
            described(circuit, basis, parameters, transpiled, model, self.name)
            for basis, transpiled in zip(bases_of(circuit), written, strict=True)
        )

    def folded(self, scale: int) -> QiskitBackend:
        """The same backend with each two-qubit gate in so many copies, which do what one of them does.

        The transpiled gates CX, CZ and ECR are their own inverses, so an odd number of them has the effect of one and
        about so many times its noise.

        Args:
            scale: an odd number; 1 for the backend as it is.

        Raises:
            QuanvolveError: if it is not odd.

        References:
            Giurgica-Tiron et al., IEEE QCE 2020, arXiv:2005.10921, section II, for gate folding.
        """
        if not isinstance(scale, int) or isinstance(scale, bool) or scale < 1 or scale % 2 == 0:
            raise QuanvolveError(f"`scale` (={scale!r}) must be an odd number: that many copies of a gate act as one")
        return self._copy(scale=scale)

    def pinned(self, qubits: tuple[int, ...]) -> QiskitBackend:
        """The same backend with wire k of every circuit on the given qubit at the start."""
        return self._copy(qubits=tuple(qubits))

    def _copy(self, **changed: Any) -> QiskitBackend:
        made = copy.copy(self)
        made.__dict__.update(changed)
        made._circuits = {}
        return made

    @property
    def identity(self) -> str:
        """What results depend on beside circuit and setting."""
        extra = f" fold={self.scale}" if self.scale != 1 else ""
        return self._identity + extra + (f" qubits={list(self.qubits)}" if self.qubits is not None else "")


def _sampler_class() -> Any:
    """The sampler of IBM's runtime; newer versions have moved it."""
    try:
        return import_module("qiskit_ibm_runtime.executor_sampler").Sampler
    except ImportError:
        return import_qiskit("qiskit_ibm_runtime").SamplerV2


def _find(name: str) -> Any:
    """A backend by name."""
    if name == "aer":
        return import_qiskit("qiskit_aer").AerSimulator()
    runtime = import_qiskit("qiskit_ibm_runtime")
    if name.startswith("fake_"):
        module = import_qiskit("qiskit_ibm_runtime.fake_provider")
        classes = [getattr(module, attribute) for attribute in dir(module) if attribute.startswith("Fake")]
        known = {backend.backend_name: backend for backend in classes if getattr(backend, "backend_name", None)}
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
