"""`compare`: does the quantum part help? A study of a model and its matched controls, from one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._cluster import work_on_cluster
from quanvolve.study._contenders import contenders_for
from quanvolve.study._extend import Wanted
from quanvolve.study._plan import Plan, Protocol
from quanvolve.study._results import Results, results_of
from quanvolve.study._table import Table
from quanvolve.study._trial import data_of
from quanvolve.study._work import Progress, work_in_processes


def compare(
    dataset: str | None,
    output: str | Path,
    *,
    params: dict[str, Any] | None = None,
    controls: Sequence[str] | None = None,
    protocol: Protocol | None = None,
    data_dir: str | Path | None = None,
    resume: bool = False,
    retry: bool = False,
    workers: int = 1,
    scheduler: str = "local",
    progress: Progress | None = None,
) -> Results:
    """Train a model and its matched controls under one protocol, and compare them seed by seed.

    Args:
        dataset: name of a data set, or path of a file; None goes on with the study in the folder.
        output: folder of the study; every finished trial is kept there.
        params: arguments of :class:`quanvolve.QuanvClassifier` that make the model.
        controls: names of controls; all that differ from the model if not given.
        protocol: of all trainings.
        data_dir: folder with the data set's files.
        resume: go on with the study in the folder, and do only what is missing. Seeds, learning rates (in `protocol`)
            and controls that are given beside those that it has are added to it; what is not given stays, and anything
            else that differs is refused.
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
        for tests over several learners.

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
    data = os.path.abspath(dataset) if dataset and Path(dataset).is_file() else dataset or None
    if resume:
        table = Table(folder)
        table.extend(Wanted(folder, data, place, params, controls, protocol))
        if retry:
            table.retry_failed()
    elif data is None:
        raise QuanvolveError(f"`dataset` (={dataset!r}) must be a data set, or `resume` true to go on with a study")
    else:
        contenders = tuple(contenders_for(params or {}, controls))
        if Path(data).exists():
            data_of(data, place)  # data of one's own may not be for a study, which is said before one begins
        table = Table.create(folder, Plan(data, place, contenders, protocol or Protocol()))
    if scheduler == "local":
        work_in_processes(table, workers, progress=progress)
    else:
        work_on_cluster(table, scheduler, progress=progress)
    return results_of(table)
