"""The noise of a device as one that is the same on all qubits: what a coherent tree can take exactly."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._tree_circuit import tree_circuit
from quanvolve.backends._tree_run import WrittenTree, check_tree_runs
from quanvolve.circuits import aer_errors, kraus_of
from quanvolve.nn import CoherentTree


def tree_noise(tree: CoherentTree, backend: QiskitBackend) -> Any:
    """The noise of a backend, with the mean error of each gate in place of those of its qubits.

    A tree's blocks run in turn on all pairs of neighbours of a device, whose errors differ; the layer has one noise for
    all blocks of a level. The mean of channels is a channel: that of a gate which runs on a pair drawn at random, as
    often as the transpiled circuit has it there. What is left out: which block meets which pair; that resets fail, and
    what waiting does to a qubit, unless the backend's noise model has it; and that a transpiler which optimizes needs
    fewer gates than the layer counts (`optimization_level=1` has as many).

    Args:
        tree: the layer.
        backend: with noise, such as a fake backend.

    Returns:
        A `NoiseModel` of Aer, for ``CoherentTree(..., noise=...)`` and for `AerSimulator`.

    Raises:
        QuanvolveError: if the backend has no noise, or too few qubits.

    Examples:
        >>> import torch
        >>> from quanvolve import CoherentTree
        >>> backend = QiskitBackend("fake_guadalupe", seed=0, optimization_level=1)
        >>> quiet = CoherentTree(1, 8, readout="z", seed=0)
        >>> noisy = CoherentTree(1, 8, readout="z", seed=0, noise=tree_noise(quiet, backend))
        >>> zeros = torch.zeros(1, 1, 8)
        >>> bool(noisy(zeros) < quiet(zeros))
        True
    """
    check_tree_runs(tree, backend)
    noise = import_qiskit("qiskit_aer.noise")
    model: Any = getattr(getattr(backend.backend, "options", None), "noise_model", None)
    if model is None and not isinstance(backend.backend, import_qiskit("qiskit_aer").AerSimulator):
        model = noise.NoiseModel.from_backend(backend.backend)
    gates, readout = ({}, {}) if model is None else aer_errors(model)
    if not gates and not readout:
        raise QuanvolveError(f"the backend {backend.name} has no noise: take a fake backend, or one with a noise model")
    ran: Counter[tuple[str, tuple[int, ...]]] = Counter()
    measured: Counter[int] = Counter()
    kept = {wire for one in tree_circuit(tree).circuit.observables for _, word in one.pauli_terms() for wire, _ in word}
    for circuit in WrittenTree.of(tree_circuit(tree), backend).circuits:
        for instruction in circuit.data:
            qubits = tuple(int(circuit.find_bit(qubit).index) for qubit in instruction.qubits)
            if instruction.operation.name != "measure":
                ran[instruction.operation.name, qubits] += 1
            elif circuit.find_bit(instruction.clbits[0]).index in kept:
                measured[qubits[0]] += 1
    made = noise.NoiseModel(basis_gates=[name for name in model.basis_gates if name != "reset"])
    for name in sorted({name for name, _ in ran}):
        places = [(count, qubits) for (other, qubits), count in sorted(ran.items()) if other == name]
        known = [(count, gates.get((name, qubits), gates.get((name, None)))) for count, qubits in places]
        if all(matrix is None for _, matrix in known):
            continue
        size = 4 ** len(places[0][1])
        total = sum(count for count, _ in known)
        mean = sum(count / total * (np.eye(size) if matrix is None else matrix) for count, matrix in known)
        operators = [_in_order_of_qiskit(operator) for operator in kraus_of(np.asarray(mean))]
        made.add_all_qubit_quantum_error(noise.kraus_error(operators), [name])
    if readout:
        pairs = np.array([readout.get(q, readout.get(None, (0.0, 0.0))) for q in measured.elements()])
        first, second = pairs.mean(0)
        made.add_all_qubit_readout_error([[1 - first, first], [second, 1 - second]])
    return made


def _in_order_of_qiskit(operator: Any) -> Any:
    """A matrix with its qubits in reverse, as Qiskit counts them."""
    n = len(operator).bit_length() - 1
    axes = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return np.asarray(operator).reshape((2,) * (2 * n)).transpose(axes).reshape(2**n, 2**n)
