"""`quanvolve evaluate`: the test scores of a saved model, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quanvolve._lines import one_line
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._summary import accuracy_line, last_line
from quanvolve.runs import data_of, evaluation, load_model, said_of, score, tested_by


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved model.")],
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="Test images of another data set than the run's.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Test the model of a run again on the test images of its data set."""
    clf = load_model(run)
    data = data_of(run, clf, dataset, data_dir)
    if data.task != "classification":
        found = tested_by(clf, data)
        if json:
            emit_json({"run": str(run), "dataset": data.name, **found, "n_test": len(data.test_labels)})
        else:
            emit(last_line(found))
        return
    tested = score(clf, data)
    content = evaluation(clf, data, tested)
    if json:
        emit_json(
            {
                "run": str(run),
                "dataset": data.name,
                "test_accuracy": tested.accuracy,
                "test_right": tested.right,
                "n_test": tested.total,
                **content,
            }
        )
    else:
        emit(accuracy_line(tested.right, tested.total))
        emit_table((name, one_line(text)) for name, text in said_of(content))
