"""Trained models for other programs: a plain torch program, and ONNX; with preprocessing, and without this package."""

from __future__ import annotations

import copy
import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve._files import write_whole
from quanvolve._version import __version__

OPSET = 23
_CHECKED, _MOST_OFF = 16, 1e-4
_NOTES = "quanvolve.json"


class Deployable(nn.Module):
    """A trained model as one module: images as they were given to `fit`, to probabilities or numbers.

    Args:
        model: a fitted :class:`quanvolve.QuanvClassifier` or :class:`quanvolve.QuanvRegressor`. Filters become fixed;
            where they have shots, their exact values take the place of sampled ones.

    Shape:
        - Input: (N, C, *size), float32, in the range of the training images.
        - Output: (N, classes), rows that sum to 1; (N, labels), a probability each, where samples have several; of a
          regressor (N, targets), in their unit.

    Raises:
        QuanvolveError: if the model is something else, or its values are drawn at random.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        known = all(hasattr(model, name) for name in ("module_", "input_range_", "image_shape_"))
        if not known or not (hasattr(model, "classes_") or _is_regressor(model)):
            raise QuanvolveError(
                f"`model` is a {type(model).__name__}, expected a fitted QuanvClassifier or QuanvRegressor"
            )
        self.answer = _answer_of(model)
        self.low, high = map(float, model.input_range_)
        self.span = (high - self.low) or 1.0
        self.module = _fixed(copy.deepcopy(model.module_).to("cpu").eval())

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities of the classes or labels, or numbers."""
        answer: Tensor = self.answer(self.module((images - self.low) / self.span))
        return answer


class _Restored(nn.Module):
    """Numbers in the unit of the targets."""

    def __init__(self, mean: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.from_numpy(mean).to(dtype=torch.float32))
        self.register_buffer("scale", torch.from_numpy(scale).to(dtype=torch.float32))

    def forward(self, outputs: Tensor) -> Tensor:
        return outputs * self.scale + self.mean


def _is_regressor(model: Any) -> bool:
    return hasattr(model, "target_scale_")


def _answer_of(model: Any) -> nn.Module:
    if _is_regressor(model):
        return _Restored(model.target_mean_, model.target_scale_)
    return nn.Sigmoid() if model.multilabel_ else nn.Softmax(dim=1)


def _fixed(module: nn.Module) -> nn.Module:
    """The module with its quantum layers compiled."""
    layer: Any = module
    if hasattr(module, "frozen"):
        if any(circuit.counts == "sampled" for circuit in getattr(layer, "circuits", ())):
            raise QuanvolveError(
                "the model draws bit strings at random, and an exported one would always give the same: train it with "
                "readout='popcount_expected'"
            )
        frozen: nn.Module = layer.frozen()
        return frozen
    for name, child in module.named_children():
        setattr(module, name, _fixed(child))
    return module


def notes_of(model: Any) -> dict[str, str]:
    """What a user of an exported file must know."""
    low, high = model.input_range_
    shape = ", ".join(map(str, model.image_shape_))
    given = {"quanvolve": __version__, "input": f"images: float32, shape (N, {shape}), values from {low:g} to {high:g}"}
    if _is_regressor(model):
        return {**given, "output": "numbers: float32, shape (N, targets)"}
    several = "(N, labels), each a label's own" if model.multilabel_ else "(N, classes)"
    return {
        **given,
        "output": f"probabilities: float32, shape {several}",
        "classes": json.dumps(np.asarray(model.classes_).tolist()),
        "label_names": json.dumps(list(getattr(model, "label_names_", None) or map(str, model.classes_))),
    }


def export_torch(model: Any, path: str | Path) -> float:
    """Write a trained model as a program of `torch.export`, which torch alone can load.

    Args:
        model: a fitted :class:`quanvolve.QuanvClassifier` or :class:`quanvolve.QuanvRegressor`.
        path: of the file; ``torch.export.load(path).module()`` reads it, for any number of images.

    Returns:
        The largest difference between what the loaded program and the model answer to 16 random images; of a
        regressor, in standard deviations of the training targets.

    Raises:
        QuanvolveError: if the model cannot be exported, or the file cannot be written.
    """
    program = _program(Deployable(model), model)
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={_NOTES: json.dumps(notes_of(model))})
    loaded = torch.export.load(io.BytesIO(buffer.getvalue())).module()
    difference = _difference(model, lambda images: loaded(torch.from_numpy(images)).detach().numpy())
    _write(path, buffer.getvalue())
    return difference


def export_onnx(model: Any, path: str | Path) -> float:
    """Write a trained model as an ONNX model, which needs neither this package nor torch.

    Args:
        model: a fitted :class:`quanvolve.QuanvClassifier` or :class:`quanvolve.QuanvRegressor`.
        path: of the file; its input is "images", its output "probabilities", of a regressor "numbers", and the number
            of images is free.

    Returns:
        The largest difference between what onnxruntime and the model answer to 16 random images; of a regressor, in
        standard deviations of the training targets.

    Raises:
        QuanvolveError: if the packages of quanvolve[export] are missing, the model cannot be exported, or the file
            cannot be written.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        _imported(name)
    program = _program(Deployable(model), model)
    name = "numbers" if _is_regressor(model) else "probabilities"
    with _quiet():
        made = torch.onnx.export(
            program,
            input_names=["images"],
            output_names=[name],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert made is not None
    proto = made.model_proto
    for key, text in notes_of(model).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, text
    content = proto.SerializeToString()
    session = _imported("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    difference = _difference(model, lambda images: session.run([name], {"images": images})[0])
    _write(path, content)
    return difference


def _program(module: Deployable, model: Any) -> Any:
    low, high = model.input_range_
    shape = (2, *model.image_shape_)
    example = low + (high - low) * torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with _quiet():
        return torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("images")},))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what the exporters say of their own insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _difference(model: Any, run: Any) -> float:
    low, high = model.input_range_
    rng = np.random.default_rng(1)
    images = (low + (high - low) * rng.random((_CHECKED, *model.image_shape_))).astype(np.float32)
    exact = Deployable(model)
    with torch.no_grad():
        expected = exact(torch.from_numpy(images)).numpy()
    unit = model.target_scale_ if _is_regressor(model) else 1.0
    difference = max(float((np.abs(run(images[:n]) - expected[:n]) / unit).max()) for n in (1, _CHECKED))
    if not difference <= _MOST_OFF:
        raise QuanvolveError(
            f"the exported model gives other answers than the model itself (by {difference:.1g}), so nothing was "
            "written: this is a defect of the exporter or of the program that ran it"
        )
    return difference


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise QuanvolveError(
            f"this needs {name}, which cannot be imported: install it with pip install 'quanvolve[export]'"
        ) from error


def _write(path: str | Path, content: bytes) -> None:
    try:
        write_whole(Path(path), content)
    except OSError as error:
        raise QuanvolveError(f"cannot write {path}: {error.strerror or error}") from error
