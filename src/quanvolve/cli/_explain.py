"""`quanvolve explain`: a page about what a trained model's filters do, and a short summary."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from quanvolve._files import write_whole
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._device_options import DataName, RunFolder, run_and_data
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import output_file, with_parents
from quanvolve.cli._progress import make_view
from quanvolve.runs import EXPLAINED, EXPLANATION, TASKS, feature_maps, metrics_path, read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quanvolve.analysis import Audit, Reading
    from quanvolve.data import Dataset

_MOST_LINES = 8

_Output = Annotated[
    Path | None, option("--output", "The page; by default explanation.html in the folder RUN.", DATA, "FILE")
]
_Audit = Annotated[bool, option("--audit", "Only say which weights and channels do something.", DATA, None)]


def explain(
    run: RunFolder,
    dataset: DataName = None,
    output: _Output = None,
    audit: _Audit = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Explain the quantum filters of a model.

    Writes one HTML page that works offline: the circuits, the formula of
    each channel, the pixels that it reads and multiplies, the closest linear
    filter, pictures, and an audit of the weights. Prints the main findings.
    """
    page = output or run / EXPLANATION
    if not audit:
        output_file(page)
    clf, data = run_and_data(run, dataset, data_dir, any_task=True)
    if audit:
        from quanvolve.analysis import audit as audited

        result = audited(clf, data.test_images)
        if json:
            emit_json({"run": str(run), **_plain(result, ())})
        else:
            _say(result, ())
        return
    from quanvolve.report import explain as explained

    view = make_view(quiet=False, json=json)
    with interruptible("interrupted: no page was written"), closing(view):
        view.phase("drawing")
        facts, figures = _of_run(run, clf, data)
        command = shlex.join(["quanvolve", "explain", str(run), *([] if dataset is None else [dataset])])
        made = explained(
            clf, data.test_images, title=f"{data.name}: {run.name or 'run'}", facts=facts, figures=figures,
            command=command, progress=view.phase,
        )  # fmt: skip
        write_whole(with_parents(page), made.page)
    if json:
        emit_json({"run": str(run), "page": str(page), **_plain(made.audit, made.readings)})
        return
    _say(made.audit, made.readings)
    emit(f"wrote {page}")


def _say(audit: Audit, readings: tuple[Reading, ...]) -> None:
    for sentence in audit.sentences():
        emit(sentence)
    for reading in readings[:_MOST_LINES]:
        emit(str(reading))
    if len(readings) > _MOST_LINES:
        emit(f"... and {len(readings) - _MOST_LINES} more channels, in the page")


def _plain(audit: Audit, readings: tuple[Reading, ...]) -> dict[str, Any]:
    channels = [
        {**asdict(reading), "pairs": [[i, j, share] for (i, j), share in reading.pairs.items()]} for reading in readings
    ]
    return {"audit": asdict(audit), "findings": audit.sentences(), **({"channels": channels} if channels else {})}


def _of_run(run: Path, clf: Any, data: Dataset) -> tuple[list[tuple[str, str]], list[tuple[str, str, Figure]]]:
    """Facts and pictures of the training, as far as the folder has them, and they are about these data."""
    from quanvolve.figures import history_figure

    facts: list[tuple[str, str]] = []
    figures = [("Feature maps", "Test images, and what the filters make of them.", feature_maps(clf, data))]
    path = metrics_path(run)
    metrics = read_json(path) if path.is_file() else {}
    if metrics.get("dataset") == data.name and metrics.get("task", "classification") == data.task:
        tested, task = EXPLAINED[data.task], TASKS[data.task]
        facts += tested.facts(metrics)
        caption = f"Loss and validation {task.title} of each epoch; the star is the epoch whose weights were kept."
        history = history_figure(clf.history_, best=metrics["best_epoch"], score=task.watched)
        figures.append(("Training", caption, history))
        figures.append((tested.title, tested.caption, tested.draw(clf, data, metrics)))
    return facts, figures
