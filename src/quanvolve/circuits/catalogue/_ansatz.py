"""What an ansatz is: the weighted part of a circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from quanvolve.circuits.catalogue._parts import Layer
from quanvolve.circuits.description import Gate


@dataclass(frozen=True)
class Ansatz:
    """The weighted part of a circuit.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        gates: `gates(layer)` are the gates of one layer. Encodings that are repeated come before each layer.
        shape: `shape(n_layers, n_wires)` of the weights.
        random_structure: every filter has a structure of its own, by its seed.
        layered: whether it consists of layers on all qubits, between which inputs can be uploaded again.
        spreads: some value of Pauli Z or Y depends on all qubits, however many there are.
        local: couples neighbouring pixels only, and so asks for the columns of the window.
        plans: names of the plans that can run it; the encoding may allow fewer.
        remaining: `remaining(n_layers, n_wires)` are the qubits that are left at the end, which alone are measured; all
            of them where it is not given.
    """

    summary: str
    reference: str
    gates: Callable[[Layer], Iterable[Gate]] = field(repr=False)
    shape: Callable[[int, int], tuple[int, ...]] = field(repr=False)
    random_structure: bool = False
    layered: bool = True
    spreads: bool = False
    local: bool = False
    plans: tuple[str, ...] = ("table", "polynomial", "tensor_train", "statevector")
    remaining: Callable[[int, int], tuple[int, ...]] | None = field(default=None, repr=False)
