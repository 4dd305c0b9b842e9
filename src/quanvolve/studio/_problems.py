"""What can go wrong, as answers: problem details in JSON.

References:
    RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount

from quanvolve._errors import QuanvolveError

_LONGEST = 300  # characters of a sentence that may quote a request
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MEDIA_TYPE = "application/problem+json"
_logger = logging.getLogger("quanvolve.studio")


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Which kind of problem, as a fragment of the documentation.", examples=["#missing"])
    title: str = Field(description="The kind in words.", examples=["Not Found"])
    status: int = Field(description="The status code.", examples=[404])
    detail: str = Field(description="What was given, what was expected, what to do.")
    errors: list[dict[str, Any]] | None = Field(None, description="Where in the request, for each value that is wrong.")


class Refused(HTTPException):
    """A request that is answered with a problem, wherever it is raised.

    Args:
        status: the status code.
        kind: a short name of the problem.
        detail: a sentence.
        retry: seconds after which to ask again, told in the header Retry-After.
        errors: what is wrong with each part of the request, where several are.
    """

    def __init__(
        self, status: int, kind: str, detail: str, retry: int | None = None, errors: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status, self.kind, self.detail, self.retry, self.errors = status, kind, detail, retry, errors


class Missing(Refused):
    """Something with a name that is not there."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(404, "missing", f"there is no {what} {name!r} here")


def problem(status: int, kind: str, detail: str, errors: list[dict[str, Any]] | None = None) -> JSONResponse:
    """The answer to a request that went wrong."""
    content: dict[str, Any] = {
        "type": f"/docs#{kind}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
    }  # fmt: skip
    if errors is not None:
        content["errors"] = errors
    return JSONResponse(content, status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let the app answer every kind of error with a problem."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        answer = problem(error.status, error.kind, error.detail, error.errors)
        if error.retry is not None:
            answer.headers["retry-after"] = str(error.retry)
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"where": "/".join(map(str, entry["loc"])), "what": entry["msg"], "kind": entry["type"]}
            for entry in error.errors()
        ]
        errors = [{name: text[:_LONGEST] for name, text in entry.items()} for entry in errors[:20]]
        first = errors[0] if errors else {"where": "the request", "what": "it is not valid"}
        return problem(422, "invalid", f"{first['where']}: {first['what']}", jsonable_encoder(errors))

    @app.exception_handler(AnyHTTPException)
    async def http(request: Request, error: AnyHTTPException) -> Response:
        if error.status_code == 405:
            return method_problem(request)
        kind = {404: "missing", 400: "invalid"}.get(error.status_code, "http")
        answer = problem(error.status_code, kind, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(QuanvolveError)
    async def ours(_: Request, error: QuanvolveError) -> JSONResponse:
        return problem(422, "invalid", str(error))

    @app.exception_handler(OSError)
    async def disk(_: Request, error: OSError) -> JSONResponse:
        _logger.error("%s", error)
        return storage_problem(error)

    @app.exception_handler(DBAPIError)
    async def database(_: Request, error: DBAPIError) -> JSONResponse:
        _logger.error("%s", error)
        text = str(error.orig)
        full = "disk is full" in text or "No space left" in text
        detail = "the disk of the studio is full" if full else "the database of the studio cannot be written or reached"
        return problem(507 if full else 503, "storage", f"{detail}; nothing was changed")

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        return problem(500, "internal", f"an error of the studio itself ({type(error).__name__}); its log has more")


def method_problem(request: Request) -> Response:
    """The answer to a method that a path does not have: those it has, also to the question for them."""
    scope, methods = request.scope, {"OPTIONS"}
    for method in _METHODS:
        asked = {"type": "http", "method": method, "path": scope["path"], "headers": [], "query_string": b""}
        # What is mounted are files, which can be read only.
        routes = [route for route in request.app.routes if method == "GET" or not isinstance(route, Mount)]
        if any(route.matches(asked)[0] is Match.FULL for route in routes):
            methods |= {method, "HEAD"} if method == "GET" else {method}
    allow = {"allow": ", ".join(sorted(methods))}
    if scope["method"] == "OPTIONS":
        return Response(status_code=204, headers=allow)
    answer = problem(405, "method", f"this path has {allow['allow']}, not {scope['method']}")
    answer.headers.update(allow)
    return answer


def storage_problem(error: OSError) -> JSONResponse:
    """The answer where a file could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return problem(507, "storage", "the disk of the studio is full; nothing was changed")
    return problem(503, "storage", f"the folder of the studio cannot be used: {error.strerror}; nothing was changed")
