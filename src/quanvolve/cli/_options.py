"""What can be chosen on the command line: one spelling, one default and one help text for each option."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

DATA, MODEL, TRAINING = "Data and output", "Model", "Training"
MAX_SEED = 2**32 - 1


def option(
    name: str, help: str, panel: str, metavar: str | None = "N", *, min: float | None = None, max: float | None = None
) -> Any:
    """An option in the common form, with a word for its value in place of a type."""
    return typer.Option(name, help=help, rich_help_panel=panel, metavar=metavar, min=min, max=max)


# Options that several commands have. `metavar=None` is for switches, which take no value.
DataDir = Annotated[
    Path | None, option("--data-dir", "Folder with the data set's files; then nothing is downloaded.", DATA, "DIR")
]
Json = Annotated[bool, option("--json", "Print one JSON object on stdout and nothing else.", DATA, None)]
Encoding = Annotated[
    str, option("--encoding", "How pixels become qubit states; see `quanvolve circuits`.", MODEL, "NAME")
]
Readout = Annotated[str, option("--readout", "What is measured; see `quanvolve circuits`.", MODEL, "NAME")]
Init = Annotated[str, option("--init", "First weights: auto, uniform or small.", MODEL, "NAME")]
Noise = Annotated[
    str | None, option("--noise", "Noise after every gate, as in depolarizing=0.01,readout=0.02.", MODEL, "NAME=P")
]
TrainShots = Annotated[
    int | None, option("--shots", "Shots a window, in place of exact expectation values.", MODEL, min=1)
]
Layers = Annotated[int, option("--layers", "Layers of the circuit.", MODEL, min=1)]


def spelling(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def shown(name: str, value: Any) -> str:
    """An option and its value as they are typed."""
    if name == "trainable":
        return "--trainable" if value else "--fixed"
    return f"no {spelling(name)}" if value is None else f"{spelling(name)} {value}"
