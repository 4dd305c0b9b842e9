"""Fitted estimators to a folder with `config.json` and `model.safetensors`. No pickle is written."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import ModelError
from quanvolve._file_names import CONFIG, TENSORS
from quanvolve._files import write_whole
from quanvolve._version import __version__
from quanvolve.circuits import is_openqasm
from quanvolve.estimators._fitted import kept_circuits, kept_options
from quanvolve.estimators._kernels import has_kernels
from quanvolve.estimators._limits import LABEL_KINDS, check_weights

FORMAT, FORMAT_VERSION = "quanvolve-model", 1


def save(estimator: Any, folder: str | Path) -> None:
    """Write a fitted estimator; whatever happens meanwhile, the folder holds the older model or this one.

    Args:
        estimator: a :class:`QuanvClassifier`, :class:`QuanvRegressor` or :class:`QuanvTransformer`. Their `save` comes
            here, so that this module knows none of them.
        folder: made if it is not there.

    Raises:
        ModelError: if the folder cannot be written, labels or parameters cannot be expressed in JSON, or the weights
            are not finite or larger than a saved model may be.
    """
    check_is_fitted(estimator)
    tensors = {name: t.detach().cpu().clone().contiguous() for name, t in estimator.module_.state_dict().items()}
    try:
        check_weights(tensors)
    except ModelError as error:
        raise ModelError(f"the model cannot be saved: {error}") from None
    payload = save_tensors(tensors)
    config = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": {"quanvolve": __version__, "torch": torch.__version__, "numpy": np.__version__},
        "kind": _kind(estimator),
        "params": _params(estimator),
        "circuits": [circuit.to_dict() for circuit in kept_circuits(estimator.module_)],
        "image_shape": list(estimator._spec.shape),
        "image_shape_derived": estimator._spec.derived,
        "output_shape": list(estimator.output_shape_),
        "input_range": list(estimator._spec.range),
        "border": estimator._spec.border,
        "spread": estimator._spec.spread,
        "feature_names": _names(estimator),
        "classes": _labels(estimator.classes_) if is_classifier(estimator) else None,
        **({"multilabel": True} if getattr(estimator, "multilabel_", False) else {}),
        "label_names": getattr(estimator, "label_names_", None),
        "history": getattr(estimator, "history_", None),
        "preparation": _preparation(estimator),
        "kernels": has_kernels(estimator.module_),
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
    }
    if is_regressor(estimator):
        config["targets"] = estimator._targets.to_dict()
    config["config_sha256"] = config_digest(config)
    target = Path(folder)
    try:
        _publish(target, json.dumps(config, indent=1, allow_nan=False), payload)
    except OSError as error:
        raise ModelError(f"cannot write the model to {target}: {error.strerror or error}") from error


def _kind(estimator: Any) -> str:
    return "classifier" if is_classifier(estimator) else "regressor" if is_regressor(estimator) else "transformer"


def _publish(target: Path, config: str, payload: bytes) -> None:
    """Put both files in place, so that the folder holds the old model or the new one at every moment.

    `config.json` decides which: it is written last, and names its tensors by their digest. Over an older model they
    lie beside its own under that digest until then, and :func:`quanvolve.load` looks there too.
    """
    target.mkdir(parents=True, exist_ok=True)
    over_another = (target / CONFIG).exists()
    staged = target / beside(hashlib.sha256(payload).hexdigest()) if over_another else target / TENSORS
    write_whole(staged, payload)
    try:
        write_whole(target / CONFIG, config)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    if over_another:
        os.replace(staged, target / TENSORS)
    for left in target.glob("model-*.safetensors"):
        if re.fullmatch(r"model-[0-9a-f]{16}\.safetensors", left.name):
            left.unlink(missing_ok=True)


def beside(digest: str) -> str:
    """The name of tensors that lie beside those of an older model."""
    return f"model-{digest[:16]}.safetensors"


def config_digest(config: dict[str, Any]) -> str:
    """The SHA-256 of everything in a configuration but itself."""
    rest = {name: value for name, value in config.items() if name != "config_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _params(estimator: Any) -> dict[str, Any]:
    params = {**estimator.get_params(deep=False), **kept_options(estimator.module_)}
    if not isinstance(params["circuit"], str) or is_openqasm(params["circuit"]):
        # The function itself cannot be kept; its captured description is, and takes its place.
        params["circuit"] = params["weight_shapes"] = params["noise"] = None
    if not isinstance(params["init"], str):
        params["init"] = "auto"  # the weights are saved
    if not isinstance(params["noise"], Mapping):
        params["noise"] = None  # the saved circuits have it
    if not isinstance(params["random_state"], int | np.integer):
        params["random_state"] = None
    if "head" in params and not isinstance(params["head"], str):
        raise ModelError(
            f"a head given as {type(params['head']).__name__} cannot be saved, as that needs its code: use a named "
            "head, or save `module_.state_dict()` yourself"
        )
    if "loss" in params and not isinstance(params["loss"], str):
        params["loss"] = None  # whoever trains the model further is asked for it
    if "callbacks" in params:
        params["callbacks"] = None
    if isinstance(params.get("class_weight"), Mapping):
        params["class_weight"] = list(params["class_weight"].items())  # labels may be numbers, names in JSON may not
    plain = {name: _plain(value) for name, value in params.items()}
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelError(f"a parameter cannot be saved as JSON: {error}") from error
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _preparation(estimator: Any) -> dict[str, Any] | None:
    preparation = getattr(estimator, "preparation_", None)
    return None if preparation is None else dict(preparation.to_dict())


def _names(estimator: Any) -> list[str] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _labels(classes: Any) -> dict[str, Any]:
    values = classes.tolist()
    if classes.dtype.kind not in LABEL_KINDS or not all(isinstance(v, bool | int | float | str) for v in values):
        raise ModelError(f"labels of type {classes.dtype} cannot be saved: use numbers or strings")
    return {"dtype": classes.dtype.str, "values": values}
