"""What the file of a study may say: everything that is read from it is checked here, once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quanvolve._untrusted import parse_json
from quanvolve.data import Asked
from quanvolve.study._metrics import METRICS

if TYPE_CHECKING:
    from quanvolve.study._metric import Metric
    from quanvolve.study._plan import Plan

MOST_TRIALS = 100_000
MOST_CELL = 2**22
"""Bytes of a text in the table."""
_STATES = ("pending", "running", "done", "failed")
_LARGEST = 2**63 - 1  # of whole numbers in SQLite
_NUMBERS = ("lr", "seconds")
_COUNTS = ("n_test", "n_train")


def check_plan(plan: Plan) -> None:
    """Refuse a plan whose entries are not what their types say.

    Raises:
        ValueError: naming the entry.
    """
    if not isinstance(plan.dataset, str) or not isinstance(plan.data_dir, str | None):
        raise ValueError("its data set is not a text")
    Asked(**plan.asked)
    if not isinstance(plan.task, str) or plan.task not in METRICS:
        raise ValueError("its task is none of those that there are")
    if not isinstance(plan.asked.get("label"), str | None):
        raise ValueError("the column of its labels is not a text")
    names = [contender.name for contender in plan.contenders]
    for contender in plan.contenders:
        texts = isinstance(contender.name, str) and isinstance(contender.summary, str)
        if not texts or not isinstance(contender.params, dict):
            raise ValueError("a contender is not a name, a summary and arguments")
    if not names or len(set(names)) < len(names):
        raise ValueError("the names of its contenders are not different ones")
    p = plan.protocol
    if not isinstance(p.seeds, tuple) or not all(_whole(seed, 0, _LARGEST) for seed in p.seeds):
        raise ValueError("its seeds are not whole numbers")
    if not isinstance(p.lrs, tuple) or not all(_number(lr) for lr in p.lrs):
        raise ValueError("its learning rates are not numbers")
    if not all(_whole(look, 1, _LARGEST) for look in plan.looks):
        raise ValueError("its looks are not numbers of seeds")
    if not _number(p.weight_decay) or not _number(p.validation_fraction):
        raise ValueError("its weight decay or share of validation images is not a number")
    for name in ("epochs", "batch_size", "train_size", "test_size"):
        value = getattr(p, name)
        if not (_whole(value, 1, _LARGEST) or (value is None and name.endswith("_size") and name != "batch_size")):
            raise ValueError(f"its {name} is not a whole number")
    if not (plan.own_test_images is None or _whole(plan.own_test_images, 0, _LARGEST)):
        raise ValueError("its own test images are not a whole number")
    if len(p.seeds) * len(names) > MOST_TRIALS:
        raise ValueError(f"it has {len(p.seeds) * len(names):,} trials, expected at most {MOST_TRIALS:,}")


def checked_row(row: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """A row of the table, its texts of JSON as values.

    Raises:
        ValueError: naming the cell that is not as it is written.
    """
    what = f"trial {row['id']}"
    check_trial(row, plan)
    if row["status"] not in _STATES or not _whole(row["attempts"], 0, _LARGEST):
        raise ValueError(f"{what} has the status {row['status']!r:.40} and {row['attempts']!r:.40} attempts")
    for name in ("alive", "started", "finished"):
        if row[name] is not None and not _number(row[name]):
            raise ValueError(f"{name} of {what} is not a time")
    for name in ("worker", "error"):
        if not isinstance(row[name], str | None):
            raise ValueError(f"{name} of {what} is not a text")
    trial = dict(row)
    for name in ("result", "config", "versions"):
        if not isinstance(row[name], str | None):
            raise ValueError(f"{name} of {what} is not a text")
        try:
            trial[name] = None if row[name] is None else parse_json(row[name])
        except ValueError as error:
            raise ValueError(f"{name} of {what} is not JSON ({error})") from None
        if not isinstance(trial[name], dict | None):
            raise ValueError(f"{name} of {what} is not an object")
    if not all(isinstance(text, str) for text in (trial["versions"] or {}).values()):
        raise ValueError(f"versions of {what} are not texts")
    if row["status"] == "failed" and row["error"] is None:
        trial["error"] = "no reason is known"
    if row["status"] == "done":
        check_result(trial["result"], what, plan.metric)
    return trial


def check_trial(row: Mapping[str, Any], plan: Plan) -> None:
    """Refuse a trial that is not one of the plan's.

    Raises:
        ValueError: naming contender and seed.
    """
    known = any(contender.name == row["contender"] for contender in plan.contenders)
    if not known or not _whole(row["seed"], 0, _LARGEST):
        raise ValueError(f"trial {row['id']} is of {row['contender']!r:.80} with seed {row['seed']!r:.40}")


def check_result(result: Any, what: str, metric: Metric) -> None:
    """Refuse a result that is not what a trial writes.

    Args:
        result: of one trial.
        what: how messages name it.
        metric: of the study.

    Raises:
        ValueError: naming what is wrong.
    """
    if not isinstance(result, dict):
        raise ValueError(f"{what} is done and has no result")
    for name in (*metric.keys, *metric.further, *_NUMBERS):
        if not _number(result.get(name)):
            raise ValueError(f"the result of {what} has no number {name}")
    for name in metric.keys:
        if not metric.low <= result[name] <= metric.high:
            raise ValueError(f"{name} of {what} is {result[name]}, expected {metric.low:g} to {metric.high:g}")
    if any(result[name] < 0 for name in metric.further):
        raise ValueError(f"{', '.join(metric.further)} of {what} are not all at least 0")
    for name in _COUNTS:
        if not _whole(result.get(name), 1, _LARGEST):
            raise ValueError(f"{name} of {what} is no number of images")
    parameters = result.get("parameters")
    if not isinstance(parameters, dict) or not all(_whole(n, 0, _LARGEST) for n in parameters.values()):
        raise ValueError(f"parameters of {what} are not whole numbers")
    if not {"total", "trained", "quantum"} <= set(parameters):
        raise ValueError(f"parameters of {what} are not total, trained and quantum")
    curve = result.get("learning_curve")
    scores = curve if isinstance(curve, list) else []
    if not scores or not all(_number(score) and metric.low <= score <= metric.high for score in scores):
        raise ValueError(f"learning_curve of {what} is not a list of scores")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def _whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
