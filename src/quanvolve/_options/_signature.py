"""Reading the layer's signature from its source: importing the layer takes seconds, a help text may not."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from functools import lru_cache
from typing import Any

from quanvolve._options._option import Option, words_in

_SOURCE, _CLASS = "nn/_quanv.py", "QuanvNd"

ELSEWHERE = ("in_channels", "out_channels", "device", "dtype", "seed", "weights")
"""Arguments of the layer that a model has from its data, its filters or its own `device` and `random_state`."""


@lru_cache(maxsize=1)
def layer_options() -> dict[str, Option]:
    """The arguments of the layer by name, in the order of its signature.

    Examples:
        >>> found = layer_options()["n_layers"]
        >>> found.default, found.kinds, found.word, found.least, found.help
        (2, ('int',), 'layers', 1, 'Layers of the circuit.')
    """
    made = _constructor()
    words = words_in(ast.get_docstring(made) or "")
    options = {}
    for parameter in _parameters(made):
        text, needs = words.get(parameter.name, ("", None))
        options[parameter.name] = Option(parameter.name, parameter.default, parameter.annotation, text, needs)
    return options


def model_options() -> dict[str, Option]:
    """The options of the layer that models of all kinds have: all but those in :data:`ELSEWHERE`."""
    return {name: option for name, option in layer_options().items() if name not in ELSEWHERE}


def layer_signature() -> inspect.Signature:
    """The layer's signature, with `self`."""
    return inspect.Signature([inspect.Parameter("self", _POSITIONAL), *_parameters(_constructor())])


_POSITIONAL, _KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


@lru_cache(maxsize=1)
def _constructor() -> ast.FunctionDef:
    source = pkgutil.get_data("quanvolve", _SOURCE) or b""
    (layer,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == _CLASS)
    (made,) = (node for node in layer.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    return made


def _parameters(made: ast.FunctionDef) -> list[inspect.Parameter]:
    arguments = made.args
    missing = [None] * (len(arguments.args) - len(arguments.defaults))
    positional = list(zip(arguments.args, [*missing, *arguments.defaults], strict=True))[1:]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [
        *(_parameter(argument, default, _POSITIONAL) for argument, default in positional),
        *(_parameter(argument, default, _KEYWORD) for argument, default in named),
    ]


def _parameter(argument: ast.arg, default: ast.expr | None, kind: Any) -> inspect.Parameter:
    value = inspect.Parameter.empty if default is None else ast.literal_eval(default)
    annotation = "" if argument.annotation is None else ast.unparse(argument.annotation)
    return inspect.Parameter(argument.arg, kind, default=value, annotation=annotation)
