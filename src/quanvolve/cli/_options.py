"""What can be chosen on the command line: one spelling, one default and one help text for each option."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

import typer

from quanvolve._errors import ModelError

MODEL, TRAINING, RUN = "Model", "Training", "Run"
MAX_SEED = 2**32 - 1

# Options that several commands have.
Seed = Annotated[int, typer.Option("--seed", min=0, max=MAX_SEED, help="Fixes everything that is drawn at random.")]
Encoding = Annotated[
    str, typer.Option("--encoding", help="How pixels become qubit states; see `quanvolve circuits`.")
]
Readout = Annotated[str, typer.Option("--readout", help="What is measured; see `quanvolve circuits`.")]
Layers = Annotated[int, typer.Option("--layers", min=1, help="Layers of the circuit.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder with the files of the data set; nothing is downloaded then."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object and nothing else.")]


@dataclass(frozen=True)
class TrainOptions:
    """What makes a run, beside its data. The defaults are those of :class:`quanvolve.QuanvClassifier`.

    They are written down a second time, because reading them there would import scikit-learn for `--help`.
    """

    backbone: str = "quantum"
    head: str = "linear"
    filters: int = 4
    kernel_size: int = 2
    stride: int = 2
    circuit: str = "strongly_entangling"
    encoding: str = "ry"
    readout: str = "z"
    qubits: int | None = None
    layers: int = 2
    channel_mixing: str = "sum"
    trainable: bool = False
    epochs: int = 20
    batch_size: int = 64
    lr: float = 1e-3
    weight_decay: float = 1e-2
    validation_fraction: float = 0.1
    patience: int | None = None
    seed: int = 0
    device: str = "cpu"

    def params(self) -> dict[str, Any]:
        """The same as arguments of the estimator."""
        return {_ARGUMENTS.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Any, source: Path) -> TrainOptions:
        """Read options back from the JSON of a run.

        Raises:
            ModelError: if one is missing, unknown or of the wrong type.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or set(data) != names:
            raise ModelError(f"{source} is damaged: its options are not those of a run of this version")
        for field in fields(cls):
            value, kind = data[field.name], str(field.type)
            # In Python a truth value is also a whole number.
            if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "bool"):
                raise ModelError(f"{source} is damaged: the option {spelling(field.name)} is {value!r}")
        return cls(**data)


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "int | None": (int, NoneType),
}
_ARGUMENTS = {
    "filters": "n_filters",
    "qubits": "n_qubits",
    "layers": "n_layers",
    "epochs": "max_epochs",
    "seed": "random_state",
}

OPTION_OF = {_ARGUMENTS.get(field.name, field.name): field.name for field in fields(TrainOptions)} | {
    "data_dir": "data_dir"
}
"""The option that sets an argument of the estimator."""


def spelling(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def shown(name: str, value: Any) -> str:
    """An option and its value as they are typed."""
    if name == "trainable":
        return "--trainable" if value else "--fixed"
    return f"no {spelling(name)}" if value is None else f"{spelling(name)} {value}"
