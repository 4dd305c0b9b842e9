"""A run from its data to its pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._file_names import CONFIG
from quanvolve.runs._models import load_model
from quanvolve.runs._results import draw_pictures, read_metrics, write_metrics
from quanvolve.runs._run import Run, discard
from quanvolve.runs._source import held_out, label_names
from quanvolve.runs._tasks import watched_in
from quanvolve.runs._view import View

if TYPE_CHECKING:
    from quanvolve.data import Dataset


def begin_run(run: Run, dataset: Dataset, view: View, made: list[Path]) -> None:
    """All of a new run; one that fails before its first epoch is finished leaves nothing.

    Args:
        run: in a folder that is locked.
        dataset: its data.
        view: told what is done.
        made: folders that were made for it, innermost first.
    """
    run = replace(run, options=replace(run.options, task=dataset.task))
    try:
        run.write()
        finish_run(run, dataset, view)
    except KeyboardInterrupt:
        if not run.exists:
            discard(run, made)
        raise
    except Exception:
        discard(run, made)
        raise


def finish_run(run: Run, dataset: Dataset, view: View) -> None:
    """Whatever is still to be done in a run, whose folder is locked."""
    from quanvolve.estimators import warn_of_unknown_labels  # loads scikit-learn

    if dataset.task == "classification":
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
    """The model of a run whose training is done; None if its last checkpoint must make it anew.

    Raises:
        ModelError: if it is damaged, or lacks the history that metrics and pictures are made of.
    """
    from quanvolve.estimators import is_history, scores_with  # loads scikit-learn

    try:
        clf = load_model(run.folder)
    except ModelError:
        if run.checkpoint.is_file():
            return None
        raise
    rows = clf.history_
    if not rows or not is_history(rows, scores_with(watched_in(clf, run.task), run.task.watched)):
        raise ModelError(
            f"{run.folder / CONFIG} is damaged: it lacks the history of the training; train again with another "
            "`output`",
            arguments=("output",),
        )
    return clf


def _train(run: Run, dataset: Dataset, view: View) -> tuple[Any, float]:
    from quanvolve import estimators  # loads scikit-learn
    from quanvolve.runs._watch import Watch  # loads scikit-learn

    _check_device(run.options.device)
    clf = getattr(estimators, run.task.estimator)(**run.options.params(dataset.dims))
    watch = Watch(run, view)
    clf.fit_watched(
        dataset.train_images,
        dataset.train_labels,
        validation_data=held_out(dataset),
        monitor=watch,
        checkpoint=run.checkpoint,
        resume=True,
    )
    if dataset.task == "classification":
        clf.label_names_ = label_names(dataset, clf.classes_)
    clf.preparation_ = dataset.preparation
    clf.save(run.folder)
    return clf, watch.preparation


def _check_device(device: str) -> None:
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise QuanvolveError(f"`device={device}` is not the name of a device: use cpu or cuda") from None
    try:
        if kind == "meta":
            raise RuntimeError("it holds no numbers")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise QuanvolveError(f"`device={device}` cannot be used here ({reason}): use cpu") from None
