"""HTTP/1.1 with limits on what comes before a request is known: size and time of its head, and idle connections.

References:
    RFC 9110, HTTP Semantics, section 15.5 (408, 431); RFC 9112, HTTP/1.1, section 9.6 (closing in two steps).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from quanvolve.studio._door import Door
from quanvolve.studio._paths import streamed
from quanvolve.studio._problems import problem
from quanvolve.studio._settings import Limits

_MOST_HEADERS, _MOST_AHEAD = 256, 16  # requests that a connection sends before it has the answers to earlier ones
_GOODBYE = 5.0  # seconds in which a refused client can read why
_IDLE, _HEAD, _BODY = range(3)


class StudioProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which holds half-sent heads for ever and takes heads of any size, with limits.

    `Door` and `Limits` come from the app, as the state of its lifespan.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.address = ""
        self._limits: Limits = self.app_state["limits"]
        self._door: Door = self.app_state["door"]
        self._phase, self._refused, self._too_many = _IDLE, False, False
        # Bytes since the parser last said anything of use: of a head, of its trailers, or of what is around chunks.
        self._silent, self._heard = 0, False
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a client in, if there is room."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self._door.enter(self):
            self._wait()
        else:
            self._refuse(503, "busy", "the studio has as many connections as it takes: try again later")
            transport.close()  # without a goodbye, for which a descriptor would be held

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a client."""
        self._door.left(self)
        self._stop_waiting()
        if self._writing is not None:
            self._writing.cancel()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Close at once."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Give the parser what has come, no more at a time than a head may have."""
        most, start = self._limits.head_bytes, 0
        while start < len(data) and not self._refused and not self.transport.is_closing():
            piece = data[start : start + most + 1 - self._silent]
            start += len(piece)
            self._heard = False
            super().data_received(piece)
            self._silent = 0 if self._heard else self._silent + len(piece)
            if self._silent > most or self._too_many:
                self._refuse(
                    431, "head", f"the head of a request may have {most:,} bytes and {_MOST_HEADERS} headers: send "
                    "fewer or shorter ones",
                )  # fmt: skip
        answered = self.cycle is None or self.cycle.response_complete
        if self._timer is None and not self._refused and (self._phase != _IDLE or answered):
            self._wait()

    # -- what the parser says ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A head begins."""
        self._phase = _HEAD
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is left out, since nobody has checked it."""
        if self._phase == _HEAD and len(self.headers) == _MOST_HEADERS:
            self._too_many = True
        elif self._phase == _HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._phase, self._heard = _BODY, True
        self._stop_waiting()
        if self._too_many:
            return
        self._door.works(self)
        super().on_headers_complete()
        if len(self.pipeline) > _MOST_AHEAD:
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._heard = True
        if not self._too_many:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        self._phase, self._heard = _IDLE, True
        self._stop_waiting()
        if not self._too_many:
            super().on_message_complete()

    # -- what the app says -------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """An answer is complete: the next request is waited for, or the rest of this one."""
        super().on_response_complete()
        if not self.cycle.response_complete or self.transport.is_closing():
            return
        if self._phase != _BODY:
            self._door.waits(self)
        if self._phase != _IDLE:
            self._unset_keepalive_if_required()
            self._stop_waiting()
            self._wait(_GOODBYE if self._phase == _BODY else None)

    def pause_writing(self) -> None:
        """The client reads more slowly than is written: it has to take something within the time of an answer."""
        super().pause_writing()
        self._writing = self.loop.call_later(self._limits.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken most of what was written."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def timeout_keep_alive_handler(self) -> None:
        """A connection has been idle for too long."""
        # What is still to be written would keep it open.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    # -- time --------------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float | None = None) -> None:
        body = self._phase == _BODY
        if seconds is None:
            # A body that the app waits for is its own matter first, as it can say more.
            seconds = self._limits.seconds + _GOODBYE if body else self._limits.head_seconds
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        waits = self._phase == _BODY and self.cycle is not None and not self.cycle.response_complete
        # It is the studio that has not read on, or data that may take long, which the app itself gives up.
        if self.flow.read_paused or (waits and streamed(self.scope["path"])):
            self._wait()
        elif self._phase == _BODY:
            self.transport.abort()
        else:
            seconds = self._limits.head_seconds
            self._refuse(408, "slow", f"the head of a request did not arrive within {seconds:g} s")

    def _refuse(self, status: int, kind: str, detail: str) -> None:
        """Say why, then close; with an answer still under way, close at once."""
        self._refused = True
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        answer = problem(status, kind, detail)
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + bytes(answer.body))
        # Closing while the client still sends would make its system throw the answer away.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(_GOODBYE, self.transport.abort)
