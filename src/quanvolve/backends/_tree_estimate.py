"""What a coherent tree would take on a device: its circuit as it would run, counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from quanvolve.backends._backend import Backend
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._tree_circuit import tree_circuit
from quanvolve.backends._tree_run import WrittenTree, check_tree_runs
from quanvolve.backends._work import Rates, Work
from quanvolve.circuits import RESET, Bound, bases_of
from quanvolve.nn import CoherentTree

NOT_CALIBRATED = (
    "a coherent tree runs once for each image: it is one function of all pixels, and has no filters of a few settings "
    "that would serve all images"
)


@dataclass(frozen=True)
class TreeSize:
    """The circuit of a tree.

    Args:
        qubits: that it takes.
        depth: longest chain of gates and resets, the measurement left out.
        gates, two_qubit_gates, resets: how many there are.
        seconds: that it takes by the backend's own times; None where it has none.
    """

    qubits: int
    depth: int
    gates: int
    two_qubit_gates: int
    resets: int
    seconds: float | None = None


def tree_size(tree: CoherentTree, backend: Backend | None = None) -> TreeSize:
    """The circuit of one tree and image, transpiled where the backend is one of Qiskit, in the basis that is longest.

    Args:
        tree: the layer.
        backend: to transpile for; without one, gates are those of the circuit as it is written.

    Raises:
        QuanvolveError: if the backend cannot run it.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> tree_size(CoherentTree(1, (32, 32), seed=0))
        TreeSize(qubits=11, depth=13302, gates=16372, two_qubit_gates=6138, resets=1013, seconds=None)
    """
    check_tree_runs(tree, backend)
    bound = tree_circuit(tree)
    if isinstance(backend, QiskitBackend):
        return max((_of_qiskit(one, bound, backend) for one in WrittenTree.of(bound, backend).circuits), key=_depth)
    return _as_written(bound)


def _depth(size: TreeSize) -> int:
    return size.depth


def _as_written(bound: Bound) -> TreeSize:
    levels = [0] * bound.circuit.n_wires
    for gate in bound.gates:
        top = 1 + max(levels[wire] for wire in gate.wires)
        for wire in gate.wires:
            levels[wire] = top
    resets = sum(gate.name == RESET for gate in bound.gates)
    pairs = sum(len(gate.wires) == 2 for gate in bound.gates)
    return TreeSize(bound.circuit.n_wires, max(levels), len(bound.gates) - resets, pairs, resets)


def _of_qiskit(written: object, bound: Bound, backend: QiskitBackend) -> TreeSize:
    counted = written.copy()  # type: ignore[attr-defined]
    try:
        seconds = float(counted.estimate_duration(backend.backend.target))
    except Exception:  # simulators, and devices whose times are not known, raise errors of several kinds
        seconds = None
    counted.remove_final_measurements(inplace=True)
    counts = {name: n for name, n in counted.count_ops().items() if name not in ("barrier", "measure", "delay")}
    resets = counts.pop("reset", 0)
    return TreeSize(
        bound.circuit.n_wires,
        counted.depth(),
        sum(counts.values()),
        sum(len(i.qubits) == 2 and i.operation.name != "barrier" for i in counted.data),
        resets,
        seconds,
    )


def tree_work(
    tree: CoherentTree, images: int, distinct: int, size: TreeSize, shots: int, rates: Rates
) -> tuple[Work, Work]:
    """What all images take, and what different ones take.

    The time of a shot is that of the rates and the circuit's own: a circuit of thousands of gates takes longer than the
    pause between shots.
    """
    own = replace(rates, seconds_a_shot=rates.seconds_a_shot + (size.seconds or 0.0))
    each = tree.n_trees * prod(tree.places)
    bases = len(bases_of(tree_circuit(tree).circuit))
    settings = (images * each, distinct * each)
    found = [Work.of(some, some * bases, shots, own) for some in settings]
    return found[0], found[1]
