"""Qiskit, which comes with an extra: imported where it is first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from quanvolve._errors import QuanvolveError


def import_qiskit(name: str) -> Any:
    """A module of Qiskit.

    Raises:
        QuanvolveError: if it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise QuanvolveError(
            f"this needs Qiskit, and {name} cannot be imported: install it with pip install 'quanvolve[qiskit]'"
        ) from error
