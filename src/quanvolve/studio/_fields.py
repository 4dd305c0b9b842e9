"""The forms of the page: what can be chosen, from what requests may hold."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from quanvolve.nn import BACKBONES, choices_of
from quanvolve.runs import OF_DATA
from quanvolve.studio._forms import CompareRequest, FormField, LookRequest, TrainRequest
from quanvolve.studio._layer_form import LAYER
from quanvolve.studio._option_form import OF_TRAINING, said_of

_RARE = ("batch_size", "test_size", "loss", "monitor")
"""Fields beside those of the layer that stand further down."""


def forms() -> dict[str, list[FormField]]:
    """The fields of each form, those that come first first."""
    return {"train": _fields(TrainRequest), "compare": _fields(CompareRequest), "look": _fields(LookRequest)}


def _fields(request: type[BaseModel]) -> list[FormField]:
    schema = request.model_json_schema()["properties"]
    fields = [_field(name, entry) for name, entry in schema.items() if name not in ("kind", "controls")]
    return sorted(fields, key=lambda field: (field.more, _place(field.name)))


def _place(name: str) -> int:
    """Data first, then the usual options of the layer in their order, then the others, and the name last."""
    last = 1 + max(option.place for option in LAYER.values())
    return -1 if name == "dataset" else LAYER[name].place if name in LAYER else last + (name == "name")


def _field(name: str, schema: dict[str, Any]) -> FormField:
    """A field from its description in JSON schema, and from the layer's signature where it is of the layer."""
    option = LAYER.get(name)
    variants = [variant for variant in schema.get("anyOf", [schema]) if variant.get("type") != "null"]
    first = variants[0]
    many = first.get("type") == "array"
    item = first["items"] if many else first
    choices = _choices(name, item)
    numeric = len(variants) == 1 and item.get("type") in ("integer", "number")
    default = schema.get("default")
    return FormField(
        name=name,
        kind="choice" if choices else "switch" if item.get("type") == "boolean" else "number" if numeric else "text",
        default=default[0] if many and default else default,
        help=option.help if option is not None else said_of(name).help if name in (*OF_DATA, *OF_TRAINING) else "",
        choices=choices,
        least=item.get("minimum", item.get("exclusiveMinimum")) if numeric else None,
        most=item.get("maximum") if numeric else None,
        whole=item.get("type") == "integer",
        many=many,
        more=name in _RARE or (option is not None and not option.usual),
        needs=None if option is None else option.needs,
        own=name in OF_DATA,
    )


def _choices(name: str, schema: dict[str, Any]) -> list[str]:
    if name == "backbone":
        return list(BACKBONES)
    if name in LAYER:
        return list(choices_of(LAYER[name].name))
    return list(schema.get("enum", [schema["const"]] if "const" in schema else ()))
