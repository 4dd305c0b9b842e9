"""`quanvolve study`: what is in the table of a study."""

from __future__ import annotations

import csv
import io
import json as jsonlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import QuanvolveError
from quanvolve._file_names import STUDY_REPORT
from quanvolve._files import write_whole
from quanvolve._lines import one_line
from quanvolve._options import model_options, word_of
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._options import Json, shown
from quanvolve.cli._output import PLOT, output_file, output_folder, with_parents

if TYPE_CHECKING:
    from quanvolve.study import Metric, Results

study = typer.Typer(help="Look at a study: its trials, its results, its pictures.", no_args_is_help=True)
_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study of `quanvolve compare` or `search`.")]
_Output = Annotated[
    Path | None, option("--output", "The file, .csv or .json; standard output if not given.", DATA, "FILE")
]
_Pictures = Annotated[
    Path | None, option("--output", "Folder of the pictures; the study's own if not given.", DATA, "DIR")
]


@study.command()
def show(folder: _Folder, json: Json = False) -> None:
    """Print the verdict and the results so far, and trials that failed."""
    from quanvolve.study import Table, results_of

    table = Table(folder)
    counts = table.counts()
    if not json:
        emit(", ".join(f"{count} {status}" for status, count in counts.items() if count))
        for row in table.rows():
            if row["status"] == "failed":
                emit(f"failed: {row['contender']}, {table.plan.unit.word} {row['seed']}: {one_line(row['error'])}")
    results = results_of(table)
    if json:
        emit_json({"trials": counts, **say(results)})
        return
    from quanvolve.study import header_of, table_of

    header = header_of(results)
    emit_table(table_of(results), header, right=range(1, len(header)))
    for sentence in results.verdict():
        emit(sentence)


@study.command()
def export(folder: _Folder, output: _Output = None) -> None:
    """Write all trials as a table."""
    from quanvolve.study import Table

    if output is not None:
        output_file(output)
    table = Table(folder)
    rows = table.rows()
    kind = "csv" if output is None else output.suffix.lower()[1:]
    if kind == "json":
        text = jsonlib.dumps(rows, indent=1)
    elif kind == "csv":
        text = _as_csv(rows, table.plan.metric)
    else:
        raise QuanvolveError(f"--output {output} must end with .csv or .json")
    if output is None:
        emit(text.rstrip("\n"))
    else:
        write_whole(with_parents(output), text)


def _as_csv(rows: list[dict[str, Any]], metric: Metric) -> str:
    flat = []
    names = (metric.tested, *metric.words.also, metric.valid, "lr", "seconds", "n_train", "n_test")
    for row in rows:
        result = row["result"] or {}
        numbers = {name: result.get(name) for name in names}
        parameters = {f"parameters_{name}": number for name, number in (result.get("parameters") or {}).items()}
        keys = ("id", "contender", "seed", "status", "attempts", "started", "finished", "error")
        cells = {name: row[name] for name in keys} | numbers | parameters
        flat.append({**cells, "config": jsonlib.dumps(row["config"]), "versions": jsonlib.dumps(row["versions"])})
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(dict.fromkeys(name for row in flat for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return buffer.getvalue()


@study.command()
def plot(folder: _Folder, output: _Pictures = None) -> None:
    """Draw scores, differences and learning curves, and write the report anew."""
    from quanvolve.figures import save_figure
    from quanvolve.study import Table, difference_figure, learning_figure, results_of, scores_figure

    place = output or folder
    output_folder(place, PLOT)
    results = results_of(Table(folder))
    place.mkdir(parents=True, exist_ok=True)
    makers = {results.plan.metric.name: scores_figure, "differences": difference_figure, "learning": learning_figure}
    if all(comparison.collapsed for comparison in results.comparisons):
        del makers["differences"]  # there is none
    for name, make in makers.items():
        save_figure(make(results), place / f"{name}.png")
        emit(f"wrote {place / f'{name}.png'}")
    write_report(results, place)
    emit(f"wrote {place / STUDY_REPORT} and {place / 'report.md'}")


def write_report(results: Results, folder: Path) -> None:
    """Write report.html and report.md."""
    from quanvolve.study import markdown, page

    name = Path(results.plan.dataset).stem
    write_whole(
        folder / STUDY_REPORT, page(results, title=f"{name}: does the quantum part help?", command=command_of(results))
    )
    write_whole(folder / "report.md", markdown(results))


def command_of(results: Results) -> str:
    """What to type to make the study again."""
    p, params, asked = results.plan.protocol, results.plan.contenders[0].params, results.plan.asked
    parts = [f"quanvolve compare {Path(results.plan.dataset).name}", f"--{results.plan.unit.word}s {len(p.seeds)}"]
    first = ("circuit", "encoding", "readout", "n_layers", "n_filters", "kernel_size", "stride", "head")
    known = dict.fromkeys((*first, *model_options()))
    parts += [shown(word_of(name), _text(params[name])) for name in known if name in params and name != "trainable"]
    if params.get("preset") is not None:
        parts.append(f"--preset {params['preset']}")
    else:
        parts.append("--trainable" if params.get("trainable") else "--fixed")
    parts.append(f"--epochs {p.epochs}")
    parts += [f"--batch-size {p.batch_size}", f"--lr {','.join(f'{lr:g}' for lr in p.lrs)}"]
    parts += [
        f"--{name.replace('_', '-')} {getattr(p, name)}" for name in ("train_size", "test_size") if getattr(p, name)
    ]
    parts += [f"--task {asked['task']}"] if "task" in asked else []
    controls = ",".join(contender.name for contender in results.plan.contenders[1:])
    return " ".join([*parts, f"--controls {controls}"])


def _text(value: Any) -> Any:
    """A value as it is typed: of noise the strengths by name."""
    return ",".join(f"{name}={strength}" for name, strength in value.items()) if isinstance(value, dict) else value


def say(results: Results) -> dict[str, Any]:
    """The results as JSON has them."""

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {
        "verdict": results.verdict(),
        "unit": results.plan.unit.word,
        "metric": results.plan.metric.name,
        "finished": results.finished,
        "contenders": [
            {name: plain(value) for name, value in asdict(standing).items()} for standing in results.standings
        ],
        "comparisons": [
            {name: plain(value) for name, value in asdict(comparison).items()} for comparison in results.comparisons
        ],
    }
