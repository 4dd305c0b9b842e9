"""The description of the API, OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from quanvolve import __version__
from quanvolve.studio._problems import MEDIA_TYPE, Problem
from quanvolve.studio._samples import add_samples
from quanvolve.studio._settings import Settings

_ABOUT = """Classify images with quantum convolutions, look into them, train models and compare them with controls.

Errors are problem details (RFC 9457) of the media type `application/problem+json`.
"""
_TAGS = ["Predictions", "Models", "Jobs", "Your data", "Data sets and circuits", "The studio"]


def describe(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The description, made once for each app."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title="quanvolve studio", version=__version__, openapi_version="3.1.0", routes=app.routes,
        summary="Quantum convolution in a web page and an API", description=_ABOUT,
        tags=[{"name": name} for name in _TAGS],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    answer = {"description": "A problem", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    document["components"]["responses"] = {"Problem": answer}
    for calls in document["paths"].values():
        for call in calls.values():
            call["responses"].pop("422", None)
            call["responses"]["4XX"] = call["responses"]["5XX"] = {"$ref": "#/components/responses/Problem"}
    if settings.open_to_others:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    add_samples(document, settings.open_to_others)
    app.openapi_schema = document
    return document
