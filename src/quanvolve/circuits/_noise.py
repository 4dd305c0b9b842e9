"""Noise in a circuit description: channels after its gates, and errors of its measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.circuits._channels import CHANNELS, channel, channel_gate
from quanvolve.circuits._description import Circuit, Gate, Observable

READOUT = "readout"
MAX_TERMS = 4096
_ZERO = 1e-14


def with_noise(circuit: Circuit, noise: Any) -> Circuit:
    """A circuit with noise.

    Args:
        circuit: without noise, or with some already.
        noise: one of

            - a mapping from names to strengths, such as ``{"depolarizing": 0.01}``. The channels `depolarizing`,
              `amplitude_damping`, `phase_damping`, `bit_flip` and `phase_flip` (as PennyLane defines them) act after
              every gate, encoding gates included, on each of its wires, in the mapping's order. `readout` is the
              probability that a measured bit is wrong, or a pair: P(1 | 0) and P(0 | 1).
            - a PennyLane `NoiseModel`. Its conditions are asked about the gates of the description, which are one- and
              two-qubit gates: a `Rot` is RZ, RY, RZ there.
            - a Qiskit Aer `NoiseModel`. The circuit is first written in the model's basis gates, qubit q of the
              model being wire q (see :func:`~quanvolve.circuits.rebase`).

    Returns:
        A circuit whose expectation values are those of the noisy one. Errors of measurements are channels at its end.

    Raises:
        QuanvolveError: if the noise is of no known kind, or a strength is not in [0, 1].

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, section 8.3.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> noisy = with_noise(named_circuit("basic_entangler", 1, n_layers=1), {"depolarizing": 0.03, "readout": 0.02})
        >>> [gate.name for gate in noisy.gates]
        ['RY', 'CHANNEL', 'RX', 'CHANNEL', 'CHANNEL']
        >>> [gate.name for gate in absorbed(noisy).gates], absorbed(noisy).observables[0].terms
        (['RY', 'CHANNEL', 'RX'], ((0.9216, ((0, 'Z'),)),))
    """
    if noise is None:
        return circuit
    if circuit.counts is not None:
        raise QuanvolveError(
            f"the number of ones in a bit string ({circuit.counts}) is not an expectation value, and noise is computed "
            "for these only: use readout='popcount_expected'"
        )
    if isinstance(noise, Mapping):
        return _uniform(circuit, noise)
    if hasattr(noise, "model_map") and hasattr(noise, "meas_map"):
        from quanvolve.circuits._noise_pennylane import pennylane_noise

        return pennylane_noise(circuit, noise)
    if hasattr(noise, "noise_instructions") and hasattr(noise, "to_dict"):
        from quanvolve.circuits._noise_aer import aer_noise

        return aer_noise(circuit, noise)
    raise QuanvolveError(
        f"`noise` (={noise!r}) must be a mapping from names ({', '.join([*CHANNELS, READOUT])}) to strengths, a "
        "PennyLane NoiseModel or a Qiskit Aer NoiseModel"
    )


def _uniform(circuit: Circuit, noise: Mapping[str, Any]) -> Circuit:
    kraus = []
    for name, strength in noise.items():
        if name == READOUT:
            continue
        if name not in CHANNELS:
            known = ", ".join(map(repr, [*CHANNELS, READOUT]))
            raise QuanvolveError(f"`noise` has the unknown channel {name!r}, known are {known}")
        value = _strength(name, strength)
        if value > 0:
            kraus.append(CHANNELS[name](value))
    gates: list[Gate] = []
    prepared = circuit.preparation.wires if circuit.preparation is not None else ()
    for wires, gate in [(prepared, None), *((gate.wires, gate) for gate in circuit.gates)]:
        gates += [] if gate is None else [gate]
        if gate is None or gate.transfer is None:
            gates += [channel(operators, [wire]) for operators in kraus for wire in wires]
    noisy = replace(circuit, gates=tuple(gates))
    if READOUT not in noise:
        return noisy
    return with_readout_errors(noisy, dict.fromkeys(range(circuit.n_wires), _pair(noise[READOUT])))


def _strength(name: str, value: Any) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) <= 1:
        raise QuanvolveError(f"`noise[{name!r}]` (={value!r}) must be a number in [0, 1]")
    return float(value)


def _pair(value: Any) -> tuple[float, float]:
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise QuanvolveError(f"`noise[{READOUT!r}]` (={value!r}) must be one number, or P(1 | 0) and P(0 | 1)")
        return _strength(READOUT, value[0]), _strength(READOUT, value[1])
    return _strength(READOUT, value), _strength(READOUT, value)


def with_readout_errors(circuit: Circuit, errors: Mapping[int, tuple[float, float]]) -> Circuit:
    """A circuit whose measured bits are wrong with some probability, wire by wire.

    The measured value of a Pauli matrix P becomes ``(1 - a - b) P + (b - a)`` with a = P(1 | 0) and b = P(0 | 1),
    whichever of the three it is: the qubit is turned before it is read. A map at the end of each wire does this.

    Args:
        circuit: whose observables are sums of Pauli words or outcomes.
        errors: for each wire P(1 | 0) and P(0 | 1); wires that are not named are read without errors.

    References:
        Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II.
    """
    measured = {wire for observable in circuit.observables for wire in _wires_of(observable)}
    maps = []
    for wire, (a, b) in sorted(errors.items()):
        if wire in measured and (a or b):
            matrix = (1 - a - b) * np.eye(4)
            matrix[1:, 0] = b - a
            maps.append(channel_gate(matrix, (wire,)))
    return replace(circuit, gates=(*circuit.gates, *maps))


@lru_cache(maxsize=256)
def absorbed(circuit: Circuit) -> Circuit:
    """A circuit with the same expectation values, whose last channels have become part of its observables.

    Args:
        circuit: with or without channels at its end, such as those of readout errors.

    Returns:
        A circuit that has no channel but in front of other gates; the same one where an observable would become a sum
        of more than 4,096 words.
    """
    blocked: set[int] = set()
    kept: list[Gate] = []
    maps: list[tuple[tuple[int, ...], npt.NDArray[np.float64]]] = []
    for gate in reversed(circuit.gates):
        if gate.transfer is not None and blocked.isdisjoint(gate.wires):
            maps.append((gate.wires, np.array(gate.transfer).T))
        else:
            kept.append(gate)
            blocked.update(gate.wires)
    if not maps or circuit.counts is not None:
        return circuit
    try:
        observables = tuple(through(o, maps) for o in circuit.observables)
    except QuanvolveError:
        return circuit
    return replace(circuit, gates=tuple(reversed(kept)), observables=observables)


def _wires_of(observable: Observable) -> list[int]:
    return sorted({wire for _, word in observable.pauli_terms() for wire, _ in word})


def through(observable: Observable, maps: Sequence[tuple[tuple[int, ...], npt.NDArray[np.float64]]]) -> Observable:
    """An observable after linear maps of its Pauli coefficients, the first of them first.

    Args:
        observable: a sum of Pauli words, or an outcome.
        maps: wires, and a matrix M with ``new[p] = sum_q M[p, q] old[q]`` over the Pauli words of these wires.

    Raises:
        QuanvolveError: if it becomes a sum of more than 4,096 words.
    """
    if not maps:
        return observable
    terms: dict[tuple[tuple[int, str], ...], float] = {}
    for coefficient, word in observable.pauli_terms():
        key = tuple(sorted(word))
        terms[key] = terms.get(key, 0.0) + coefficient
    for wires, matrix in maps:
        found: dict[tuple[tuple[int, str], ...], float] = {}
        for word, coefficient in terms.items():
            letters = dict(word)
            column = 0
            for wire in wires:
                column = 4 * column + "IXYZ".index(letters.get(wire, "I"))
            for row in np.flatnonzero(np.abs(matrix[:, column]) > _ZERO):
                new, rest = dict(letters), int(row)
                for wire in reversed(wires):
                    rest, letter = divmod(rest, 4)
                    new.pop(wire, None)
                    if letter:
                        new[wire] = "IXYZ"[letter]
                key = tuple(sorted(new.items()))
                found[key] = found.get(key, 0.0) + coefficient * float(matrix[row, column])
        terms = found
        if len(terms) > MAX_TERMS:
            raise QuanvolveError(
                f"with errors of the measurement an observable on {len(wires)} or more wires is a sum of "
                f"{len(terms)} Pauli words, at most {MAX_TERMS} are possible: measure fewer qubits together"
            )
    kept = tuple((c, word) for word, c in terms.items() if abs(c) > _ZERO and math.isfinite(c))
    return Observable(kept or ((0.0, ()),))
