"""The app: routes, pages, errors, and the door around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import torch
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from quanvolve.studio import _problems
from quanvolve.studio._door import Door
from quanvolve.studio._guard import Guard
from quanvolve.studio._openapi import describe
from quanvolve.studio._pages import PAGE, router
from quanvolve.studio._settings import Settings
from quanvolve.studio._studio import Studio
from quanvolve.studio.routes import ROUTERS


def create_app(settings: Settings) -> FastAPI:
    """A studio as an ASGI app.

    Args:
        settings: how it is set up.

    Raises:
        QuanvolveError: if the settings do not fit, or the database cannot be used.
        OSError: if the folder cannot be used.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     app = create_app(Settings(Path(folder), first_model=False))
        ...     sorted(path.name for path in Path(folder).iterdir() if path.is_dir())
        ...     app.state.studio.close()
        ['data', 'logs', 'models', 'studies']
    """
    studio = Studio(settings)
    # Small images: one thread is fastest, and leaves the cores to jobs.
    torch.set_num_threads(1)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        studio.start()
        yield {"limits": settings.limits, "door": Door(settings.limits)}  # for the protocol
        studio.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
                  redirect_slashes=False)  # fmt: skip
    app.state.studio = studio
    for routes in ROUTERS:
        app.include_router(routes)
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=PAGE))
    _problems.install(app)

    def openapi() -> dict[str, Any]:
        return describe(app, settings)

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_middleware(Guard, settings=settings, tokens=studio.tokens, meters=studio.meters)
    return app
