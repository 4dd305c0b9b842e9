"""Coherent trees on a backend of Qiskit: a circuit with resets for each image, tree and basis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.backends._backend import Backend, Progress
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._settings import Measured, values_of_bits
from quanvolve.backends._tree_circuit import tree_circuit, tree_qubits
from quanvolve.backends._written import qiskit_circuit
from quanvolve.circuits import Bound, bases_of
from quanvolve.nn import CoherentTree


def run_tree(tree: CoherentTree, images: Tensor, backend: Backend, *, progress: Progress | None = None) -> Measured:
    """The values of a tree on a backend: for each image, tree and measured basis one circuit, with resets.

    Circuits are transpiled once for all images, the pixels being parameters; equal images run once.

    Args:
        tree: the layer; noise and shots of its own are left out, as the backend has its own.
        images: shape (N, in_channels, *input_size), or the same without N.
        backend: a :class:`QiskitBackend`.
        progress: called with the number of circuits that are done, and of all.

    Returns:
        Values and their standard errors, in float64 and of the shape that the layer gives.

    Raises:
        QuanvolveError: if the backend is no QiskitBackend or has fewer qubits than the tree takes, or images do not
            fit.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> tree, images = CoherentTree(1, (2, 4), seed=0), torch.rand(2, 1, 2, 4)
        >>> found = run_tree(tree, images, QiskitBackend("aer", shots=2000, seed=0))
        >>> bool((np.abs(found.values - tree(images).detach().numpy()) < 5 * found.errors + 1e-9).all())
        True
    """
    check_tree_runs(tree, backend)
    assert isinstance(backend, QiskitBackend)
    with torch.no_grad():
        shape = tree(images).shape  # what does not fit is said by the layer
    pixels = images.detach().cpu().double().reshape(-1, tree.in_channels * prod(tree.input_size)).numpy()
    distinct, which = np.unique(pixels, axis=0, return_inverse=True)
    places, outputs = prod(tree.places), len(tree.observables)
    values, errors = np.zeros((2, len(distinct), tree.n_trees, outputs, places))
    total = len(distinct) * tree.n_trees * places
    for number in range(tree.n_trees):
        for place in range(places):
            written = WrittenTree.of(tree_circuit(tree, number=number, place=place), backend)
            for k, image in enumerate(distinct):
                measured = written.run(image, backend)
                values[k, number, :, place], errors[k, number, :, place] = measured.values, measured.errors
                if progress is not None:
                    progress((number * places + place) * len(distinct) + k + 1, total)
    rows = which.reshape(-1)
    return Measured(values[rows].reshape(shape), errors[rows].reshape(shape))


def check_tree_runs(tree: CoherentTree, backend: Backend | None) -> None:
    """Raise unless a backend can run a tree.

    Raises:
        QuanvolveError: if it is none of Qiskit, or has too few qubits.
    """
    if backend is None:
        return
    if not isinstance(backend, QiskitBackend):
        raise QuanvolveError(
            f"a CoherentTree runs on backends of Qiskit, whose circuits have resets, got {backend.name}: use a "
            "QiskitBackend, such as QiskitBackend('aer'), or tree_circuit() for other programs"
        )
    needed, there = tree_qubits(tree), backend.backend.num_qubits
    if there is not None and needed > there:
        raise QuanvolveError(
            f"a tree of {tree.n_qubits} qubits takes {needed} qubits with resets, the backend {backend.name} has "
            f"{there}: take a larger device (`backend`), or a tree that keeps fewer qubits"
        )


@dataclass(frozen=True)
class WrittenTree:
    """A tree's circuit on a backend of Qiskit, transpiled, for each measured basis.

    Args:
        bound: the circuit.
        circuits: of Qiskit, with measurements.
    """

    bound: Bound
    circuits: tuple[Any, ...]

    @classmethod
    def of(cls, bound: Bound, backend: QiskitBackend) -> WrittenTree:
        """Transpile it."""
        manager = import_qiskit("qiskit.transpiler").generate_preset_pass_manager(
            optimization_level=backend.optimization_level,
            backend=backend.backend,
            seed_transpiler=backend.seed,
            initial_layout=backend.qubits,
        )
        circuits = []
        for basis in bases_of(bound.circuit):
            written = qiskit_circuit(bound, "tree")
            for wire, letter in enumerate(basis.letters):
                if letter == "Y":
                    written.sdg(wire)
                if letter in "XY":
                    written.h(wire)
            written.measure_all()
            circuits.append(manager.run(written))
        return cls(bound, tuple(circuits))

    def run(self, pixels: Any, backend: QiskitBackend) -> Measured:
        """Values and standard errors of one image, shape (measured values,)."""
        assert backend.shots is not None
        named = self.bound.values(pixels)
        sampler = backend.sampler(repr((self.bound.gates, named)).encode())
        pubs = []
        for circuit in self.circuits:
            used = [parameter.name for parameter in circuit.parameters]
            pubs.append((circuit, {tuple(used): [named[name] for name in used]} if used else None, backend.shots))
        values, variances = np.zeros((2, self.bound.circuit.n_outputs))
        for basis, result in zip(bases_of(self.bound.circuit), sampler.run(pubs).result(), strict=True):
            array = result.data.meas.array.reshape(1, backend.shots, -1)
            bits = np.unpackbits(array, axis=-1)[..., ::-1][..., : self.bound.circuit.n_wires].astype(bool)
            mean, variance = values_of_bits(basis, bits, len(values))
            values += mean[0]
            variances += variance[0]
        return Measured(values, np.sqrt(variances))
