"""Serving an app until somebody stops it."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from quanvolve._errors import QuanvolveError
from quanvolve.studio._app import create_app
from quanvolve.studio._holding import hold
from quanvolve.studio._protocol import StudioProtocol
from quanvolve.studio._settings import Settings
from quanvolve.studio._studio import Studio

_VARIABLE = "QUANVOLVE_STUDIO"
_BACKLOG = 64  # connections that are accepted at a time, each with a descriptor before it can be refused


def app_of_process() -> ASGIApp:
    """The app of one of several server processes."""
    return create_app(Settings.from_json(os.environ[_VARIABLE]))


def serve(
    settings: Settings,
    *,
    processes: int = 1,
    models: Sequence[Path] = (),
    new_token: bool = False,
    browser: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serve a studio until it is interrupted.

    Args:
        settings: how it is set up.
        processes: server processes; several need a database that several can use well, such as PostgreSQL.
        models: folders of runs to copy into it first.
        new_token: make a new token, in place of those there are.
        browser: open its page.
        say: told what people should read.

    Raises:
        QuanvolveError: if the settings do not fit, address or database cannot be used, or another studio has the
            folder.
        OSError: if the folder cannot be used.
        KeyboardInterrupt: after Ctrl-C, when everything is closed.
    """
    settings.check()
    resources = ExitStack()
    try:
        there = settings.folder.is_dir()
        if there:
            resources.enter_context(closing(hold(settings, alone=True)))
        listening = resources.enter_context(_bound(settings))
        if not there:
            settings.folder.mkdir(parents=True, exist_ok=True)
            resources.enter_context(closing(hold(settings, alone=True)))
        _prepare(settings, models, new_token, say)
        address = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
        say(f"quanvolve studio at {address} (Ctrl-C stops it)")
        if browser:
            threading.Thread(target=_open, args=(address,), daemon=True).start()
        options = {"log_level": "warning", "access_log": False, "server_header": False, "proxy_headers": False,
                   "timeout_keep_alive": settings.limits.idle_seconds, "timeout_graceful_shutdown": 5,
                   "http": StudioProtocol, "ws": "none", "backlog": _BACKLOG}  # fmt: skip
        if processes == 1:
            server = uvicorn.Server(uvicorn.Config(create_app(settings), **options))  # type: ignore[arg-type]
            server.run([listening])
            return
        os.environ[_VARIABLE] = settings.to_json()
        config = uvicorn.Config("quanvolve.studio._serve:app_of_process", factory=True, workers=processes, **options)  # type: ignore[arg-type]
        from uvicorn.supervisors import Multiprocess

        class Processes(Multiprocess):
            """Several servers, and the one who starts them."""

            interrupted = False

            def handle_int(self) -> None:
                self.interrupted = True
                super().handle_int()

        several = Processes(config, [listening])
        several.run()
        if several.interrupted:
            raise KeyboardInterrupt
    finally:
        resources.close()


def _prepare(settings: Settings, models: Sequence[Path], new_token: bool, say: Callable[[str], None]) -> None:
    studio = Studio(settings)
    try:
        for run in models:
            say(f"model {studio.store.adopt(run).id}: a copy of {run}")
        studio.ask_for_first_model()
        token = None
        if new_token:
            token = studio.tokens.replace_all()
        elif settings.open_to_others:
            token = studio.tokens.make_first()
        if token is not None:
            say(f"token: {token}")
            say("keep it: it is shown only now; --new-token makes another one and ends this one")
    finally:
        studio.let_go()


def _bound(settings: Settings) -> socket.socket:
    """A socket that listens, so that a port in use is told before anything else happens.

    Raises:
        QuanvolveError: if the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol's number asyncio knows that it is TCP, and sends small answers without waiting 40 ms for more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.set_inheritable(True)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise QuanvolveError(
            f"--host {settings.host} --port {settings.port} cannot be listened on ({reason}): try another --port"
        ) from error
    return listener


def _open(address: str) -> None:
    """Open the page once it answers."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                break
        except OSError:
            time.sleep(0.1)
    webbrowser.open(address)
