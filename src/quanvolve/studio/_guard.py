"""The door: who may ask, from which page, for how much and how long; and what every answer carries for its safety."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quanvolve.studio._meters import Meters
from quanvolve.studio._problems import problem
from quanvolve.studio._settings import Settings, is_loopback
from quanvolve.studio._tokens import Tokens

COOKIE = "quanvolve_token"
_OPEN = ("/healthz", "/login", "/static/")  # of a studio that asks for a token
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                self._allow_origin(scope, headers)
                route = getattr(scope.get("route"), "path", "")
                self._meters.seconds.labels(route).observe(time.perf_counter() - began)
                self._meters.requests.labels(scope["method"], route, str(status)).inc()
            await send(message)

        refusal = await self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        await self._limited(scope, receive, sending)

    async def _refusal(self, scope: Scope) -> Any:
        headers = Headers(scope=scope)
        host = _host(headers.get("host", ""))
        if not self._host_allowed(host):
            return problem(421, "host", f"this studio is not {host[:100]!r}: start it with --allow-host {host[:100]}")
        origin = headers.get("origin")
        if origin is not None and not self._origin_allowed(scope, headers, origin):
            return problem(403, "origin", f"pages of {origin[:100]} may not use this studio (see --allow-origin)")
        if origin in self._settings.allowed_origins and scope["method"] == "OPTIONS":
            return Response(status_code=204)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._settings.limits.body_bytes:
            return self._too_large()
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
        limits = self._settings.limits
        got, deadline, started = 0, time.monotonic() + limits.seconds, False
        broken: Any = None  # the answer to a request whose body is not taken, whatever the app makes of that

        async def receiving() -> Message:
            nonlocal got, broken
            if got < 0:
                return await receive()
            try:
                async with asyncio.timeout(max(0.01, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                broken = problem(408, "slow", f"the request did not arrive within {limits.seconds:g} s")
                raise
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                if got > limits.body_bytes:
                    broken = self._too_large()
                    raise TooLarge
                if not message.get("more_body", False):
                    got = -1
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if broken is None:
                started = True
                await send(message)

        try:
            await self._app(scope, receiving, sending)
        except Exception:
            if broken is None:
                raise
        if broken is not None and not started:
            await broken(scope, receive, send)

    def _too_large(self) -> Any:
        most = self._settings.limits.body_bytes
        return problem(413, "large", f"a request may have {most:,} bytes: send fewer images at a time")

    def _host_allowed(self, host: str) -> bool:
        if self._settings.host in ("0.0.0.0", "::") and _is_address(host):
            return True  # names could lead here by a trick of the name server, addresses cannot
        return is_loopback(host) or host == self._settings.host or host in self._settings.allowed_hosts

    def _origin_allowed(self, scope: Scope, headers: Headers, origin: str) -> bool:
        if origin in self._settings.allowed_origins:
            return True
        scheme, _, place = origin.partition("://")
        return scheme in ("http", "https") and place == headers.get("host", "")

    def _allow_origin(self, scope: Scope, headers: MutableHeaders) -> None:
        origin = Headers(scope=scope).get("origin")
        if origin in self._settings.allowed_origins:
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
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(header: str) -> str:
    """A host without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header
