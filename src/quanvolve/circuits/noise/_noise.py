"""Noise in a circuit description: what a layer's `noise=` takes, and names with strengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import CHANNELS, Circuit, Gate, channel
from quanvolve.circuits.noise._aer import aer_noise
from quanvolve.circuits.noise._pennylane import pennylane_noise
from quanvolve.circuits.noise._readout import with_readout_errors

READOUT = "readout"


def with_noise(circuit: Circuit, noise: Any, *, measured: bool = True) -> Circuit:
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
        measured: whether the circuit ends with a measurement; if not, errors of measurements are left out.

    Returns:
        A circuit whose expectation values are those of the noisy one. Errors of measurements are channels at its end.

    Raises:
        QuanvolveError: if the noise is of no known kind, or a strength is not in [0, 1].

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, section 8.3.

    Examples:
        >>> from quanvolve.circuits import absorbed, named_circuit
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
        return _uniform(circuit, noise, measured)
    if hasattr(noise, "model_map") and hasattr(noise, "meas_map"):
        return pennylane_noise(circuit, noise, measured)
    if hasattr(noise, "noise_instructions") and hasattr(noise, "to_dict"):
        return aer_noise(circuit, noise, measured)
    raise QuanvolveError(
        f"`noise` (={noise!r}) must be a mapping from names ({', '.join([*CHANNELS, READOUT])}) to strengths, a "
        "PennyLane NoiseModel or a Qiskit Aer NoiseModel"
    )


def _uniform(circuit: Circuit, noise: Mapping[str, Any], measured: bool) -> Circuit:
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
    errors = dict.fromkeys(range(circuit.n_wires), _pair(noise[READOUT]))
    return with_readout_errors(noisy, errors) if measured else noisy


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
