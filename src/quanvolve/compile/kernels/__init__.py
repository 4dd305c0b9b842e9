"""The inner loops for each device; Numba is loaded when it is first needed."""

from functools import cache
from importlib import import_module
from typing import Any


def dense() -> Any:
    """Dense polynomials."""
    return _compiled("_polynomial")


def sparse() -> Any:
    """Sparse polynomials."""
    return _compiled("_sparse")


def network() -> Any:
    """Tensor networks of observables."""
    return _compiled("_network")


def states() -> Any:
    """State vectors."""
    return _compiled("_states")


def coefficients() -> Any:
    """Coefficients of polynomials."""
    return _compiled("_pauli_words")


def sampling() -> Any:
    """Shots."""
    return _compiled("_sampling")


@cache
def _compiled(name: str) -> Any:
    from quanvolve.compile.kernels.numba._fresh import keep_fresh

    module = import_module(f"{__name__}.numba.{name}")
    keep_fresh()
    return module
