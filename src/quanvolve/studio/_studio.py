"""The parts of a server process, put together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Depends, Request
from sqlalchemy import Engine

from quanvolve._errors import QuanvolveError
from quanvolve.studio._batching import Batcher
from quanvolve.studio._data import DataSets
from quanvolve.studio._database import connect
from quanvolve.studio._deletion import clear_after
from quanvolve.studio._drawings import Drawings
from quanvolve.studio._forms import TrainRequest
from quanvolve.studio._holding import hold
from quanvolve.studio._jobs import Jobs
from quanvolve.studio._loaded import Cache, Loaded
from quanvolve.studio._looks import Looks
from quanvolve.studio._meters import Meters
from quanvolve.studio._problems import Missing
from quanvolve.studio._requests import job_of
from quanvolve.studio._runner import Runner
from quanvolve.studio._settings import Settings
from quanvolve.studio._store import Store
from quanvolve.studio._tokens import Tokens
from quanvolve.studio._wanted import worked

_T = TypeVar("_T")


class Studio:
    """Everything that the routes use.

    Args:
        settings: how it is set up.

    Raises:
        QuanvolveError: if the database cannot be used.
        OSError: if the folders cannot be made.
    """

    def __init__(self, settings: Settings) -> None:
        settings.check()
        settings.folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self._hold = hold(settings)
        try:
            self.engine: Engine = connect(settings.url)
            self.store = Store(settings, self.engine)
            self.store.open()
            self.data = DataSets(settings, self.engine)
            self.data.open()
        except BaseException:
            self._hold.close()
            raise
        self.jobs = Jobs(self.engine, settings.limits.jobs)
        self.runner = Runner(settings, self.jobs, lambda job: clear_after(job, settings, self.engine))
        self.tokens = Tokens(self.engine)
        self.meters = Meters()
        self.cache = Cache()
        self.batcher = Batcher(settings.batching, self.meters.batches)
        self.drawings = Drawings(settings.limits.seconds)
        self.looks = Looks(settings, self.data)
        self.streams = 0
        self.closing = False
        self._pulse: anyio.CapacityLimiter | None = None
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="quanvolve-look")

    def start(self) -> None:
        """Begin to work on jobs."""
        self._pulse = anyio.CapacityLimiter(1)
        self.runner.start()

    def ask_for_first_model(self) -> None:
        """Put a small training into the queue of a studio in which nothing has been yet."""
        if self.settings.first_model:
            job, model = job_of(TrainRequest.model_validate({"kind": "train", "name": "First digits", "epochs": 12}))
            if model is not None:
                self.jobs.add_first(job, model)

    def close(self) -> None:
        """Interrupt jobs, which go on when the studio starts again."""
        self.closing = True
        self.runner.close()
        self.let_go()

    def let_go(self) -> None:
        """Give back what a studio has that was never started."""
        self.batcher.close()
        self.drawings.close()
        self.looks.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()
        self._hold.close()

    async def loaded(self, model: str) -> Loaded:
        """A trained model, in memory.

        Raises:
            Refused: if there is none of that id, or it is deleted while it is read.
        """
        folder = self.store.folder(model)
        try:
            self.store.ready(model)
            try:
                cached = self.cache.get(folder)
                return cached if cached is not None else await self.computed(self.cache.load, folder)
            except (OSError, QuanvolveError):
                self.store.ready(model)
                raise
        except Missing:
            self.cache.drop(folder)
            raise

    async def alive(self) -> None:
        """Ask the database something, on a thread of its own: an answer waits for no other request.

        Raises:
            DBAPIError: if it is away.
        """
        await anyio.to_thread.run_sync(self.jobs.counts, limiter=self._pulse)

    async def computed(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """The result of work on a thread, of which there are few.

        Raises:
            Refused: if it takes too long, or the client has gone.
        """
        return await worked(self._threads, self.settings.limits.seconds, work, *arguments)


async def studio_of(request: Request) -> Studio:
    """The studio that answers a request; no plain function, for which a thread would be used each time."""
    studio: Studio = request.app.state.studio
    return studio


Use = Annotated[Studio, Depends(studio_of)]
