"""The plan of a study: data, contenders and protocol, as plain data that a file keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._untrusted import parse_json
from quanvolve.study._checks import MOST_TRIALS, check_plan
from quanvolve.study._contenders import Contender
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import ACCURACY, METRICS
from quanvolve.study._unit import SEEDS_UNIT, SPLITS_UNIT, Unit

_FORMAT = 1
SEEDS = 10
"""So many seeds can show a difference to any of all controls; see `least_seeds`."""
USUAL_SEEDS = tuple(range(SEEDS))


@dataclass(frozen=True)
class Protocol:
    """How every contender is trained and judged.

    Args:
        seeds: each draws circuit, first weights, training images, split and order anew, the same for all contenders.
            With splits they are the numbers of the splits.
        lrs: learning rates that each contender may try; the best on validation images is tested.
        epochs, batch_size, weight_decay: as in :class:`quanvolve.QuanvClassifier`; presets keep their own decay.
        validation_fraction: share of the training images for choosing learning rate and epoch.
        train_size: training images, drawn anew by each seed, of classes with their shares; all if None.
        test_size: test images, the same for all; all if None.
        splits: so many splits of all images into training and test images are the unit of comparison, in place of
            seeds: repeated stratified 5-fold, seeded, the same for all contenders. 0 is none. If None,
            :func:`quanvolve.study.compare` chooses 20 where the data set has fewer than 100 test images of its own, and
            neither seeds (other than the usual ones) nor a test size are given.

    Examples:
        >>> Protocol(splits=12).seeds
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    """

    seeds: tuple[int, ...] = USUAL_SEEDS
    lrs: tuple[float, ...] = (1e-2, 3e-3, 1e-3)
    epochs: int = 30
    batch_size: int = 32
    weight_decay: float = 1e-2
    validation_fraction: float = 0.2
    train_size: int | None = None
    test_size: int | None = None
    splits: int | None = None

    def __post_init__(self) -> None:
        if self.splits:
            self._number_splits(self.splits)
        elif self.splits is not None and type(self.splits) is not int:
            raise QuanvolveError(f"`splits` (={self.splits!r}) must be a whole number, 0 for none")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise QuanvolveError(f"`seeds` (={self.seeds}) must be different numbers, at least one")
        if not self.lrs or not all(lr > 0 for lr in self.lrs):
            raise QuanvolveError(f"`lrs` (={self.lrs}) must be positive learning rates, at least one")
        if not 0 < self.validation_fraction < 1:
            raise QuanvolveError(
                f"`validation_fraction` (={self.validation_fraction}) must be between 0 and 1: without validation "
                "images the learning rate would be chosen on test images"
            )
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise QuanvolveError(f"`{name}` (={getattr(self, name)}) must be at least 1")
        for name in ("train_size", "test_size"):
            value = getattr(self, name)
            if value is not None and value < 2:
                raise QuanvolveError(f"`{name}` (={value}) must be at least 2, or None for all images")

    def _number_splits(self, splits: int) -> None:
        if type(splits) is not int or not 1 <= splits <= MOST_TRIALS:
            raise QuanvolveError(f"`splits` (={splits!r}) must be a whole number from 1 to {MOST_TRIALS:,}, 0 for none")
        if self.test_size is not None:
            raise QuanvolveError(
                f"`splits` (={splits}) and `test_size` (={self.test_size}) cannot both be given: each split tests a "
                "fifth of all images"
            )
        numbers = tuple(range(splits))
        if self.seeds not in (USUAL_SEEDS, numbers):
            raise QuanvolveError(
                f"`splits` (={splits}) and {len(self.seeds)} `seeds` cannot both be given: each split draws with a "
                "seed of its own"
            )
        object.__setattr__(self, "seeds", numbers)


@dataclass(frozen=True)
class Plan:
    """What a study is going to do.

    Args:
        dataset: name of a data set, or path of a file.
        data_dir: folder of its files, or None.
        contenders: the model first.
        protocol: of all trainings.
        looks: with how many seeds or splits the study had been judged, before it was extended.
        own_test_images: of the data set, where they were so few that splits were chosen; None if these were asked for.
        asked: how the data are read, as :func:`quanvolve.load_dataset` takes it.
        task: of the data, which says by what metric contenders are compared.
    """

    dataset: str
    data_dir: str | None
    contenders: tuple[Contender, ...]
    protocol: Protocol = field(default_factory=Protocol)
    looks: tuple[int, ...] = ()
    own_test_images: int | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    task: str = ACCURACY.task

    @property
    def metric(self) -> Metric:
        """By what contenders are compared."""
        return METRICS[self.task]

    @property
    def unit(self) -> Unit:
        """Over what contenders are compared."""
        return SPLITS_UNIT if self.protocol.splits else SEEDS_UNIT

    def trials(self) -> list[tuple[str, int]]:
        """Pairs of contender and seed, seeds first, so that an unfinished study still has pairs."""
        return [(contender.name, seed) for seed in self.protocol.seeds for contender in self.contenders]

    def contender(self, name: str) -> Contender:
        """The contender of that name."""
        return next(contender for contender in self.contenders if contender.name == name)

    def to_json(self) -> str:
        """The plan as JSON.

        Raises:
            QuanvolveError: if an argument of a contender is not plain data.
        """
        try:
            # Nothing that is asked, and the task that all studies had once, are left out, as older versions did.
            usual = {"asked": {}, "task": ACCURACY.task}
            plain = {name: value for name, value in asdict(self).items() if name not in usual or value != usual[name]}
            return json.dumps({"format": _FORMAT, **plain}, allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise QuanvolveError(
                f"a study keeps its contenders as JSON, which cannot hold all of their arguments ({error}): use named "
                "circuits and heads"
            ) from error

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The inverse of :meth:`to_json`.

        Raises:
            ModelError: if it is something else.
        """
        try:
            data = parse_json(text)
            if data.pop("format") != _FORMAT:
                raise ValueError("of another version")
            arguments = data.pop("protocol")
            protocol: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
            contenders = tuple(Contender(**entry) for entry in data.pop("contenders"))
            looks = tuple(data.pop("looks", ()))
            asked = {k: tuple(v) if isinstance(v, list) else v for k, v in data.pop("asked", {}).items()}
            plan = cls(**data, contenders=contenders, protocol=Protocol(**protocol), looks=looks, asked=asked)
            check_plan(plan)
            return plan
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the plan of the study is damaged: {str(error)[:200]}") from None
