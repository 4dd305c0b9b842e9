"""A run that a terminal began or continues: which folder it may have, and what is said when it is stopped."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from quanvolve._errors import ModelError
from quanvolve._interrupt import interruptible
from quanvolve.cli._options import shown
from quanvolve.cli._output import TRAIN, output_folder
from quanvolve.runs import (
    Run,
    TrainOptions,
    View,
    begin_run,
    canonical,
    clear,
    finish_run,
    load_data,
    locked,
    make_folder,
    read_run,
)

_NOTHING_KEPT = "interrupted before training began: nothing was kept"


def begin(dataset: str, data_dir: Path | None, output: Path | None, options: TrainOptions, view: View) -> Run:
    """Train in a new folder.

    Returns:
        The finished run.
    """
    if output is not None:
        output_folder(output, TRAIN)
    from quanvolve.data import source_of, understand

    view.phase("starting")
    name = canonical(dataset)
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    with interruptible(_NOTHING_KEPT):
        data = load_data(name, place, view.download, options.asked())
        view.data(understand(data, source_of(name)).lines(short=True))
        folder, made = make_folder(output, name)
    # A run names its task, and is continued with it.
    run = Run(folder, name, place, replace(options, task=data.task))
    # Outside of `begin_run`, which may undo: whoever is refused here must leave alone what another process keeps.
    with interruptible(lambda: _how_to_go_on(run)), locked(folder):
        output_folder(folder, TRAIN)  # before there was a lock, another process may have filled it
        clear(folder)
        begin_run(run, data, view, made)
    return run


def resume(options: dict[str, Any], output: Path, view: View) -> Run:
    """Continue the run in a folder; a finished one is left as it is.

    Args:
        options: the options typed on the command line, which must be those of the run. Data may have moved, though:
            "data_dir" takes the place of the run's.
        output: the folder.
        view: what the user sees.

    Returns:
        The finished run.

    Raises:
        ModelError: if there is no run, it is damaged, or is of other options.
    """
    run = read_run(output)
    _compare(run, options)
    if run.trained and not run.missing() and not run.checkpoint.exists():
        return run
    with interruptible(lambda: _how_to_go_on(run)), locked(output):
        if options.get("data_dir") is not None:
            run = replace(run, data_dir=Path(os.path.abspath(options["data_dir"])))
            run.write()
        view.phase("starting")
        finish_run(run, load_data(run.dataset, run.data_dir, view.download, run.options.asked()), view)
    return run


def _how_to_go_on(run: Run) -> str:
    return f"interrupted; continue with: {resume_command(run.folder)}" if run.exists else _NOTHING_KEPT


def _compare(run: Run, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if name == "data_dir":
            continue
        if name == "dataset":
            value, stored = canonical(value), run.dataset
            texts = f"data set {value}", stored
        else:
            stored = getattr(run.options, name)
            texts = shown(name, value), shown(name, stored)
        if value != stored:
            raise ModelError(
                f"{texts[0]} was given, but the run in {run.folder} has {texts[1]}: leave it out to continue that run, "
                "or start another with another --output"
            )


def resume_command(folder: Path) -> str:
    """What to type to continue the run in a folder."""
    return f"quanvolve train --output {shlex.quote(str(folder))} --resume"
