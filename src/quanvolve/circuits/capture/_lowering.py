"""PennyLane's operations in the gate vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._controlled import controlled, inverted, scaled
from quanvolve.circuits.capture._evolution import evolution_gates
from quanvolve.circuits.capture._linear import CONSTANT
from quanvolve.circuits.capture._look import values_of
from quanvolve.circuits.capture._matrices import (
    MOST_WIRES,
    Matrix,
    block_encoding,
    exponential_of_paulis,
    matrix_of_gates,
    phases_of,
    turn_gates,
    unitary_gates,
)
from quanvolve.circuits.capture._multiplexed import PHASE, diagonal, multiplexed_rotation
from quanvolve.circuits.capture._noise import channel_gate
from quanvolve.circuits.capture._prepare import basis_gates, one_preparation, require_norm_one, state_gates
from quanvolve.circuits.capture._recorder import recorder_now
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.capture._two_wires import special_unitary, two_wire_gates
from quanvolve.circuits.description import GATES

Reads = Callable[[Tensor], frozenset[str]]
"""What a tensor was computed from: a set of "inputs" and "weights"."""

_NAMES = {"PauliX": "X", "PauliY": "Y", "PauliZ": "Z", "Hadamard": "H"}
_WITHOUT_EFFECT = {"Identity", "Barrier", "WireCut", "Snapshot"}
_BASIS_STATES = {"BasisState", "BasisEmbedding"}
_STATES = {"AmplitudeEmbedding", "StatePrep", "MottonenStatePreparation"}
_DECOMPOSED_FIRST = {"CH", "CRX", "CRY", "CRZ", "CRot", "ControlledPhaseShift", "CSWAP", "CCZ", "Toffoli"}
"""Controlled gates for which PennyLane knows fewer gates than there are for any gate under control."""
_MATRICES = {"QubitUnitary", "BlockEncode", "SpecialUnitary"}
_ONCE_AROUND = {"PhaseShift", "U1", "GlobalPhase", "FermionicSWAP", "CPhaseShift00", "CPhaseShift01", "CPhaseShift10"}
"""Gates of one angle that are the same again after one turn, where rotations are after two."""
_MAX_DEPTH = 40
_MOST_GATES = 100_000
_EXACT = 1e-10


def lowered(operations: list[Any], rows: int = 1, reads: Reads | None = None) -> list[Traced]:
    """Operations of PennyLane in the gate vocabulary.

    Args:
        operations: in the order in which they act.
        rows: how many numbers an angle may have: one for each window, where several windows run as one.
        reads: what a tensor was computed from; by default, what the recorder knows that records now.

    Raises:
        CaptureError: naming the operation that cannot be written in the vocabulary.
    """
    return [gate for gate in one_preparation(exact(operations, rows, reads)) if gate.name != PHASE]


def exact(operations: list[Any], rows: int = 1, reads: Reads | None = None) -> list[Traced]:
    """As :func:`lowered`, with the phases of the whole state among the gates, and every preparation by itself."""
    gates: list[Traced] = []
    touched: set[Any] = set()
    known = reads or _reads()
    for position, operation in enumerate(operations):
        origin = f"operation {position} ({operation.name})"
        part = _Place(origin, operation.name, rows, known, frozenset(touched)).gates(operation)
        touched.update(wire for gate in part for wire in gate.wires)
        gates += part
    return gates


def _reads() -> Reads:
    """What the recorder under which the function runs knows about tensors; without one, any may read the inputs."""
    recorder = recorder_now()
    if recorder is None:
        return lambda tensor: frozenset({"inputs"})

    def reads(tensor: Tensor) -> frozenset[str]:
        if recorder.depends(tensor) == CONSTANT:
            return frozenset()
        inputs, weights = recorder.reads(tensor)
        # What the recorder lost track of may read anything.
        return frozenset({"inputs"} if inputs or not weights else ()) | frozenset({"weights"} if weights else ())

    return reads


@dataclass(frozen=True)
class _Place:
    """Where an operation stands.

    Attributes:
        origin: the user's operation, as errors name it.
        name: of the user's operation.
        rows: how many numbers an angle may have.
        reads: what a tensor was computed from.
        touched: wires that gates acted on before; None inside what is controlled, inverted or repeated.
        depth: how many decompositions lie between.
    """

    origin: str
    name: str
    rows: int
    reads: Reads
    touched: frozenset[Any] | None
    depth: int = 0

    def gates(self, operation: Any) -> list[Traced]:
        """The operation in gates of the vocabulary and phases."""
        import pennylane as qp

        name, wires, origin = _NAMES.get(operation.name, operation.name), tuple(operation.wires), self.origin
        if name in _WITHOUT_EFFECT or hasattr(operation, "selection"):
            return []
        if name == "GlobalPhase":
            return [Traced(PHASE, (), -self.angle(operation.parameters[0]), origin)]
        if name in ("PhaseShift", "U1", "T"):
            angle = self.angle(operation.parameters[0]) if operation.parameters else math.pi / 4
            return [Traced("RZ", wires, angle, origin), Traced(PHASE, (), angle / 2, origin)]
        if name in GATES:
            value = operation.parameters[0] if operation.parameters else None
            return [Traced(name, wires, None if value is None else self.angle(value), origin)]
        if name in _BASIS_STATES:
            return self._basis_state(operation.parameters[0], wires)
        if name in _STATES:
            return self._state(operation.parameters[0], wires)
        if isinstance(operation, qp.operation.Channel):
            return [channel_gate(operation, self.depends, origin)]
        if isinstance(operation, qp.ops.Controlled) and name not in _DECOMPOSED_FIRST:
            base = self._inside(operation.base)
            return controlled(base, tuple(operation.control_wires), operation.control_values, origin)
        if isinstance(operation, qp.ops.Adjoint):
            return inverted(self._inside(operation.base), origin)
        if isinstance(operation, qp.ops.Pow):
            return self._power(operation)
        if isinstance(operation, qp.ops.Exp):
            return self._evolved(operation)
        if name == "SelectPauliRot":
            return self._selected(operation)
        if name in ("DiagonalQubitUnitary", "PCPhase"):
            return self._diagonal(operation)
        if name in _MATRICES:
            return self._matrix(operation)
        return self._decomposed(operation)

    def angle(self, value: Any) -> Any:
        """A single number, or one a row."""
        if isinstance(value, Tensor):
            if value.numel() == 1:
                if not self.depends(value):
                    return float(values_of(value).reshape(()))
                recorder = recorder_now()
                if value.dim() == 0 and recorder is not None and recorder.is_affine_result(value):
                    return value
                return value.reshape(())  # programs hold this call of scalars too, and saved ones are compared
        elif np.size(value) == 1:
            return float(np.reshape(value, ()))
        elif np.shape(value) == (self.rows,):
            return value
        raise CaptureError(
            f"{self.origin} has an angle of shape {tuple(np.shape(value))}, expected a single number: index `inputs` "
            "so that each gate gets one value"
        )

    def depends(self, value: Any) -> bool:
        """Whether a number, array or tensor depends on inputs or weights."""
        return isinstance(value, Tensor) and bool(self.reads(value))

    def refusal(self, operation: Any, why: str) -> CaptureError:
        inside = "" if operation.name == self.name else f", which contains {operation.name},"
        return CaptureError(f"{self.origin}{inside} cannot be captured: {why}")

    def _inside(self, operation: Any) -> list[Traced]:
        """The gates of what is controlled, inverted or repeated."""
        return replace(self, touched=None, depth=self.depth + 1).gates(operation)

    def _parts(self, operations: Sequence[Any]) -> list[Traced]:
        """The gates of operations that take the place of this one."""
        gates: list[Traced] = []
        touched = self.touched
        for operation in operations:
            part = replace(self, touched=touched, depth=self.depth + 1).gates(operation)
            if touched is not None:
                touched = touched | {wire for gate in part for wire in gate.wires}
            gates += part
        return gates

    def _decomposed(self, operation: Any) -> list[Traced]:
        if self.depth < _MAX_DEPTH and getattr(operation, "has_decomposition", False):
            try:
                parts = operation.decomposition()
            except Exception as error:
                raise self.refusal(
                    operation,
                    f"decomposing {operation.name} failed with {type(error).__name__}: "
                    f"{str(error).splitlines()[0] if str(error) else 'no message'}",
                ) from error
            return self._parts(parts)
        if getattr(operation, "has_matrix", False):
            return self._matrix(operation)
        raise self.refusal(operation, _why_not(operation))

    def _basis_state(self, bits: Any, wires: tuple[Any, ...]) -> list[Traced]:
        constant = not isinstance(bits, Tensor) and np.ndim(bits) == 1
        return basis_gates(bits, wires, constant, self.origin)

    def _state(self, state: Any, wires: tuple[Any, ...]) -> list[Traced]:
        if isinstance(state, Tensor):
            state = state.reshape(-1) if state.ndim > 1 and state.shape[0] == 1 else state
            read = self.reads(state)
            several = state.ndim > 1
        else:
            several = np.ndim(state) > 1
            state = state[0] if several and len(state) == 1 else state
            several = np.ndim(state) > 1
            read = frozenset({"inputs"} if several else ())
        if several and len(state) != self.rows:
            raise CaptureError(
                f"{self.origin} prepares {len(state)} states at once (shape {tuple(state.shape)}), expected one vector "
                "of amplitudes: give it the amplitudes of one window"
            )
        fresh = self.touched is not None and not self.touched & set(wires)
        is_complex = state.is_complex() if isinstance(state, Tensor) else np.iscomplexobj(state)
        if fresh and read == {"inputs"} and not is_complex:
            return [Traced(PREPARE, wires, state, self.origin)]
        require_norm_one(state, self.origin)
        if not read and isinstance(state, Tensor):
            state = values_of(state)
        if several:
            raise CaptureError(f"{self.origin} has angles that are computed for one window at a time")
        return state_gates(state, wires, fresh, self.origin, of_inputs="inputs" in read)

    def _power(self, operation: Any) -> list[Traced]:
        import pennylane as qp

        base, exponent = operation.base, operation.z
        if isinstance(exponent, Tensor) and not self.depends(exponent):
            exponent = values_of(exponent).item()
        if not isinstance(exponent, Tensor) and float(exponent).is_integer():
            exponent = int(exponent)
        if base.name == "DiagonalQubitUnitary" and self.depends(base.parameters[0]):
            return diagonal(phases_of(base.parameters[0]) * exponent, tuple(base.wires), self.origin)
        gates = self._inside(base)
        if isinstance(exponent, int):
            if exponent and base.name in _MATRICES and len(base.wires) == 2 and self.depends(base.parameters[0]):
                power = torch.linalg.matrix_power(self._of_values(base), abs(exponent))
                power = power.mH if exponent < 0 else power
                return two_wire_gates(power, tuple(base.wires), self.origin)
            return self._repeated(operation, gates, exponent)
        if isinstance(exponent, Tensor) or any(not isinstance(gate.angle, float | None) for gate in gates):
            if isinstance(base, qp.ops.Controlled):
                power = self._inside(qp.pow(base.base, exponent, lazy=True))
                return controlled(power, tuple(base.control_wires), base.control_values, self.origin)
            return self._turned_in_part(operation, exponent)
        # PennyLane's own matrix, if there is one: of an eigenvalue -1, rounding decides which root is the first.
        matrix = qp.matrix(base) if base.has_matrix else matrix_of_gates(gates, base.wires)
        return unitary_gates(scipy.linalg.fractional_matrix_power(matrix, exponent), tuple(base.wires), self.origin)

    def _turned_in_part(self, operation: Any, exponent: Any) -> list[Traced]:
        """A fractional power of a rotation: by a part of its angle, which is that of the principal root."""
        import pennylane as qp

        base = operation.base
        try:
            (angle,) = map(self.angle, base.parameters)
            period = (2 if base.name in _ONCE_AROUND else 4) * math.pi
            turns = torch.round(angle / period) if isinstance(angle, Tensor) else np.round(angle / period)
            with qp.queuing.QueuingManager.stop_recording():
                parts = qp.ops.functions.bind_new_parameters(base, [angle - period * turns]).pow(exponent)
        except Exception as error:
            raise self.refusal(
                operation,
                f"it is a power of {base.name} that depends on inputs or weights, which only rotations by one angle "
                "may have; write it with gates whose angles depend on them",
            ) from error
        return replace(self, touched=None)._parts(parts)

    def _repeated(self, operation: Any, gates: list[Traced], count: int) -> list[Traced]:
        if count < 0:
            gates, count = inverted(gates, self.origin), -count
        turned = scaled(gates, float(count))
        if turned is not None or count == 0:
            return turned or []
        wires = tuple(operation.base.wires)
        if count > 4 and len(wires) <= 2 and all(isinstance(gate.angle, float | None) for gate in gates):
            return self._unitary(np.linalg.matrix_power(matrix_of_gates(gates, wires), count), wires)
        if len(gates) * count > _MOST_GATES:
            raise self.refusal(
                operation, f"it repeats {len(gates)} gates {count} times, and a circuit has at most {_MOST_GATES:,}"
            )
        return gates * count

    def _evolved(self, operation: Any) -> list[Traced]:
        coefficient = operation.coeff
        if hasattr(operation, "param"):  # qp.evolve: exp(-i param H)
            time = operation.param
        else:
            coefficient = coefficient if isinstance(coefficient, Tensor) else complex(np.reshape(coefficient, ()))
            real = float(values_of(coefficient).real)
            if abs(real) > _EXACT:
                raise self.refusal(
                    operation,
                    f"its coefficient has the real part {real:.3g}, so that it is no unitary gate; use "
                    "qp.exp(H, -1j * t) or qp.evolve(H, t)",
                )
            time = -coefficient.imag
        return evolution_gates(operation.base, self.angle(time), self.depends, self.origin)

    def _selected(self, operation: Any) -> list[Traced]:
        angles = operation.parameters[0]
        controls, (target,) = operation.hyperparameters["control_wires"], operation.hyperparameters["target_wire"]
        axis = f"R{operation.hyperparameters['rot_axis']}"
        if not isinstance(angles, Tensor):
            angles = np.moveaxis(np.asarray(angles, float), -1, 0)
        return multiplexed_rotation(axis, angles, tuple(controls), target, self.origin)

    def _diagonal(self, operation: Any) -> list[Traced]:
        wires = tuple(operation.wires)
        self._require_few_wires(operation)
        if operation.name == "PCPhase":
            signs = np.where(np.arange(2 ** len(wires)) < operation.hyperparameters["dimension"][0], 1.0, -1.0)
            angle = self.angle(operation.parameters[0])
            if isinstance(angle, Tensor):
                return diagonal(torch.as_tensor(signs, dtype=angle.dtype) * angle, wires, self.origin)
            return diagonal(np.multiply.outer(signs, angle), wires, self.origin)
        entries = operation.parameters[0]
        if self.depends(entries):
            return diagonal(phases_of(entries), wires, self.origin)
        return diagonal(np.moveaxis(np.angle(values_of(entries)), -1, 0), wires, self.origin)

    def _matrix(self, operation: Any) -> list[Traced]:
        import pennylane as qp

        wires = tuple(operation.wires)
        matrix = operation.matrix()
        if matrix.shape[-1] != 2 ** len(wires):
            raise self.refusal(operation, _why_not(operation))
        if not self.depends(matrix) and not any(self.depends(value) for value in operation.parameters):
            self._require_few_wires(operation)
            return self._unitary(values_of(matrix).astype(complex), wires, operation)
        if not isinstance(matrix, Tensor):
            raise self.refusal(
                operation,
                "its matrix is computed from inputs or weights by functions other than those of torch; write the "
                "matrix with functions of torch, or the operation with gates",
            )
        if len(wires) == 1:
            return turn_gates(self._of_values(operation), wires[0], self.origin)
        plain = values_of(matrix)
        if _made_diagonal(matrix) and plain.ndim == 2 and np.array_equal(plain, np.diag(np.diagonal(plain))):
            return diagonal(phases_of(torch.diagonal(matrix)), wires, self.origin)
        if operation.num_params == 1 and getattr(operation, "has_generator", False):  # it is exp(i angle G)
            with qp.queuing.QueuingManager.stop_recording():
                generator = operation.generator()
            return evolution_gates(generator, -self.angle(operation.parameters[0]), self.depends, self.origin)
        if len(wires) == 2:
            return two_wire_gates(self._of_values(operation), wires, self.origin)
        raise self.refusal(
            operation,
            f"its {len(matrix)} x {len(matrix)} matrix depends on inputs or weights, and only matrices on one or two "
            "wires and diagonal ones may; write it with gates whose angles depend on them, such as qp.RY, qp.CNOT, "
            "qp.PauliRot or qp.ArbitraryUnitary",
        )

    def _of_values(self, operation: Any) -> Tensor:
        """A matrix of inputs or weights, by functions that have derivatives where PennyLane's have none."""
        if operation.name == "SpecialUnitary" and len(operation.wires) <= 2:
            exponential = exponential_of_paulis if len(operation.wires) == 1 else special_unitary
            return exponential(operation.parameters[0])
        if operation.name == "BlockEncode":
            return block_encoding(operation.parameters[0], 2 ** len(operation.wires))
        matrix: Tensor = operation.matrix()
        return matrix

    def _unitary(self, matrix: Matrix, wires: tuple[Any, ...], operation: Any = None) -> list[Traced]:
        """A constant matrix: PennyLane's gates where they are few and exact, else a general synthesis."""
        import pennylane as qp

        identity = np.eye(len(matrix))
        if np.abs(matrix @ matrix.conj().T - identity).max() > 1e-6:
            raise self.refusal(
                operation, "its matrix is not unitary: no gate does that; use a unitary matrix, or qp.BlockEncode"
            )
        if len(wires) == 2:
            with qp.queuing.QueuingManager.stop_recording():
                parts = qp.ops.two_qubit_decomposition(matrix, qp.wires.Wires(wires))
            gates = replace(self, touched=None)._parts(parts)
            if np.abs(matrix_of_gates(gates, wires) - matrix).max() < _EXACT:
                return gates
        return unitary_gates(matrix, wires, self.origin)

    def _require_few_wires(self, operation: Any) -> None:
        if len(operation.wires) > MOST_WIRES + 2 * (operation.name in ("DiagonalQubitUnitary", "PCPhase")):
            raise self.refusal(
                operation,
                f"it is a matrix on {len(operation.wires)} wires, and at most {MOST_WIRES} wires are taken apart into "
                "gates; write it with gates",
            )


def _made_diagonal(matrix: Tensor) -> bool:
    """Whether a matrix is diagonal for all values, and not for those of this run, at which it may be the identity."""
    recorder = recorder_now()
    source = None if recorder is None else recorder.sources(matrix)
    return source is not None and source[0].rsplit(".", 1)[-1] in ("diag", "diag_embed")


def _why_not(operation: Any) -> str:
    """Why an operation that has neither a decomposition nor a matrix is no gate, and what to use."""
    import pennylane as qp

    if operation.name == "QubitDensityMatrix":
        return (
            "it lets the circuit start in a mixed state, and circuits start in basis state 0 or a pure state; prepare "
            "a pure state with qp.StatePrep, and mix it with noise channels"
        )
    if isinstance(operation, qp.operation.CVOperation):
        return "it acts on optical modes, and circuits are made of qubits; use gates on qubits"
    if type(operation).__module__.startswith("pennylane.ops.qutrit"):
        return "it acts on qutrits, and circuits are made of qubits; use gates on qubits"
    if isinstance(operation, qp.pulse.ParametrizedEvolution):
        return "it is a pulse, which PennyLane integrates with jax; use qp.evolve(H, t) with a constant H, or gates"
    return (
        f"it is not a unitary gate with a decomposition into {', '.join(GATES)}, nor has it a matrix; give it a method "
        "`compute_decomposition` or `compute_matrix`"
    )
