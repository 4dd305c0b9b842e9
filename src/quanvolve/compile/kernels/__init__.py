"""The inner loops: in plain torch, and compiled by Numba, which is loaded when it is first needed."""

from functools import cache
from importlib import import_module
from typing import Any

from quanvolve.compile.kernels._contract import contract as contract
from quanvolve.compile.kernels._contract import left_sites as left_sites
from quanvolve.compile.kernels._contract import values_per_window as values_per_window


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
    from quanvolve.compile.kernels._fresh import keep_fresh

    module = import_module(f"{__name__}.{name}")
    keep_fresh()
    return module
