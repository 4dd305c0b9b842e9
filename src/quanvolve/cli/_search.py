"""`quanvolve search`: the arguments of a model that are best on validation images."""

from __future__ import annotations

import json as jsonlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import QuanvolveError
from quanvolve._files import write_whole
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, TRAINING, asks, option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._counter import Counter
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import SEARCH as KEPT
from quanvolve.cli._output import output_folder
from quanvolve.runs import MAX_SEED as _MOST
from quanvolve.runs import OF_DATA, OPTION_OF, DataOptions

if TYPE_CHECKING:
    from quanvolve.study import Metric

SEARCH = "Search"
_NOT_CHOSEN = ("epochs", "seed", "device", "data_dir", "patience", "validation_fraction", *OF_DATA)
"""Options of `quanvolve train` that a search has itself, or that do not make a model better."""
_Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A data set, or an .npz file.")]
_Output = Annotated[Path, option("--output", "Folder of the trials and of the best model.", DATA, "DIR")]
_Space = Annotated[
    list[str] | None,
    option("--space", "What to choose from: encoding=ry,rx or filters=1..6 or lr=1e-3..1e-2:log.", SEARCH, "NAME=..."),
]
_Sampler = Annotated[str, option("--sampler", "tpe, gp, random or grid.", SEARCH, "NAME")]
_Trials = Annotated[int, option("--trials", "Trials in the end, those of earlier calls included.", SEARCH, min=1)]
_Folds = Annotated[int, option("--folds", "Of nested cross-validation; 0 for none.", SEARCH, min=0)]
_Storage = Annotated[
    str | None, option("--storage", "Database of the trials; by default an SQLite file in --output.", SEARCH, "URL")
]
_Prune = Annotated[bool, option("--prune/--no-prune", "Stop trainings that fall behind.", SEARCH, None)]
_TrainSize = Annotated[int | None, option("--train-size", "Training images.", SEARCH, min=2)]
_Epochs = Annotated[int, option("--epochs", "Epochs of each training.", TRAINING, min=1)]
_Seed = Annotated[int, option("--seed", "Of sampler, splits and trainings.", TRAINING, min=0, max=_MOST)]


@asks(DataOptions)
def search(
    dataset: _Dataset = "digits",
    output: _Output = Path("search"),
    space: _Space = None,
    sampler: _Sampler = "tpe",
    trials: _Trials = 50,
    folds: _Folds = 0,
    storage: _Storage = None,
    prune: _Prune = True,
    train_size: _TrainSize = None,
    epochs: _Epochs = 15,
    seed: _Seed = 0,
    data_dir: DataDir = None,
    json: Json = False,
    **own: Any,
) -> None:
    """Search for circuits, encodings, filters and heads.

    Every trial is kept in a database: the same command goes on after Ctrl-C
    or kill -9, and several processes may search in it. The best model is
    saved in OUTPUT/model; the test images are looked at once, at the end.
    """
    from quanvolve.runs import canonical
    from quanvolve.study import parse_space
    from quanvolve.study import search as searched

    output_folder(output, KEPT)
    output.mkdir(parents=True, exist_ok=True)
    url = storage or f"sqlite:///{os.path.abspath(output)}/search.sqlite"
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    again = f"interrupted; the same command goes on from {shlex.quote(str(output))}"
    with interruptible(again), Counter("trials", quiet=json) as counter:

        def told(done: int, of: int, best: float | None, metric: Metric) -> None:
            text = "" if best is None else f"best validation {metric.words.title} {best:.4f}"
            counter.show(min(done, of), of, text)

        tuned = searched(
            canonical(dataset), space=None if space is None else parse_space(_parts(space)), sampler=sampler,
            n_trials=trials, epochs=epochs, storage=url, folds=folds, train_size=train_size, prune=prune,
            seed=seed, data_dir=place, asked=DataOptions(**own).asked_by_study(), progress=told,
        )  # fmt: skip
        tuned.model.save(output / "model")
        metric = tuned.metric
        result: dict[str, Any] = {
            "params": tuned.params, metric.valid: tuned.valid_score, metric.tested: tuned.test_score,
            "trials": tuned.n_trials, "pruned": tuned.n_pruned, "failed": tuned.n_failed, "nested": list(tuned.nested),
        }  # fmt: skip
        write_whole(output / "search.json", jsonlib.dumps(result, indent=1))
    if json:
        emit_json(result)
        return
    emit_table([(name, str(value)) for name, value in tuned.params.items()])
    emit(f"{tuned.n_trials} trials, {tuned.n_pruned} stopped early, {tuned.n_failed} failed")
    title = metric.words.title
    emit(f"validation {title} {tuned.valid_score:.4f} (the best of many, so too good)")
    if tuned.nested:
        emit(f"nested cross-validation {tuned.nested_score:.4f}")
    emit(f"test {title} {tuned.test_score:.4f}")
    emit(f"wrote {output / 'model'} and {output / 'search.json'}")


_NAMES = ", ".join(name.replace("_", "-") for name in OPTION_OF.values() if name not in _NOT_CHOSEN)
search.__doc__ = f"{search.__doc__}\n    NAME in --space is one of {_NAMES}.\n"


def _parts(space: list[str]) -> dict[str, str]:
    """NAME=... with names of options or arguments."""
    arguments = {name: argument for argument, name in OPTION_OF.items()}
    texts = {}
    for part in space:
        name, equals, text = part.partition("=")
        if not equals:
            raise QuanvolveError(f"--space {part} is not of the form NAME=..., such as encoding=ry,rx")
        key = name.strip().replace("-", "_")
        texts[arguments.get(key, key)] = text
    return texts
