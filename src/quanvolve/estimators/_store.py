"""Fitted estimators on disk: a folder with `config.json` and `model.safetensors`. No pickle is written or read."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import ModelError
from quanvolve._files import replacing
from quanvolve._version import __version__
from quanvolve.circuits import Circuit
from quanvolve.estimators._classifier import QuanvClassifier
from quanvolve.estimators._fitted import kept_circuits
from quanvolve.estimators._inputs import ImageSpec
from quanvolve.estimators._transformer import QuanvTransformer

CONFIG, TENSORS = "config.json", "model.safetensors"
_FORMAT = "quanvolve-model"
_FORMAT_VERSION = 1
_KINDS: dict[str, type[QuanvClassifier] | type[QuanvTransformer]] = {
    "classifier": QuanvClassifier,
    "transformer": QuanvTransformer,
}
_LABEL_KINDS = "biufUO"


def save(estimator: QuanvClassifier | QuanvTransformer, folder: str | Path) -> None:
    """Write a fitted estimator; each file is written whole or not at all.

    Raises:
        ModelError: if the folder cannot be written, or labels or parameters cannot be expressed in JSON.
    """
    check_is_fitted(estimator)
    tensors = {name: t.detach().cpu().clone().contiguous() for name, t in estimator.module_.state_dict().items()}
    payload = save_tensors(tensors)
    config = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "versions": {"quanvolve": __version__, "torch": torch.__version__, "numpy": np.__version__},
        "kind": "classifier" if isinstance(estimator, QuanvClassifier) else "transformer",
        "params": _params(estimator),
        "circuits": [circuit.to_dict() for circuit in kept_circuits(estimator.module_)],
        "image_shape": list(estimator._spec.shape),
        "image_shape_derived": estimator._spec.derived,
        "output_shape": list(estimator.output_shape_),
        "input_range": list(estimator._spec.range),
        "feature_names": _names(estimator),
        "classes": _labels(estimator.classes_) if isinstance(estimator, QuanvClassifier) else None,
        "label_names": getattr(estimator, "label_names_", None),
        "history": getattr(estimator, "history_", None),
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
    }
    config["config_sha256"] = config_digest(config)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        # Both are on disk before either takes the place of an older one: a full disk cannot part the two.
        with replacing(target / TENSORS) as tensors_part, replacing(target / CONFIG) as config_part:
            tensors_part.write_bytes(payload)
            config_part.write_text(json.dumps(config, indent=1, allow_nan=False), encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot write the model to {target}: {error.strerror or error}") from error


def load(folder: str | Path) -> Any:
    """Load what `save` wrote, a :class:`QuanvClassifier` or :class:`QuanvTransformer`; needs no PennyLane.

    Args:
        folder: with `config.json` and `model.safetensors`.

    Returns:
        The fitted estimator; it predicts bit-equally to the saved one.

    Raises:
        ModelError: if the folder is missing, damaged, of a newer version, or not a model.

    Examples:
        >>> import tempfile
        >>> import quanvolve
        >>> from sklearn.datasets import load_digits
        >>> images = load_digits().images
        >>> transformer = quanvolve.QuanvTransformer(random_state=0).fit(images)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     transformer.save(folder)
        ...     loaded = quanvolve.load(folder)
        >>> bool((loaded.transform(images[:9]) == transformer.transform(images[:9])).all())
        True
    """
    source = Path(folder)
    config = _read_config(source)
    try:
        payload = (source / TENSORS).read_bytes()
    except OSError as error:
        raise ModelError(f"{source} is not a model folder: cannot read {TENSORS} ({error.strerror})") from error
    if hashlib.sha256(payload).hexdigest() != config.get("tensors_sha256"):
        raise ModelError(f"{source / TENSORS} is damaged: its checksum is not the one in {CONFIG}")
    try:
        return _rebuild(config, _tensors(payload))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{source} is not a valid model: {reason}") from error


def _tensors(payload: bytes) -> dict[str, torch.Tensor]:
    try:
        return load_tensors(payload)
    except SafetensorError as error:
        raise ValueError(f"{TENSORS} is not a safetensors file ({error})") from error


def _read_config(source: Path) -> dict[str, Any]:
    try:
        config = json.loads((source / CONFIG).read_bytes())
    except OSError as error:
        raise ModelError(f"{source} is not a model folder: cannot read {CONFIG} ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{source / CONFIG} is damaged: it is not JSON ({error})") from error
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise ModelError(f"{source / CONFIG} was not written by quanvolve: expected the format {_FORMAT!r}")
    if config.get("format_version") != _FORMAT_VERSION:
        raise ModelError(
            f"{source} has model format {config.get('format_version')!r}, this version reads {_FORMAT_VERSION}: use "
            "the quanvolve that wrote it"
        )
    if config_digest(config) != config.get("config_sha256"):
        raise ModelError(f"{source / CONFIG} is damaged: its checksum is not the one it states")
    return config


def config_digest(config: dict[str, Any]) -> str:
    """The SHA-256 of everything in a configuration but itself."""
    rest = {name: value for name, value in config.items() if name != "config_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _rebuild(config: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Any:
    circuits = tuple(Circuit.from_dict(entry) for entry in config["circuits"])
    params: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in config["params"].items()}
    if params["circuit"] is None:
        params["circuit"] = circuits[0] if len(circuits) == 1 else circuits
    estimator = _KINDS[config["kind"]](**params)
    shape = tuple(int(n) for n in config["image_shape"])
    low, high = (float(n) for n in config["input_range"])
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ModelError(f"the input range {low} to {high} is not finite")
    if torch.device(params["device"]).type == "meta":
        raise ModelError("the device 'meta' holds no numbers")
    spec = ImageSpec(shape, bool(config["image_shape_derived"]), (low, high))
    estimator.n_features_in_ = math.prod(spec.shape)
    if config["feature_names"] is not None:
        estimator.feature_names_in_ = np.array(config["feature_names"], dtype=object)
    if isinstance(estimator, QuanvClassifier):
        classes = np.array(config["classes"]["values"], dtype=config["classes"]["dtype"])
        if classes.dtype.kind not in _LABEL_KINDS or classes.ndim != 1:
            raise ModelError(f"labels of type {classes.dtype} are not valid")
        if len(np.unique(classes)) < max(2, len(classes)):
            raise ModelError(f"the {len(classes)} labels are not all different")
        estimator.classes_, estimator.history_ = classes, [dict(row) for row in config["history"]]
        if config["label_names"] is not None:
            estimator.label_names_ = [str(name) for name in config["label_names"]]
            if len(estimator.label_names_) != len(classes):
                raise ModelError(f"there are {len(estimator.label_names_)} label names for {len(classes)} labels")
    # On the meta device nothing is allocated or drawn; the tensors of the file then take their places.
    with torch.device("meta"):
        estimator.restore(spec, circuits, int(config["output_shape"][0]))
    estimator.module_.load_state_dict(tensors, strict=True, assign=True)
    try:
        estimator.module_.to(estimator.device)
    except (AssertionError, RuntimeError):  # what torch raises where there is no such device
        warnings.warn(
            f"the model was saved on {estimator.device!r}, which is not available here: it is loaded on the CPU",
            UserWarning,
            stacklevel=3,
        )
        estimator.device = "cpu"
        estimator.module_.to("cpu")
    estimator.module_.eval()
    return estimator


def _params(estimator: QuanvClassifier | QuanvTransformer) -> dict[str, Any]:
    params = estimator.get_params(deep=False)
    if not isinstance(params["circuit"], str):
        # The function itself cannot be kept; its captured description is, and takes its place.
        params["circuit"] = params["weight_shapes"] = params["noise"] = None
    if not isinstance(params["noise"], Mapping):
        params["noise"] = None  # the saved circuits have it
    if not isinstance(params["random_state"], int | np.integer):
        params["random_state"] = None
    if "head" in params and not isinstance(params["head"], str):
        raise ModelError(
            f"a head given as {type(params['head']).__name__} cannot be saved, as that needs its code: use a named "
            "head, or save `module_.state_dict()` yourself"
        )
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


def _names(estimator: Any) -> list[str] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _labels(classes: Any) -> dict[str, Any]:
    values = classes.tolist()
    if classes.dtype.kind not in _LABEL_KINDS or not all(isinstance(v, bool | int | float | str) for v in values):
        raise ModelError(f"labels of type {classes.dtype} cannot be saved: use numbers or strings")
    return {"dtype": classes.dtype.str, "values": values}
