"""The report of a study: one HTML page, and a Markdown table."""

from __future__ import annotations

from pathlib import Path

from quanvolve._errors import QuanvolveError
from quanvolve._version import __version__
from quanvolve.report import inline_svg, rendered
from quanvolve.study._exchange import LEVEL
from quanvolve.study._figures import difference_figure, learning_figure, scores_figure
from quanvolve.study._results import Results
from quanvolve.study._statistics import COLLAPSED
from quanvolve.study._strata import FOLDS
from quanvolve.study._table import DONE, FAILED
from quanvolve.study._unit import SPLITS_UNIT
from quanvolve.study._words import p_value, percent

_TEMPLATES = Path(__file__).with_name("templates")
HEADER = (
    "contender", "seeds", "accuracy, percent", "model minus it", "interval, corrected", "p, corrected", "verdict",
    "weights", "trained", "quantum", "seconds a trial",
)  # fmt: skip
"""Of the columns of a comparison of accuracies over seeds."""


def header_of(results: Results) -> tuple[str, ...]:
    """The names of the columns: :data:`HEADER`, in which the unit of comparison and what is compared may be another."""
    words = results.plan.metric.words
    columns = {"seeds": (f"{results.plan.unit.word}s",), "accuracy, percent": (words.column, *words.also.values())}
    return tuple(column for name in HEADER for column in columns.get(name, (name,)))


def table_of(results: Results) -> list[tuple[str, ...]]:
    """The results as rows of text, below :func:`header_of`."""
    compared = {comparison.control: comparison for comparison in results.comparisons}
    metric = results.plan.metric
    rows = []
    for standing in results.standings:
        other = compared.get(standing.name)
        judged = ("", "", "", "")
        if other is not None and other.outcome == COLLAPSED:
            judged = ("", "", "", other.outcome)
        elif other is not None and other.too_few:
            judged = (metric.signed(other.difference), "", "", other.outcome)
        elif other is not None:
            between = f"{metric.signed(other.low)} to {metric.signed(other.high)}"
            judged = (
                metric.signed(other.difference),
                between,
                p_value(other.p_corrected).removeprefix("= "),
                other.outcome,
            )
        counts = (f"{standing.parameters[name]:,}" for name in ("total", "trained", "quantum"))
        spread = f"{metric.shown(standing.mean)} \u00b1 {metric.shown(standing.deviation)}"
        also = [f"{value:.4g}" for value in standing.also.values()]
        rows.append((standing.name, str(standing.n), spread, *also, *judged, *counts, f"{standing.seconds:.1f}"))
    return rows


def markdown(results: Results) -> str:
    """The verdict and the table in Markdown.

    Examples:
        >>> import tempfile
        >>> from quanvolve.study import Protocol, compare
        >>> quick = Protocol(seeds=(0, 1, 2), lrs=(1e-2,), epochs=1, train_size=60, test_size=60)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = compare("digits", folder, controls=["pixels"], protocol=quick)
        >>> print(markdown(found).splitlines()[-2][:14])
        | model | 3 |
    """
    header = header_of(results)
    lines = [*results.verdict(), "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in table_of(results)]
    return "\n".join(lines) + "\n"


def page(results: Results, *, title: str, command: str) -> str:
    """The report as one HTML page that loads nothing from anywhere.

    Args:
        results: of the study.
        title: of the page.
        command: which makes the study again.
    """
    title_of = results.plan.metric.words.title
    try:
        differences = inline_svg(difference_figure(results), f"differences of {title_of}, model minus control", "d")
    except QuanvolveError:
        differences = ""
    versions: dict[str, str] = next((row["versions"] for row in results.rows if row["versions"]), {})
    return rendered(
        "study.html",
        _TEMPLATES,
        title=title,
        model=results.standings[0].summary[:1].upper() + results.standings[0].summary[1:],
        verdict=results.verdict(),
        finished=results.finished,
        open=sum(row["status"] not in (DONE, FAILED) for row in results.rows),
        header=header_of(results),
        unit=results.plan.unit.word,
        rows=table_of(results),
        contenders=[{"name": standing.name, "summary": standing.summary} for standing in results.standings],
        metric=title_of,
        heading=title_of[:1].upper() + title_of[1:],
        scores=inline_svg(scores_figure(results), f"test {title_of} of all contenders", "a"),
        differences=differences,
        comparisons=[str(comparison) for comparison in results.comparisons],
        learning=inline_svg(learning_figure(results), f"validation {title_of} by epoch", "l"),
        protocol=protocol_in_words(results),
        failures=[
            f"{row['contender']}, {results.plan.unit.word} {row['seed']}: {row['error']}"
            for row in results.rows
            if row["status"] == FAILED
        ],
        command=command,
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        version=__version__,
    )


def protocol_in_words(results: Results) -> list[str]:
    """What was done, in sentences."""
    p, splits, metric = results.plan.protocol, results.plan.unit is SPLITS_UNIT, results.plan.metric
    rates = ", ".join(f"{lr:g}" for lr in p.lrs)
    how = _splits_in_words(results) if splits else _seeds_in_words(results)
    return [
        *how[:2],
        f"{p.epochs} epochs of AdamW, batches of {p.batch_size}; learning rates {rates}, for every contender alike.",
        f"Learning rate and epoch are chosen on {100 * p.validation_fraction:.0f} % of the training images; the test "
        "images are looked at once, by the model that was chosen.",
        f"{how[2]} Holm's procedure keeps "
        f"false claims among all controls at {percent(LEVEL)} %. Intervals are those of this corrected test: they "
        f"leave out zero exactly where it sees a difference. {how[3]}",
        *metric.definition(splits=splits),
        f"A contender that over all its {results.plan.unit.word}s is not better than {metric.words.baseline} is "
        "collapsed: flagged, and left out.",
        "The table counts all weights; a convolution of the same shape does not have as many as a circuit.",
    ]


def _seeds_in_words(results: Results) -> tuple[str, str, str, str]:
    p = results.plan.protocol
    train = (
        "all training images" if p.train_size is None else f"{p.train_size:,} training images, drawn anew by each seed"
    )
    return (
        f"Data: {Path(results.plan.dataset).name}, {train}; "
        + ("all test images." if p.test_size is None else f"{p.test_size:,} test images, the same for all."),
        f"{len(p.seeds)} seeds; each draws circuit, first weights, training images, split and order anew, the same for "
        "all contenders.",
        "Differences are taken seed by seed and tested by exchanging their signs, two-sided;",
        "Power, and seeds needed, are those of doing the study once more.",
    )


def _splits_in_words(results: Results) -> tuple[str, str, str, str]:
    p = results.plan.protocol
    train = "the others for training" if p.train_size is None else f"{p.train_size:,} of the others for training"
    return (
        f"Data: all images of {Path(results.plan.dataset).name}, whatever they were meant for; in each split a part of "
        f"them for testing, {train}.",
        f"{len(p.seeds)} splits, {FOLDS} to a repetition, in which each image is tested once; parts have "
        f"{results.plan.metric.words.strata}. Each split draws circuit, first weights, validation images and order "
        "anew, the same for all contenders.",
        "Differences are taken split by split and tested, two-sided, by Nadeau and Bengio's t test for splits that "
        "share images: the variance of the mean of J of them is (1/J + test images / training images) times "
        "that of single ones;",
        "Power, and images needed, are those of doing the study once more with other images of the kind.",
    )
