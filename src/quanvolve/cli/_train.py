"""`quanvolve train`: from a data set to a tested model, in one command."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import typer

from quanvolve._errors import QuanvolveError
from quanvolve.cli._options import (
    DATA,
    MAX_SEED,
    MODEL,
    TRAINING,
    DataDir,
    Encoding,
    Init,
    Json,
    Layers,
    Noise,
    Readout,
    TrainShots,
    option,
)
from quanvolve.runs import OPTION_OF, TrainOptions

_DEFAULT = TrainOptions()

# Each type below is one option; the signature of `train` then reads like the list of them.
_Dataset = Annotated[
    str, typer.Argument(metavar="DATASET", help="A name from `quanvolve datasets`, an .npz file, or series as .ts.")
]
_Output = Annotated[
    Path | None, option("--output", "Folder of the run; else the first free runs/DATASET-N.", DATA, "DIR")
]
_Resume = Annotated[bool, option("--resume", "Continue the run in --output where it stopped.", DATA, None)]
_Quiet = Annotated[bool, option("--quiet", "Print the folder and the test accuracy only.", DATA, None)]
_Device = Annotated[str, option("--device", "Where to compute: cpu or cuda.", DATA, "NAME")]
_Preset = Annotated[
    str | None,
    option(
        "--preset",
        "A whole network and how to train it, for images: quantum (quantum convolutions and one linear layer) or "
        "hybrid (one, then a small CNN).",
        MODEL,
        "NAME",
    ),
]
_Backbone = Annotated[
    str,
    option(
        "--backbone",
        "quantum; or, to compare with, classical (a convolution of the same shape), unentangled, trigonometric, "
        "kernels, subsampled, or none (the pixels).",
        MODEL,
        "NAME",
    ),
]
_Circuit = Annotated[str, option("--circuit", "What the filters run; see `quanvolve circuits`.", MODEL, "NAME")]
_Filters = Annotated[int, option("--filters", "Filters; each gives a channel for each measured value.", MODEL, min=1)]
_KernelSize = Annotated[int, option("--kernel-size", "Rows and columns of a window, or its length.", MODEL, min=1)]
_Stride = Annotated[int, option("--stride", "Pixels from one window to the next.", MODEL, min=1)]
_Qubits = Annotated[int | None, option("--qubits", "Qubits of a filter; else one for each pixel.", MODEL, min=1)]
_ChannelMixing = Annotated[
    str,
    option(
        "--channel-mixing",
        "For colour images: sum (a circuit for each channel) or joint (one circuit reads all).",
        MODEL,
        "NAME",
    ),
]
_Trainable = Annotated[
    bool, option("--trainable/--fixed", "Train the filters too, or leave them as drawn.", MODEL, None)
]
_Head = Annotated[str, option("--head", "What classifies the channels: linear, cnn, mlp or quantum.", MODEL, "NAME")]
_Epochs = Annotated[int, option("--epochs", "Passes over the training images.", TRAINING, min=1)]
_BatchSize = Annotated[int, option("--batch-size", "Images a step.", TRAINING, min=1)]
_Lr = Annotated[float, option("--lr", "Learning rate at the start.", TRAINING, "RATE")]
_WeightDecay = Annotated[float, option("--weight-decay", "Of AdamW.", TRAINING, "RATE", min=0)]
_ValidationFraction = Annotated[
    float,
    option("--validation-fraction", "Share of the training images that chooses the best epoch.", TRAINING, "SHARE"),
]
_Patience = Annotated[
    int | None, option("--patience", "Stop after so many epochs without a better one.", TRAINING, min=1)
]
_Seed = Annotated[int, option("--seed", "Fixes everything that is drawn at random.", TRAINING, min=0, max=MAX_SEED)]


def train(
    ctx: typer.Context,
    dataset: _Dataset = "digits",
    output: _Output = None,
    resume: _Resume = False,
    data_dir: DataDir = None,
    device: _Device = _DEFAULT.device,
    json: Json = False,
    quiet: _Quiet = False,
    preset: _Preset = _DEFAULT.preset,
    backbone: _Backbone = _DEFAULT.backbone,
    circuit: _Circuit = _DEFAULT.circuit,
    encoding: Encoding = _DEFAULT.encoding,
    readout: Readout = _DEFAULT.readout,
    filters: _Filters = _DEFAULT.filters,
    kernel_size: _KernelSize = _DEFAULT.kernel_size,
    stride: _Stride = _DEFAULT.stride,
    qubits: _Qubits = _DEFAULT.qubits,
    layers: Layers = _DEFAULT.layers,
    channel_mixing: _ChannelMixing = _DEFAULT.channel_mixing,
    init: Init = _DEFAULT.init,
    noise: Noise = _DEFAULT.noise,
    shots: TrainShots = _DEFAULT.shots,
    trainable: _Trainable = _DEFAULT.trainable,
    head: _Head = _DEFAULT.head,
    epochs: _Epochs = _DEFAULT.epochs,
    batch_size: _BatchSize = _DEFAULT.batch_size,
    lr: _Lr = _DEFAULT.lr,
    weight_decay: _WeightDecay = _DEFAULT.weight_decay,
    validation_fraction: _ValidationFraction = _DEFAULT.validation_fraction,
    patience: _Patience = _DEFAULT.patience,
    seed: _Seed = _DEFAULT.seed,
) -> None:
    """Train a classifier and test it.

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
    names = [field.name for field in fields(TrainOptions)]
    try:
        if resume and output is not None:
            given = {name: ctx.params[name] for name in (*names, "dataset", "data_dir") if _typed(ctx, name)}
            run = continue_run(given, output, view)
        else:
            options = _with_preset(ctx, TrainOptions(**{name: ctx.params[name] for name in names}))
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
    if _typed(ctx, "trainable") and not options.trainable:
        raise QuanvolveError(f"--fixed has no meaning with --preset {options.preset}, whose filters are trained")
    found = {OPTION_OF[argument]: value for argument, value in settings.items()}
    return replace(options, trainable=True, **{name: value for name, value in found.items() if not _typed(ctx, name)})


def _typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
