"""Routes whose requests bring images: read on a thread, within limits, as far as somebody still waits for them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.responses import Response

from quanvolve.studio._arrays import read_request
from quanvolve.studio._multipart import read_form
from quanvolve.studio._studio import Studio

_AT_ONCE = 2**15  # bytes that are read faster than a thread is asked


class ImagesRequest(Request):
    """A request whose images become arrays while they are read."""

    async def json(self) -> Any:
        """The object in the body, its images as arrays."""
        studio: Studio = self.app.state.studio
        limits, body = studio.settings.limits, await self.body()
        if len(body) <= _AT_ONCE:
            return read_request(body, limits.batch, limits.form_bytes)
        return await studio.computed(read_request, body, limits.batch, limits.form_bytes)

    async def form(self, **_: Any) -> FormData:  # type: ignore[override]
        """The parts of the body."""
        studio: Studio = self.app.state.studio
        limits, kind = studio.settings.limits, self.headers.get("content-type", "")
        return await studio.computed(read_form, await self.body(), kind, limits.batch, limits.form_bytes)


class ImagesRoute(APIRoute):
    """A route of such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI makes it, for these requests."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await answer(ImagesRequest(request.scope, request.receive))

        return handler
