"""Options that several commands have, and how options are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from quanvolve.cli._asked import DATA, of_layer, option, spelling

# `metavar=None` is for switches, which take no value.
DataDir = Annotated[
    Path | None, option("--data-dir", "Folder with the data set's files; then nothing is downloaded.", DATA, "DIR")
]
Json = Annotated[bool, option("--json", "Print one JSON object on stdout and nothing else.", DATA, None)]
Encoding = Annotated[str, of_layer("encoding")]
Readout = Annotated[str, of_layer("readout")]
Layers = Annotated[int, of_layer("n_layers")]


def shown(name: str, value: Any) -> str:
    """An option and its value as they are typed."""
    if name == "trainable":
        return "--trainable" if value else "--fixed"
    if isinstance(value, bool):
        return spelling(name if value else f"no_{name}")
    return f"no {spelling(name)}" if value is None else f"{spelling(name)} {value}"
