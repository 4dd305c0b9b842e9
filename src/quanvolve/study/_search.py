"""Search for the arguments of an estimator, with Optuna: kept in a database, pruned, judged by nested validation."""

from __future__ import annotations

import math
import sqlite3
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._options import parse_noise
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import METRICS
from quanvolve.study._space import DEFAULT_SPACE, Space, check_names, check_space
from quanvolve.study._trial import as_key, data_of, drawn, with_windows

SAMPLERS = ("tpe", "gp", "random", "grid")
_FINISHED = ("COMPLETE", "PRUNED", "FAIL")
_BEAT, _GRACE = 10, 60
Progress = Callable[[int, int, float | None, Metric], None]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        params: the best arguments.
        valid_score: on validation images, by which it was chosen; too good, as the best of many. It is the accuracy,
            of regressors R2, and of several labels a sample the mean average precision; `metric` says which.
        test_score: of a model with these arguments, on test images that the search never saw.
        n_trials, n_pruned, n_failed: that were finished, stopped early, or failed.
        nested: scores of whole searches on parts of the training images that they did not see; none without folds.
        model: fitted with these arguments.
        metric: what the scores are.
    """

    params: dict[str, Any]
    valid_score: float
    test_score: float
    n_trials: int
    n_pruned: int
    n_failed: int
    nested: tuple[float, ...]
    model: Any
    metric: Metric

    @property
    def nested_score(self) -> float:
        """What a search like this one can be expected to reach, from its folds; not a number without any."""
        return float(np.mean(self.nested)) if self.nested else math.nan


def search(
    dataset: str,
    *,
    space: Space | None = None,
    fixed: dict[str, Any] | None = None,
    sampler: str = "tpe",
    n_trials: int = 50,
    epochs: int = 15,
    storage: str | None = None,
    name: str = "search",
    folds: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    validation_fraction: float = 0.2,
    prune: bool = True,
    seed: int = 0,
    data_dir: str | Path | None = None,
    asked: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Found:
    """Search for the arguments of :class:`quanvolve.QuanvClassifier` that are best on validation images.

    Where numbers are learned, it is :class:`quanvolve.QuanvRegressor`, and R2 in place of the accuracy; where samples
    have several labels, mean average precision.

    Args:
        dataset: name of a data set, or path of a file.
        space: what to choose from, by argument; :data:`quanvolve.study.DEFAULT_SPACE` if not given. Noise is a text
            there, such as "depolarizing=0.01".
        fixed: other arguments.
        sampler: "tpe", "gp" (a Gaussian process), "random", or "grid", which stops when all has been tried.
        n_trials: trainings that are finished, pruned or failed in the end, those of earlier calls included.
        epochs: of each training.
        storage: URL of a database that keeps every trial, such as "sqlite:///search.db" or
            "postgresql+psycopg://user@host/name"; several processes may search with it. None keeps nothing.
        name: of the search in the database.
        folds: of the nested cross-validation, each of which searches anew on the rest; 0 for none.
        train_size, test_size: as in :class:`Protocol`.
        validation_fraction: of the training images, by which a trial is judged.
        prune: stop trainings that are worse than half of the others were after as many epochs.
        seed: of sampler, splits and trainings.
        data_dir: folder with the data set's files.
        asked: how data of one's own are read: the fields of :class:`quanvolve.data.Asked`.
        progress: told how many trials are finished, of how many, the best score so far, and what it is.

    Returns:
        The best arguments, and a model fitted with them. The test images are looked at once.

    Raises:
        QuanvolveError: if Optuna is missing, an argument does not fit, or every trial failed.

    References:
        Akiba et al., "Optuna", KDD (2019); Cawley and Talbot, J. Mach. Learn. Res. 11, 2079 (2010), for nested
        cross-validation; Li et al., "A system for massively parallel hyperparameter tuning", MLSys (2020).

    Examples:
        >>> from quanvolve.study import Choice
        >>> found = search("digits", space={"encoding": Choice(("ry", "rx"))}, sampler="grid", epochs=1, train_size=80)
        >>> found.n_trials, found.params["encoding"] in ("ry", "rx")
        (2, True)
    """
    if sampler not in SAMPLERS:
        raise QuanvolveError(f"`sampler` (={sampler!r}) must be one of {', '.join(map(repr, SAMPLERS))}")
    if n_trials < 1 or epochs < 1 or folds == 1 or folds < 0:
        raise QuanvolveError(
            f"`n_trials` (={n_trials}) and `epochs` (={epochs}) must be at least 1, `folds` (={folds}) 0 or at least 2"
        )
    check_space(space or {})
    check_names(fixed or {})
    data = data_of(dataset, None if data_dir is None else str(data_dir), as_key(asked))
    metric = METRICS[data.task]
    check_names((*(space or ()), *(fixed or ())), metric)
    metric.arguments(fixed or {})
    rows = drawn(data.train_labels, train_size, seed, metric)
    images, labels = data.train_images[rows], data.train_labels[rows]
    chosen = dict(DEFAULT_SPACE if space is None else space)
    shared = {"epochs": epochs, "validation_fraction": validation_fraction, "seed": seed, "dims": data.dims}
    setting = _Setting(chosen, dict(fixed or {}), shared, sampler, n_trials, prune, metric)
    nested = []
    for number, (train, held_out) in enumerate(_folds(labels, folds, seed, metric)):
        study = setting.run(images[train], labels[train], storage, f"{name}, fold {number + 1} of {folds}", progress)
        model = setting.estimator(study.best_params).fit(images[train], labels[train])
        nested.append(metric.score(model, images[held_out], labels[held_out]))
    study = setting.run(images, labels, storage, name, progress)
    model = setting.estimator(study.best_params).fit(images, labels)
    model.preparation_ = data.preparation
    test = drawn(data.test_labels, test_size, 0, metric)
    states = [trial.state.name for trial in study.trials]
    return Found(
        {**setting.fixed, **study.best_params},
        float(study.best_value),
        metric.score(model, data.test_images[test], data.test_labels[test]),
        sum(state in _FINISHED for state in states),
        states.count("PRUNED"),
        states.count("FAIL"),
        tuple(nested),
        model,
        metric,
    )


def _folds(labels: Any, folds: int, seed: int, metric: Metric) -> list[tuple[Any, Any]]:
    if not folds:
        return []
    from sklearn.model_selection import KFold, StratifiedKFold

    classes = metric.classes(labels)
    splitter = (KFold if classes is None else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), classes))


@dataclass(frozen=True)
class _Setting:
    """What all searches of one call share."""

    space: Space
    fixed: dict[str, Any]
    shared: dict[str, Any]
    sampler: str
    n_trials: int
    prune: bool
    metric: Metric

    def estimator(self, params: dict[str, Any]) -> Any:
        """An estimator of these arguments."""
        arguments = with_windows(self.metric.arguments({**self.fixed, **params}), self.shared["dims"])
        if isinstance(arguments.get("noise"), str):
            arguments["noise"] = parse_noise(arguments["noise"])
        return self.metric.estimator()(
            **{
                "max_epochs": self.shared["epochs"],
                "validation_fraction": self.shared["validation_fraction"],
                "random_state": self.shared["seed"],
                **arguments,
            }
        )

    def run(self, images: Any, labels: Any, storage: str | None, name: str, progress: Progress | None) -> Any:
        """Search on these images until there are enough trials."""
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.ERROR)

        def objective(trial: Any) -> float:
            params = {argument: part.suggest(trial, argument) for argument, part in self.space.items()}
            model = self.estimator(params)
            try:
                model.fit_watched(images, labels, monitor=_pruning(optuna, trial, self))
            except optuna.TrialPruned:
                raise
            except Exception as error:
                trial.set_user_attr("error", f"{type(error).__name__}: {error}")
                raise
            return float(max(row[self.metric.valid] for row in model.history_))

        def told(study: Any, _: Any) -> None:
            done = sum(trial.state.name in _FINISHED for trial in study.trials)
            if progress is not None:
                best = study.best_value if any(trial.state.name == "COMPLETE" for trial in study.trials) else None
                progress(done, self.n_trials, best, self.metric)

        study = self._study(optuna, storage, name)
        states = tuple(getattr(optuna.trial.TrialState, state) for state in _FINISHED)
        enough = optuna.study.MaxTrialsCallback(self.n_trials, states=states)
        # Of a grid that has been tried whole, Optuna would try a point again.
        grid = math.prod(len(part.grid()) for part in self.space.values()) if self.sampler == "grid" else self.n_trials
        if sum(trial.state.name in _FINISHED for trial in study.trials) < min(self.n_trials, grid):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
                study.optimize(objective, callbacks=[told, enough], catch=(Exception,))
        if not any(trial.state.name == "COMPLETE" for trial in study.trials):
            errors = [trial.user_attrs.get("error") for trial in study.trials if trial.user_attrs.get("error")]
            first = f"; the first failed with {errors[0]}" if errors else ": they were all stopped early"
            raise QuanvolveError(f"no trial of the search succeeded{first}")
        return study

    def _study(self, optuna: Any, storage: str | None, name: str) -> Any:
        samplers = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=self.shared["seed"]),
            "gp": lambda: optuna.samplers.GPSampler(seed=self.shared["seed"]),
            "random": lambda: optuna.samplers.RandomSampler(seed=self.shared["seed"]),
            "grid": lambda: optuna.samplers.GridSampler(
                {argument: part.grid() for argument, part in self.space.items()}, seed=self.shared["seed"]
            ),
        }
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.MedianPruner(n_warmup_steps=2) if self.prune else optuna.pruners.NopPruner()
            optuna_storage = None if storage is None else storage_of(storage)
            try:
                return optuna.create_study(
                    storage=optuna_storage, study_name=name, sampler=samplers[self.sampler](), pruner=pruner,
                    direction="maximize", load_if_exists=True,
                )  # fmt: skip
            except Exception as error:
                if optuna_storage is None:
                    raise
                raise QuanvolveError(f"`storage` (={storage!r}) cannot be used: {error}") from error


def storage_of(url: str) -> Any:
    """A database of Optuna, in which trials of processes that died are taken up by others.

    Raises:
        QuanvolveError: if the URL is none of a database that can be reached.
    """
    optuna = _optuna()
    from sqlalchemy.pool import NullPool

    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        try:
            connection = sqlite3.connect(path, timeout=60)
            connection.execute("PRAGMA journal_mode=WAL")  # readers and a writer do not wait for each other
            connection.close()
        except sqlite3.Error as error:
            raise QuanvolveError(f"`storage` (={url!r}) cannot be used: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            # Optuna never closes its pool, and heartbeats come from threads of their own: no connection is kept open.
            return optuna.storages.RDBStorage(
                url, engine_kwargs={"poolclass": NullPool}, heartbeat_interval=_BEAT, grace_period=_GRACE,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=3),
            )  # fmt: skip
    except Exception as error:
        first = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise QuanvolveError(f"`storage` (={url!r}) cannot be used: {first}") from error


def _pruning(optuna: Any, trial: Any, setting: _Setting) -> Any:
    from quanvolve.estimators import Monitor  # loads scikit-learn

    class Pruning(Monitor):
        def on_epoch(self, row: dict[str, Any]) -> None:
            trial.report(row[setting.metric.valid], int(row["epoch"]))
            if setting.prune and trial.should_prune():
                raise optuna.TrialPruned

    return Pruning()


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise QuanvolveError("a search needs Optuna: install it with pip install 'quanvolve[search]'") from error
    return optuna
