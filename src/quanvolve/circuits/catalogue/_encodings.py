"""The named encodings: how a window becomes a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import pi

from quanvolve.circuits.catalogue._parts import between, pixel
from quanvolve.circuits.description import Argument, Call, Gate, Preparation, Program, Value

PRODUCT = ("polynomial", "tensor_train", "statevector")
BITS = ("table", "polynomial", "tensor_train", "statevector")
GENERAL = ("statevector",)


def _one_each(n_inputs: int) -> int:
    return n_inputs


def _halved(n_inputs: int) -> int:
    return -(-n_inputs // 2)


def _logarithm(n_inputs: int) -> int:
    return max(1, (n_inputs - 1).bit_length())


def _one(n_inputs: int) -> int:
    return 1


@dataclass(frozen=True)
class Encoding:
    """How a window becomes a state.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        gates: `gates(n_inputs, n_wires)` are the gates that read inputs.
        plans: names of the plans that can run it.
        least: the fewest qubits for a number of inputs.
        usual: the number of qubits where the user does not give one.
        threshold: inputs are replaced by bits, 1 above this.
        program: `program(n_inputs)` computes what angles read beside inputs, input ``n_inputs + k`` being its value k.
        preparation: `preparation(n_inputs)` makes the window a state's amplitudes.
        pairs: it couples each pair of qubits.
        repeats: the ansatz applies it before each of its layers, not only before the first.
    """

    summary: str
    reference: str
    gates: Callable[[int, int], Iterable[Gate]] = field(repr=False)
    plans: tuple[str, ...] = PRODUCT
    least: Callable[[int], int] = field(default=_one_each, repr=False)
    usual: Callable[[int], int] = field(default=_one_each, repr=False)
    threshold: float | None = None
    program: Callable[[int], Program | None] | None = field(default=None, repr=False)
    preparation: Callable[[int], Preparation] | None = field(default=None, repr=False)
    pairs: bool = False
    repeats: bool = False


def _angles(rotation: str, factor: float = 1.0) -> Callable[[int, int], Iterator[Gate]]:
    def gates(n_inputs: int, n_wires: int) -> Iterator[Gate]:
        for wire in range(n_inputs):
            yield Gate(rotation, (wire,), pixel(wire, factor))

    return gates


def _phases(n_inputs: int, factor: float = 1.0) -> Iterator[Gate]:
    for wire in range(n_inputs):
        yield Gate("H", (wire,))
        yield Gate("RZ", (wire,), pixel(wire, factor))


def _rz(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    return _phases(n_inputs)


def _dense(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    for index in range(n_inputs):
        yield Gate(("RY", "RZ")[index % 2], (index // 2,), pixel(index))


def _amplitudes(n_inputs: int) -> Preparation:
    return Preparation(tuple(range(_logarithm(n_inputs))), tuple(range(n_inputs)))


def _no_gates(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    return iter(())


def _iqp(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    yield from _phases(n_inputs)
    for value, (first, second) in enumerate(combinations(range(n_inputs), 2), n_inputs):
        yield from between((second, first), "CNOT", Gate("RZ", (first,), pixel(value)))


def _zz(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    value = n_inputs
    for _ in range(_ZZ_REPEATS):
        yield from _phases(n_inputs, 2.0)
        for pair in combinations(range(n_inputs), 2):
            yield from between(pair, "CNOT", Gate("RZ", (pair[1],), pixel(value)))
            value += 1


_ZZ_REPEATS = 2
_Factors = Callable[[list[Call], int, int], tuple[Argument, Argument]]


def _products(factors: _Factors, repeats: int = 1) -> Callable[[int], Program | None]:
    """A program with one value for each pair of inputs: the product of two factors."""

    def program(n_inputs: int) -> Program | None:
        calls: list[Call] = []
        pairs = list(combinations(range(n_inputs), 2)) * repeats
        products = [_called(calls, "mul", *factors(calls, first, second)) for first, second in pairs]
        numbers = [_called(calls, "reshape", product, ("tuple", ())) for product in products]
        values = tuple(Value(number, 0, reads_inputs=True, reads_weights=False) for number in numbers)
        return Program(tuple(calls), values) if values else None

    return program


def _called(calls: list[Call], function: str, *arguments: Argument) -> Argument:
    """One more call of a program, and the argument that stands for its result."""
    calls.append(Call(f"torch.Tensor.{function}", arguments))
    return ("call", len(calls) - 1)


def _read(calls: list[Call], index: int) -> Argument:
    return _called(calls, "__getitem__", ("inputs",), ("constant", index))


def _two_inputs(calls: list[Call], first: int, second: int) -> tuple[Argument, Argument]:
    return _read(calls, first), _read(calls, second)


def _from_pi(calls: list[Call], first: int, second: int) -> tuple[Argument, Argument]:
    """2 (pi - x) and pi - y."""
    difference = _called(calls, "__rsub__", _read(calls, first), ("constant", pi))
    doubled = _called(calls, "mul", difference, ("constant", 2.0))
    return doubled, _called(calls, "__rsub__", _read(calls, second), ("constant", pi))


def _reupload(n_inputs: int, n_wires: int) -> Iterator[Gate]:
    for index in range(n_inputs):
        yield Gate(("RY", "RZ")[index // n_wires % 2], (index % n_wires,), pixel(index))


ENCODINGS: dict[str, Encoding] = {
    "ry": Encoding(
        "RY(input) on one qubit for each input",
        "Mari, 'Quanvolutional Neural Networks', PennyLane demos (2020)",
        _angles("RY"),
    ),
    "rx": Encoding(
        "RX(input) on one qubit for each input",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.3",
        _angles("RX"),
    ),
    "rz": Encoding(
        "a Hadamard gate, then RZ(input), on one qubit for each input",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.3",
        _rz,
    ),
    "dense": Encoding(
        "two inputs a qubit: RY of the first, then RZ of the second",
        "LaRose and Coyle, Phys. Rev. A 102, 032420 (2020), definition 3, arXiv:2003.01695",
        _dense,
        least=_halved,
        usual=_halved,
    ),
    "threshold": Encoding(
        "state 1 for an angle above pi/2 (a pixel above one half), state 0 otherwise",
        "Henderson et al., arXiv:1904.04767 (2019), section 3",
        # Each input is replaced by its bit, so RX(pi * bit) flips the qubit of a bright pixel.
        _angles("RX", pi),
        plans=BITS,
        threshold=pi / 2,
    ),
    "amplitude": Encoding(
        "amplitudes proportional to the inputs, 2^n of them on n qubits; a window of zeros is basis state 0",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.2",
        _no_gates,
        plans=GENERAL,
        least=_logarithm,
        usual=_logarithm,
        preparation=_amplitudes,
    ),
    "iqp": Encoding(
        "Hadamard gates, RZ(input) on each qubit, a ZZ rotation by the product of each pair of inputs",
        "Havlicek et al., Nature 567, 209 (2019), equation 4, arXiv:1804.11326",
        _iqp,
        plans=GENERAL,
        program=_products(_two_inputs),
        pairs=True,
    ),
    "zz_feature_map": Encoding(
        "Hadamard gates, phases 2 x and 2 (pi - x)(pi - y) for each pair, twice",
        "Havlicek et al., Nature 567, 209 (2019), supplement; Qiskit's `ZZFeatureMap`",
        _zz,
        plans=GENERAL,
        program=_products(_from_pi, _ZZ_REPEATS),
        pairs=True,
    ),
    "reupload": Encoding(
        "inputs go round the qubits as RY, RZ, RY, ... and are uploaded again before each layer",
        "Perez-Salinas et al., Quantum 4, 226 (2020), section 2, arXiv:1907.02085",
        _reupload,
        plans=GENERAL,
        least=_one,
        repeats=True,
    ),
}
