"""What came out, and how to say it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from quanvolve.reproduce._config import Expected, Reproduction


@dataclass(frozen=True)
class Result:
    """The accuracies of a reproduction.

    Args:
        accuracies: of each arm, a value for each seed.
        checks: results of exact checks.
        seconds: that it took, on one machine.
        quick: whether it is the quick form.
        version: of the package.
    """

    accuracies: dict[str, list[float]]
    checks: dict[str, dict[str, Any]]
    seconds: float
    quick: bool
    version: str

    def mean(self, arm: str) -> float:
        """Mean accuracy of an arm."""
        return statistics.mean(self.accuracies[arm])

    def found(self, one: Expected) -> float:
        """The number that an expectation is about."""
        return self.mean(one.arm) - (0.0 if one.minus is None else self.mean(one.minus))

    def lies_in(self, one: Expected) -> bool:
        """Whether it is as expected."""
        return one.interval[0] <= self.found(one) <= one.interval[1]

    def shown(self, arm: str) -> str:
        """Accuracy in percent, with the standard deviation over seeds."""
        values = self.accuracies[arm]
        spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
        return f"{100 * self.mean(arm):.1f}{spread}"

    def sentences(self, one: Reproduction) -> list[str]:
        """What was claimed, what came out, and what the matched control does."""
        arm = one.arms[0].name
        seeds = len(self.accuracies[arm])
        what = f"{arm}: {self.shown(arm)} % over {seeds} seed{'s' * (seeds > 1)}"
        control = f"the matched control ({one.control}): {self.shown(one.control)} %"
        sentences = [f"Claimed: {one.claim}", f"Came out: {what}; {control}."]
        for expected in one.expected:
            low, high = expected.interval
            verdict = "as expected" if self.lies_in(expected) else "not as expected"
            sentences.append(
                f"{expected.name}: {self.found(expected):.3f}, {verdict} ({low:g} to {high:g}: {expected.source})."
            )
        for name, check in self.checks.items():
            sentences.append(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in check.items()) + ".")
        if one.remark and not self.quick:
            sentences.append(one.remark)
        return sentences

    def to_dict(self, one: Reproduction) -> dict[str, Any]:
        """For JSON."""
        return {
            "reproduction": one.name,
            "version": self.version,
            "quick": self.quick,
            "seeds": one.seeds,
            "seconds": round(self.seconds, 1),
            "accuracies": {arm: [round(value, 5) for value in values] for arm, values in self.accuracies.items()},
            "checks": self.checks,
            "expected": [
                {"what": e.name, "interval": list(e.interval), "found": round(self.found(e), 5),
                 "as_expected": self.lies_in(e)}
                for e in one.expected
            ],
        }  # fmt: skip
