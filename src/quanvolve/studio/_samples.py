"""How each call is made with curl and in Python: parts of the OpenAPI file, which the tests run."""

from __future__ import annotations

import json
import re
from typing import Any

from quanvolve._file_names import STUDY_REPORT
from quanvolve.runs import EXPLANATION, ONNX_MODEL

_IMAGE = [[0, 0, 0.3, 0.8, 0.6, 0.1, 0, 0], [0, 0, 0.8, 0.9, 0.6, 0.9, 0.3, 0], [0, 0.2, 0.9, 0.1, 0, 0.7, 0.5, 0],
          [0, 0.3, 0.8, 0, 0, 0.5, 0.5, 0], [0, 0.3, 0.5, 0, 0, 0.6, 0.5, 0], [0, 0.3, 0.7, 0, 0.1, 0.8, 0.4, 0],
          [0, 0.1, 0.9, 0.3, 0.6, 0.8, 0, 0], [0, 0, 0.4, 0.8, 0.6, 0, 0, 0]]  # fmt: skip
_BODIES: dict[str, Any] = {
    "predict": {"images": [_IMAGE]},
    "feature_maps": {"image": _IMAGE, "noise": 0.02, "shots": 1000},
    "rename_model": {"name": "Digits, first try"},
    "create_job": {"kind": "train", "dataset": "digits", "circuit": "basic_entangler", "epochs": 3},
}
_FILES = {"predict_files"}
_SAVED = {"onnx": ONNX_MODEL, "download": "model.zip", "explanation": EXPLANATION, "report": STUDY_REPORT,
          "circuit_picture": "circuit.svg", "model_circuit": "circuit.svg"}  # fmt: skip
_VALUES = {"name": {"samples": "digits", "circuit_picture": "strongly_entangling"}, "number": {"model_circuit": "0"}}


def add_samples(openapi: dict[str, Any], token: bool) -> None:
    """Put examples into an OpenAPI description, as its extension x-codeSamples.

    Args:
        openapi: changed in place.
        token: whether they must send one.
    """
    for path, calls in openapi["paths"].items():
        for method, call in calls.items():
            name = call["operationId"]
            call["x-codeSamples"] = [
                {"lang": "Shell", "label": "curl", "source": curl(method, path, name, token)},
                {"lang": "Python", "label": "Python", "source": python(method, path, name, token)},
            ]


def _filled(path: str, operation: str, before: str, after: str) -> str:
    def value(match: re.Match[str]) -> str:
        fixed = _VALUES.get(match[1], {}).get(operation)
        return fixed if fixed is not None else f"{before}{match[1].upper() if before == '$' else match[1]}{after}"

    return re.sub(r"\{(\w+)\}", value, path)


def curl(method: str, path: str, operation: str, token: bool = False) -> str:
    """The call for a shell in which STUDIO is the address, and MODEL and JOB are ids.

    Examples:
        >>> print(curl("get", "/api/v1/models/{model}", "model"))
        curl -sS --fail-with-body "$STUDIO/api/v1/models/$MODEL"
    """
    parts = ["curl -sS --fail-with-body"]
    if method != "get":
        parts.append(f"-X {method.upper()}")
    if token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if operation in _BODIES:
        parts.append(
            f"-H 'Content-Type: application/json' -d '{json.dumps(_BODIES[operation], separators=(',', ':'))}'"
        )
    if operation in _FILES:
        parts.append("-F files=@drawing.png")
    if operation in _SAVED:
        parts.append(f"-o {_SAVED[operation]}")
    if operation == "job_events":
        parts.append("-N")
    return " ".join([*parts, f'"$STUDIO{_filled(path, operation, "$", "")}"'])


def python(method: str, path: str, operation: str, token: bool = False) -> str:
    """The call in Python with the package requests.

    Examples:
        >>> print(python("get", "/healthz", "health"))
        import requests
        <BLANKLINE>
        answer = requests.get(f"{studio}/healthz", timeout=60)
        answer.raise_for_status()
        print(answer.json())
    """
    lines = ["import requests", ""]
    options = ["timeout=60"]
    if token:
        options.insert(0, 'headers={"Authorization": f"Bearer {token}"}')
    if operation in _BODIES:
        lines.append(f"body = {_BODIES[operation]!r}".replace("'", '"'))
        options.insert(0, "json=body")
    if operation == "job_events":
        options.insert(0, "stream=True")
    call = f'requests.{method}(f"{{studio}}{_filled(path, operation, "{", "}")}", '
    if operation in _FILES:
        lines.append('with open("drawing.png", "rb") as file:')
        options.insert(0, 'files={"files": file}')
        lines.append(f"    answer = {call}{', '.join(options)})")
    else:
        lines.append(f"answer = {call}{', '.join(options)})")
    lines.append("answer.raise_for_status()")
    if operation in _SAVED:
        lines += [f'with open("{_SAVED[operation]}", "wb") as file:', "    file.write(answer.content)"]
    elif operation == "job_events":
        lines += ["for line in answer.iter_lines():", "    print(line.decode())"]
    elif operation in ("metrics", "job_log"):
        lines.append("print(answer.text)")
    elif method != "delete":
        lines.append("print(answer.json())")
    return "\n".join(lines)
