"""Which settings determine a filter, and the functions of its angles that its values are sums of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.backends._settings import Floats
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import find_sites

Columns = npt.NDArray[np.int64]
MAX_SETTINGS = 100_000
_LETTERS = ("", "Z", "X")
"""What measures the functions 1, cos and sin of an angle on a qubit that RY has turned by it."""


@dataclass(frozen=True)
class Design:
    """The inputs of a circuit as coordinates, each encoded by one rotation.

    Args:
        circuit: whose filter it is.
        inputs: the input that each coordinate is, and what it is multiplied with to become an angle.
    """

    circuit: Circuit
    inputs: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, circuit: Circuit) -> Design:
        """The design of a circuit.

        Raises:
            QuanvolveError: if it is not a product encoding with one rotation for each input.
        """
        if circuit.program is not None and any(value.reads_inputs for value in circuit.program.values):
            raise QuanvolveError(
                "angles of the circuit are functions of the window other than multiples, so its values are no "
                "polynomial of cosines and sines of known angles: use a named encoding to calibrate"
            )
        sites, _ = find_sites(circuit)
        angles = [angle for site in sites for angle in site.angles]
        read = [index for angle in angles for index, _ in angle]
        if any(len(angle) != 1 for angle in angles) or len(set(read)) < len(read):
            raise QuanvolveError(
                "calibration needs an encoding in which each input turns one qubit once, such as 'ry' or 'threshold'; "
                "in this circuit an input is read twice, or an angle reads several"
            )
        return cls(circuit, tuple(angle[0] for angle in angles))

    @property
    def levels(self) -> int:
        """How many values of a coordinate are needed, and so how many functions of it there are."""
        return 2 if self.circuit.threshold is not None else 3

    @property
    def count(self) -> int:
        """How many settings the full design has, and so how many products of functions there are.

        Raises:
            QuanvolveError: if there are too many.
        """
        n = len(self.inputs)
        settings: int = self.levels**n
        if settings > MAX_SETTINGS:
            raise QuanvolveError(
                f"the circuit encodes {n} values, whose {self.levels}^{n} settings are more than {MAX_SETTINGS:,}: "
                "calibrate filters with smaller windows"
            )
        return settings

    @property
    def columns(self) -> Columns:
        """All products of the functions: for each the number of the function of each coordinate (1, cos, sin)."""
        digits = np.indices((self.levels,) * len(self.inputs), np.int64) if self.count else ()
        return np.reshape(digits, (len(self.inputs), self.count)).T.copy()

    def settings(self) -> Floats:
        """The full design, shape (levels^n, inputs): angles 0, 2 pi / 3 and 4 pi / 3, or two bits, of each input."""
        columns = self.columns
        settings = np.zeros((len(columns), self.circuit.n_inputs))
        for k, (index, factor) in enumerate(self.inputs):
            if self.circuit.threshold is not None:
                settings[:, index] = self.circuit.threshold + 2.0 * columns[:, k] - 1.0
            else:
                settings[:, index] = columns[:, k] * (2 * math.pi / 3) / factor
        return settings

    def random(self, count: int, rng: np.random.Generator) -> Floats:
        """Settings drawn at random: uniform angles, or bits."""
        settings = np.zeros((count, self.circuit.n_inputs))
        for index, factor in self.inputs:
            if self.circuit.threshold is not None:
                settings[:, index] = self.circuit.threshold + 2.0 * rng.integers(0, 2, count) - 1.0
            else:
                settings[:, index] = rng.uniform(0, 2 * math.pi, count) / factor
        return settings

    def functions(self, settings: Floats) -> list[Floats]:
        """The functions of each coordinate in each setting, shape (settings, functions)."""
        functions = []
        for index, factor in self.inputs:
            values = settings[:, index]
            if self.circuit.threshold is not None:
                functions.append(np.stack([np.ones_like(values), 1.0 - 2.0 * (values > self.circuit.threshold)], 1))
            else:
                functions.append(np.stack([np.ones_like(values), np.cos(factor * values), np.sin(factor * values)], 1))
        return functions

    @property
    def functions_at_levels(self) -> Floats:
        """The functions of one coordinate at its levels in the full design, shape (levels, functions)."""
        if self.circuit.threshold is not None:
            return np.array([[1.0, 1.0], [1.0, -1.0]])
        angles = np.arange(3) * (2 * math.pi / 3)
        return np.stack([np.ones(3), np.cos(angles), np.sin(angles)], 1)

    @property
    def values_to_coefficients(self) -> Floats:
        """The inverse of :attr:`functions_at_levels`."""
        return np.asarray(np.linalg.inv(self.functions_at_levels), np.float64)

    def matrix(self, settings: Floats, columns: Columns) -> Floats:
        """The value of each product of functions in each setting, shape (settings, columns)."""
        values = np.ones((len(settings), len(columns)))
        for k, functions in enumerate(self.functions(settings)):
            values *= functions[:, columns[:, k]]
        return values

    def fitted(self, columns: Columns, coefficients: Floats) -> Circuit:
        """A circuit without gates after its encoding, whose observables are the polynomials.

        After RY by an angle a the expectation value of Z is cos(a), and that of X is sin(a), so that a product of
        functions is a Pauli word.

        Args:
            columns: of the products.
            coefficients: shape (outputs, columns).
        """
        turn = math.pi if self.circuit.threshold is not None else None
        gates = tuple(
            Gate("RY", (wire,), Angle(inputs=((index, turn or factor),)))
            for wire, (index, factor) in enumerate(self.inputs)
        )
        words = [
            tuple((wire, _LETTERS[digit]) for wire, digit in enumerate(column) if digit) for column in columns.tolist()
        ]
        observables = tuple(
            Observable(tuple((float(c), word) for c, word in zip(row, words, strict=True) if c) or ((0.0, ()),))
            for row in coefficients
        )
        return Circuit(
            max(1, len(self.inputs)), self.circuit.n_inputs, gates, observables, threshold=self.circuit.threshold
        )


def closure(columns: Columns) -> Columns:
    """Products together with all that arise when some factors are left out, as damping does.

    Examples:
        >>> closure(np.array([[1, 2]])).tolist()
        [[0, 0], [0, 2], [1, 0], [1, 2]]
    """
    n = columns.shape[1]
    base = int(columns.max(initial=0)) + 1
    places = base ** np.arange(n - 1, -1, -1, dtype=np.int64)
    codes = np.unique(columns @ places)
    for place in places:
        codes = np.union1d(codes, codes - codes // place % base * place)
    return np.asarray(codes[:, None] // places % base, np.int64).reshape(-1, n)
