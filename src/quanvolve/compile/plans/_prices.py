"""What the work of a plan costs, in nanoseconds: measured by `benchmarks/costs.py` and kept in `prices.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("prices.json")
_MEASURED = "cpu"
"""The device whose prices stand for those of devices that nobody measured."""


@cache
def _table() -> dict[str, dict[str, dict[str, float]]]:
    table: dict[str, dict[str, dict[str, float]]] = json.loads(_FILE.read_text())
    return table


def priced() -> tuple[str, ...]:
    """The devices that prices were measured on.

    Examples:
        >>> "cpu" in priced()
        True
    """
    return tuple(_table())


def prices(plan: str, device: str = "cpu") -> dict[str, float]:
    """The prices of a plan's kinds of work on a device; those of the CPU where none were measured on it.

    Args:
        plan: its name; "parts" and "shots" are what those around other plans add.
        device: its type, as torch calls it.

    Examples:
        >>> sorted(prices("table"))
        ['input', 'output', 'window']
        >>> prices("table", "a device of next year") == prices("table", "cpu")
        True
    """
    table = _table()
    return table[device if device in table else _MEASURED][plan]
