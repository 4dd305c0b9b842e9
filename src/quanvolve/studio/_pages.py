"""The pages that people see: the studio, the reference of its API, and the door."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from quanvolve.report import rendered
from quanvolve.studio._guard import COOKIE
from quanvolve.studio._studio import Use

PAGE = Path(__file__).with_name("page")
_TEMPLATES = Path(__file__).with_name("templates")
_METHODS = ("get", "post", "patch", "delete")
router = APIRouter(include_in_schema=False)


@router.get("/")
def page() -> Response:
    """The studio."""
    return FileResponse(PAGE / "index.html", media_type="text/html", headers={"cache-control": "no-cache"})


@router.get("/docs")
def docs(request: Request) -> Response:
    """The reference of the API, made from its OpenAPI file; it needs no network and no scripts."""
    return HTMLResponse(rendered("reference.html", _TEMPLATES, **_reference(request.app.openapi())))


@router.get("/login")
def login() -> Response:
    """Ask for the token."""
    return HTMLResponse(rendered("login.html", _TEMPLATES, wrong=False))


@router.post("/login")
def enter(studio: Use, request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Let in those who have a token, and remember it in a cookie that scripts cannot read."""
    if not studio.tokens.valid(token.strip()):
        return HTMLResponse(rendered("login.html", _TEMPLATES, wrong=True), 401)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    answer.set_cookie(
        COOKIE, token.strip(), max_age=30 * 86400, httponly=True, samesite="strict", secure=secure
    )  # fmt: skip
    return answer


def _reference(openapi: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in openapi["tags"]}
    for path, calls in openapi["paths"].items():
        for method in _METHODS:
            if method in calls:
                call = calls[method]
                body = call.get("requestBody", {}).get("content", {})
                groups[call["tags"][0]].append({
                    "id": call["operationId"], "method": method.upper(), "path": path,
                    "text": call.get("description", ""), "parameters": call.get("parameters", []),
                    "body": [row for media in body.values() for row in _fields(media["schema"], openapi)],
                    "media": list(body), "answers": _answers(call, openapi), "samples": call["x-codeSamples"],
                })  # fmt: skip
    return {"groups": groups, "version": openapi["info"]["version"], "about": openapi["info"]["description"],
            "token": "security" in openapi}  # fmt: skip


def _resolved(schema: dict[str, Any], openapi: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return openapi["components"]["schemas"][name] if name else schema


def _fields(schema: dict[str, Any], openapi: dict[str, Any]) -> list[dict[str, Any]]:
    """The values of an object; of several kinds of objects, one after the other."""
    schema = _resolved(schema, openapi)
    if "oneOf" in schema:
        return [row for variant in schema["oneOf"] for row in _fields(variant, openapi)]
    rows: list[dict[str, Any]] = []
    if "title" in schema and "description" in schema:
        rows.append({"heading": schema["description"]})
    for name, value in schema.get("properties", {}).items():
        rows.append({
            "name": name, "type": _type(value), "needed": name in schema.get("required", []),
            "default": value.get("default"), "text": value.get("description", ""),
        })  # fmt: skip
    return rows


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(variant) for variant in schema["anyOf"]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    limits = "..".join("" if limit is None else str(limit) for limit in (low, high))
    return kind if limits == ".." else f"{kind}, {limits}"


def _answers(call: dict[str, Any], openapi: dict[str, Any]) -> list[dict[str, Any]]:
    answers = []
    for status, answer in call["responses"].items():
        if status.startswith("2"):
            for media, content in answer.get("content", {"": {}}).items():
                schema = content.get("schema", {})
                item = _resolved(schema.get("items", schema), openapi)
                answers.append({"status": status, "media": media, "list": schema.get("type") == "array",
                                "fields": [row for row in _fields(item, openapi) if "name" in row]})  # fmt: skip
    return answers
