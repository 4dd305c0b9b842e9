"""What the commands about devices share: which device, how many shots, and whose images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.cli._asked import option
from quanvolve.runs import MAX_SEED, data_of, load_classifier, load_model

if TYPE_CHECKING:
    from quanvolve.data import Dataset

DEVICE = "Device"
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved classifier.")]
DataName = Annotated[
    str | None, typer.Argument(metavar="DATASET", help="Test images of another data set than the run's.")
]
BackendName = Annotated[
    str,
    option("--backend", "aer, fake_manila, ..., ibm_fez, ..., or a PennyLane device.", DEVICE, "NAME"),
]
Shots = Annotated[int, option("--shots", "Samples of each setting.", DEVICE, min=1)]
Levels = Annotated[int | None, option("--levels", "Round pixels to so many levels first.", DEVICE, min=2)]
HeldOut = Annotated[int, option("--held-out", "Random settings that test each fit.", DEVICE, min=1)]
Sparse = Annotated[
    bool, option("--sparse/--full", "Only the settings that the ideal filter's terms need.", DEVICE, None)
]
Mitigate = Annotated[
    str | None,
    option("--mitigate", "Undo errors: readout, zne (zero-noise extrapolation), or both.", DEVICE, "NAME,..."),
]
SCALES = (1, 3, 5)
"""Of zero-noise extrapolation."""
DeviceSeed = Annotated[int, option("--seed", "Of settings, transpiler and simulators.", DEVICE, min=0, max=MAX_SEED)]


def run_and_data(
    run: Path, dataset: str | None, data_dir: Path | None, *, any_task: bool = False
) -> tuple[Any, Dataset]:
    """The classifier of a run or saved from Python, with quantum layers, and a data set that it can take.

    Args:
        run: folder of the model.
        dataset: what was typed after it; None for the data set of the run.
        data_dir: folder with the data set's files.
        any_task: whether it may also be a regressor.

    Raises:
        ModelError: if the model has no quantum layer, or neither it nor the user names data.
    """
    from quanvolve.nn import CoherentTree, QuanvNd

    clf = load_model(run) if any_task else load_classifier(run)
    if not any(isinstance(module, QuanvNd | CoherentTree) for module in clf.module_.modules()):
        raise ModelError(f"the model in {run} has no quantum layer, which this command is about")
    return clf, data_of(run, clf, dataset, data_dir)


def mitigation(names: str | None) -> dict[str, Any]:
    """What `--mitigate` asks for, as arguments of the library; nothing where it is not given.

    Raises:
        QuanvolveError: if it is no list of kinds.

    Examples:
        >>> mitigation("readout")
        {'readout': True, 'scales': (1,)}
    """
    if names is None:
        return {}
    kinds = {name.strip() for name in names.split(",")}
    if kinds - {"readout", "zne"}:
        raise QuanvolveError(f"--mitigate {names} is not a list of some of: readout, zne")
    return {"readout": "readout" in kinds, "scales": SCALES if "zne" in kinds else (1,)}
