"""The plan of a study: data, contenders and protocol, as plain data that a file keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve._untrusted import parse_json
from quanvolve.study._checks import check_plan
from quanvolve.study._contenders import Contender

_FORMAT = 1
SEEDS = 10
"""So many seeds can show a difference to any of all controls; see `least_seeds`."""


@dataclass(frozen=True)
class Protocol:
    """How every contender is trained and judged.

    Args:
        seeds: each draws circuit, first weights, training images, split and order anew, the same for all contenders.
        lrs: learning rates that each contender may try; the best on validation images is tested.
        epochs, batch_size, weight_decay: as in :class:`quanvolve.QuanvClassifier`.
        validation_fraction: share of the training images for choosing learning rate and epoch.
        train_size: training images, drawn anew by each seed with the shares of the classes; all if None.
        test_size: test images, the same for all; all if None.
    """

    seeds: tuple[int, ...] = tuple(range(SEEDS))
    lrs: tuple[float, ...] = (1e-2, 3e-3, 1e-3)
    epochs: int = 30
    batch_size: int = 32
    weight_decay: float = 1e-2
    validation_fraction: float = 0.2
    train_size: int | None = None
    test_size: int | None = None

    def __post_init__(self) -> None:
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


@dataclass(frozen=True)
class Plan:
    """What a study is going to do.

    Args:
        dataset: name of a data set, or path of a file.
        data_dir: folder of its files, or None.
        contenders: the model first.
        protocol: of all trainings.
        looks: with how many seeds the study had been judged, before it was extended.
        asked: how the data are read, as :func:`quanvolve.load_dataset` takes it.
    """

    dataset: str
    data_dir: str | None
    contenders: tuple[Contender, ...]
    protocol: Protocol = field(default_factory=Protocol)
    looks: tuple[int, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)

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
            # Nothing that is asked is left out, as in the studies of older versions.
            plain = {name: value for name, value in asdict(self).items() if name != "asked" or value}
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
