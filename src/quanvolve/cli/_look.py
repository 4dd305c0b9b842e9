"""`quanvolve look`: what is understood of data, before anything is trained on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, asks, option
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import output_file, with_parents
from quanvolve.runs import DataOptions, canonical, data_picture, load_data

_Output = Annotated[
    Path | None, option("--output", "Write a picture: samples of each class, and counts.", DATA, "FILE")
]


@asks(DataOptions)
def look(
    data: Annotated[str, typer.Argument(metavar="DATA", help="What `quanvolve train` takes: a name, file or folder.")],
    output: _Output = None,
    data_dir: DataDir = None,
    json: Json = False,
    **chosen: Any,
) -> None:
    """Say what is understood of data: classes, counts, sizes, what is odd.

    Takes the options that `quanvolve train` takes, and trains nothing.
    """
    from quanvolve.data import source_of, understand

    if output is not None:
        output_file(output)
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    with interruptible("interrupted: nothing was written"):
        name = canonical(data)
        dataset = load_data(name, place, asked=DataOptions(**chosen).asked())
        understood = understand(dataset, source_of(name))
        if output is not None:
            from quanvolve.figures import save_figure

            save_figure(data_picture(dataset, understood), with_parents(output))
    if json:
        emit_json({**understood.to_dict(), "picture": None if output is None else str(output)})
        return
    emit("\n".join(understood.lines()))
    if output is not None:
        emit(f"\nwrote {output}")
