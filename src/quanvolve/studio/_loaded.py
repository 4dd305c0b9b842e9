"""A trained model in memory: predictions, feature maps, what noise and shots do to them, formulas and circuits."""

from __future__ import annotations

import copy
import gc
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.analysis import filter_circuits, quantum_layers
from quanvolve.circuits import with_noise
from quanvolve.estimators import answers_of, is_bright, polarity_of
from quanvolve.runs import TaskName, load_model, stamp_of, task_of_model
from quanvolve.studio._problems import Refused
from quanvolve.studio._tables import new_id

Floats = npt.NDArray[Any]
_MAIN_TERMS = 8
_VARIANTS = 32  # noisy forms of a model that are kept


@dataclass(frozen=True)
class Seen:
    """What a model makes of one image.

    Args:
        maps: output of its first layer, (channels, rows, columns).
        outputs: as :meth:`Loaded.outputs` has them.
    """

    maps: Floats
    outputs: Floats


class Loaded:
    """A model that answers; safe for several threads.

    Args:
        folder: of the model.

    Raises:
        ModelError: if it is damaged, or neither a classifier nor a regressor.
    """

    def __init__(self, folder: Path) -> None:
        clf = load_model(folder)
        self.clf: Any = clf
        self.shape: tuple[int, ...] = tuple(clf.image_shape_)
        self.task: TaskName = task_of_model(clf)
        self.classes: list[str] = []
        self.targets: list[str] = []
        if self.task == "regression":
            count = clf.n_outputs_
            self.targets = ["target"] if count == 1 else [f"target_{k + 1}" for k in range(count)]
        else:
            names = getattr(clf, "label_names_", None)
            self.classes = list(map(str, clf.classes_.tolist() if names is None else names))
        self.bright = is_bright(clf)
        layers = quantum_layers(clf)
        self.layer: Any
        self.layer_name, self.layer = layers[0] if layers else ("", None)
        self._variants: OrderedDict[tuple[float, int | None], nn.Module] = OrderedDict()
        self._lock = threading.Lock()
        self._formulas: list[dict[str, Any]] | None = None
        self.key = new_id()  # of what others keep of it

    @property
    def drawable(self) -> bool:
        """Whether it takes pictures, grey or in colour."""
        return is_drawable(self.shape)

    @property
    def of_drawings(self) -> bool:
        """Whether pictures for it are drawings unless something else is said: grey arrays, as of digits."""
        return self.drawable and self.shape[0] == 1 and self.clf.preparation_ is None

    def images(self, values: Any) -> Floats:
        """Images of a request as the model's estimator takes them.

        Args:
            values: nested lists (n, *shape), a channel of its own being optional.

        Raises:
            Refused: if they are not of the model's shape, not finite, or in quite other units.
        """
        array = as_array(values, "images")
        shape = self.shape
        allowed = [shape, shape[1:]] if shape[0] == 1 else [shape]
        if len(shape) == 3 and shape[:2] == (1, 1):  # features in a row
            allowed.append(shape[2:])
        if array.ndim < 2 or array.shape[1:] not in allowed:
            actual = "x".join(map(str, array.shape[1:])) or "nothing"
            taken = " or ".join("x".join(map(str, lengths)) for lengths in allowed)
            raise Refused(422, "invalid", f"images: each is {actual}, this model takes {taken}")
        low, high = self.clf.input_range_
        least, most, width = float(array.min(initial=low)), float(array.max(initial=high)), (high - low) or 1.0
        if least < low - width or most > high + width:
            raise Refused(
                422, "invalid", f"images: values from {least:g} to {most:g}, this model has learned from {low:g} to "
                f"{high:g} (its input_range)",
            )  # fmt: skip
        images: Floats = array.reshape(len(array), *shape)
        return images

    def scaled(self, fractions: Floats) -> Floats:
        """Images in [0, 1] in the units of the training data."""
        low, high = self.clf.input_range_
        images: Floats = fractions * (high - low) + low
        return images

    def prepared(self, images: Floats) -> torch.Tensor:
        """Images in the units of the training data as the network takes them: in [0, 1]."""
        low, high = self.clf.input_range_
        unit = (images - low) / ((high - low) or 1.0)
        return torch.from_numpy(np.ascontiguousarray(unit, np.float32).reshape(-1, *self.shape))

    def inverted(self, images: Floats) -> Floats:
        """Images in the units of the training data, dark for bright."""
        low, high = self.clf.input_range_
        exchanged: Floats = low + high - images
        return exchanged

    def drawn(self, fractions: Floats) -> Floats:
        """Bright strokes on black, (rows, columns) in [0, 1], as an image of the model: dark on bright where it learned
        from such, and the same in all of its channels."""
        strokes = 1 - fractions if self.bright else fractions
        return self.scaled(np.broadcast_to(strokes, self.shape))

    def wrong_way_round(self, image: Floats) -> str | None:
        """What is said of an image that is dark on bright and should be bright on dark, or the other way round."""
        return polarity_of(self.clf, image)

    def outputs(self, images: Floats) -> Floats:
        """Probabilities (n, classes) or numbers (n, targets) of images in the units of the training data."""
        with torch.no_grad():
            return answers_of(self.clf, self.clf.module_(self.prepared(images)))

    def seen(self, image: Floats, noise: float = 0.0, shots: int | None = None, seed: int = 0) -> Seen:
        """Feature maps and probabilities of one image, with depolarizing noise after every gate, and shots.

        Args:
            image: in the units of the training data.
            noise: probability of a random Pauli error after each gate, as PennyLane's DepolarizingChannel has it.
            shots: samples of each window; exact values if not given.
            seed: of the samples.

        Raises:
            Refused: if the model has no quantum layer and noise or shots are asked for.
            QuanvolveError: if its circuits cannot have them.
        """
        module = self._variant(noise, shots)
        where = module.get_submodule("backbone" if self.layer is None else self.layer_name)
        outputs: list[torch.Tensor] = []
        with self._lock, torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            handle = where.register_forward_hook(lambda _, __, out: outputs.append(out))
            try:
                outputs_of_head = module(self.prepared(image[None]))
            finally:
                handle.remove()
        maps = outputs[0]
        values = maps[0].double().numpy()
        if values.ndim != 3:
            raise Refused(409, "maps", "this model has no feature maps: it is not a convolution of images")
        return Seen(values, answers_of(self.clf, outputs_of_head)[0])

    def _variant(self, noise: float, shots: int | None) -> nn.Module:
        """A copy of the network, with another first layer where noise or shots are wanted."""
        plain = noise == 0 and shots is None
        if self.layer is None and not plain:
            raise Refused(409, "maps", "noise and shots are for circuits, and this model has none")
        key = (noise, shots)
        with self._lock:
            if key in self._variants:
                self._variants.move_to_end(key)
                return self._variants[key]
        with torch.no_grad():
            module: nn.Module = copy.deepcopy(self.clf.module_)
        if self.layer is not None and not plain:
            circuits = self.layer.circuits
            if noise > 0:
                circuits = tuple(with_noise(circuit, {"depolarizing": noise}) for circuit in circuits)
            module.set_submodule(self.layer_name, self.layer.with_circuits(circuits, shots=shots))
        module.eval()
        with self._lock:
            self._variants[key] = module
            while len(self._variants) > _VARIANTS:
                self._variants.popitem(last=False)
        return module

    def channels(self) -> list[dict[str, Any]]:
        """What each channel of the first quantum layer computes: number, filter, formula, LaTeX, terms."""
        if self.layer is None:
            return []
        with self._lock:
            if self._formulas is None:
                self._formulas = [self._channel(number) for number in range(self.layer.out_channels)]
            return self._formulas

    def _channel(self, number: int) -> dict[str, Any]:
        channel = self.layer.channel(number)
        parts = self.layer.rows()
        entry: dict[str, Any] = {"channel": number, "filter": channel.filter, "output": channel.measured,
                                 "inputs": [plane for row in channel.rows for plane in row.in_channels],
                                 "circuits": [k for k, row in enumerate(parts) if row.filter == channel.filter],
                                 "formula": None, "latex": None, "terms": 0,
                                 "main": None, "main_error": None, "why_not": None}  # fmt: skip
        try:
            formula = self.layer.formula(number)
            sizes = sorted((abs(term.coefficient) for term in formula.terms), reverse=True)
            main = formula.pruned(formula.error + sum(sizes[_MAIN_TERMS:]) + 1e-12)
            return {**entry, "formula": str(formula), "latex": formula.latex(), "terms": len(sizes), "main": str(main),
                    "main_error": main.error}  # fmt: skip
        except QuanvolveError as error:
            return {**entry, "why_not": str(error)}

    def circuits(self) -> list[Any]:
        """The circuits of the first quantum layer, with the model's weights."""
        if self.layer is None:
            return []
        return filter_circuits(self.layer)


def is_drawable(shape: Any) -> bool:
    """Whether images of this shape (channels, *size) are grey pictures, or pictures in colour.

    Examples:
        >>> is_drawable((3, 8, 8)), is_drawable((2, 8, 8)), is_drawable((1, 30)), is_drawable((1, 1, 30))
        (True, False, False, False)
    """
    return len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) > 1


def as_array(values: Any, what: str) -> Floats:
    """Numbers of a request.

    Args:
        values: nested lists.
        what: their name, for errors.

    Raises:
        Refused: if they are something else, of different lengths, or not finite.
    """
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        raise Refused(422, "invalid", f"{what}: expected arrays of numbers, all of the same shape") from None
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or np.abs(array).max(initial=0) > 1e30:
        raise Refused(422, "invalid", f"{what}: expected finite numbers, none beyond 1e30")
    return array.astype(np.float64)


def _settle() -> None:
    """Let the collector of garbage leave alone what is there now: libraries, which stay.

    Looking through their objects would stop all requests for 0.2 s, about every second under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 50)


class Cache:
    """Models in memory, the last used ones; a folder that was replaced or deleted is noticed.

    Args:
        most: how many.
    """

    def __init__(self, most: int = 8) -> None:
        self._most, self._settled = most, False
        self._models: OrderedDict[Path, tuple[int, Loaded]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> Loaded | None:
        """The model of that folder, if it is in memory and still the one on disk.

        Raises:
            FileNotFoundError: if it was deleted.
        """
        stamp = stamp_of(folder)
        with self._lock:
            entry = self._models.get(folder)
            if entry is None or entry[0] != stamp:
                return None
            self._models.move_to_end(folder)
            return entry[1]

    def drop(self, folder: Path) -> None:
        """Give back the memory of a model."""
        with self._lock:
            self._models.pop(folder, None)

    def load(self, folder: Path) -> Loaded:
        """The model of that folder, from memory or from disk."""
        model = self.get(folder)
        if model is None:
            stamp = stamp_of(folder)
            model = Loaded(folder)
            model.outputs(np.zeros((1, *model.shape)))  # compiles its circuits
            if not self._settled:
                self._settled = True
                _settle()
            with self._lock:
                self._models[folder] = (stamp, model)
                while len(self._models) > self._most:
                    self._models.popitem(last=False)
        return model
