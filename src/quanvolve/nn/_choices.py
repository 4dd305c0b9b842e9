"""The values that some options of a layer are chosen from."""

from __future__ import annotations

from collections.abc import Iterable

from quanvolve._options import layer_options
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS
from quanvolve.compile import PLANS
from quanvolve.nn._apply import DIFF_METHODS, MIXINGS
from quanvolve.nn._filters import INITS
from quanvolve.nn._geometry import MODES

_TABLES: dict[str, Iterable[str]] = {
    "circuit": ANSATZE,
    "encoding": ENCODINGS,
    "readout": READOUTS,
    "channel_mixing": MIXINGS,
    "padding_mode": MODES,
    "init": INITS,
    "engine": PLANS,
    "diff_method": DIFF_METHODS,
}
"""Tables that are filled elsewhere; of an annotation with `Literal` the choices are known from the signature."""


def choices_of(name: str) -> tuple[str, ...]:
    """The values that an option of the layer is chosen from by name; none where it is something else.

    Examples:
        >>> choices_of("padding_mode")
        ('zeros', 'reflect', 'replicate', 'circular')
    """
    first = ("auto",) if name == "engine" else ()
    return layer_options()[name].choices or (*first, *_TABLES.get(name, ()))
