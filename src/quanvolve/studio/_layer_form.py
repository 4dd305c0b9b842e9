"""The options of the layer as fields of a request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from quanvolve._options import Option, model_options

Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.,:=+-]+$")]

_MOST = {"layers": 8, "kernel_size": 5, "stride": 8, "qubits": 10, "shots": 100_000}
_MOST_ELSE = 64
"""The largest whole numbers that a studio takes."""

LAYER = {option.word: option for option in model_options().values() if option.plain and option.name != "trainable"}
"""The options of the layer in forms, by their names there."""


def layer_form(base: type[BaseModel], defaults: dict[str, Any]) -> type[Any]:
    """A request with a field for each option of the layer.

    Args:
        base: of the request.
        defaults: of options that the layer has none for, or another one.
    """
    fields: dict[str, Any] = {
        word: (_type_of(option), Field(defaults.get(word, option.default), description=option.help))
        for word, option in LAYER.items()
    }
    return create_model("LayerForm", __base__=base, **fields)


def _type_of(option: Option) -> Any:
    whole = Annotated[int, Field(ge=option.least, le=_MOST.get(option.word, _MOST_ELSE))]
    kinds: dict[str, Any] = {"int": whole, "float": float, "bool": bool, "str": Word, "noise": _Text}
    kinds["str"] = _Text if option.name == "engine" else Word
    annotation = kinds[option.kinds[0]]
    for kind in option.kinds[1:]:
        annotation = annotation | kinds[kind]
    return annotation | None if option.optional else annotation
