"""Options of commands: in one form, and those of the layer from its signature."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from quanvolve._options import Option, count_or_word, layer_options, model_options

DATA, MODEL, TRAINING, MORE = "Data and output", "Model", "Training", "More about the layer"
_Command = TypeVar("_Command", bound=Callable[..., None])
_Class = TypeVar("_Class", bound=type)


def option(
    name: str,
    help: str,
    panel: str,
    metavar: str | None = "N",
    *,
    min: float | None = None,
    max: float | None = None,
    parser: Callable[[Any], Any] | None = None,
) -> Any:
    """An option in the common form, with a word for its value in place of a type."""
    return typer.Option(name, help=help, rich_help_panel=panel, metavar=metavar, min=min, max=max, parser=parser)


def spelling(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def of_layer(name: str) -> Any:
    """The option that sets an argument of the layer; what it says comes from the layer's signature."""
    return _shown(layer_options()[name])


def _shown(own: Option) -> Any:
    panel = MODEL if own.usual else MORE
    if own.name == "trainable":
        return option("--trainable/--fixed", own.help, panel, None)
    if "bool" in own.kinds:
        return option(f"{spelling(own.word)}/--no-{own.word.replace('_', '-')}", own.help, panel, None)
    if own.kinds == ("int", "str"):
        return option(spelling(own.word), own.help, panel, "N or NAME", parser=count_or_word)
    metavar = {"int": "N", "float": "X", "noise": "NAME=P"}.get(own.kinds[0], "NAME")
    return option(spelling(own.word), own.help, panel, metavar, min=own.least)


def _type_of(own: Option) -> Any:
    """The type of an option's value, as runs keep it."""
    kinds: list[Any] = [{"int": int, "float": float, "bool": bool}.get(kind, str) for kind in own.kinds]
    kind = kinds[0]
    for more in [*kinds[1:], *([types.NoneType] if own.optional else [])]:
        kind = kind | more
    return kind


def layer_fields() -> dict[str, tuple[Any, Any]]:
    """The annotation and the default of every option of the layer that can be typed, by its word."""
    typed = [own for own in model_options().values() if own.plain]
    return {
        own.word: (Annotated[_type_of(own), _shown(own)], own.default)
        for own in sorted(typed, key=lambda own: own.place)
    }


def with_layer(kind: _Class) -> _Class:
    """Give a class the layer's options as fields, where it has no field with that name."""
    own = kind.__annotations__
    for word, (annotation, default) in layer_fields().items():
        if word not in own:
            own[word] = annotation
            setattr(kind, word, default)
    return kind


def asks(kind: type[Any] | None = None) -> Callable[[_Command], _Command]:
    """Let a command with `**chosen` have an option for each field of a class, or of the layer, that it does not name.

    Args:
        kind: a class whose fields are options; the options of the layer if not given.
    """

    def asking(command: _Command) -> _Command:
        if kind is None:
            more = layer_fields()
        else:
            hints = get_type_hints(kind, include_extras=True)
            more = {field.name: (hints[field.name], field.default) for field in fields(kind)}
        own = inspect.signature(command, eval_str=True)
        named = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_typeable(annotation))
            for name, (annotation, default) in more.items()
            if name not in own.parameters
        ]
        command.__signature__ = own.replace(parameters=[*named, *added])  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in (*named, *added)}
        return command

    return asking


def _typeable(annotation: Any) -> Any:
    """The annotation as Typer takes it, which knows no values of several types but reads any by a parser."""
    _, info = get_args(annotation)
    return annotation if info.parser is None else Annotated[str, info]


def typed(ctx: typer.Context, name: str) -> bool:
    """Whether an option was typed, and is not its default."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
