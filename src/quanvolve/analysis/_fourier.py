"""Fourier series of circuits that are no product encodings, such as data re-uploading."""

from __future__ import annotations

import math

import numpy as np
import torch

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis._channel_circuits import ChannelCircuit
from quanvolve.analysis._terms import Factor, Part, Term
from quanvolve.circuits import Circuit

MAX_POINTS = 200_000
_MOST_STEPS = 64
_ZERO = 1e-12


def degrees_of(circuit: Circuit) -> list[tuple[float, int]]:
    """For each input a base frequency, and the highest multiple of it that the circuit's values can have.

    A rotation by c x contributes the frequencies -c, 0 and c, so that L uploads of an input have 2 L + 1.

    Raises:
        QuanvolveError: if the values are no Fourier series of the inputs.

    References:
        Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), section II.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> degrees_of(named_circuit("none", 2, encoding="reupload", n_layers=3))
        [(1.0, 3), (1.0, 3)]
    """
    if circuit.preparation is not None or circuit.counts is not None or circuit.threshold is not None:
        raise QuanvolveError(
            "the circuit reads amplitudes, bits or counts, so its values are no Fourier series of the pixels"
        )
    if circuit.postprocessing is not None:
        raise QuanvolveError(
            "the circuit's outputs are functions of its expectation values, which are the Fourier series: ask for "
            "those of circuit.without_postprocessing()"
        )
    read: list[list[float]] = [[] for _ in range(circuit.n_inputs)]
    for gate in circuit.gates:
        for index, coefficient in gate.angle.inputs if gate.angle is not None else ():
            if index >= circuit.n_inputs:
                raise QuanvolveError(
                    "angles of the circuit are functions of the window other than multiples, so its values are no "
                    "Fourier series of the pixels"
                )
            read[index].append(abs(coefficient))
    degrees = []
    for index, coefficients in enumerate(read):
        nonzero = [c for c in coefficients if c]
        if not nonzero:
            degrees.append((1.0, 0))
            continue
        base = min(nonzero)
        for parts in range(1, _MOST_STEPS + 1):
            steps = [c * parts / base for c in nonzero]
            if all(abs(step - round(step)) < 1e-9 * max(1.0, step) for step in steps):
                degrees.append((base / parts, sum(round(step) for step in steps)))
                break
        else:
            raise QuanvolveError(f"input {index} is multiplied with numbers that have no common measure: {nonzero}")
    return degrees


def fourier_terms(circuit: ChannelCircuit, reason: PlanError) -> list[Term]:
    """The Fourier series of one circuit, by a discrete transform of its values on a grid: exact up to rounding.

    Args:
        circuit: the circuit behind a channel.
        reason: why there is no product formula.

    Raises:
        PlanError: if there is no series, or the grid has more than 200,000 points.
    """
    try:
        bases = degrees_of(circuit.circuit)
    except QuanvolveError as error:
        raise PlanError(f"{reason}; {error}") from None
    counts = [2 * degree + 1 for _, degree in bases]
    if math.prod(counts) > MAX_POINTS:
        raise PlanError(
            f"{reason}; its Fourier series has up to {math.prod(counts):,} frequencies, at most {MAX_POINTS:,} are "
            "computed"
        )
    names = [f"x{circuit.first + k}" for k in range(len(circuit.scales))]
    parts = [
        (scale, Part(name, circuit.first + k, name))
        for k, (scale, name) in enumerate(zip(circuit.scales, names, strict=True))
    ]
    axes = [
        torch.arange(n, dtype=torch.float64) * (2 * math.pi / n / base)
        for n, (base, _) in zip(counts, bases, strict=True)
    ]
    grid = torch.cartesian_prod(*axes).reshape(-1, len(axes))
    values = circuit.values(grid).reshape(counts).numpy()
    amplitudes = np.fft.fftn(values) / values.size
    terms = []
    for place in np.argwhere(np.abs(amplitudes) > _ZERO):
        steps = [int(k) if k <= n // 2 else int(k) - n for k, n in zip(place, counts, strict=True)]
        leading = next((step for step in steps if step), 0)
        if leading < 0:
            continue  # the conjugate of another one
        amplitude = complex(amplitudes[tuple(place)])
        angle = tuple(
            (step * base * scale, part)
            for step, (base, _), (scale, part) in zip(steps, bases, parts, strict=True)
            if step and scale
        )
        if not angle:
            terms.append(Term(amplitude.real))
            continue
        terms += [
            Term(number, (Factor(function, angle),))
            for function, number in (("cos", 2 * amplitude.real), ("sin", -2 * amplitude.imag))
            if abs(number) > _ZERO
        ]
    terms.sort(key=lambda term: len(term.factors[0].angle) if term.factors else 0)
    return terms
