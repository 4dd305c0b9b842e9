"""Threads that share the parts of a kernel's work, and sleep while there is none.

A pool of OpenMP splits work evenly and waits for each of its threads, whose turn comes late where processors are busy
with something else, and its threads wait by spinning, which takes the processor from torch's own. Here a thread takes
the next part when it has done one: whoever calls does all that nobody else has begun, and waits for begun parts only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue


class _Job:
    """Parts of some work.

    Args:
        run: called with the number of each part.
        parts: how many.
    """

    def __init__(self, run: Callable[[int], None], parts: int) -> None:
        self._run, self._left = run, iter(range(parts))
        self._lock, self._ended = threading.Lock(), threading.Lock()
        self._helpers, self._closed = 0, False
        self._error: BaseException | None = None

    def work(self) -> None:
        """Do one part after the other until all are taken; of an iterator each number is taken once."""
        for part in self._left:
            self._run(part)

    def help(self) -> None:
        """The same on another thread, unless all is done already."""
        with self._lock:
            if self._closed:
                return
            self._helpers += 1
            if self._helpers == 1:
                self._ended.acquire()
        try:
            self.work()
        except BaseException as error:
            self._error = error
        with self._lock:
            self._helpers -= 1
            if not self._helpers:
                self._ended.release()

    def close(self) -> None:
        """Wait for the parts that helpers have begun; their errors are raised here."""
        with self._lock:
            self._closed = True
        self._left = iter(())  # after an error nobody begins another part
        with self._ended:
            pass
        if self._error is not None:
            raise self._error


_jobs: SimpleQueue[_Job] = SimpleQueue()
_threads: list[threading.Thread] = []


def share_out(run: Callable[[int], None], parts: int, threads: int) -> None:
    """Run all parts, in any order, on so many threads at most.

    Examples:
        >>> done = [0] * 5
        >>> share_out(lambda part: done.__setitem__(part, part + 1), parts=5, threads=2)
        >>> done
        [1, 2, 3, 4, 5]
    """
    helpers = min(threads, parts) - 1
    while len(_threads) < helpers:
        thread = threading.Thread(target=_serve, name=f"quanvolve {len(_threads) + 1}", daemon=True)
        thread.start()
        _threads.append(thread)
    job = _Job(run, parts)
    for _ in range(helpers):
        _jobs.put(job)
    try:
        job.work()
    finally:
        job.close()


def _serve() -> None:
    while True:
        job = _jobs.get()
        job.help()
        del job  # what it holds may go before the next one comes


def _forget() -> None:
    """A process that was forked has none of the threads."""
    global _jobs
    _threads.clear()
    _jobs = SimpleQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
