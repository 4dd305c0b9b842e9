"""Fitted estimators from their folders. No pickle is read, and nothing that a file says is believed unchecked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from quanvolve._errors import ModelError
from quanvolve._file_names import CONFIG, TENSORS
from quanvolve._untrusted import read_bytes, read_document
from quanvolve._warn import warn_user
from quanvolve.circuits import Circuit
from quanvolve.data import Preparation
from quanvolve.estimators._classifier import QuanvClassifier
from quanvolve.estimators._inputs import ImageSpec
from quanvolve.estimators._kernels import set_kernels
from quanvolve.estimators._limits import (
    check_header,
    check_shapes,
    check_size,
    check_weights,
    labels_of,
    texts,
)
from quanvolve.estimators._regressor import QuanvRegressor
from quanvolve.estimators._save import FORMAT, FORMAT_VERSION, beside, config_digest
from quanvolve.estimators._targets import Targets
from quanvolve.estimators._transformer import QuanvTransformer

_KINDS: dict[str, type[QuanvClassifier] | type[QuanvRegressor] | type[QuanvTransformer]] = {
    "classifier": QuanvClassifier,
    "regressor": QuanvRegressor,
    "transformer": QuanvTransformer,
}
_LONGEST = 300
"""Letters of a reason in an error: it may repeat what the file says."""


def load(folder: str | Path) -> Any:
    """Load what `save` wrote, a classifier, a regressor or a :class:`QuanvTransformer`; needs no PennyLane.

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
    for path in (source / beside(digest), source / TENSORS):
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
        config = read_document(source / CONFIG, FORMAT)
    except OSError as error:
        raise ModelError(f"{source} is not a model folder: cannot read {CONFIG} ({error.strerror})") from error
    if config.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{source} has model format {config.get('format_version')!r}, this version reads {FORMAT_VERSION}: use "
            "the quanvolve that wrote it"
        )
    if config_digest(config) != config.get("config_sha256"):
        raise ModelError(f"{source / CONFIG} is damaged: its checksum is not the one it states")
    return config


def _rebuild(config: dict[str, Any]) -> Any:
    """The estimator without its weights."""
    check_shapes(config)
    circuits = tuple(Circuit.from_dict(entry) for entry in config["circuits"])
    params: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in config["params"].items()}
    if isinstance(params.get("class_weight"), tuple):
        params["class_weight"] = dict(params["class_weight"])
    if params["circuit"] is None:
        params["circuit"] = circuits[0] if len(circuits) == 1 else circuits
    estimator = _KINDS[config["kind"]](**params)
    shape = tuple(int(n) for n in config["image_shape"])
    low, high = (float(n) for n in config["input_range"])
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ModelError(f"the input range {low} to {high} is not finite")
    if torch.device(params["device"]).type == "meta":
        raise ModelError("the device 'meta' holds no numbers")
    looks = (config.get(name) for name in ("border", "spread"))  # older models do not say
    derived = bool(config["image_shape_derived"])
    spec = ImageSpec(shape, derived, (low, high), *(None if look is None else float(look) for look in looks))
    estimator.n_features_in_ = math.prod(spec.shape)
    if config["feature_names"] is not None:
        names = texts("feature_names", config["feature_names"], estimator.n_features_in_, "features")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    if isinstance(estimator, QuanvClassifier):
        classes = estimator.classes_ = labels_of(config["classes"])
        estimator.multilabel_ = config.get("multilabel") is True  # models of one label a sample do not say so
        estimator.history_ = [dict(row) for row in config["history"]]
        if config["label_names"] is not None:
            estimator.label_names_ = texts("label_names", config["label_names"], len(classes), "labels")
    if isinstance(estimator, QuanvRegressor):
        estimator._targets = Targets.from_dict(config["targets"])
        estimator.n_outputs_ = len(estimator._targets.mean)
        estimator.history_ = [dict(row) for row in config["history"]]
    preparation = config.get("preparation")  # models of older versions have none
    # On the meta device nothing is allocated or drawn; the tensors of the file then take their places.
    with torch.device("meta"):
        estimator.restore(spec, circuits, int(config["output_shape"][0]))
    set_kernels(estimator.module_, config.get("kernels") is not False)  # models of older versions do not say
    if preparation is not None and not isinstance(estimator, QuanvTransformer):
        estimator.preparation_ = Preparation.from_dict(preparation)
        if estimator.preparation_.shape() not in (shape, None):
            raise ModelError(f"it prepares pictures as {estimator.preparation_}, but takes images of {shape}")
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
        warn_user(f"the model was saved on {estimator.device!r}, which is not available here: it is loaded on the CPU")
        estimator.device = "cpu"
        estimator.module_.to("cpu")
    estimator.module_.eval()
    return estimator
