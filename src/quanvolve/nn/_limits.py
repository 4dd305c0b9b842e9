"""How large a layer may be: what is absurd, or can never run, is refused before anything is built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral

from quanvolve._errors import NoPlanError, PlanError, QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS
from quanvolve.compile import MAX_MEASURED, MAX_WIRES, NO_PLAN

MOST = 2**31 - 1
"""Of any whole number that is an argument."""
MOST_INPUTS = 2**16
"""Values that a circuit reads: as many as 16 qubits have amplitudes."""
MOST_GATES = 20_000
"""Layers times qubits, or times inputs where each layer uploads these again."""
MOST_WEIGHTS = 2**28
"""Numbers of a layer: a gigabyte in single precision."""
MOST_STRUCTURES = 2**16
"""Circuits of random structure, each of which is drawn and compiled by itself."""
MOST_PIXELS = 2**30
"""That padding alone may add up to."""
STATE, TRAIN, CONES = MAX_WIRES["statevector"], MAX_WIRES["tensor_train"], 256
"""The most qubits of a state vector, of a train, and of circuits whose values are computed light cone by light cone."""
_SHOTS, _NOISY_SHOTS = MAX_MEASURED, MAX_WIRES["density"]
"""The most that are measured together, and of a density matrix."""
_OUTCOMES = MAX_WIRES["polynomial"]


def whole(value: object, least: int = 1, most: int = MOST) -> bool:
    """Whether it is a whole number in the range."""
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def check_whole(argument: str, value: object, least: int = 1) -> None:
    """Raise unless it is a whole number that a layer can have."""
    if not whole(value, least):
        limit = f" and at most {MOST}" if isinstance(value, Integral) and int(value) > MOST else ""
        raise QuanvolveError(f"`{argument}` (={shown(value)}) must be a whole number of at least {least}{limit}")


def shown(value: object) -> str:
    """A value as errors show it; of a number with very many digits only the size."""
    if isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) >= 10**40:
        sign = "-" if int(value) < 0 else ""
        return f"{sign}10**{int(abs(int(value)).bit_length() * math.log10(2))} or so"
    return repr(value)


def check_seed(seed: object) -> None:
    """Raise unless torch's generators take it."""
    if seed is not None and not whole(seed, 0, 2**64 - 1):
        raise QuanvolveError(f"`seed` (={shown(seed)}) must be a whole number from 0 to 2**64 - 1, or None")


def check_weights(rows: tuple[int, int], shapes: Mapping[str, tuple[int, ...]], different: bool) -> None:
    """Raise where a layer has more weights, or circuits of its own, than can be meant.

    Args:
        rows: filters, and circuits that each sums over.
        shapes: of the circuit's weights.
        different: whether every row has a circuit of its own.
    """
    count = math.prod(rows)
    numbers = count * max(1, sum(math.prod(shape) for shape in shapes.values()))
    if numbers > MOST_WEIGHTS:
        raise QuanvolveError(
            f"{rows[0]} filters that sum over {rows[1]} circuits each have {numbers} weights, at most {MOST_WEIGHTS} "
            "are possible: use a smaller `in_channels` or `out_channels`, or more `groups`"
        )
    if different and count > MOST_STRUCTURES:
        raise QuanvolveError(
            f"{rows[0]} filters that sum over {rows[1]} circuits each are {count} random structures, at most "
            f"{MOST_STRUCTURES} are possible: use a smaller `in_channels` or `out_channels`, or more `groups`"
        )


def check_inputs(n_inputs: int) -> None:
    """Raise where a circuit reads more values than any can."""
    if n_inputs > MOST_INPUTS:
        raise QuanvolveError(
            f"a window has {shown(n_inputs)} values, a circuit reads at most {MOST_INPUTS}: use a smaller "
            "`kernel_size`, or fewer channels or features that one circuit reads"
        )


def check_width(circuit: str, encoding: str, readout: str, n_inputs: int, n_qubits: object, n_layers: object) -> None:
    """Raise where no plan can run a named circuit because of its size; unknown names and values are left to others."""
    check_inputs(n_inputs)
    for argument, value in (("n_qubits", n_qubits), ("n_layers", n_layers)):
        if value is not None or argument == "n_layers":
            check_whole(argument, value)
    if circuit not in ANSATZE or encoding not in ENCODINGS or readout not in READOUTS:
        return
    wires = ENCODINGS[encoding].usual(n_inputs) if n_qubits is None else int(n_qubits)  # type: ignore[call-overload]
    most, why = _widest(circuit, encoding, readout)
    if wires > most:
        raise NoPlanError(
            f"{NO_PLAN}: the circuit has {wires} qubits, and {why} takes at most {most}: use a "
            f"smaller `kernel_size`, or fewer channels or features that one circuit reads"
        )
    size = int(n_layers) * max(wires, n_inputs if ENCODINGS[encoding].repeats else 1)  # type: ignore[call-overload]
    if size > MOST_GATES:
        raise QuanvolveError(
            f"`n_layers` (={n_layers}) on {wires} qubits and {n_inputs} inputs make more than {MOST_GATES} gates: use "
            "fewer layers"
        )


def _widest(circuit: str, encoding: str, readout: str) -> tuple[int, str]:
    """The most qubits on which a combination can run, and what sets this limit."""
    entry, measured = ENCODINGS[encoding], READOUTS[readout]
    general = "polynomial" not in entry.plans
    if readout == "probs" and ANSATZE[circuit].remaining is None:
        return _OUTCOMES, "readout='probs'"
    if measured.counts is not None:
        return STATE, f"readout={readout!r}"
    if entry.preparation is not None or (entry.pairs and circuit != "none"):
        return STATE, f"encoding={encoding!r}"
    if ANSATZE[circuit].spreads and readout != "x":  # rotations about X do nothing to it
        return (STATE, f"encoding={encoding!r}") if general else (TRAIN, f"circuit={circuit!r}")
    if readout == "popcount_expected":
        return TRAIN, f"readout={readout!r}"
    return CONES, "a circuit of any kind"


def advised(
    error: PlanError,
    circuit: object,
    readout: str,
    n_inputs: int,
    n_qubits: int | None,
    n_layers: int,
    noise: object,
    shots: object,
) -> PlanError:
    """The error, with what would fit where no plan can run a named circuit."""
    if not isinstance(circuit, str) or not isinstance(error, NoPlanError):
        return error
    if n_qubits is not None:
        return NoPlanError(f"{error}; or choose a smaller `n_qubits`, or leave it out")
    most = STATE if shots is None else _SHOTS if noise is None else _NOISY_SHOTS
    others = fitting(circuit, readout, n_inputs, n_layers, most)
    return NoPlanError(f"{error}; with fewer qubits: {' or '.join(others)}") if others else error


def fitting(circuit: str, readout: str, n_inputs: int, n_layers: int, most: int) -> list[str]:
    """The encodings, as arguments, with which a named circuit has at most so many qubits and so a plan.

    Examples:
        >>> fitting("strongly_entangling", "z", 784, 2, 16)
        ["encoding='amplitude' (10 qubits)", "encoding='reupload' with `n_qubits` of at most 16"]
    """
    most = min(most, _OUTCOMES) if readout == "probs" and ANSATZE[circuit].remaining is None else most
    arguments = []
    for name, entry in ENCODINGS.items():
        if entry.repeats and not ANSATZE[circuit].layered:
            continue
        usual = entry.usual(n_inputs)
        if usual <= most:
            arguments.append(f"encoding={name!r} ({usual} qubit{'s' * (usual > 1)})")
        elif entry.least(n_inputs) <= most and n_layers * n_inputs <= MOST_GATES:
            arguments.append(f"encoding={name!r} with `n_qubits` of at most {most}")
    return arguments
