"""`quanvolve predict`: what a saved model takes images for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import complain, emit, emit_json, emit_table
from quanvolve.cli._counter import Counter
from quanvolve.cli._options import Json
from quanvolve.cli._output import output_file
from quanvolve.cli._wording import as_options
from quanvolve.runs import (
    OF_CLASSES,
    OF_LABELS,
    OF_NUMBERS,
    Answers,
    check_format,
    files_of,
    load_model,
    predictions,
    write_answers,
)

_MANY = 200
"""From so many files on, progress is shown."""

_Output = Annotated[Path | None, option("--output", "Write a .csv, .parquet or .json file.", DATA, "FILE")]
_Top = Annotated[int, option("--top", "Labels of each image, the best first.", DATA, min=1)]
_Every = Annotated[bool, option("--probabilities", "A column for the probability of each class.", DATA, None)]
_Fit = Annotated[
    str | None,
    option("--fit", "Resize pictures for a model trained on arrays: crop, pad or stretch.", DATA, "WAY"),
]
_Invert = Annotated[bool, option("--invert", "Exchange dark and bright first (ink on paper).", DATA, None)]
_Strict = Annotated[bool, option("--strict", "Stop at the first file that cannot be used.", DATA, None)]


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved model.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Pictures, .npy and .npz files, folders of them, patterns such as '*.png', or tables (.csv, .tsv).",
        ),
    ],
    output: _Output = None,
    top: _Top = 1,
    every: _Every = False,
    fit: _Fit = None,
    invert: _Invert = False,
    strict: _Strict = False,
    json: Json = False,
) -> None:
    """Classify images, or predict their numbers.

    Pictures are prepared as those of the training were. Where a model was
    trained on arrays they must have its size, or --fit says how they get it.
    Colours are turned grey (by luma) for a model of grey images.

    Pictures and 8-bit arrays are brought to the range of the training images;
    other arrays are taken as they are.

    A file that cannot be used is named, the others are classified, and the
    exit code is 1.
    """
    from quanvolve.data import Asked  # loads numpy

    if output is not None:
        output_file(output)
        check_format(output)
    if fit is not None:
        Asked(fit=fit)
    clf = load_model(run)
    paths = files_of(files)
    names: list[str] = []
    rows: list[Any] = []
    faults = 0
    told: set[str] = set()
    with Counter("files", quiet=len(paths) < _MANY or json) as counter:
        show = counter.show if output is not None else None
        for block in predictions(clf, paths, fit=fit, invert=invert, strict=strict or len(paths) == 1, progress=show):
            names += block.names
            rows.append(block.outputs)
            for fault in block.faults:
                complain(as_options(str(fault), fault.arguments))
            faults += len(block.faults)
            for warned in block.said:
                _tell(warned, told)
    if not names:
        raise DataError(f"none of the {len(paths)} files can be used: the lines above say why")
    _answer(run, _answers(clf, names, rows), output, top, every, json)
    if faults:
        complain(f"{faults} of {len(paths)} files could not be used, as the lines above say")
        raise typer.Exit(1)


def _tell(warned: str, told: set[str]) -> None:
    """Pass on what the model warns of, once, in the words of the command line."""
    if ": invert it" in warned:
        warned = warned.partition(": invert it")[0].replace("X is", "the pictures are", 1) + ": give --invert"
    if warned not in told:
        told.add(warned)
        complain(f"warning: {warned}")


def _answers(clf: Any, names: list[str], rows: list[Any]) -> Answers:
    import numpy as np

    if not hasattr(clf, "classes_"):
        return Answers(names, np.concatenate(rows), OF_NUMBERS)
    classes = clf.classes_.tolist()
    labels = getattr(clf, "label_names_", None) or []
    if len(labels) != len(classes):
        # Without a name for each label, the labels speak for themselves.
        labels = [str(label) for label in classes]
    kind = OF_LABELS if clf.multilabel_ else OF_CLASSES
    return Answers(names, np.concatenate(rows), kind, classes, list(labels))


def _answer(run: Path, answers: Answers, output: Path | None, top: int, every: bool, json: bool) -> None:
    if output is not None:
        write_answers(answers, output, top, every)
    if json:
        emit_json({"run": str(run), "predictions": list(answers.documents())})
    elif output is not None:
        emit(f"{len(answers.names)} images -> {output}")
    else:
        header, rows = answers.table(top, every)
        form = ".6g" if answers.kind == OF_NUMBERS else ".4f"
        cells = [[one_line(cell) if isinstance(cell, str) else f"{cell:{form}}" for cell in row] for row in rows]
        emit_table(cells, header, right=[k for k, name in enumerate(header) if name.startswith(("p", "target"))])
