"""`quanvolve datasets`: which data sets there are and where they lie."""

from __future__ import annotations

from quanvolve.cli._console import emit_json, emit_table
from quanvolve.cli._options import DataDir, Json


def datasets(data_dir: DataDir = None, json: Json = False) -> None:
    """List the data sets and where they are taken from; nothing is downloaded."""
    from dataclasses import asdict

    from quanvolve.data import list_datasets, list_ucr, where

    listed = [(info, where(info.name, data_dir)) for info in list_datasets()]
    if json:
        emit_json({"datasets": [{**asdict(info), "where": place} for info, place in listed], "ucr": list_ucr()})
        return
    # One line for all of them: they would fill the screen.
    archive = ("ucr/NAME", "", "", "", f"{len(list_ucr())} sets", "time series of the UCR archive, such as ucr/Coffee")
    table = [
        (
            info.name,
            f"{info.images:,}",
            "x".join(map(str, info.shape)),
            str(info.classes),
            place,
            f"{info.source} ({info.licence})",
        )
        for info, place in listed
    ]
    emit_table([*table, archive], ("name", "images", "shape", "classes", "where", "source"), right=(1, 3))
