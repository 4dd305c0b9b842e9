"""Two-qubit blocks in Cartan's form: which circuits are such blocks, and which of their numbers are wanted.

Of U = exp(-i/2 (a XX + b YY + c ZZ)) (A x B) with rotations A and B of the two qubits, the first one is kept:

    x' = cos b cos c p_x + sin b sin c q_x - cos b sin c p_y q_z + sin b cos c p_z q_y        p = R(A) r1, q = R(B) r2

and y', z' by cyclic exchange of x, y, z and of a, b, c. r1 and r2 are the Bloch vectors of the two qubits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import Gate
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._recipe import Recipe
from quanvolve.compile.tables._site_words import site_words
from quanvolve.compile.tables._sites import find_sites
from quanvolve.compile.tables._values import weight_places

WEIGHTS, WORDS = 9, 16
"""Of a block: RZ, RY, RZ of the first qubit, the same of the second, a, b, c; and Pauli words of two qubits."""
_PAIR = (0, 1)
_FORM: tuple[tuple[str, tuple[int, ...], int | None], ...] = (
    *((name, (wire,), 3 * wire + k) for wire in (0, 1) for k, name in enumerate(("RZ", "RY", "RZ"))),
    ("CNOT", _PAIR, None), ("RX", (0,), 6), ("CNOT", _PAIR, None),
    ("CY", _PAIR, None), ("RY", (0,), 7), ("CY", _PAIR, None),
    ("CNOT", _PAIR, None), ("RZ", (1,), 8), ("CNOT", _PAIR, None),
)  # fmt: skip
"""Gates of a block: name, wires and which weight is its angle."""


def is_cartan(recipe: Recipe) -> bool:
    """Whether a recipe's circuit is such a block, its nine weights in order, after an encoding by plain words at most.

    The block must keep the first qubit: its observables are X, Y and Z of it.
    """
    circuit = recipe.circuit
    words = [observable.terms for observable in circuit.observables]
    if circuit.n_wires != 2 or words != [((1.0, ((0, letter),)),) for letter in "XYZ"] or circuit.program is not None:
        return False
    _, rest = find_sites(circuit)
    encoded = len(rest) < len(circuit.gates)
    if len(rest) != len(_FORM) or len(weight_places(recipe)) != WEIGHTS or (encoded and site_words(recipe) is None):
        return False
    return all(_is(gate, *form, recipe) for gate, form in zip(rest, _FORM, strict=True))


def _is(gate: Gate, name: str, wires: tuple[int, ...], number: int | None, recipe: Recipe) -> bool:
    if (gate.name, gate.wires) != (name, wires):
        return False
    if number is None or gate.angle is None:
        return number is None and gate.angle is None
    angle = gate.angle
    if angle.offset or angle.inputs or len(angle.weights) != 1:
        return False
    weight, index, factor = angle.weights[0]
    return factor == 1.0 and weight_places(recipe)[weight, index] == number


class CartanTables(Tables):
    """Which numbers of blocks are wanted.

    Args:
        words: pairs of Pauli letters I, X, Y, Z as numbers below 16, the first qubit's letter changing slowest.
        signs: what the number of each is multiplied with.
    """

    def __init__(self, words: npt.NDArray[np.int64], signs: npt.NDArray[np.float64]) -> None:
        self.words, self.signs = words, signs
        self.every = bool(len(words) == WORDS and (words == np.arange(WORDS)).all() and (signs == 1).all())

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> CartanTables:
        """Those of the functions of its encoding; all words where it has none."""
        wanted = site_words(recipe)
        words, signs = (np.arange(WORDS), np.ones(WORDS)) if wanted is None else wanted
        return cls.shared((words.tolist(), signs.tolist()), lambda: cls(words.astype(np.int64), signs.astype(float)))
