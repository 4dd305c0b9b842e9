"""A run of `quanvolve train`, from its data to its pictures, begun or continued."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import spelling
from quanvolve.cli._options import TrainOptions, shown
from quanvolve.cli._output import TRAIN, output_folder
from quanvolve.cli._progress import View
from quanvolve.cli._run import Run, clear, discard, locked, make_folder, read_run
from quanvolve.cli._source import canonical, label_names, load

if TYPE_CHECKING:
    from quanvolve.data import Dataset

_NOTHING_KEPT = "interrupted before training began: nothing was kept"


def begin(dataset: str, data_dir: Path | None, output: Path | None, options: TrainOptions, view: View) -> Run:
    """Train in a new folder.

    Returns:
        The finished run.
    """
    if output is not None:
        output_folder(output, TRAIN)
    view.phase("starting")
    name = canonical(dataset)
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    with interruptible(_NOTHING_KEPT):
        data = load(name, place, view.download)
        folder, made = make_folder(output, name)
    run = Run(folder, name, place, options)
    # Outside the `try`: whoever is refused here must leave alone what another process keeps in the folder.
    with interruptible(lambda: _how_to_go_on(run)), locked(folder):
        output_folder(folder, TRAIN)  # before there was a lock, another process may have filled it
        clear(folder)
        try:
            run.write()
            _work(run, data, view)
        except KeyboardInterrupt:
            if not run.exists:
                discard(run, made)
            raise
        except Exception:
            discard(run, made)
            raise
    return run


def resume(given: dict[str, Any], output: Path, view: View) -> Run:
    """Continue the run in a folder; a finished one is left as it is.

    Args:
        given: the options typed on the command line, which must be those of the run. Data may have moved, though:
            "data_dir" takes the place of the run's.
        output: the folder.
        view: what the user sees.

    Returns:
        The finished run.

    Raises:
        ModelError: if there is no run, it is damaged, or is of other options.
    """
    run = read_run(output)
    _compare(run, given)
    if run.trained and not run.missing() and not run.checkpoint.exists():
        return run
    with interruptible(lambda: _how_to_go_on(run)), locked(output):
        if given.get("data_dir") is not None:
            run = replace(run, data_dir=Path(os.path.abspath(given["data_dir"])))
            run.write()
        view.phase("starting")
        _work(run, load(run.dataset, run.data_dir, view.download), view)
    return run


def _how_to_go_on(run: Run) -> str:
    return f"interrupted; continue with: {run.resume_command()}" if run.exists else _NOTHING_KEPT


def _compare(run: Run, given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name == "data_dir":
            continue
        if name == "dataset":
            value, stored = canonical(value), run.dataset
            texts = f"data set {value}", stored
        else:
            stored = getattr(run.options, name)
            texts = shown(name, value), shown(name, stored)
        if value != stored:
            raise ModelError(
                f"{texts[0]} was given, but the run in {run.folder} has {texts[1]}: leave it out to continue that run, "
                "or start another with another --output"
            )


def _work(run: Run, dataset: Dataset, view: View) -> None:
    """Whatever is still to be done."""
    from quanvolve.cli._results import draw_pictures, read_metrics, write_metrics
    from quanvolve.estimators import warn_of_unknown_labels

    warn_of_unknown_labels(dataset.train_labels, dataset.test_labels)
    clf, preparation = _trained(run) if run.trained else None, 0.0
    if clf is None:
        clf, preparation = _train(run, dataset, view)
    view.phase("testing")
    missing = run.missing()
    if run.metrics.name in missing:
        write_metrics(run, clf, dataset, preparation)
    view.phase("drawing")
    draw_pictures(run, clf, dataset, missing, read_metrics(run))
    run.tidy()


def _trained(run: Run) -> Any:
    """The classifier of a run whose training is done; None if its last checkpoint must make it anew.

    Raises:
        ModelError: if it is damaged, or lacks the history that metrics and pictures are made of.
    """
    from quanvolve.cli._evaluate import load_classifier
    from quanvolve.estimators import is_history

    try:
        clf = load_classifier(run.folder)
    except ModelError:
        if run.checkpoint.is_file():
            return None
        raise
    rows = clf.history_
    if not rows or not is_history(rows):
        raise ModelError(
            f"{run.folder / 'config.json'} is damaged: it lacks the history of the training; train again with another "
            "--output"
        )
    return clf


def _train(run: Run, dataset: Dataset, view: View) -> tuple[Any, float]:
    from quanvolve.cli._watch import Watch
    from quanvolve.estimators import QuanvClassifier

    _check_device(run.options.device)
    clf = QuanvClassifier(**run.options.params(dataset.dims))
    watch = Watch(run, view)
    clf.fit_watched(
        dataset.train_images,
        dataset.train_labels,
        monitor=watch,
        checkpoint=run.checkpoint,
        resume=True,
    )
    clf.label_names_ = label_names(dataset, clf.classes_)
    clf.save(run.folder)
    return clf, watch.preparation


def _check_device(device: str) -> None:
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise QuanvolveError(f"{spelling('device')} {device} is not the name of a device: use cpu or cuda") from None
    try:
        if kind == "meta":
            raise RuntimeError("it holds no numbers")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise QuanvolveError(f"{spelling('device')} {device} cannot be used here ({reason}): use cpu") from None
