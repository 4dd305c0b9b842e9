"""Fitted estimators on disk: a folder with `config.json` and `model.safetensors`. No pickle is written or read."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import ModelError
from quanvolve._files import write_whole
from quanvolve._untrusted import read_bytes, read_json
from quanvolve._version import __version__
from quanvolve.circuits import Circuit
from quanvolve.estimators._classifier import QuanvClassifier
from quanvolve.estimators._fitted import kept_circuits, kept_options
from quanvolve.estimators._inputs import ImageSpec
from quanvolve.estimators._limits import (
    LABEL_KINDS,
    check_header,
    check_shapes,
    check_size,
    check_weights,
    labels_of,
    texts,
)
from quanvolve.estimators._transformer import QuanvTransformer

CONFIG, TENSORS = "config.json", "model.safetensors"
_FORMAT = "quanvolve-model"
_FORMAT_VERSION = 1
_KINDS: dict[str, type[QuanvClassifier] | type[QuanvTransformer]] = {
    "classifier": QuanvClassifier,
    "transformer": QuanvTransformer,
}
_LONGEST = 300
"""Letters of a reason in an error: it may repeat what the file says."""


def save(estimator: QuanvClassifier | QuanvTransformer, folder: str | Path) -> None:
    """Write a fitted estimator; whatever happens meanwhile, the folder holds the older model or this one.

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
        _publish(target, json.dumps(config, indent=1, allow_nan=False), payload)
    except OSError as error:
        raise ModelError(f"cannot write the model to {target}: {error.strerror or error}") from error


def _publish(target: Path, config: str, payload: bytes) -> None:
    """Put both files in place, so that the folder holds the old model or the new one at every moment.

    `config.json` decides which: it is written last, and names its tensors by their digest. Over an older model they
    lie beside its own under that digest until then, and :func:`_read_tensors` looks there too.
    """
    target.mkdir(parents=True, exist_ok=True)
    over_another = (target / CONFIG).exists()
    staged = target / _staged(payload) if over_another else target / TENSORS
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


def _staged(payload: bytes) -> str:
    return f"model-{hashlib.sha256(payload).hexdigest()[:16]}.safetensors"


def load(folder: str | Path) -> Any:
    """Load what `save` wrote, a :class:`QuanvClassifier` or :class:`QuanvTransformer`; needs no PennyLane.

    Args:
        folder: with `config.json` and `model.safetensors`.

    Returns:
        The fitted estimator; it predicts bit-equally to the saved one.

    Raises:
        ModelError: if the folder is missing, damaged, of a newer version, not a model, or beyond a limit: 64 MiB for
            `config.json`, 1 GiB for the weights, which must be finite and of the model's own types and shapes.

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
    while True:
        try:
            with _blamed_on(source):
                estimator = _rebuild(config)
                # The meta device holds no numbers: nothing large is there yet, and what belongs there is known.
                expected = estimator.module_.state_dict()
            payload = _read_tensors(source, str(config.get("tensors_sha256")), expected)
            break
        except ModelError:
            again = _read_config(source)
            if again == config:
                raise
            config = again  # another process has saved a model over this one meanwhile
    with _blamed_on(source):
        check_header(payload, expected)
        tensors = _tensors(payload)
        check_weights(tensors)
        return _filled(estimator, tensors)


@contextmanager
def _blamed_on(source: Path) -> Iterator[None]:
    """Whatever goes wrong with what a folder says is an error of that folder."""
    try:
        yield
    except Warning:
        raise  # where they are errors, they are those of whoever loads
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{source} is not a valid model: {reason[:_LONGEST]}") from error


def _read_tensors(source: Path, digest: str, expected: dict[str, torch.Tensor]) -> bytes:
    # Under their digest they lie while a model is saved over another one, or if that was cut short.
    for path in (source / f"model-{digest[:16]}.safetensors", source / TENSORS):
        try:
            size = path.stat().st_size
            with _blamed_on(source):
                check_size(size, expected)
            payload = read_bytes(path, size)
        except OSError as error:
            if path.name == TENSORS:
                raise ModelError(f"{source} is not a model folder: cannot read {TENSORS} ({error.strerror})") from error
            continue
        if hashlib.sha256(payload).hexdigest() == digest:
            return payload
    raise ModelError(f"{source / TENSORS} is damaged: its checksum is not the one in {CONFIG}")


def _tensors(payload: bytes) -> dict[str, torch.Tensor]:
    try:
        return load_tensors(payload)
    except SafetensorError as error:
        raise ValueError(f"{TENSORS} is not a safetensors file ({error})") from error


def _read_config(source: Path) -> dict[str, Any]:
    try:
        config = read_json(source / CONFIG)
    except OSError as error:
        raise ModelError(f"{source} is not a model folder: cannot read {CONFIG} ({error.strerror})") from error
    except ValueError as error:
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


def _rebuild(config: dict[str, Any]) -> Any:
    """The estimator without its weights."""
    check_shapes(config)
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
        names = texts("feature_names", config["feature_names"], estimator.n_features_in_, "features")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    if isinstance(estimator, QuanvClassifier):
        classes = estimator.classes_ = labels_of(config["classes"])
        estimator.history_ = [dict(row) for row in config["history"]]
        if config["label_names"] is not None:
            estimator.label_names_ = texts("label_names", config["label_names"], len(classes), "labels")
    # On the meta device nothing is allocated or drawn; the tensors of the file then take their places.
    with torch.device("meta"):
        estimator.restore(spec, circuits, int(config["output_shape"][0]))
    if list(estimator.output_shape_) != config["output_shape"]:
        raise ModelError(
            f"its feature maps have the shape {estimator.output_shape_}, but it says {config['output_shape']}"
        )
    return estimator


def _filled(estimator: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The estimator with its weights, on its device."""
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
    params = {**estimator.get_params(deep=False), **kept_options(estimator.module_)}
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
    if classes.dtype.kind not in LABEL_KINDS or not all(isinstance(v, bool | int | float | str) for v in values):
        raise ModelError(f"labels of type {classes.dtype} cannot be saved: use numbers or strings")
    return {"dtype": classes.dtype.str, "values": values}
