"""`quanvolve warmup`: kernels compiled before they are needed."""

from __future__ import annotations

from quanvolve._interrupt import interruptible
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._counter import Counter
from quanvolve.cli._options import Json


def warmup(json: Json = False) -> None:
    """Compile all kernels for this processor, once.

    For images of containers, and before measurements. What is there already
    is left as it is. Kernels are kept with the package, or in the folder that
    NUMBA_CACHE_DIR names.
    """
    from quanvolve.nn import warm_up

    with interruptible("interrupted: what is compiled is kept"), Counter("kinds of work", quiet=json) as counter:

        def told(done: int, total: int, now: str) -> None:
            counter.show(done, total, now=now)

        warmed = warm_up(told)
    if json:
        emit_json(
            {
                "compiled": warmed.total,
                "seconds": round(warmed.seconds, 3),
                "folder": warmed.folder,
                "work": {name: list(functions) for name, functions in warmed.compiled.items()},
            }
        )
    elif warmed.total:
        emit(f"compiled {warmed.total} functions in {warmed.seconds:.0f} s, kept in {warmed.folder}")
    else:
        emit(f"all kernels are there, in {warmed.folder}")
