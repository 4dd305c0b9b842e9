"""The work of a plan: how often it does what, which each device has prices for."""

from __future__ import annotations

from collections.abc import Mapping

from quanvolve.compile.plans._prices import prices


class Work:
    """Numbers of things to do, by plan and kind.

    Costs are sums of them, each times its price on a device.

    Args:
        counts: for each plan and kind how often.
        never: whether it costs more than anything else.

    Examples:
        >>> work = Work.of("table", window=1, input=4) + 2 * Work.of("table", output=3)
        >>> work.counts
        {('table', 'window'): 1, ('table', 'input'): 4, ('table', 'output'): 6}
        >>> work.cost("cpu") > 0
        True
    """

    def __init__(self, counts: Mapping[tuple[str, str], float], never: bool = False) -> None:
        self.counts, self.never = dict(counts), never

    @classmethod
    def of(cls, plan: str, **kinds: float) -> Work:
        """Work of one plan's kinds; "parts" and "shots" are what those around other plans add."""
        return cls({(plan, kind): count for kind, count in kinds.items()})

    def __add__(self, other: Work) -> Work:
        counts = dict(self.counts)
        for key, count in other.counts.items():
            counts[key] = counts.get(key, 0) + count
        return Work(counts, self.never or other.never)

    def __rmul__(self, times: float) -> Work:
        return Work({key: times * count for key, count in self.counts.items()}, self.never)

    def cost(self, device: str) -> float:
        """Estimated nanoseconds on a device, as torch calls its type."""
        if self.never:
            return float("inf")
        return sum(count * prices(plan, device)[kind] for (plan, kind), count in self.counts.items())


NOTHING = Work({})
NEVER = Work({}, never=True)
