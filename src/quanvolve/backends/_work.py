"""How much a way to run is: circuits, shots, time and money."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from quanvolve._errors import QuanvolveError


@dataclass(frozen=True)
class Rates:
    """What a device charges.

    Args:
        seconds_a_shot: time of one shot, its reset included.
        seconds_a_circuit: further time for each circuit.
        price_a_second: of that time.
        price_a_shot, price_a_circuit: for providers who charge by these.
    """

    seconds_a_shot: float = 250e-6
    seconds_a_circuit: float = 0.0
    price_a_second: float = 0.0
    price_a_shot: float = 0.0
    price_a_circuit: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not np.isfinite(value) or value < 0:
                raise QuanvolveError(f"`{name}` (={value}) must be a number of at least 0")


@dataclass(frozen=True)
class Work:
    """One way to run: how many circuits and shots, and what these take.

    Args:
        settings: of angles, which a backend is given.
        circuits: that run: each setting in each basis that its observables need.
        shots: of all circuits together.
        seconds, price: by the rates.
    """

    settings: int
    circuits: int
    shots: int
    seconds: float
    price: float

    @classmethod
    def of(cls, settings: int, circuits: int, shots: int, rates: Rates) -> Work:
        """So many circuits of so many shots each.

        Examples:
            >>> Work.of(10, 20, 100, Rates(seconds_a_shot=0.001, price_a_circuit=0.5))
            Work(settings=10, circuits=20, shots=2000, seconds=2.0, price=10.0)
        """
        seconds = circuits * (shots * rates.seconds_a_shot + rates.seconds_a_circuit)
        price = seconds * rates.price_a_second + circuits * (shots * rates.price_a_shot + rates.price_a_circuit)
        return cls(settings, circuits, circuits * shots, seconds, price)


def total(works: Iterable[Work]) -> Work:
    """All of them together."""
    each = list(works)
    return Work(
        sum(work.settings for work in each),
        sum(work.circuits for work in each),
        sum(work.shots for work in each),
        math.fsum(work.seconds for work in each),
        math.fsum(work.price for work in each),
    )
