"""The door: who may ask, from which page, for how much and how long; and what every answer carries for its safety."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quanvolve.studio._meters import Meters
from quanvolve.studio._paths import streamed, with_images
from quanvolve.studio._problems import problem
from quanvolve.studio._settings import Settings, is_loopback
from quanvolve.studio._tokens import Tokens
from quanvolve.studio._wanted import asked_by

COOKIE = "quanvolve_token"
_OPEN = ("/healthz", "/login", "/static/")  # of a studio that asks for a token
_AROUND = 2**20  # bytes of a request with data that are not data: names of files
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class TooLarge(Exception):
    """A request with more bytes than are taken."""


class Guard:
    """Middleware around the whole app.

    Args:
        app: what is inside.
        settings: whom to let in.
        tokens: of those who may enter, when others than this machine's users could.
        meters: told of every request.
    """

    def __init__(self, app: ASGIApp, settings: Settings, tokens: Tokens, meters: Meters) -> None:
        self._app, self._settings, self._tokens, self._meters = app, settings, tokens, meters
        self._hosts = {settings.host.lower(), *map(str.lower, settings.allowed_hosts)}
        self._origins = set(map(str.lower, settings.allowed_origins))
        self._held = 0  # bytes of all requests that are being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        began, status, method, over = time.perf_counter(), 500, scope["method"], False
        if method == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}

        async def sending(message: Message) -> None:
            nonlocal status, over
            if over:
                return
            if method == "HEAD" and message["type"] == "http.response.body":
                over, message = True, {"type": "http.response.body"}
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                self._allow_origin(scope, headers)
                route = getattr(scope.get("route"), "path", "")
                self._meters.seconds.labels(route).observe(time.perf_counter() - began)
                self._meters.requests.labels(method, route, str(status)).inc()
            await send(message)

        refusal = await self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        await self._limited(scope, receive, sending)

    async def _refusal(self, scope: Scope) -> Any:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = _host(hosts[0]) if len(hosts) == 1 else ""
        if not self._host_allowed(host):
            return problem(421, "host", f"this studio is not {host[:100]!r}: start it with --allow-host {host[:100]}")
        origin = _origin(headers)
        if origin is not None and not self._origin_allowed(scope, headers, origin):
            return problem(403, "origin", f"pages of {origin[:100]} may not use this studio (see --allow-origin)")
        if origin in self._origins and scope["method"] == "OPTIONS":
            return Response(status_code=204)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 19) or int(length) > self._most(scope):
            return self._too_large(scope)
        path = scope["path"]
        if self._settings.open_to_others and not path.startswith(_OPEN):
            token = token_of(headers)
            if token is None or not await run_in_threadpool(self._tokens.valid, token):
                if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
                    return RedirectResponse("/login", 303)
                answer = problem(401, "token", "a token is needed: send it as `Authorization: Bearer TOKEN`")
                answer.headers["www-authenticate"] = "Bearer"
                return answer
        return None

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits, most = self._settings.limits, self._most(scope)
        kept = not streamed(scope["path"])  # in memory, until it is answered
        held = 0
        got, came, began, started = 0, 0, time.monotonic(), False
        broken: Any = None  # the answer to a request whose body is not taken, whatever the app makes of that

        async def receiving() -> Message:
            nonlocal got, came, held, broken
            if got < 0:
                return await receive()
            seconds = limits.seconds if kept else limits.seconds + came / limits.slowest
            try:
                async with asyncio.timeout(max(0.01, began + seconds - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                broken = problem(408, "slow", f"the request did not arrive within {seconds:g} s")
                raise
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                got += size
                came += size
                if got > most:
                    broken = self._too_large(scope)
                    raise TooLarge
                if kept and self._held + size > limits.held_bytes:
                    broken = problem(503, "busy", "the studio is reading as much as it can hold: try again later")
                    raise TooLarge
                held += size if kept else 0
                self._held += size if kept else 0
                if not message.get("more_body", False):
                    got = -1
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if broken is None:
                started = True
                await send(message)

        asked_by(receiving)
        try:
            await self._app(scope, receiving, sending)
        except Exception:
            if broken is None:
                raise
        finally:
            self._held -= held
        if broken is not None and not started:
            await broken(scope, receive, send)

    def _most(self, scope: Scope) -> int:
        limits, path = self._settings.limits, scope["path"]
        if streamed(path):
            return limits.set_bytes + _AROUND
        return limits.body_bytes if with_images(path) else min(limits.form_bytes, limits.body_bytes)

    def _too_large(self, scope: Scope) -> Any:
        path = scope["path"]
        what = "images go to other paths"
        if streamed(path):
            what = "use less data, or train on the machine of the studio"
        elif with_images(path):
            what = "send fewer images at a time"
        return problem(413, "large", f"a request may have {self._most(scope):,} bytes: {what}")

    def _host_allowed(self, host: str) -> bool:
        if self._settings.host in ("0.0.0.0", "::") and _is_address(host):
            return True  # names could lead here by a trick of the name server, addresses cannot
        return is_loopback(host) or host in self._hosts

    def _origin_allowed(self, scope: Scope, headers: Headers, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, _, place = origin.partition("://")
        return scheme in ("http", "https") and place == headers.get("host", "").lower()

    def _allow_origin(self, scope: Scope, headers: MutableHeaders) -> None:
        origin = _origin(Headers(scope=scope))
        if origin in self._origins:
            headers["access-control-allow-origin"] = str(origin)
            headers["access-control-allow-methods"] = "GET, POST, PATCH, DELETE"
            headers["access-control-allow-headers"] = "Authorization, Content-Type, Last-Event-ID"
            headers["access-control-max-age"] = "600"
            headers["cross-origin-resource-policy"] = "cross-origin"
            headers.add_vary_header("Origin")


def token_of(headers: Headers) -> str | None:
    """The token of a request: from its Authorization, else from the cookie of the login page."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value.strip():
        return value.strip()
    # Other programs of this machine set cookies for the same name, in any form: ours is looked for, and no more.
    for header in headers.getlist("cookie"):
        for cookie in header.split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == COOKIE and value:
                return value.strip('"')
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _origin(headers: Headers) -> str | None:
    origin = headers.get("origin")
    return None if origin is None else origin.lower()


def _host(header: str) -> str:
    """A host without its port, in lower case; empty if it is none."""
    if header.startswith("["):
        host, end, port = header[1:].partition("]")
        return host.lower() if end and (not port or port.startswith(":")) else ""
    return (header.rpartition(":")[0] if header.count(":") == 1 else header).lower()
