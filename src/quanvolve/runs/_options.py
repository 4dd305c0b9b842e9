"""What makes a run: one name and one default for each option."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

from quanvolve._errors import ModelError, QuanvolveError


@dataclass(frozen=True)
class TrainOptions:
    """What makes a run, beside its data. The defaults are those of :class:`quanvolve.QuanvClassifier`.

    They are written down a second time, because reading them there would import scikit-learn.
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
    init: str = "auto"
    noise: str | None = None
    shots: int | None = None
    trainable: bool = False
    epochs: int = 30
    batch_size: int = 32
    lr: float = 3e-3
    weight_decay: float = 1e-2
    validation_fraction: float = 0.1
    patience: int | None = None
    seed: int = 0
    device: str = "cpu"
    preset: str | None = None

    def params(self, dims: int = 2) -> dict[str, Any]:
        """The same as arguments of the estimator, for data along whose `dims` axes a window slides."""
        found = {_ARGUMENTS.get(name, name): value for name, value in asdict(self).items()}
        found["noise"] = parse_noise(self.noise)
        if dims != 2:
            found |= {name: (found[name],) * dims for name in ("kernel_size", "stride")}
        return found

    @classmethod
    def from_dict(cls, data: Any, source: Path) -> TrainOptions:
        """Read options back from the JSON of a run.

        Raises:
            ModelError: if one is missing, unknown, of the wrong type or not finite.
        """
        names = {field.name for field in fields(cls)}
        if isinstance(data, dict):
            data = {"preset": None, "init": "auto", "noise": None, "shots": None, **data}  # older runs have none
        if not isinstance(data, dict) or set(data) != names:
            raise ModelError(f"{source} is damaged: its options are not those of a run of this version")
        for field in fields(cls):
            value, kind = data[field.name], str(field.type)
            # In Python a truth value is also a whole number.
            if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "bool"):
                raise ModelError(
                    f"{source} is damaged: the option `{field.name}` is {value!r}", arguments=(field.name,)
                )
            # Python reads NaN and 1e999 from JSON; NaN fails every comparison.
            if kind == "float" and not abs(data[field.name]) <= sys.float_info.max:
                raise ModelError(
                    f"{source} is damaged: `{field.name}` is {value}, expected a finite number",
                    arguments=(field.name,),
                )
        return cls(**data)


def parse_noise(text: str | None) -> dict[str, float] | None:
    """The strengths of noise that is given as text.

    Raises:
        QuanvolveError: if it is not a list of names and numbers.

    Examples:
        >>> parse_noise("depolarizing=0.01,readout=0.02")
        {'depolarizing': 0.01, 'readout': 0.02}
    """
    if text is None:
        return None
    found = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise QuanvolveError(
                f"`noise={text}` is not a list of names and strengths, such as depolarizing=0.01,readout=0.02",
                arguments=("noise",),
            ) from None
    return found


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, NoneType),
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
    "data_dir": "data_dir",
    "checkpoint": "output",  # a run keeps it in its folder
}
"""The option that sets an argument of the estimator, or of its training."""
