"""A coherent tree as a circuit for a machine: depth first, on few qubits that are reset and used again."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.backends._depth_first import Order, order_of
from quanvolve.circuits import RESET, Bound, BoundGate, Circuit, bind, rebase
from quanvolve.nn import CoherentTree, TreeLevel

Floats = npt.NDArray[np.float64]


def tree_circuit(
    tree: CoherentTree,
    image: Any = None,
    *,
    number: int = 0,
    place: int = 0,
    basis: Sequence[str] | None = None,
) -> Bound:
    """One tree as a circuit with resets, on the fewest qubits that any depth-first order takes.

    Gates that no measured qubit depends on are left out, and so are qubits that none depends on. Noise of the layer is
    left out, too: a machine has its own.

    Args:
        tree: the layer.
        image: shape (in_channels, *input_size), or the same with one image in front; None for a parameter for each
            pixel: x0, x1, ... (bits b0, ... where the encoding has a threshold), counted as ``image.flatten()`` is.
        number: which of the layer's trees.
        place: which of the windows that are left, counted row by row, where `n_levels` leaves several.
        basis: write it in these gates, as Qiskit calls them, such as ``["rz", "sx", "cx"]``.

    Returns:
        A circuit that :func:`quanvolve.circuits.openqasm` and :func:`quanvolve.backends.qiskit_circuit` write. Its
        ``circuit`` has the number of qubits and what is measured of them at the end.

    Raises:
        QuanvolveError: if there is no such tree or place, or the image does not fit.

    References:
        Huggins et al., Quantum Science and Technology 4, 024001 (2019), section 3.3.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> bound = tree_circuit(CoherentTree(1, (32, 32), seed=0))
        >>> bound.circuit.n_wires, len(bound.parameters), sum(gate.name == "RESET" for gate in bound.gates)
        (11, 1024, 1013)
    """
    _check(tree, number, place)
    return _Writer(tree, number, basis, _pixels(tree, image)).written(place)


@dataclass(frozen=True)
class TreeCircuit:
    """One tree of a model.

    Attributes:
        name: such as "backbone_tree0", or "backbone_tree0_place3" where windows are left.
        title: what it is, in a line.
        bound: the circuit, with a parameter for each pixel.
    """

    name: str
    title: str
    bound: Bound


def tree_circuits(model: Any) -> list[TreeCircuit]:
    """All coherent trees of a model, each as one circuit; none where it has none.

    Args:
        model: a tree, a module with some, or a fitted :class:`quanvolve.QuanvClassifier`.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> [one.title for one in tree_circuits(CoherentTree(1, 8, n_trees=2, seed=0))]
        ['layer_tree0; 8 qubits, one after the other on 4 that are reset; outputs: values 0 to 2 of the layer',
         'layer_tree1; 8 qubits, one after the other on 4 that are reset; outputs: values 3 to 5 of the layer']
    """
    found = []
    module = getattr(model, "module_", model)
    for name, tree in module.named_modules():
        if not isinstance(tree, CoherentTree):
            continue
        prefix, places, values = name.replace(".", "_") or "layer", prod(tree.places), len(tree.observables)
        for number in range(tree.n_trees):
            first = number * values
            outputs = f"value {first}" if values == 1 else f"values {first} to {first + values - 1}"
            for place in range(places):
                bound = tree_circuit(tree, number=number, place=place)
                whole = f"{prefix}_tree{number}" + (f"_place{place}" if places > 1 else "")
                encoded = f"{tree.n_qubits // places} qubits, one after the other on {bound.circuit.n_wires}"
                title = f"{whole}; {encoded} that are reset; outputs: {outputs} of the layer"
                found.append(TreeCircuit(whole, title, bound))
    return found


def tree_qubits(tree: CoherentTree) -> int:
    """The qubits that :func:`tree_circuit` takes.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> [tree_qubits(CoherentTree(1, 64, window=window, seed=0)) for window in (2, 4, 8)]
        [7, 4, 3]
        >>> tree_qubits(CoherentTree(1, 64, keep=2, seed=0))
        7
    """
    return _orders(tree, None)[1][-1].n_qubits


def _check(tree: Any, number: Any, place: Any) -> None:
    if not isinstance(tree, CoherentTree):
        raise QuanvolveError(f"`tree` is a {type(tree).__name__}, expected a CoherentTree")
    for name, given, most in (("number", number, tree.n_trees), ("place", place, prod(tree.places))):
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < most:
            what = "trees" if name == "number" else "windows that are left"
            raise QuanvolveError(f"`{name}` (={given!r}) must be in 0 to {most - 1}: the layer has {most} {what}")


def _pixels(tree: CoherentTree, image: Any) -> Floats | None:
    if image is None:
        return None
    array = np.asarray(image.detach().cpu() if isinstance(image, Tensor) else image, np.float64)
    expected = (tree.in_channels, *tree.input_size)
    if array.shape not in (expected, (1, *expected)):
        raise QuanvolveError(f"`image` has shape {array.shape}, expected {expected}: (in_channels, *input_size)")
    if not np.isfinite(array).all():
        raise QuanvolveError("`image` has values that are not finite")
    return array.reshape(-1)


def _levels(tree: CoherentTree) -> list[TreeLevel]:
    return [level for level in tree.levels if isinstance(level, TreeLevel)]


def _orders(tree: CoherentTree, basis: Sequence[str] | None) -> tuple[list[Circuit], list[Order]]:
    """The circuits of the levels, and how each of them runs."""
    levels = _levels(tree)
    circuits = [level.circuit if basis is None else rebase(level.circuit, basis) for level in levels]
    groups = []
    for number, (level, circuit) in enumerate(zip(levels, circuits, strict=True)):
        together = 1 if number == 0 else tree.keep
        inputs = prod(level.window) * (tree.encoding.n_wires if number == 0 else 1)
        own = [tuple(range(k * together, (k + 1) * together)) for k in range(inputs)]
        groups.append([*own, *((wire,) for wire in range(inputs * together, circuit.n_wires))])
    # What is needed of the kept qubits follows from the levels above.
    kept = [tuple(range(tree.keep))]
    for number in reversed(range(1, len(circuits))):
        reads = order_of(circuits[number], groups[number], [1] * len(groups[number]), kept[0]).reads
        places = range(prod(levels[number].window))
        kept.insert(0, tuple(k for k in range(tree.keep) if any(p * tree.keep + k in reads for p in places)))
    orders: list[Order] = []
    for number, circuit in enumerate(circuits):
        below = orders[-1].n_qubits if orders else 1
        inputs = prod(levels[number].window) * (tree.encoding.n_wires if number == 0 else 1)
        costs = [below if k < inputs else 1 for k in range(len(groups[number]))]
        orders.append(order_of(circuit, groups[number], costs, kept[number]))
    return circuits, orders


class _Writer:
    """Writes one tree gate by gate, with the qubits that are free at the moment."""

    def __init__(self, tree: CoherentTree, number: int, basis: Sequence[str] | None, pixels: Floats | None) -> None:
        self.tree, self.number, self.pixels = tree, number, pixels
        self.circuits, self.orders = _orders(tree, basis)
        self.encoding = tree.encoding if basis is None else rebase(tree.encoding, basis)
        self.scales = self._scales()
        self.gates: list[BoundGate] = []
        self.free: list[int] = []
        self.used = 0
        self._bound: dict[tuple[int, int], tuple[BoundGate, ...]] = {}

    def _scales(self) -> Floats:
        """What each pixel is multiplied with."""
        scale, full = self.tree.scale, (self.tree.in_channels, *self.tree.input_size)
        array = np.asarray(scale.detach().cpu().double() if isinstance(scale, Tensor) else scale, np.float64)
        return np.broadcast_to(array, full).reshape(-1)

    def written(self, place: int) -> Bound:
        """The whole circuit of one of the windows that are left."""
        last = len(self.circuits) - 1
        kept = self._block(last, np.unravel_index(place, self.tree.places))
        observables = tuple(
            replace(one, terms=tuple((c, tuple((kept[w], p) for w, p in word)) for c, word in one.terms))
            if one.terms
            else replace(one, outcome=tuple((kept[w], bit) for w, bit in one.outcome))
            for one in self.tree.observables
        )
        encoding = self.tree.encoding
        whole = Circuit(self.used, len(self.scales), (), observables, threshold=encoding.threshold)
        letter = "x" if encoding.threshold is None else "b"
        read = {name for gate in self.gates for name, _ in gate.terms}
        named = (f"{letter}{k}" for k in range(len(self.scales)))
        parameters = tuple((name, self._meaning(name)) for name in named if name in read)
        return Bound(whole, tuple(self.gates), parameters, tuple(self.scales.tolist()), 0, {})

    def _meaning(self, name: str) -> str:
        k = int(name[1:])
        channel, *where = (int(i) for i in np.unravel_index(k, (self.tree.in_channels, *self.tree.input_size)))
        pixel = f"channel {channel} of pixel ({', '.join(map(str, where))})"
        if name[0] == "x":
            return pixel
        return f"1 if {self.scales[k]:.17g} * {pixel} > {self.tree.encoding.threshold:.17g}, else 0"

    def _block(self, depth: int, where: Any) -> dict[int, int]:
        """Run a block and all below it; the qubits that its kept wires are on."""
        tree, level = self.tree, _levels(self.tree)[depth]
        number = int(np.ravel_multi_index(where, level.places))
        gates = self._gates_of(depth, number)
        on: dict[int, int] = {}
        together = 1 if depth == 0 else tree.keep
        own = tree.encoding.n_wires if depth == 0 else 1
        inputs = prod(level.window) * own
        for step in self.orders[depth].steps:
            k = step.group[0] // together
            if k >= inputs:
                on[step.group[0]] = self._fresh()
            else:
                inside = np.unravel_index(k // own, level.window)
                there = [int(p * w + i) for p, w, i in zip(where, level.window, inside, strict=True)]
                if depth == 0:
                    on[k] = self._leaf(there, k % own)
                else:
                    made = self._block(depth - 1, there)
                    on.update({k * together + wire: qubit for wire, qubit in made.items()})
            for gate in (gates[n] for n in step.gates):
                self.gates.append(replace(gate, wires=tuple(on[wire] for wire in gate.wires)))
            for wire in step.done:
                if wire in on:
                    heapq.heappush(self.free, on.pop(wire))
        return on

    def _gates_of(self, depth: int, number: int) -> tuple[BoundGate, ...]:
        """Those of a block, with its weights."""
        level = _levels(self.tree)[depth]
        key = (depth, 0 if level.shared else number)
        if key not in self._bound:
            self._bound[key] = bind(self.circuits[depth], level.weights_of(self.number, number)).gates
        return self._bound[key]

    def _fresh(self) -> int:
        """A qubit in the state 0."""
        if not self.free:
            self.used += 1
            return self.used - 1
        qubit = heapq.heappop(self.free)
        self.gates.append(BoundGate(RESET, (qubit,)))
        return qubit

    def _leaf(self, where: Sequence[int], wire: int) -> int:
        """A qubit of a pixel."""
        qubit, size = self._fresh(), self.tree.input_size
        place = [p - before for p, (before, _) in zip(where, self.tree.padding, strict=True)]
        inside = all(0 <= p < n for p, n in zip(place, size, strict=True))
        threshold = self.encoding.threshold
        for gate in self.encoding.gates:
            if gate.wires != (wire,):
                continue
            offset, terms = None, []
            if gate.angle is not None:
                offset = gate.angle.offset
                for channel, factor in gate.angle.inputs:
                    if not inside:
                        offset += factor * (threshold is not None and threshold < 0)
                        continue
                    k = int(np.ravel_multi_index((channel, *place), (self.tree.in_channels, *size)))
                    scaled = self.scales[k] if threshold is None else 1.0
                    if self.pixels is None:
                        terms.append((f"{'x' if threshold is None else 'b'}{k}", float(factor * scaled)))
                        continue
                    value = self.pixels[k] * self.scales[k]
                    offset += factor * (value if threshold is None else value > threshold)
            self.gates.append(BoundGate(gate.name, (qubit,), None if offset is None else float(offset), tuple(terms)))
        return qubit
