"""`compare`: does the quantum part help? A study of a model and its matched controls, from one call."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.data import dataset_key
from quanvolve.study._cluster import work_on_cluster
from quanvolve.study._contenders import contenders_for
from quanvolve.study._extend import Wanted
from quanvolve.study._metrics import ACCURACY, METRICS
from quanvolve.study._plan import USUAL_SEEDS, Plan, Protocol
from quanvolve.study._results import Results, results_of
from quanvolve.study._splits import FEW_TEST_IMAGES, USUAL_SPLITS
from quanvolve.study._table import Table
from quanvolve.study._trial import as_key, data_of
from quanvolve.study._work import Progress, work_in_processes

AUTO = "auto"


def compare(
    dataset: str | None,
    output: str | Path,
    *,
    params: dict[str, Any] | None = None,
    controls: Sequence[str] | None = None,
    protocol: Protocol | None = None,
    data_dir: str | Path | None = None,
    asked: Mapping[str, Any] | None = None,
    resume: bool = False,
    retry: bool = False,
    workers: int = 1,
    scheduler: str = "local",
    progress: Progress | None = None,
) -> Results:
    """Train a model and its matched controls under one protocol, and compare them seed by seed, or split by split.

    Classifiers are compared by accuracy, regressors by R2, and classifiers of several labels a sample by mean average
    precision; what is learned is found by the labels, or said by "task" in `asked`.

    Where the data set has fewer than 100 test images of its own, splits of all its images into training and test images
    are the unit of comparison, unless something else is asked for; see :class:`Protocol`.

    Args:
        dataset: name of a data set, or path of a file; None goes on with the study in the folder.
        output: folder of the study; every finished trial is kept there.
        params: arguments of :class:`quanvolve.QuanvClassifier` that make the model, or where numbers are learned, of
            :class:`quanvolve.QuanvRegressor`.
        controls: names of controls; all that differ from the model if not given.
        protocol: of all trainings.
        data_dir: folder with the data set's files.
        asked: how data of one's own are read: the fields of :class:`quanvolve.data.Asked`.
        resume: go on with the study in the folder, and do only what is missing. Seeds, splits, learning rates (in
            `protocol`) and controls that are given beside those that it has are added to it; what is not given stays,
            and anything else that differs is refused.
        retry: let trials that failed run again, when resuming.
        workers: processes of this machine, with the scheduler "local".
        scheduler: "local", "slurm", or the address of a Dask scheduler.
        progress: told how many trials have each status, and what is being done.

    Returns:
        Results of all contenders, comparisons, and the verdict.

    Raises:
        QuanvolveError: if arguments do not fit, the folder already holds a study or another one than is to be resumed,
            or no trial of the model succeeded.

    References:
        Bowles, Ahmed and Schuld, arXiv:2403.07059 (2024), for why; Demsar, J. Mach. Learn. Res. 7, 1 (2006), section 3,
        for tests over several learners; Nadeau and Bengio, Machine Learning 52, 239 (2003), for tests over splits.

    Examples:
        >>> import tempfile
        >>> quick = Protocol(seeds=(0, 1, 2), lrs=(1e-2,), epochs=3, train_size=200, test_size=60)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = compare("digits", folder, controls=["pixels"], protocol=quick)
        >>> [one.name for one in found.standings], found.comparisons[0].n
        (['model', 'pixels'], 3)
    """
    folder = Path(output)
    place = None if data_dir is None else os.path.abspath(data_dir)
    # Workers elsewhere, and a later --resume, may have another working folder.
    data = dataset or None
    if data is not None and (Path(data).is_file() or isinstance(dataset_key(data), Path)):
        data = os.path.abspath(data)
    if resume:
        table = Table(folder)
        table.extend(Wanted(folder, data, place, params, controls, protocol, asked))
        if retry:
            table.retry_failed()
    elif data is None:
        raise QuanvolveError(f"`dataset` (={dataset!r}) must be a data set, or `resume` true to go on with a study")
    else:
        contenders = tuple(contenders_for(params or {}, controls))
        task = _task_of(data, place, asked)
        METRICS[task].arguments(params or {})
        chosen, own = with_unit(protocol or Protocol(), data, place, asked)
        plan = Plan(data, place, contenders, chosen, own_test_images=own, asked=dict(asked or {}), task=task)
        table = Table.create(folder, plan)
    if scheduler == "local":
        work_in_processes(table, workers, progress=progress)
    else:
        work_on_cluster(table, scheduler, progress=progress)
    return results_of(table)


def _task_of(data: str, place: str | None, asked: Mapping[str, Any] | None) -> str:
    """What is learned: data sets that have a name are of classes, unless something else is said."""
    if Path(data).exists():
        return data_of(data, place, as_key(asked)).task
    said = str((asked or {}).get("task", AUTO))
    return ACCURACY.task if said == AUTO else said


def with_unit(
    protocol: Protocol,
    dataset: str,
    data_dir: str | Path | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[Protocol, int | None]:
    """A protocol in which the unit of comparison is chosen, where it is left open.

    Args:
        protocol: of all trainings.
        dataset: name of a data set, or path of a file.
        data_dir: folder of its files.
        asked: how the data are read.

    Returns:
        The protocol, and the test images of the data set where they are so few that splits were chosen; else None.

    Examples:
        >>> protocol, few = with_unit(Protocol(), "digits")
        >>> protocol.splits, few
        (0, None)
    """
    if protocol.splits is not None or protocol.test_size is not None or protocol.seeds != USUAL_SEEDS:
        return protocol, None
    own = len(data_of(dataset, None if data_dir is None else str(data_dir), as_key(asked)).test_labels)
    if own >= FEW_TEST_IMAGES:
        return replace(protocol, splits=0), None
    return replace(protocol, splits=USUAL_SPLITS), own
