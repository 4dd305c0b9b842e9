"""Work for requests, on threads: it ends when its time is up or its client has gone, and not only its answer."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

import anyio
from starlette.types import Receive

from quanvolve.studio._problems import Refused

_T = TypeVar("_T")
_LOOK = 0.5  # seconds between two looks at whether the client is still there
_client: contextvars.ContextVar[Receive | None] = contextvars.ContextVar("client", default=None)
_gone: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("gone", default=None)


class GivenUp(Exception):
    """Nobody waits for this work any longer."""


def asked_by(receive: Receive) -> None:
    """Say who asks in what follows.

    Args:
        receive: of the request, in the sense of ASGI.
    """
    _client.set(receive)


def still_wanted() -> None:
    """Go on, if somebody waits for the result; to be called between the parts of long work.

    Raises:
        GivenUp: if nobody does.

    Examples:
        >>> still_wanted()  # outside of a request work is always wanted
    """
    gone = _gone.get()
    if gone is not None and gone.is_set():
        raise GivenUp


async def worked(pool: Executor, seconds: float, work: Callable[..., _T], *arguments: object) -> _T:
    """The result of work on a thread of a pool.

    Raises:
        Refused: if it takes too long, or the client has gone.
    """
    gone = threading.Event()

    def marked() -> _T:
        _gone.set(gone)
        still_wanted()
        return work(*arguments)

    context = contextvars.copy_context()
    future = asyncio.get_running_loop().run_in_executor(pool, context.run, marked)
    try:
        return await while_wanted(future, seconds)
    finally:
        gone.set()


async def while_wanted(work: asyncio.Future[_T], seconds: float) -> _T:
    """The result of work, which is cancelled when its time is up or its client has gone.

    Raises:
        Refused: in these cases.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        while True:
            left = until - loop.time()
            done, _ = await asyncio.wait({work}, timeout=max(0.0, min(_LOOK, left)))
            if done:
                return work.result()
            if left <= 0:
                raise Refused(503, "slow", f"this took longer than {seconds:g} s and was given up")
            if await _has_gone():
                raise Refused(408, "gone", "the client has gone before it was answered")
    finally:
        work.cancel()


async def _has_gone() -> bool:
    receive = _client.get()
    if receive is None:
        return False
    with anyio.CancelScope() as scope:
        scope.cancel()  # no message yet: do not wait for one
        return bool((await receive())["type"] == "http.disconnect")
    return False
