"""Options of commands: in one form, and those that a class or the layer has, from what is said of them there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from quanvolve._options import DATA as DATA
from quanvolve._options import MODEL as MODEL
from quanvolve._options import TRAINING as TRAINING
from quanvolve._options import Said, layer_fields, layer_options, said

_Command = TypeVar("_Command", bound=Callable[..., None])


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
    layer_option = layer_options()[name]
    return _typed_as(layer_option.word, said(layer_option))


def _typed_as(name: str, info: Said) -> Any:
    """An option that is said elsewhere, as it is typed."""
    typed_name = spelling(name)
    if info.metavar is None:
        typed_name += f"/{spelling(info.off or f'no_{name}')}"
    return option(
        typed_name, info.help, info.panel, info.metavar, min=info.least, max=info.most, parser=info.parser
    )  # fmt: skip


def asks(kind: type[Any] | None = None) -> Callable[[_Command], _Command]:
    """Let a command with `**chosen` have an option for each field of a class, or of the layer, that it does not name.

    Args:
        kind: a class whose fields are annotated with what is said of them; the options of the layer if not given.
    """

    def asking(command: _Command) -> _Command:
        if kind is None:
            more = layer_fields()
        else:
            hints = get_type_hints(kind, include_extras=True)
            more = {field.name: (hints[field.name], field.default) for field in fields(kind)}
        signature = inspect.signature(command, eval_str=True)
        named = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        added = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_typeable(name, annotation)
            )
            for name, (annotation, default) in more.items()
            if name not in signature.parameters
        ]
        command.__signature__ = signature.replace(parameters=[*named, *added])  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in (*named, *added)}
        return command

    return asking


def _typeable(name: str, annotation: Any) -> Any:
    """The annotation as Typer takes it, which knows no values of several types but reads any by a parser."""
    type_, info = get_args(annotation)
    return Annotated[str if info.parser is not None else type_, _typed_as(name, info)]


def typed(ctx: typer.Context, name: str) -> bool:
    """Whether an option was typed, and is not its default."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
