"""The model of a run, and data that it can take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import ModelError
from quanvolve._file_names import CONFIG
from quanvolve.runs._files import RUN, begun
from quanvolve.runs._run import read_run
from quanvolve.runs._source import canonical, check_fits, load_data
from quanvolve.runs._tasks import TaskName

if TYPE_CHECKING:
    from quanvolve.data import Dataset


class Unfinished(ModelError):
    """A run without a model so far.

    Args:
        message: that says so.
        folder: of the run.
    """

    def __init__(self, message: str = "", *, folder: Path = Path()) -> None:
        super().__init__(message)
        self.folder = folder


def load_model(folder: Path) -> Any:
    """The model of a run, a classifier or a regressor.

    Raises:
        Unfinished: if there is none yet.
        ModelError: if it is damaged or something else.
    """
    if begun(folder) and not (folder / CONFIG).exists():
        read_run(folder)  # if that is damaged, it cannot be finished either
        raise Unfinished(f"{folder} has no model yet: finish its training first", folder=folder)
    from quanvolve.estimators import QuanvTransformer, load  # loads scikit-learn

    model = load(folder)
    if isinstance(model, QuanvTransformer):
        raise ModelError(f"{folder} holds a {type(model).__name__}, expected a classifier or a regressor")
    return model


def load_classifier(folder: Path) -> Any:
    """As :func:`load_model`, for what only classifiers can do.

    Raises:
        ModelError: also if it is a regressor.
    """
    from sklearn.base import is_classifier

    model = load_model(folder)
    if not is_classifier(model):
        raise ModelError(f"{folder} holds a {type(model).__name__}, expected a classifier")
    return model


def task_of_model(model: Any) -> TaskName:
    """What a fitted model learns: "classification", "multilabel" or "regression"."""
    from sklearn.base import is_regressor

    if is_regressor(model):
        return "regression"
    return "multilabel" if model.multilabel_ else "classification"


def data_of(run: Path, clf: Any, dataset: str | None, data_dir: Path | None) -> Dataset:
    """A data set that a model can take: the one that is named, else that of its run.

    Raises:
        ModelError: if neither the user nor the folder names one.
        DataError: if there is no such data set, or its images or labels do not fit.
    """
    if dataset is None:
        if not (run / RUN).exists():
            raise ModelError(
                f"{run} does not say which data set it was trained on: give one after it, a name from `quanvolve "
                "datasets` or an .npz file"
            )
        stored = read_run(run)
        name, place, asked = stored.dataset, data_dir or stored.data_dir, stored.options.asked()
    else:
        name, place, asked = canonical(dataset), data_dir, {"task": task_of_model(clf)}
    place = None if place is None else Path(os.path.abspath(place))
    data = load_data(name, place, asked=asked, preparation=clf.preparation_)
    check_fits(data, clf, run)
    return data
