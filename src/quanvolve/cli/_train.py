"""`quanvolve train`: from a data set to a tested model, in one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from quanvolve._errors import QuanvolveError
from quanvolve.cli._asked import DATA, asks, option, typed
from quanvolve.cli._options import DataDir, Json
from quanvolve.runs import OPTION_OF, TrainOptions

_Dataset = Annotated[
    str, typer.Argument(metavar="DATASET", help="A name from `quanvolve datasets`, or the path of data.")
]
_Output = Annotated[
    Path | None, option("--output", "Folder of the run; else the first free runs/DATASET-N.", DATA, "DIR")
]
_Resume = Annotated[bool, option("--resume", "Continue the run in --output where it stopped.", DATA, None)]
_Quiet = Annotated[bool, option("--quiet", "Print the folder and the test accuracy only.", DATA, None)]


@asks(TrainOptions)
def train(
    ctx: typer.Context,
    dataset: _Dataset = "digits",
    output: _Output = None,
    resume: _Resume = False,
    data_dir: DataDir = None,
    json: Json = False,
    quiet: _Quiet = False,
    **chosen: Any,
) -> None:
    """Train a classifier, or a regressor, and test it.

    The folder of the run gets the model (config.json, model.safetensors),
    history.jsonl, metrics.json and pictures. Interrupted or killed runs are
    continued with --resume, to the same result.

    A preset takes the place of the other options of the model, and of the
    defaults for training.
    """
    from quanvolve.cli._progress import make_view
    from quanvolve.cli._session import begin
    from quanvolve.cli._session import resume as continue_run
    from quanvolve.cli._summary import print_summary

    if resume and output is None:
        raise QuanvolveError("--resume needs the folder of the run: quanvolve train --output DIR --resume")
    view = make_view(quiet=quiet, json=json)
    try:
        if resume and output is not None:
            settings = {**chosen, "dataset": dataset, "data_dir": data_dir}
            run = continue_run({name: value for name, value in settings.items() if typed(ctx, name)}, output, view)
        else:
            options = _with_preset(ctx, TrainOptions(**chosen))
            run = begin(dataset, data_dir, output, options, view)
    finally:
        view.close()
    print_summary(run, quiet=quiet, json=json)


def _with_preset(ctx: typer.Context, options: TrainOptions) -> TrainOptions:
    """The options with the settings of the preset, if there is one, where none were typed.

    Raises:
        QuanvolveError: if there is no such preset, or its filters are to be fixed.
    """
    if options.preset is None:
        return options
    from quanvolve.nn import find_preset

    settings = find_preset(options.preset, options.backbone).training[options.backbone]
    if typed(ctx, "trainable") and not options.trainable:
        raise QuanvolveError(f"--fixed has no meaning with --preset {options.preset}, whose filters are trained")
    preset = {OPTION_OF[argument]: value for argument, value in settings.items()}
    return replace(options, trainable=True, **{name: value for name, value in preset.items() if not typed(ctx, name)})
