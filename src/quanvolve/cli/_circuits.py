"""`quanvolve circuits`: the catalogue, and one circuit drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._options import MAX_SEED, MODEL, Encoding, Json, Layers, Readout, TrainOptions, option

if TYPE_CHECKING:
    from quanvolve.circuits import Circuit

_DEFAULT = TrainOptions()
_Qubits = Annotated[int, option("--qubits", "Qubits, one for each pixel of a window.", MODEL, min=1)]
_Seed = Annotated[int, option("--seed", "Fixes the structure of a random circuit.", MODEL, min=0, max=MAX_SEED)]


def circuits(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The circuit to draw.")] = None,
    encoding: Encoding = _DEFAULT.encoding,
    readout: Readout = _DEFAULT.readout,
    qubits: _Qubits = 4,
    layers: Layers = _DEFAULT.layers,
    seed: _Seed = _DEFAULT.seed,
    json: Json = False,
) -> None:
    """List circuits, encodings and readouts; with NAME, draw that circuit."""
    if name is None:
        _list(json)
        return
    from quanvolve.circuits import ANSATZE, named_circuit

    circuit = named_circuit(name, qubits, encoding=encoding, readout=readout, n_layers=layers, seed=seed)
    if json:
        emit_json(circuit.to_dict())
    else:
        _describe(name, circuit, ANSATZE[name].summary, ANSATZE[name].reference)


def _list(json: bool) -> None:
    from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS

    tables: dict[str, Mapping[str, Any]] = {"circuits": ANSATZE, "encodings": ENCODINGS, "readouts": READOUTS}
    if json:
        emit_json(
            {
                kind: [{"name": n, "summary": e.summary, "reference": e.reference} for n, e in table.items()]
                for kind, table in tables.items()
            }
        )
        return
    for number, (kind, table) in enumerate(tables.items()):
        if number:
            emit("")
        rows = ((name, entry.summary, entry.reference) for name, entry in table.items())
        emit_table(rows, (f"--{kind[:-1]}", "what it is", "reference"))


def _describe(name: str, circuit: Circuit, summary: str, reference: str) -> None:
    from quanvolve.circuits import draw_text

    emit(f"{name}: {summary}\n")
    emit(draw_text(circuit))
    emit("")
    emit_table(
        (
            ("qubits", str(circuit.n_wires)),
            ("gates", str(len(circuit.gates))),
            ("weights", str(circuit.n_weights)),
            ("outputs", str(circuit.n_outputs)),
            ("reference", reference),
        )
    )
