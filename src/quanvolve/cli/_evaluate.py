"""`quanvolve evaluate`: the test accuracy of a saved model, computed again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import ModelError
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._options import DataDir, Json

if TYPE_CHECKING:
    from quanvolve.data import Dataset


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved classifier.")],
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="Test images of another data set than the run's.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Test the model of a run again on the test images of its data set."""
    from quanvolve.cli._score import accuracy_line, score

    clf = load_classifier(run)
    data = data_of(run, clf, dataset, data_dir)
    found = score(clf, data)
    if json:
        emit_json(
            {
                "run": str(run),
                "dataset": data.name,
                "test_accuracy": found.accuracy,
                "test_right": found.right,
                "n_test": found.total,
            }
        )
    else:
        emit(accuracy_line(found.right, found.total))


def load_classifier(folder: Path) -> Any:
    """The classifier of a run.

    Raises:
        ModelError: if there is none yet, or it is damaged or something else.
    """
    if (folder / "run.json").is_file() and not (folder / "config.json").exists():
        from quanvolve.cli._run import read_run

        raise ModelError(f"{folder} has no model yet: finish its training with {read_run(folder).resume_command()}")
    from quanvolve.estimators import QuanvClassifier, load

    clf = load(folder)
    if not isinstance(clf, QuanvClassifier):
        raise ModelError(f"{folder} holds a {type(clf).__name__}, expected a classifier")
    return clf


def data_of(run: Path, clf: Any, dataset: str | None, data_dir: Path | None) -> Dataset:
    """A data set that a classifier can take: the one that is named, else that of its run.

    Raises:
        ModelError: if neither the user nor the folder names one.
        DataError: if there is no such data set, or its images or labels do not fit.
    """
    from quanvolve.cli._run import read_run
    from quanvolve.cli._source import canonical, check_fits, load

    if dataset is None:
        if not (run / "run.json").exists():
            raise ModelError(
                f"{run} does not say which data set it was trained on: give one after it, a name from `quanvolve "
                "datasets` or an .npz file"
            )
        stored = read_run(run)
        name, place = stored.dataset, data_dir or stored.data_dir
    else:
        name, place = canonical(dataset), data_dir
    data = load(name, None if place is None else Path(os.path.abspath(place)))
    check_fits(data, clf, run)
    return data
