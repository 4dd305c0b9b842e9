"""What every device offers, and a run on one: distinct settings only, in jobs, from a cache where that has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from quanvolve.backends._cache import Cache
from quanvolve.backends._settings import Floats, Measured, Weights, check_circuit, settings_of
from quanvolve.circuits import Circuit

Progress = Callable[[int, int], None]


class Backend(Protocol):
    """A device or a simulator.

    One that also has a method ``check(circuit)`` is asked about all circuits of a model before the first of them runs:
    it raises where it cannot run a circuit, and costs nothing.

    Attributes:
        name: for people.
        shots: samples of each setting; None where values are exact.
        settings_a_job: how many settings one job may have.
    """

    name: str
    shots: int | None
    settings_a_job: int

    @property
    def identity(self) -> str:
        """What results depend on beside circuit and setting: device, shots, options, versions."""

    def run(self, circuit: Circuit, weights: Weights, inputs: Floats) -> Measured:
        """Run one job.

        Args:
            circuit: what to run.
            weights: by name, each of the circuit's own shape, in radians.
            inputs: shape (settings, inputs), as the circuit reads them.
        """


def measure(
    backend: Backend,
    circuit: Circuit,
    weights: Weights,
    inputs: Floats,
    *,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Run a circuit on a backend for many settings.

    Equal settings run once. Results are written to the cache as each job arrives, so a run that is killed goes on where
    it stopped, and nothing is run twice.

    Args:
        backend: where to run.
        circuit: what to run.
        weights: by name, each of the circuit's own shape, in radians.
        inputs: shape (settings, inputs), as the circuit reads them.
        cache: of earlier results.
        progress: called with the number of distinct settings that are done, and of all.

    Returns:
        Values and standard errors, shape (settings, outputs).

    Raises:
        QuanvolveError: if the backend cannot run the circuit.
    """
    check_circuit(circuit, backend.name)
    distinct, which = np.unique(settings_of(circuit, inputs), axis=0, return_inverse=True)
    key = Cache.key(circuit, weights, backend.identity)
    known = cache.find(key, distinct, circuit.n_outputs) if cache is not None else {}
    left = [k for k in range(len(distinct)) if k not in known]
    values, errors = np.zeros((2, len(distinct), circuit.n_outputs))
    for k, (value, error) in known.items():
        values[k], errors[k] = value, error
    done = len(known)
    if progress is not None:
        progress(done, len(distinct))
    for start in range(0, len(left), backend.settings_a_job):
        part = left[start : start + backend.settings_a_job]
        measured = backend.run(circuit, weights, distinct[part])
        values[part], errors[part] = measured.values, measured.errors
        if cache is not None:
            cache.add(key, distinct[part], measured)
        done += len(part)
        if progress is not None:
            progress(done, len(distinct))
    places = which.reshape(-1)
    return Measured(values[places], errors[places])
