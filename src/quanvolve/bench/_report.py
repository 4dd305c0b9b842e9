"""The outcome as rows of a table, and as a CSV file."""

from __future__ import annotations

import csv
import io
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quanvolve._files import write_whole
from quanvolve.bench._rounds import Outcome

COLUMNS = (
    "workload",
    "contender",
    "unit",
    "median",
    "lowest",
    "highest",
    "rounds",
    "to best peer",
    "difference",
    "how",
    "versions",
    "note",
)


@dataclass(frozen=True)
class Row:
    """An outcome beside the others of its workload.

    Args:
        outcome: what came out.
        ratio: its rate in those of the best peer; None without one.
        best: whether it is the best peer.
    """

    outcome: Outcome
    ratio: float | None
    best: bool

    @property
    def spread(self) -> float | None:
        """Half the distance of the lowest and the highest rate, as a share of the median."""
        rates, middle = self.outcome.rates, self.outcome.rate
        return (max(rates) - min(rates)) / 2 / middle if middle else None


def make_rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """The outcomes of one workload, fastest first, those without rates last."""
    rates = [o.rate for o in outcomes if o.contender.peer and o.rate is not None]
    best = max(rates, default=None)
    rows = [
        Row(o, o.rate / best if o.rate is not None and best else None, o.contender.peer and o.rate == best is not None)
        for o in outcomes
    ]
    return sorted(rows, key=lambda row: -(row.outcome.rate or 0.0))


def short(rate: float | None) -> str:
    """A rate to read.

    Examples:
        >>> [short(rate) for rate in (None, 0.0426, 3.62, 133.4, 30250.0, 999_600.0, 115.2e6)]
        ['-', '0.0426', '3.62', '133', '30.2 k', '1.00 M', '115 M']
    """
    if rate is None:
        return "-"
    for limit, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if rate >= 0.9995 * limit:
            return _three(rate / limit) + letter
    return _three(rate)


def _three(number: float) -> str:
    """Three digits, also where the last of them are zeros."""
    return f"{number:.0f}" if number >= 99.95 else f"{number:#.3g}".rstrip(".")


def times(ratio: float | None) -> str:
    """A ratio to read: `31.8x`.

    Examples:
        >>> times(31.84), times(None), times(0.00012)
        ('31.8x', '-', '0.0001x')
    """
    if ratio is None:
        return "-"
    return f"{_three(ratio)}x" if ratio >= 0.01 else f"{ratio:.1g}x"


HEADER = ("contender", "median", "+/-", "to best peer", "difference", "how")


def cells(row: Row) -> tuple[str, ...]:
    """What the table shows of a row, under :data:`HEADER`."""
    outcome = row.outcome
    return (
        outcome.contender.title,
        short(outcome.rate),
        "-" if row.spread is None else f"{100 * row.spread:.0f} %",
        times(row.ratio) + (" (best peer)" if row.best else ""),
        "-" if outcome.difference is None else f"{outcome.difference:.0e}",
        outcome.reason or outcome.how,
    )


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write all rows to a file, whole or not at all; the last line says on what machine they were measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        o = row.outcome
        writer.writerow(
            [
                o.workload.name,
                o.contender.name,
                o.workload.unit + "/s",
                *((f"{o.rate:.5g}", f"{min(o.rates):.5g}", f"{max(o.rates):.5g}") if o.rate else ("", "", "")),
                len(o.rates),
                "" if row.ratio is None else f"{row.ratio:.4g}",
                "" if o.difference is None else f"{o.difference:.1e}",
                o.how,
                o.versions,
                o.reason,
            ]
        )
    writer.writerow([f"# {machine()}"])
    write_whole(path, text.getvalue())


def machine() -> str:
    """The machine, in a line."""
    import torch

    return (
        f"{torch.get_num_threads()} threads, {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, "
        f"{platform.system()}, Python {platform.python_version()}"
    )
