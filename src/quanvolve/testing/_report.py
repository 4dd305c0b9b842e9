"""What the checks found."""

from __future__ import annotations

from dataclasses import dataclass

from quanvolve._errors import QuanvolveError


class ConformanceError(QuanvolveError, AssertionError):
    """A module is not the quantum convolution that it claims to be; the message says what was seen."""


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Args:
        check: its name.
        passed: whether the module passed.
        message: what was seen.
    """

    check: str
    passed: bool
    message: str

    def require(self) -> Result:
        """Itself, where the check was passed.

        Raises:
            ConformanceError: otherwise.
        """
        if not self.passed:
            raise ConformanceError(f"{self.check}: {self.message}")
        return self


@dataclass(frozen=True)
class Report:
    """The outcome of all checks; printed, a line a check.

    Examples:
        >>> print(Report((Result("geometry", True, "12 places"), Result("distinct filters", False, "all equal"))))
        passed  geometry          12 places
        FAILED  distinct filters  all equal
    """

    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return all(result.passed for result in self.results)

    def __getitem__(self, check: str) -> Result:
        return next(result for result in self.results if result.check == check)

    def __str__(self) -> str:
        wide = max(len(result.check) for result in self.results)
        return "\n".join(
            f"{'passed' if result.passed else 'FAILED'}  {result.check:<{wide}}  {result.message}"
            for result in self.results
        )
