"""Running a reproduction: every arm with every seed, each result kept as soon as it is there."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import ModelError
from quanvolve._files import write_whole
from quanvolve._untrusted import read_json
from quanvolve._version import __version__
from quanvolve.estimators import QuanvClassifier
from quanvolve.reproduce._checks import CHECKS
from quanvolve.reproduce._circuits import with_circuit
from quanvolve.reproduce._config import Arm, Reproduction
from quanvolve.reproduce._data import cut
from quanvolve.reproduce._features import FEATURES, unit
from quanvolve.reproduce._result import Result

Progress = Callable[[int, int, str], None]


def reproduce(
    one: Reproduction,
    output: Path,
    *,
    quick: bool = False,
    data_dir: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run a published result again.

    Args:
        one: which.
        output: folder of the results; what is there already is not done again.
        quick: the quick form.
        data_dir: where the data set's files are.
        progress: told how many trainings are done, of how many, and which comes next.

    Raises:
        ModelError: if the folder has results of something else.
        DataError: if the data are not there.
    """
    plan = one.quickened() if quick else one
    output.mkdir(parents=True, exist_ok=True)
    path = output / "trainings.json"
    state = _state(path, plan, quick)
    done: dict[str, dict[str, float]] = state["accuracies"]
    total = len(plan.arms) * plan.seeds
    for seed in range(plan.seeds):
        for arm in plan.arms:
            by_seed = done.setdefault(arm.name, {})
            if str(seed) in by_seed:
                continue
            if progress is not None:
                progress(sum(map(len, done.values())), total, f"{arm.name}, seed {seed}")
            began = time.perf_counter()
            by_seed[str(seed)] = accuracy(plan, arm, seed, data_dir)
            state["seconds"] += time.perf_counter() - began
            write_whole(path, json.dumps(state, indent=1))
    if progress is not None:
        progress(total, total, "")
    for name in plan.checks:
        if name not in state["checks"]:
            state["checks"][name] = CHECKS[name](plan, data_dir)
            write_whole(path, json.dumps(state, indent=1))
    accuracies = {arm.name: [done[arm.name][str(seed)] for seed in range(plan.seeds)] for arm in plan.arms}
    result = Result(accuracies, state["checks"], state["seconds"], quick, __version__)
    write_whole(output / "result.json", json.dumps(result.to_dict(plan), indent=1) + "\n")
    return result


def accuracy(reproduction: Reproduction, arm: Arm, seed: int, data_dir: Path | None) -> float:
    """The test accuracy of an arm that is trained with a seed."""
    settings = {**reproduction.data, **arm.data}
    train, train_labels, test, test_labels = cut(settings, data_dir, seed)
    params: dict[str, Any] = {**reproduction.params, **arm.params, "random_state": seed}
    if arm.features is not None:
        make = FEATURES[arm.features]
        train, test = make(unit(train), params, seed, test=False), make(unit(test), params, seed, test=True)
        params = {**params, "backbone": "none", "kernel_size": 1, "stride": 1}
    if settings.get("series"):
        params = {**params, "kernel_size": (params["kernel_size"],), "stride": (params["stride"],)}
    clf = QuanvClassifier(**with_circuit(params)).fit(train, train_labels)
    return float(np.mean(clf.predict(test) == test_labels))


def _state(path: Path, plan: Reproduction, quick: bool) -> dict[str, Any]:
    identity = {"reproduction": plan.name, "quick": quick}
    if not path.is_file():
        return {**identity, "accuracies": {}, "checks": {}, "seconds": 0.0}
    try:
        state = read_json(path)
        actual = {name: state[name] for name in identity}
        _check_state(state)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is damaged ({str(error)[:200]}): delete it, or give another `output`", arguments=("output",)
        ) from None
    if actual != identity:
        raise ModelError(
            f"{path} has results of {actual}, not of {identity}: give another `output`", arguments=("output",)
        )
    return dict(state)


def _check_state(state: dict[str, Any]) -> None:
    """Refuse what `reproduce` has not written.

    Raises:
        ValueError: naming it.
        LookupError: if an entry is missing.
    """
    for arm, accuracies in state["accuracies"].items():
        if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in accuracies.values()):
            raise ValueError(f"the accuracies of {arm!r} are not between 0 and 1")
    if not isinstance(state["seconds"], int | float) or not 0 <= state["seconds"] < math.inf:
        raise ValueError("its seconds are not a number")
    for name, check in state["checks"].items():
        if not all(isinstance(value, int | float) for value in check.values()):
            raise ValueError(f"the results of {name!r} are not numbers")
