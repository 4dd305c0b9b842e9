"""What drawings say: where an angle comes from, and what is measured, as short texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import PROGRAM, Angle, Circuit, Observable, factor_text, value_texts

MOST_LINES = 4


class AngleWriter:
    """Angles as text, with numbers for the weights where they are given."""

    def __init__(
        self,
        circuit: Circuit,
        decimals: int,
        weights: Mapping[str, Any] | None,
        scale: float | Sequence[float],
        pi: str,
    ) -> None:
        self.circuit, self.decimals, self.pi = circuit, decimals, pi
        self.shapes = dict(circuit.weight_shapes)
        self.scales = list(scale) if isinstance(scale, Sequence) else [float(scale)] * circuit.n_inputs
        if len(self.scales) != circuit.n_inputs:
            raise QuanvolveError(f"`scale` has {len(self.scales)} numbers, the circuit has {circuit.n_inputs} inputs")
        self.values = None if weights is None else _checked(weights, self.shapes)
        self.derived = self._derived()

    def angle(self, angle: Angle) -> str:
        n = self.circuit.n_inputs
        parts = [(c * self.scales[i], f"x{i}") if i < n else (c, self.derived[i - n]) for i, c in angle.inputs]
        if self.circuit.threshold is not None:
            parts = [(c, self._bit(i) if i < n else self.derived[i - n]) for i, c in angle.inputs]
        offset = angle.offset
        for name, index, coefficient in angle.weights:
            if name == PROGRAM:
                parts.append((coefficient, self.derived[index]))
            elif self.values is None:
                parts.append((coefficient, self._entry(name, index)))
            else:
                offset += coefficient * float(self.values[name].flat[index])
        text = ""
        for factor, name in parts:
            glue = " - " if factor < 0 else " + "
            text += (
                (glue if text else "-" if factor < 0 else "")
                + factor_text(abs(factor), f".{self.decimals}f", self.pi)
                + name
            )
        numbers = any(name != PROGRAM for name, *_ in angle.weights) and self.values is not None
        if text and not offset and not numbers:
            return text
        if not numbers:
            number = (factor_text(abs(offset), f".{self.decimals}f", self.pi) or "1").rstrip()
        else:
            number = f"{abs(offset):.{self.decimals}f}"
            offset = offset if float(number) else 0.0  # no minus sign in front of what prints as zero
        glue = (" - " if offset < 0 else " + ") if text else "-" if offset < 0 else ""
        return text + glue + number

    def _derived(self) -> list[str]:
        """The values of the circuit's program as texts, with each input as the angle that it is scaled to."""
        program = self.circuit.program
        if program is None:
            return []
        inputs = [f"{factor_text(scale, f'.{self.decimals}f', self.pi)}x{i}" for i, scale in enumerate(self.scales)]
        if self.circuit.threshold is not None:
            inputs = [self._bit(i) for i in range(self.circuit.n_inputs)]
        weights: dict[str, Any] = {}
        for name, shape in self.shapes.items():
            entries = [self._entry(name, index) for index in range(math.prod(shape))]
            if self.values is not None:
                entries = [f"{value:.{self.decimals}f}" for value in self.values[name].flat]
            weights[name] = np.array(entries, dtype=object).reshape(shape)
        return value_texts(program, inputs, weights)

    def _entry(self, name: str, index: int) -> str:
        return _entry(self.shapes, name, index)

    def _bit(self, index: int) -> str:
        scale, threshold = self.scales[index], self.circuit.threshold or 0.0
        limit = threshold / scale if scale else math.inf
        return f"[x{index} {'>' if scale >= 0 else '<'} {limit:.{max(self.decimals, 1)}g}]"


def _entry(shapes: Mapping[str, tuple[int, ...]], name: str, index: int) -> str:
    """How an entry of a weight is called, such as ``w[0,1]``."""
    short = "w" if name == "weights" and "w" not in shapes else name
    if not shapes[name]:
        return short
    place = ",".join(str(int(i)) for i in np.unravel_index(index, shapes[name]))
    return f"{short}[{place}]"


def _checked(weights: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray[Any, Any]]:
    if set(weights) != set(shapes):
        raise QuanvolveError(f"`weights` has the names {sorted(weights)}, the circuit has {sorted(shapes)}")
    arrays = {}
    for name, value in weights.items():
        array = np.asarray(value.detach().cpu().clone() if hasattr(value, "detach") else value, dtype=float)
        if array.shape != shapes[name]:
            raise QuanvolveError(f"weight {name!r} has shape {array.shape}, the circuit's own is {shapes[name]}")
        arrays[name] = array
    return arrays


def single_pauli(observable: Observable) -> tuple[int, str] | None:
    """The wire and letter of an observable that is one Pauli matrix on one wire."""
    if len(observable.terms) == 1:
        coefficient, word = observable.terms[0]
        if coefficient == 1.0 and len(word) == 1:
            return word[0]
    return None


def measures_z_in_order(circuit: Circuit) -> bool:
    plain = circuit.counts is None and circuit.postprocessing is None
    return plain and all(single_pauli(o) == (j, "Z") for j, o in enumerate(circuit.observables))


def output_lines(circuit: Circuit, decimals: int, names: Sequence[str] | None = None) -> list[str]:
    """How each output is measured, a line each; the long ones and the many ones are cut short.

    Where the circuit has a post-processing, measured values are called m0, m1, ..., and the outputs functions of them.
    """
    if circuit.postprocessing is not None:
        count = len(circuit.observables)
        measured = output_lines(circuit.without_postprocessing(), decimals, [f"m{j}" for j in range(count)])
        called = names or [f"out {j}" for j in range(circuit.n_outputs)]
        texts = [f"{name} = {text}" for name, text in zip(called, postprocessing_texts(circuit), strict=True)]
        more = [f"... ({len(texts)} outputs)"] * (len(texts) > MOST_LINES)
        return [*(line.replace(" outputs)", " measured values)") for line in measured), *texts[:MOST_LINES], *more]
    if circuit.counts is not None:
        string = "the most probable bit string" if circuit.counts == "most_probable" else "a bit string drawn at random"
        return [f"{names[0] if names else 'out 0'} = number of ones in {string}"]
    lines = []
    for j, observable in enumerate(circuit.observables[:MOST_LINES]):
        parts: list[str] = []
        if observable.outcome:
            wires, bits = zip(*sorted(observable.outcome), strict=True)
            parts.append(f"P({' '.join(f'q{wire}' for wire in wires)} = {''.join(map(str, bits))})")
        for coefficient, word in observable.terms[:MOST_LINES]:
            body = f"<{' '.join(f'{letter}{wire}' for wire, letter in word)}>" if word else ""
            number = "" if body and abs(coefficient) == 1 else f"{abs(coefficient):.{decimals}f} "
            glue = (" - " if coefficient < 0 else " + ") if parts else "-" if coefficient < 0 else ""
            parts.append(glue + (number + body).rstrip())
        if len(observable.terms) > MOST_LINES:
            parts.append(f" + ... ({len(observable.terms)} terms)")
        lines.append(f"{names[j] if names else f'out {j}'} = {''.join(parts) or '0'}")
    if circuit.n_outputs > MOST_LINES:
        lines.append(f"... ({circuit.n_outputs} outputs)")
    return lines


def postprocessing_texts(circuit: Circuit) -> list[str]:
    """What each output is of the measured values m0, m1, ..., such as ``1 - m0^2``; of a long one what it reads."""
    program, shapes = circuit.postprocessing, dict(circuit.weight_shapes)
    if program is None:
        return []
    weights = {
        name: np.array([_entry(shapes, name, index) for index in range(math.prod(shape))], dtype=object).reshape(shape)
        for name, shape in shapes.items()
    }
    return value_texts(program, [f"m{j}" for j in range(len(circuit.observables))], weights, letter="m")
