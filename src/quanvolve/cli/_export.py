"""`quanvolve export`: a trained model, or its circuits, for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit, emit_json
from quanvolve.cli._options import Json
from quanvolve.cli._output import output_file, with_parents
from quanvolve.runs import load_classifier, load_model, task_of_model


class Form(StrEnum):
    """What can be written."""

    ONNX = "onnx"
    TORCH = "torch"
    OPENQASM3 = "openqasm3"
    QISKIT = "qiskit"


_To = Annotated[Form, typer.Option("--to", help="What to write.", rich_help_panel=DATA)]
_Output = Annotated[Path, option("--output", "The file; an existing one is replaced.", DATA, "FILE")]


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved model.")],
    to: _To,
    output: _Output,
    json: Json = False,
) -> None:
    """Write a model, or its circuits, for other programs.

    onnx: the whole model with its preprocessing, for any number of
    images; runs in onnxruntime, without this package and without torch.

    torch: the same as a program of torch.export.

    openqasm3: each circuit with its weights, the pixels being inputs; one
    file for each circuit, numbered where there are several.

    qiskit: all circuits in one QPY file, the pixels being parameters.

    Coherent trees are circuits of a whole image, on few qubits that are
    reset and used again.
    """
    output_file(output)
    model = load_model(run) if to in (Form.ONNX, Form.TORCH) else load_classifier(run)
    with_parents(output)
    written: list[Path] = [output]
    result: dict[str, Any] = {"run": str(run), "to": to.value}
    if to in (Form.ONNX, Form.TORCH):
        from quanvolve.deploy import export_onnx, export_torch

        difference = (export_onnx if to is Form.ONNX else export_torch)(model, output)
        result["largest_difference"] = difference
        numbers = task_of_model(model) == "regression"
        answers, unit = (
            ("numbers", " standard deviations of the training targets") if numbers else ("probabilities", "")
        )
        about = f"checked on 16 random images: its {answers} differ by at most {difference:.1e}{unit}"
    else:
        circuits = _circuits(model)
        result["circuits"] = [circuit.name for circuit in circuits]
        if to is Form.QISKIT:
            from quanvolve.backends import qiskit_circuit, save_qpy

            save_qpy([qiskit_circuit(circuit.bound, circuit.name) for circuit in circuits], output)
        else:
            written = _write_programs(circuits, output)
        about = f"{len(circuits)} circuit{'s' * (len(circuits) > 1)}: {', '.join(circuit.name for circuit in circuits)}"
    result["files"] = [str(path) for path in written]
    if json:
        emit_json(result)
        return
    for path in written:
        emit(f"wrote {path}")
    emit(about)


def _circuits(model: Any) -> list[Any]:
    """Those of filters, and those of coherent trees."""
    from quanvolve.analysis import filter_circuits, quantum_layers
    from quanvolve.backends import tree_circuits

    trees = tree_circuits(model)
    return [*(filter_circuits(model) if quantum_layers(model) or not trees else []), *trees]


def _write_programs(circuits: list[Any], output: Path) -> list[Path]:
    from quanvolve._files import write_whole
    from quanvolve.circuits import openqasm

    several = len(circuits) > 1
    paths = [
        output.with_name(f"{output.stem}-{circuit.name}{output.suffix}") if several else output for circuit in circuits
    ]
    for circuit, path in zip(circuits, paths, strict=True):
        write_whole(path, openqasm(circuit.bound, circuit.title))
    return paths
