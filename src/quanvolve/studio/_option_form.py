"""Options of the command line as fields of a request: what a person says of data, and what is said of training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from itertools import chain
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, Field, create_model

from quanvolve._options import Said
from quanvolve.data import CHANNELS, COLUMNS, FITS, TASKS
from quanvolve.estimators import LOSSES_OF, MONITORS_OF
from quanvolve.runs import OF_DATA, TrainOptions

CHOICES: dict[str, tuple[str, ...]] = {
    "fit": FITS,
    "columns": COLUMNS,
    "channels": CHANNELS,
    "task": TASKS,
    "class_weight": ("balanced",),
    "loss": tuple(dict.fromkeys(chain(*LOSSES_OF.values()))),
    "monitor": tuple(dict.fromkeys(chain(*MONITORS_OF.values()))),
}
"""The words of those options that are one of a few."""
OF_TRAINING = ("class_weight", "loss", "monitor")
"""Options of training that forms have beside those of their own."""
_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Size = Annotated[str, Field(min_length=1, max_length=9, pattern=r"^[0-9]+(x[0-9]+)?$")]
_MOST = 4096
_HINTS = get_type_hints(TrainOptions, include_extras=True)
DEFAULTS = {field.name: field.default for field in fields(TrainOptions)}


def said_of(name: str) -> Said:
    """What users are told of an option.

    Examples:
        >>> said_of("label").help
        'The column that holds the labels, where there is a choice.'
    """
    said: Said = get_args(_HINTS[name])[1]
    return said


def option_form(base: type[BaseModel], names: Iterable[str] = OF_DATA) -> type[Any]:
    """A request with a field for each of these options.

    Args:
        base: of the request.
        names: of options of `quanvolve train`.
    """
    made: dict[str, Any] = {
        name: (_type_of(name), Field(DEFAULTS[name], description=said_of(name).help)) for name in names
    }
    return create_model("OptionForm", __base__=base, **made)


def _type_of(name: str) -> Any:
    kinds = get_args(get_args(_HINTS[name])[0]) or (get_args(_HINTS[name])[0],)
    if name in CHOICES:
        kind: Any = Literal[CHOICES[name]]
    elif bool in kinds:
        kind = bool
    elif int in kinds:
        kind = Annotated[int, Field(ge=1, le=_MOST)] | _Size
    else:
        kind = _Text
    return kind | None if type(None) in kinds else kind
