"""Compiled code on disk that is not older than its source.

Numba compiles a kernel anew when the file of the kernel has changed. Functions of other files that are compiled into
it do not count, so that a change of the sines, say, would leave all kernels with the old ones, in silence.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

from numba.core.dispatcher import Dispatcher


def keep_fresh() -> None:
    """Let the compiled code of all kernels that are loaded count only while no file of this folder has changed."""
    loaded = [module for name, module in list(sys.modules.items()) if name.startswith(f"{__package__}.")]
    for kernel in [value for module in loaded for value in vars(module).values()]:
        file = getattr(getattr(kernel, "_cache", None), "_cache_file", None) if isinstance(kernel, Dispatcher) else None
        if file is not None:
            file._source_stamp = _stamp()


@cache
def _stamp() -> tuple[str, str]:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return "quanvolve", digest.hexdigest()
