"""What the commands about devices share: which device, how many shots, and whose images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import ModelError
from quanvolve.cli._evaluate import load_classifier
from quanvolve.cli._options import MAX_SEED, option

if TYPE_CHECKING:
    from quanvolve.data import Dataset

DEVICE = "Device"
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run of `quanvolve train`.")]
BackendName = Annotated[
    str,
    option("--backend", "aer, fake_manila, ..., ibm_fez, ..., or a PennyLane device.", DEVICE, "NAME"),
]
Shots = Annotated[int, option("--shots", "Samples of each setting.", DEVICE, min=1)]
Levels = Annotated[int | None, option("--levels", "Round pixels to so many levels first.", DEVICE, min=2)]
DeviceSeed = Annotated[int, option("--seed", "Of settings, transpiler and simulators.", DEVICE, min=0, max=MAX_SEED)]


def run_and_data(run: Path, data_dir: Path | None) -> tuple[Any, Dataset]:
    """The classifier of a run, and its data set.

    Raises:
        ModelError: if the run has no quantum layer, or does not name its data.
    """
    from quanvolve.cli._run import read_run
    from quanvolve.cli._source import check_fits, load
    from quanvolve.nn import QuanvNd

    clf = load_classifier(run)
    if not any(isinstance(module, QuanvNd) for module in clf.module_.modules()):
        raise ModelError(f"the model in {run} has no quantum layer, which this command is about")
    if not (run / "run.json").exists():
        raise ModelError(f"{run} does not say which data set it was trained on: give the folder of a run")
    stored = read_run(run)
    place = data_dir or stored.data_dir
    data = load(stored.dataset, None if place is None else Path(os.path.abspath(place)))
    check_fits(data, clf, run)
    return clf, data
