"""How each call is made with curl and in Python: parts of the OpenAPI file, which the tests run.

What a call needs beside its path stands at the call itself, as `**sampled(...)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

IMAGE = [[0, 0, 0.3, 0.8, 0.6, 0.1, 0, 0], [0, 0, 0.8, 0.9, 0.6, 0.9, 0.3, 0], [0, 0.2, 0.9, 0.1, 0, 0.7, 0.5, 0],
          [0, 0.3, 0.8, 0, 0, 0.5, 0.5, 0], [0, 0.3, 0.5, 0, 0, 0.6, 0.5, 0], [0, 0.3, 0.7, 0, 0.1, 0.8, 0.4, 0],
          [0, 0.1, 0.9, 0.3, 0.6, 0.8, 0, 0], [0, 0, 0.4, 0.8, 0.6, 0, 0, 0]]  # fmt: skip
"""A digit."""
_KEY = "x-sample"
_IDS = ("model", "job", "data", "look")
"""Of things that the reader has made: variables of the shell and of Python."""


class Sample(NamedTuple):
    """What a call is made with.

    Args:
        method: of HTTP, in small letters.
        path: with names in braces.
        values: of those names that are not put in by the shell or by Python.
        body: what is sent as JSON.
        files: whether a file is sent.
        saved: the file that the answer goes to.
        media: the type of the answer.
    """

    method: str
    path: str
    values: Mapping[str, str] = MappingProxyType({})
    body: Any = None
    files: bool = False
    saved: str | None = None
    media: str = "application/json"

    def filled(self, before: str, after: str) -> str:
        """The path, with its other names in the form of a shell or of Python."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return self.values.get(name, f"{before}{name.upper() if before == '$' else name}{after}")

        return re.sub(r"\{(\w+)\}", value, self.path)


def sampled(
    *, body: Any = None, files: bool = False, saved: str | None = None, form: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Further arguments of a route: what an example of it sends, and the file that its answer goes to.

    Args:
        body: what is sent as JSON.
        files: whether a file is sent.
        saved: the name of a file.
        form: the schema of a form that the route reads by itself.
    """
    extra: dict[str, Any] = {_KEY: {"body": body, "files": files, "saved": saved}}
    if form is not None:
        extra["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return {"openapi_extra": extra}


def add_samples(openapi: dict[str, Any], token: bool) -> None:
    """Put examples into an OpenAPI description, as its extension x-codeSamples.

    Args:
        openapi: changed in place.
        token: whether they must send one.
    """
    for path, calls in openapi["paths"].items():
        for method, call in calls.items():
            values = {p["name"]: str(p["schema"]["examples"][0]) for p in call.get("parameters", ()) if _has_example(p)}
            answers = call["responses"].get("200", {}).get("content", {"application/json": {}})
            sample = Sample(method, path, values, media=next(iter(answers)))._replace(**call.pop(_KEY, {}))
            call["x-codeSamples"] = [
                {"lang": "Shell", "label": "curl", "source": curl(sample, token)},
                {"lang": "Python", "label": "Python", "source": python(sample, token)},
            ]


def _has_example(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "path" and parameter["name"] not in _IDS and bool(parameter["schema"].get("examples"))


def curl(sample: Sample, token: bool = False) -> str:
    """The call for a shell in which STUDIO is the address, and MODEL, JOB, DATA and LOOK are ids.

    Examples:
        >>> print(curl(Sample("get", "/api/v1/models/{model}")))
        curl -sS --fail-with-body "$STUDIO/api/v1/models/$MODEL"
    """
    parts = ["curl -sS --fail-with-body"]
    if sample.method != "get":
        parts.append(f"-X {sample.method.upper()}")
    if token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if sample.body is not None:
        parts.append(f"-H 'Content-Type: application/json' -d '{json.dumps(sample.body, separators=(',', ':'))}'")
    if sample.files:
        parts.append("-F files=@drawing.png")
    if sample.saved is not None:
        parts.append(f"-o {sample.saved}")
    if sample.media == "text/event-stream":
        parts.append("-N")
    return " ".join([*parts, f'"$STUDIO{sample.filled("$", "")}"'])


def python(sample: Sample, token: bool = False) -> str:
    """The call in Python with the package requests.

    Examples:
        >>> print(python(Sample("get", "/healthz")))
        import requests
        <BLANKLINE>
        answer = requests.get(f"{studio}/healthz", timeout=60)
        answer.raise_for_status()
        print(answer.json())
    """
    lines = ["import requests", ""]
    options = ["timeout=60"]
    streams = sample.media == "text/event-stream"
    if token:
        options.insert(0, 'headers={"Authorization": f"Bearer {token}"}')
    if sample.body is not None:
        lines.append(f"body = {sample.body!r}".replace("'", '"'))
        options.insert(0, "json=body")
    if streams:
        options.insert(0, "stream=True")
    call = f'requests.{sample.method}(f"{{studio}}{sample.filled("{", "}")}", '
    if sample.files:
        lines.append('with open("drawing.png", "rb") as file:')
        options.insert(0, 'files={"files": file}')
        lines.append(f"    answer = {call}{', '.join(options)})")
    else:
        lines.append(f"answer = {call}{', '.join(options)})")
    lines.append("answer.raise_for_status()")
    if sample.saved is not None:
        lines += [f'with open("{sample.saved}", "wb") as file:', "    file.write(answer.content)"]
    elif streams:
        lines += ["for line in answer.iter_lines():", "    print(line.decode())"]
    elif sample.media.startswith("text/plain"):
        lines.append("print(answer.text)")
    elif sample.method != "delete":
        lines.append("print(answer.json())")
    return "\n".join(lines)
