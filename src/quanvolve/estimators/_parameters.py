"""Parameters of models that are trained: which are of the training and which of the network, and what they may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.estimators._training import check_callbacks
from quanvolve.nn import find_preset

_OF_TRAINING = (
    "max_epochs", "batch_size", "lr", "weight_decay", "validation_fraction", "patience", "random_state", "device",
    "verbose", "loss", "label_smoothing", "class_weight", "monitor", "warm_start", "callbacks",
)  # fmt: skip
"""Parameters that the network itself does not have."""


def of_the_network(estimator: Any) -> dict[str, Any]:
    """The parameters that its network is made of, which must stay as they are while its weights do."""
    return {name: value for name, value in estimator.get_params(deep=False).items() if name not in _OF_TRAINING}


def check_form(estimator: Any, built_with: dict[str, Any]) -> None:
    """Refuse to go on with the training of a network if its parameters have been changed since.

    Args:
        estimator: a fitted one.
        built_with: the parameters that its network was made of.

    Raises:
        QuanvolveError: naming the parameter.
    """
    for name, value in of_the_network(estimator).items():
        built = built_with[name]
        if value is not built and value != built:
            raise QuanvolveError(
                f"`{name}` (={value!r}) was {built!r} when the network was made, whose training is to go on: set "
                "it back, or call `fit` with `warm_start=False`"
            )


def check_training(estimator: Any) -> None:
    """Refuse values that parameters of any training cannot have.

    Raises:
        QuanvolveError: naming the parameter.
    """
    if estimator.preset is not None:
        find_preset(estimator.preset, estimator.backbone)
    for name, least in (("max_epochs", 1), ("batch_size", 1)):
        value = getattr(estimator, name)
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise QuanvolveError(f"`{name}` (={value!r}) must be a whole number of at least {least}")
    check_callbacks(estimator.callbacks)
    for name in ("lr", "weight_decay", "validation_fraction"):
        if not isinstance(getattr(estimator, name), int | float | np.number):
            raise QuanvolveError(f"`{name}` (={getattr(estimator, name)!r}) must be a number")
    if not 0 < estimator.lr < float("inf"):
        raise QuanvolveError(f"`lr` (={estimator.lr!r}) must be greater than 0 and finite")
    if not 0 <= estimator.weight_decay < float("inf"):
        raise QuanvolveError(f"`weight_decay` (={estimator.weight_decay!r}) must be at least 0 and finite")
    if not 0 <= estimator.validation_fraction < 1:
        raise QuanvolveError(f"`validation_fraction` (={estimator.validation_fraction!r}) must be in [0, 1)")
    if estimator.patience is not None and estimator.patience < 1:
        raise QuanvolveError(f"`patience` (={estimator.patience!r}) must be at least 1, or None")
