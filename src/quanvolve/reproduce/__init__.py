"""Published results, run again: what was claimed, what comes out, and what a matched control does.

What runs one is loaded when it is first used, so that a list of them needs neither torch nor scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanvolve.reproduce._config import Reproduction as Reproduction
from quanvolve.reproduce._config import find as find
from quanvolve.reproduce._config import names as names
from quanvolve.reproduce._result import Result as Result

if TYPE_CHECKING:
    from quanvolve.reproduce._run import reproduce as reproduce


def __getattr__(name: str) -> Any:
    if name == "reproduce":
        from quanvolve.reproduce._run import reproduce  # loads torch

        return reproduce
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
