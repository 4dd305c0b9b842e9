"""The inner loops: in plain torch, and compiled by Numba, which is loaded when it is first needed."""

from typing import Any

from quanvolve.compile.kernels._contract import contract as contract
from quanvolve.compile.kernels._contract import left_sites as left_sites
from quanvolve.compile.kernels._contract import values_per_window as values_per_window


def dense() -> Any:
    """Dense polynomials."""
    from quanvolve.compile.kernels import _polynomial

    return _polynomial


def sparse() -> Any:
    """Sparse polynomials."""
    from quanvolve.compile.kernels import _sparse

    return _sparse


def network() -> Any:
    """Tensor networks of observables."""
    from quanvolve.compile.kernels import _network

    return _network


def states() -> Any:
    """State vectors."""
    from quanvolve.compile.kernels import _states

    return _states


def sampling() -> Any:
    """Shots."""
    from quanvolve.compile.kernels import _sampling

    return _sampling
