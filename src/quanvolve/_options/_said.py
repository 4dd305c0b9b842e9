"""What a user is told of an option, wherever it is asked for: its help line, where it stands, and its range."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from quanvolve._options._option import Option
from quanvolve._options._signature import layer_options, model_options
from quanvolve._options._values import count_or_word

DATA, MODEL, TRAINING, MORE = "Data and output", "Model", "Training", "More about the layer"
_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True)
class Said:
    """An option in words.

    Args:
        help: what it is, in a line.
        panel: the heading that it stands under.
        metavar: a word for its value; None for switches, which have none.
        least, most: its range.
        parser: reads values that may be of several types.
        off: what the opposite of a switch is called, where it is not "no" and its name.
    """

    help: str
    panel: str
    metavar: str | None = "N"
    least: float | None = None
    most: float | None = None
    parser: Callable[[Any], Any] | None = None
    off: str | None = None


def of_layer(name: str) -> Said:
    """What is said of an argument of the layer, which comes from the layer's signature.

    Examples:
        >>> of_layer("stride").panel
        'Model'
    """
    return said(layer_options()[name])


def said(option: Option) -> Said:
    """What is said of an option of the layer."""
    panel = MODEL if option.usual else MORE
    if "bool" in option.kinds:
        return Said(option.help, panel, None, off="fixed" if option.name == "trainable" else None)
    if option.kinds == ("int", "str"):
        return Said(option.help, panel, "N or NAME", parser=count_or_word)
    metavar = {"int": "N", "float": "X", "noise": "NAME=P"}.get(option.kinds[0], "NAME")
    return Said(option.help, panel, metavar, option.least)


def layer_fields() -> dict[str, tuple[Any, Any]]:
    """The annotation and the default of every option of the layer that can be typed, by its word."""
    typed = [option for option in model_options().values() if option.plain]
    return {
        option.word: (Annotated[_type_of(option), said(option)], option.default)
        for option in sorted(typed, key=lambda option: option.place)
    }


def _type_of(option: Option) -> Any:
    """The type of an option's value, as runs keep it."""
    kinds: list[Any] = [{"int": int, "float": float, "bool": bool}.get(kind, str) for kind in option.kinds]
    kind = kinds[0]
    for more in [*kinds[1:], *([types.NoneType] if option.optional else [])]:
        kind = kind | more
    return kind


def with_layer(kind: _Class) -> _Class:
    """Give a class the layer's options as fields, where it has no field with that name."""
    annotations = kind.__annotations__
    for word, (annotation, default) in layer_fields().items():
        if word not in annotations:
            annotations[word] = annotation
            setattr(kind, word, default)
    return kind
