"""What a search chooses from: named choices and ranges for the arguments of an estimator."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve._options import model_options
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import ACCURACY

_GRID_STEPS = 4
_MOST_STEPS = 10_000
_MOST = 2**53  # beyond, floats leave out whole numbers


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        """Let a trial of Optuna choose."""
        return trial.suggest_categorical(name, list(self.values))

    def grid(self) -> list[Any]:
        """All values."""
        return list(self.values)


@dataclass(frozen=True)
class Range:
    """A number between two others.

    Args:
        low, high: both included.
        log: whether factors count rather than differences.
        whole: whether it is a whole number.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Any, name: str) -> Any:
        """Let a trial of Optuna choose."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def grid(self) -> list[Any]:
        """Whole numbers all, others four."""
        if self.whole:
            if self.high - self.low >= _MOST_STEPS:
                raise QuanvolveError(
                    f"a grid over {self.low:.0f} to {self.high:.0f} has more than {_MOST_STEPS:,} steps: use a "
                    "smaller range, or the sampler 'random'"
                )
            return list(range(int(self.low), int(self.high) + 1))
        shares = [k / (_GRID_STEPS - 1) for k in range(_GRID_STEPS)]
        if self.log:
            return [math.exp(math.log(self.low) + s * math.log(self.high / self.low)) for s in shares]
        return [self.low + s * (self.high - self.low) for s in shares]


Space = Mapping[str, Choice | Range]

DEFAULT_SPACE: dict[str, Choice | Range] = {
    "circuit": Choice(("strongly_entangling", "hardware_efficient", "basic_entangler", "random", "none")),
    "encoding": Choice(("ry", "rx", "rz", "dense", "threshold")),
    "n_filters": Range(1, 6, whole=True),
    "n_layers": Range(1, 3, whole=True),
    "head": Choice(("linear", "mlp", "quantum")),
    "trainable": Choice((True, False)),
    "lr": Range(3e-4, 3e-2, log=True),
}
"""Circuits, encodings, filters, heads and the learning rate."""


def parse_space(parts: Mapping[str, str]) -> dict[str, Choice | Range]:
    """A search space from texts.

    Args:
        parts: for each argument a list "ry,rx", a range of whole numbers "1..4" or of numbers "0.1..0.5", with ":log"
            behind it where factors count.

    Raises:
        QuanvolveError: if a text is neither.

    Examples:
        >>> parse_space({"encoding": "ry,rx", "n_filters": "1..4", "lr": "1e-3..1e-2:log"})
        {'encoding': Choice(values=('ry', 'rx')), 'n_filters': Range(low=1.0, high=4.0, log=False, whole=True),
         'lr': Range(low=0.001, high=0.01, log=True, whole=False)}
    """
    return {name: _parse(name, text) for name, text in parts.items()}


def check_names(names: Iterable[str], metric: Metric = ACCURACY) -> None:
    """Refuse names that are no arguments of the estimator, before anything is trained.

    Args:
        names: of arguments.
        metric: which is searched by, and says what estimator is trained: a classifier, or one that has fewer of them.

    Raises:
        QuanvolveError: naming the first one, and one that is close to it.

    Examples:
        >>> check_names(["n_layers", "engine"])
        >>> check_names(["enconding"])
        Traceback (most recent call last):
        quanvolve._errors.QuanvolveError: the space has 'enconding', which is no argument of a classifier; did you mean
            'encoding'?
    """
    known = list(inspect.signature(metric.estimator()).parameters)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known)}"
            raise QuanvolveError(f"the space has {name!r}, which is no argument of a {metric.words.model}{hint}")


def check_space(space: Space) -> None:
    """Refuse choices and ranges that no trial could use.

    Raises:
        QuanvolveError: naming the argument, what was given and what is possible.

    Examples:
        >>> check_space({"n_layers": Range(1, 3, whole=True), "engine": Choice(("auto", "trajectories:100"))})
        >>> check_space({"n_layers": Range(0, 3, whole=True)})
        Traceback (most recent call last):
        quanvolve._errors.QuanvolveError: the space of `n_layers` is from 0 to 3, expected whole numbers of at least 1
        >>> check_space({"init": Choice(("small", "tiny"))})
        Traceback (most recent call last):
        quanvolve._errors.QuanvolveError: the space of `init` has 'tiny', expected some of 'auto', 'uniform', 'small'
    """
    from quanvolve.nn import choices_of  # loads torch

    check_names(space)
    for name, part in space.items():
        option = model_options().get(name)
        if option is None:
            continue
        if isinstance(part, Range):
            if option.least is not None and (part.low < option.least or not part.whole):
                what = "from" if part.whole else "any number from"
                raise QuanvolveError(
                    f"the space of `{name}` is {what} {part.low:g} to {part.high:g}, expected whole numbers of at "
                    f"least {option.least}"
                )
            continue
        possible = choices_of(name)
        for value in part.values:
            # Behind a colon an engine has a number.
            if possible and isinstance(value, str) and value.partition(":")[0] not in possible:
                raise QuanvolveError(
                    f"the space of `{name}` has {value!r}, expected some of {', '.join(map(repr, possible))}"
                )


def _parse(name: str, text: str) -> Choice | Range:
    body, _, scale = text.partition(":")
    if scale not in ("", "log"):
        raise QuanvolveError(f"the space of `{name}` (={text!r}) ends with {scale!r}, expected 'log' or nothing")
    if ".." not in body:
        values = tuple(_value(part.strip()) for part in body.split(",") if part.strip())
        if not values:
            raise QuanvolveError(f"the space of `{name}` is empty: give choices such as a,b or a range such as 1..4")
        return Choice(values)
    low_text, high_text = body.split("..", 1)
    try:
        low, high = float(low_text), float(high_text)
    except ValueError:
        raise QuanvolveError(f"the space of `{name}` (={text!r}) is no range of numbers, such as 1..4") from None
    if not abs(low) <= _MOST or not abs(high) <= _MOST:
        raise QuanvolveError(f"the space of `{name}` (={text!r}) must be of numbers up to 2^53")
    log = scale == "log"
    if not low < high or (log and low <= 0):
        raise QuanvolveError(f"the space of `{name}` (={text!r}) must rise, with log from above 0")
    return Range(low, high, log, low_text.strip().isdigit() and high_text.strip().isdigit())


def _value(text: str) -> Any:
    named = {"true": True, "false": False, "none": "none"}
    if text.lower() in named:
        return named[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
