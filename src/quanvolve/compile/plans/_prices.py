"""What the work of a plan costs, in nanoseconds: measured by `benchmarks/costs.py` and kept in `prices.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("prices.json")


@cache
def prices(plan: str, device: str = "cpu") -> dict[str, float]:
    """The prices of a plan's kinds of work on a device.

    Costs of plans are sums of numbers of things to do, each times its price.

    Args:
        plan: its name; "parts" and "shots" are what those around other plans add.
        device: as torch calls it.

    Examples:
        >>> sorted(prices("table"))
        ['input', 'output', 'window']
    """
    plan_prices: dict[str, float] = json.loads(_FILE.read_text())[device][plan]
    return plan_prices
