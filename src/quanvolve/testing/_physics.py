"""Physics: values that a circuit can measure, and what of the window they depend on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from quanvolve.nn import QuanvNd
from quanvolve.testing._reference import Reference
from quanvolve.testing._report import Result
from quanvolve.testing._subject import Subject

_failed = partial(Result, "physicality", False)


def check_physicality(
    layer: nn.Module, reference: Reference | None = None, *, bounds: tuple[float, float] | None = None, **where: Any
) -> Result:
    """Values lie within what can be measured, and with noise equal a density-matrix simulation of all gates.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        reference: for noisy modules a density-matrix simulation of one window, with the noise on the encoding gates
            too, such as a QNode on PennyLane's `default.mixed`.
        bounds: the least and the largest possible value. Default: -1 and 1 for each input channel summed over; layers
            of this package know them from their observables.
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_physicality(Quanv2d(3, 4, 2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    low, high = bounds or _bounds(subject)
    out = subject.run(torch.cat([subject.images(8), 3 * subject.images(4, seed=1) - 1]))
    margin = 1e-5
    if not bool(torch.isfinite(out).all()):
        return _failed("some values are not finite")
    if float(out.min()) < low - margin or float(out.max()) > high + margin:
        return _failed(
            f"values reach from {float(out.min()):.4g} to {float(out.max()):.4g}, expectation values lie in [{low:g}, "
            f"{high:g}]: the state is not normalised, as when noise is added to amplitudes"
        )
    if reference is None and math.isinf(high):
        return Result("physicality", True, "all values are finite; of functions of expectation values give `bounds`")
    if reference is None:
        return Result("physicality", True, f"all values lie in [{low:g}, {high:g}]")
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(4):
        window = rng.random(subject.in_channels * int(np.prod(subject.kernel_size)))
        image = np.zeros((subject.in_channels, *subject.span))
        inside: tuple[Any, ...] = (slice(None), *(slice(None, None, d) for d in subject.dilation))
        image[inside] = window.reshape(subject.in_channels, *subject.kernel_size)
        maps = subject.run(torch.from_numpy(image)[None].to(subject.dtype)).double()
        middle: tuple[Any, ...] = (0, slice(None), *(n // 2 for n in maps.shape[2:]))
        centre = maps[middle].numpy()
        worst = max(worst, float(np.abs(centre - np.asarray(reference(window), float).reshape(-1)).max()))
    if any(sum(side) for side in subject.sides):
        return Result("physicality", True, f"all values lie in [{low:g}, {high:g}]; see geometry for padded images")
    if worst > (1e-5 if subject.tolerance < 1e-5 else 1e-3):
        return _failed(
            f"values differ from the simulation by up to {worst:.3g}: with noise, its channels must act after every "
            "gate, those of the encoding included"
        )
    return Result("physicality", True, f"all values lie in [{low:g}, {high:g}] and equal the simulation")


@dataclass(frozen=True)
class Read:
    """What a module reads of its window.

    Args:
        influence: how much each value of the window moves each channel: shape (channels, window).
        entangling: two-qubit gates of one circuit, None if the module does not show its circuits.
    """

    influence: np.ndarray[Any, np.dtype[np.float64]]
    entangling: int | None

    @property
    def unused(self) -> tuple[int, ...]:
        """Values of the window that no channel depends on."""
        return tuple(int(k) for k in np.flatnonzero(self.influence.max(axis=0) < 1e-9))

    def __str__(self) -> str:
        texts = []
        alone = int(((self.influence > 1e-9).sum(axis=1) == 1).sum())
        if self.unused:
            texts.append(f"no channel reads the window's values {', '.join(map(str, self.unused))}")
        if alone:
            texts.append(f"{alone} of {len(self.influence)} channels read one value only")
        if self.entangling == 0:
            texts.append("there is no entangling gate")
        return "; ".join(texts) or "every value of the window is read"


def what_is_read(layer: nn.Module, **where: Any) -> Read:
    """Which values of a window each channel depends on, and whether qubits are entangled: a report, not a verdict.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> print(what_is_read(Quanv2d(1, 4, 2, circuit="none", seed=0)))
        4 of 4 channels read one value only; there is no entangling gate
    """
    subject = Subject(layer, **where)
    places = tuple(n // 2 for n in subject.places)
    middle: tuple[Any, ...] = (slice(None), slice(None), *places)
    image = subject.images(4)
    out = subject.run(image)[middle]
    corner = [p * t - side[0] for p, t, side in zip(places, subject.stride, subject.sides, strict=True)]
    columns = []
    for channel in range(subject.in_channels):
        for offset in np.ndindex(*subject.kernel_size):
            pixel = tuple(c + o * d for c, o, d in zip(corner, offset, subject.dilation, strict=True))
            change = torch.zeros(len(out), dtype=torch.float64)
            if all(0 <= p < n for p, n in zip(pixel, subject.size, strict=True)):
                moved = image.clone()
                # Far enough to cross the threshold of encodings that have one.
                at: tuple[Any, ...] = (slice(None), channel, *pixel)
                moved[at] = torch.where(moved[at] > 0.5, 0.2, 0.8).to(moved.dtype)
                change = (subject.run(moved)[middle] - out).abs().amax(0)
            columns.append(change.double().numpy())
    circuits = getattr(layer, "circuits", None)
    entangling = None if not circuits else max(sum(len(g.wires) > 1 for g in circuit.gates) for circuit in circuits)
    return Read(np.stack(columns, axis=1), entangling)


def _bounds(subject: Subject) -> tuple[float, float]:
    layer = subject.layer
    if not isinstance(layer, QuanvNd):
        return -float(subject.in_channels // subject.groups), float(subject.in_channels // subject.groups)
    if any(circuit.postprocessing is not None for circuit in layer.circuits):
        return -math.inf, math.inf
    reads = layer.filter_shape[1]
    low = high = 0.0
    for circuit in layer.circuits:
        if circuit.counts is not None:
            low, high = min(low, 0.0), max(high, float(circuit.n_wires))
        for observable in circuit.observables:
            if observable.outcome:
                high = max(high, 1.0)
                continue
            constant = sum(c for c, word in observable.terms if not word)
            rest = sum(abs(c) for c, word in observable.terms if word)
            low, high = min(low, constant - rest), max(high, constant + rest)
    shift = 0.0 if layer.bias is None else float(layer.bias.detach().abs().max())
    return low * reads - shift, high * reads + shift
