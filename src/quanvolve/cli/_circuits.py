"""`quanvolve circuits`: the catalogue, and one of its entries described and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._options import layer_options
from quanvolve.cli._asked import MODEL, option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._options import Encoding, Json, Layers, Readout
from quanvolve.cli._output import output_file, with_parents
from quanvolve.runs import MAX_SEED

if TYPE_CHECKING:
    from quanvolve.circuits import Circuit

_DEFAULT = {name: argument.default for name, argument in layer_options().items()}
_KINDS = {"circuit": "circuits", "encoding": "encodings", "readout": "readouts"}
_Inputs = Annotated[int | None, option("--inputs", "Values in a window: 4, or as many as qubits.", MODEL, min=1)]
_Qubits = Annotated[
    int | None, option("--qubits", "Qubits; as many as the encoding needs, if not given.", MODEL, min=1)
]
_Seed = Annotated[int, option("--seed", "Fixes the structure of a random circuit.", MODEL, min=0, max=MAX_SEED)]
_Circuit = Annotated[str, option("--circuit", "The ansatz, where NAME is an encoding or a readout.", MODEL)]
_Draw = Annotated[bool, typer.Option("--draw", help="Write its picture to NAME.png.")]
_Output = Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder of the picture.")]


def circuits(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A circuit, encoding or readout to describe.")
    ] = None,
    circuit: _Circuit = _DEFAULT["circuit"],
    encoding: Encoding = _DEFAULT["encoding"],
    readout: Readout = _DEFAULT["readout"],
    inputs: _Inputs = None,
    qubits: _Qubits = None,
    layers: Layers = _DEFAULT["n_layers"],
    seed: _Seed = 0,
    draw: _Draw = False,
    output: _Output = Path(),
    json: Json = False,
) -> None:
    """List circuits, encodings and readouts; with NAME, describe that one, and draw it with --draw."""
    if name is None:
        _list(json)
        return
    from quanvolve.circuits import named_circuit, plans_for

    chosen = {"circuit": circuit, "encoding": encoding, "readout": readout}
    kind, entry = _find(name)
    chosen[kind] = name
    names = (chosen["circuit"], chosen["encoding"], chosen["readout"])
    built = named_circuit(
        names[0], inputs or qubits or 4, encoding=names[1], readout=names[2], n_wires=qubits, n_layers=layers, seed=seed
    )
    if draw:
        emit(f"picture {_write_picture(built, output, name)}")
    elif json:
        emit_json(built.to_dict())
    else:
        _describe(f"{name} ({kind})", built, entry, plans_for(*names))


def _find(name: str) -> tuple[str, Any]:
    """Which table an entry is in, and the entry."""
    from quanvolve.circuits import look_up

    tables = _tables()
    for kind, table in zip(_KINDS, tables.values(), strict=True):
        if name in table:
            return kind, table[name]
    return "circuit", look_up({n: e for table in tables.values() for n, e in table.items()}, "NAME", name)


def _tables() -> dict[str, Mapping[str, Any]]:
    from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS

    return {"circuits": ANSATZE, "encodings": ENCODINGS, "readouts": READOUTS}


def _list(json: bool) -> None:
    tables = _tables()
    if json:
        emit_json(
            {
                kind: [
                    {"name": n, "summary": e.summary, "reference": e.reference, "plans": list(e.plans)}
                    for n, e in table.items()
                ]
                for kind, table in tables.items()
            }
        )
        return
    for number, (kind, table) in enumerate(tables.items()):
        if number:
            emit("")
        rows = ((name, entry.summary, " ".join(entry.plans), entry.reference) for name, entry in table.items())
        emit_table(rows, (f"--{kind[:-1]}", "what it is", "plans that can run it", "reference"))


def _write_picture(circuit: Circuit, folder: Path, name: str) -> Path:
    from math import pi

    from quanvolve._errors import QuanvolveError
    from quanvolve.circuits import draw_figure
    from quanvolve.figures import save_figure

    path = folder / f"{name}.png"
    output_file(path)
    try:
        save_figure(draw_figure(circuit, scale=pi), with_parents(path))
    except OSError as error:
        raise QuanvolveError(f"cannot write the picture {path}: {error.strerror or error}") from error
    return path


def _describe(title: str, circuit: Circuit, entry: Any, plans: tuple[str, ...]) -> None:
    from quanvolve.circuits import draw_text

    emit(f"{title}: {entry.summary}\n")
    emit(draw_text(circuit))
    emit("")
    emit_table(
        (
            ("inputs", str(circuit.n_inputs)),
            ("qubits", str(circuit.n_wires)),
            ("gates", str(len(circuit.gates))),
            ("weights", str(circuit.n_weights)),
            ("outputs", str(circuit.n_outputs)),
            ("plans", ", ".join(plans)),
            ("reference", entry.reference),
        )
    )
