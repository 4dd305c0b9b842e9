"""PennyLane, one thread at a time.

What records operations is one stack of queues for the whole process: an operation that a thread makes, in a
decomposition for instance, lands in the queue that another thread has open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pennylane_alone() -> Iterator[None]:
    """Hold off every other thread that makes operations of PennyLane; also a decorator, and re-entrant.

    The lock is the one that PennyLane's own queues take, so that QNodes of the user's in other threads, while they
    record, wait too. A queue that is open in this thread, where a layer is built inside a QNode, records nothing of
    what is made here.

    Whatever in this package makes operations or runs QNodes does it in here.

    Examples:
        >>> import pennylane as qp
        >>> with qp.queuing.AnnotatedQueue() as queue:
        ...     with pennylane_alone():
        ...         _ = qp.X(0)
        >>> len(queue)
        0
    """
    from pennylane.queuing import AnnotatedQueue, QueuingManager

    with AnnotatedQueue._lock, QueuingManager.stop_recording():
        yield
