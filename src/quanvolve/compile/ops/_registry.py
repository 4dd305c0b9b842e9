"""Circuits by a short name: what torch's operators can take as an argument."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit

_known: dict[str, Circuit] = {}


@lru_cache(maxsize=1024)
def key_of(circuit: Circuit) -> str:
    """A name made of the circuit's description; the same in every process."""
    text = json.dumps(circuit.to_dict(), sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:24]
    _known[key] = circuit
    return key


def circuit_of(key: str) -> Circuit:
    """The circuit of a name.

    Raises:
        QuanvolveError: if no layer of this process has such a circuit.
    """
    if key not in _known:
        raise QuanvolveError(
            f"no circuit is known under {key!r}: make the layer in this process before running what was compiled of it"
        )
    return _known[key]
