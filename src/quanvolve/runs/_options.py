"""What makes a run: one name, one default and one help line for each option."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._options import (
    DATA,
    MODEL,
    TRAINING,
    Said,
    layer_fields,
    model_options,
    of_layer,
    parse_noise,
    with_layer,
)
from quanvolve.runs._data_options import OF_DATA, DataOptions

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
@with_layer
class TrainOptions(DataOptions):
    """What makes a run, beside its data: the options of the layer, and these. Each is an option of `quanvolve train`.

    The defaults are those of :class:`quanvolve.QuanvClassifier`. They are written down a second time, because reading
    them there would import scikit-learn for a help text.
    """

    preset: Annotated[
        str | None,
        Said(
            "A whole network and how to train it: quantum (quantum convolutions and one linear layer), hybrid (one, "
            "then a small CNN), tree (a qubit a pixel, measured at the roots only; one linear layer) or "
            "tree-headless.",
            MODEL,
            "NAME",
        ),
    ] = None
    backbone: Annotated[
        str,
        Said(
            "quantum; or, to compare with, classical (a convolution of the same shape), unentangled, trigonometric, "
            "kernels, subsampled, or none (the pixels).",
            MODEL,
            "NAME",
        ),
    ] = "quantum"
    head: Annotated[str, Said("What classifies the channels: linear, cnn, mlp or quantum.", MODEL, "NAME")] = "linear"
    filters: Annotated[int, Said("Filters; each gives a channel for each measured value.", MODEL, least=1)] = 4
    kernel_size: Annotated[int, of_layer("kernel_size")] = 2
    stride: Annotated[int, of_layer("stride")] = 2
    trainable: Annotated[bool, of_layer("trainable")] = False
    epochs: Annotated[int, Said("Passes over the training images.", TRAINING, least=1)] = 30
    batch_size: Annotated[int, Said("Images a step.", TRAINING, least=1)] = 32
    lr: Annotated[float, Said("Learning rate at the start.", TRAINING, "RATE")] = 3e-3
    weight_decay: Annotated[float, Said("Of AdamW.", TRAINING, "RATE", least=0)] = 1e-2
    validation_fraction: Annotated[
        float, Said("Share of the training images that chooses the best epoch.", TRAINING, "SHARE")
    ] = 0.1
    patience: Annotated[int | None, Said("Stop after so many epochs without a better one.", TRAINING, least=1)] = None
    class_weight: Annotated[
        str | None,
        Said("balanced: every class has the same part in the loss, however many images it has.", TRAINING, "NAME"),
    ] = None
    loss: Annotated[
        str | None,
        Said(
            "What training makes small: cross_entropy (default) or focal; for regression mse (default), huber or mae.",
            TRAINING,
            "NAME",
        ),
    ] = None
    monitor: Annotated[
        str | None,
        Said(
            "What chooses the best epoch, on the validation images: accuracy, balanced_accuracy, roc_auc, f1, "
            "average_precision or loss; "
            "by default accuracy, or loss where classes have weights. For regression: r2 (default), mae, rmse or loss.",
            TRAINING,
            "NAME",
        ),
    ] = None
    seed: Annotated[int, Said("Fixes everything that is drawn at random.", TRAINING, least=0, most=MAX_SEED)] = 0
    device: Annotated[str, Said("Where to compute: cpu or cuda.", DATA, "NAME")] = "cpu"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """An option of the layer."""

    def params(self, dims: int = 2) -> dict[str, Any]:
        """The same as arguments of the estimator, for data along whose `dims` axes a window slides."""
        arguments = arguments_of({name: value for name, value in asdict(self).items() if name not in OF_DATA})
        if self.task == "regression" and arguments.pop("class_weight") is not None:
            raise QuanvolveError(
                "`class_weight` has no meaning for regression: leave it out", arguments=("class_weight",)
            )
        if arguments["loss"] is None:
            del arguments["loss"]  # that of the estimator
        if dims != 2:
            arguments |= {name: (arguments[name],) * dims for name in ("kernel_size", "stride")}
        return arguments

    @classmethod
    def from_dict(cls, data: Any, source: Path) -> TrainOptions:
        """Read options back from the JSON of a run.

        Raises:
            ModelError: if one is missing, unknown, of the wrong type or not finite.
        """
        names = {field.name for field in fields(cls)}
        if isinstance(data, dict):
            data = {**_SINCE, **data}  # older runs have none of these
        if not isinstance(data, dict) or set(data) != names:
            raise ModelError(f"{source} is damaged: its options are not those of a run of this version")
        for name, hint in get_type_hints(cls).items():
            value, kinds = data[name], get_args(hint) or (hint,)
            # In Python a truth value is also a whole number.
            fits = isinstance(value, (*kinds, int) if float in kinds else kinds)
            if not fits or isinstance(value, bool) != (bool in kinds):
                raise ModelError(f"{source} is damaged: the option `{name}` is {value!r}", arguments=(name,))
            # Python reads NaN and 1e999 from JSON; NaN fails every comparison.
            if float in kinds and value is not None and not abs(value) <= sys.float_info.max:
                raise ModelError(
                    f"{source} is damaged: `{name}` is {value}, expected a finite number", arguments=(name,)
                )
        return cls(**data)


_FIRST = ("circuit", "encoding", "readout", "qubits", "layers", "channel_mixing")
"""The options of the layer that every run has named."""
_SINCE = (
    {"preset": None, "class_weight": None, "loss": None, "monitor": None}
    | asdict(DataOptions())
    | {
        word: default
        for word, (_, default) in layer_fields().items()
        if word not in (*_FIRST, "kernel_size", "stride", "trainable")
    }
)
_ARGUMENTS = {"filters": "n_filters", "epochs": "max_epochs", "seed": "random_state"} | {
    option.word: option.name for option in model_options().values()
}
_OPTIONS = model_options()


def arguments_of(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen by options, as arguments of an estimator.

    Raises:
        QuanvolveError: if the noise is no list of names and numbers.
    """
    arguments = {_ARGUMENTS.get(name, name): value for name, value in chosen.items()}
    return {**arguments, "noise": parse_noise(arguments["noise"])} if "noise" in arguments else arguments


def stated(params: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without the rarer options of the layer that are as they would be anyway."""
    return {
        name: value
        for name, value in params.items()
        if name not in _OPTIONS or _OPTIONS[name].usual or value != _OPTIONS[name].default
    }


OPTION_OF = {_ARGUMENTS.get(field.name, field.name): field.name for field in fields(TrainOptions)} | {
    "data_dir": "data_dir",
    "checkpoint": "output",  # a run keeps it in its folder
}
"""The option that sets an argument of the estimator, or of its training."""
