"""Quantum convolution and a head as a scikit-learn classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import QuanvolveError
from quanvolve._options import explains, takes
from quanvolve.circuits import Circuit
from quanvolve.data import Preparation
from quanvolve.estimators._batches import TensorData
from quanvolve.estimators._classes import warn_of_single_samples, warn_of_unknown_labels
from quanvolve.estimators._filters import build_backbone, restore_backbone
from quanvolve.estimators._fitted import take_fitted
from quanvolve.estimators._inputs import ImageSpec, learn_spec, read_rows, spatial_axes, stacked, warn_about_range
from quanvolve.estimators._maps import BLOCK, feature_maps
from quanvolve.estimators._options import OPTIONS, PARAMETERS
from quanvolve.estimators._preset import build_preset, training_of
from quanvolve.estimators._processes import place_of
from quanvolve.estimators._save import save
from quanvolve.estimators._training import Monitor, Settings, train
from quanvolve.nn import HybridModel, find_preset, learn_statistics, make_head

CACHE_BYTES = 6 * 2**30
"""Feature maps of fixed filters are kept for all epochs up to this size, and computed for each batch beyond it."""

_STATISTICS_IMAGES = 4096


@explains(OPTIONS)
@takes(PARAMETERS)
class QuanvClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of images, series or volumes: a quantum convolution, then a head.

    Args:
        backbone: "quantum"; or, to compare with, "unentangled" (the same without gates on two qubits), "classical"
            (`nn.Conv2d` of the same shape, then ReLU), "trigonometric" (random features), "kernels" (fixed kernels of
            image processing), "subsampled" (pixels of the windows), or "none" (all pixels).
        head: "linear", "cnn", "mlp" or "quantum" (see :func:`quanvolve.nn.make_head`), a `torch.nn.Module`, or a
            function of the feature maps' shape and the number of classes that returns one. Only a named head can
            be saved.
        n_filters, kernel_size, stride, circuit, encoding, readout, n_layers, n_qubits, channel_mixing, scale,
            weight_shapes, init, noise, shots, image_shape: see :class:`quanvolve.QuanvTransformer`.
        trainable: train the filters along with the head. Fixed filters are computed once for all epochs.
        max_epochs: passes over the training data.
        batch_size: images a step.
        lr: learning rate of AdamW at the start; it falls along a cosine to zero.
        weight_decay: of AdamW.
        validation_fraction: share of the training images set aside to choose the best epoch by; 0 keeps the last.
        patience: stop after so many epochs without a better validation accuracy; None runs all epochs.
        random_state: an int gives the same model twice on a CPU.
        device: where to compute. "accelerate" trains over all processes that `accelerate launch` has started, each of
            which calls `fit` with the same arguments, and has its part of every batch of `batch_size` samples.
        verbose: 1 prints a line an epoch.
        preset: a name from :data:`quanvolve.nn.PRESETS`, for images: a whole network, with the schedule of its
            learning rate and random shifts of the training images, in place of filters and head. Their arguments must
            then be left at their defaults, but `backbone` may be "classical" for its twin; the filters are always
            trained. :meth:`from_preset` also sets epochs, batch size and rates that suit it.

    Attributes:
        module_: the trained `torch.nn.Module`, with `backbone` and `head`; takes images in [0, 1].
        classes_: the labels.
        label_names_: names of the labels for people, where given before saving; not set by `fit`.
        preparation_: a :class:`quanvolve.data.Preparation`: what was done to the pictures that the training images came
            from, where given after `fit`, for prediction to do it again; else None. It is saved with the model.
        history_: one dict an epoch: epoch, train_loss, valid_loss, valid_accuracy, lr, seconds.
        image_shape_, input_range_, output_shape_, n_features_in_: see :class:`quanvolve.QuanvTransformer`.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> from quanvolve import QuanvClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> clf = QuanvClassifier(max_epochs=10, random_state=0).fit(X[:1000], y[:1000])
        >>> clf.score(X[1000:], y[1000:]) > 0.9
        True
    """

    def __init__(
        self,
        backbone: str = "quantum",
        head: Any = "linear",
        n_filters: int = 4,
        kernel_size: int | tuple[int, ...] = 2,
        stride: int | tuple[int, ...] = 2,
        circuit: Any = "strongly_entangling",
        *,
        trainable: bool = False,
        image_shape: tuple[int, ...] | None = None,
        max_epochs: int = 30,
        batch_size: int = 32,
        lr: float = 3e-3,
        weight_decay: float = 1e-2,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        random_state: Any = None,
        device: str = "cpu",
        verbose: int = 0,
        preset: str | None = None,
        **options: Any,
    ) -> None:
        self.backbone = backbone
        self.head = head
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.circuit = circuit
        self.trainable = trainable
        self.image_shape = image_shape
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.preset = preset
        self.__dict__.update(options)

    @classmethod
    def from_preset(cls, preset: str, backbone: str = "quantum", **params: Any) -> QuanvClassifier:
        """A classifier of a preset's network, with the training settings of that preset.

        Args:
            preset: a name from :data:`quanvolve.nn.PRESETS`.
            backbone: "quantum", or "classical" for the twin.
            params: further parameters; those given take the place of the preset's.

        Raises:
            QuanvolveError: if there is no such preset.

        Examples:
            >>> clf = QuanvClassifier.from_preset("quantum", max_epochs=3)
            >>> clf.preset, clf.max_epochs, clf.batch_size
            ('quantum', 3, 128)
        """
        return cls(backbone, **{**training_of(preset, backbone), "preset": preset, **params})

    def fit(self, X: Any, y: Any) -> QuanvClassifier:
        """Train.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W); series (n, length) or (n, channels, length), with a
                `kernel_size` of one number in a tuple.
            y: labels (n,), of any type scikit-learn takes.

        Raises:
            ValueError: if X or y are not valid, y has one class only, or a parameter does not fit.
        """
        return self.fit_watched(X, y)

    def fit_watched(
        self,
        X: Any,
        y: Any,
        *,
        monitor: Monitor | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
    ) -> QuanvClassifier:
        """As `fit`, for long runs: with progress, and resumable.

        Args:
            X, y: as in `fit`.
            monitor: told of progress.
            checkpoint: a file that is written after each epoch.
            resume: go on from that file if it is there; the result equals that of an uninterrupted run with the same
                data and parameters (`random_state` must be an int).

        Raises:
            ModelError: if the checkpoint is damaged or of another run.
        """
        X = stacked(X)
        rows, labels = read_rows(self, X, y=y, reset=True)
        check_classification_targets(labels)
        self._check_params()
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise QuanvolveError(
                "this classifier needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {self.classes_[0]!r}"
            )
        warn_of_single_samples(self.classes_, numbers, self.validation_fraction)
        spec = learn_spec(X, rows, self.image_shape, spatial_axes(self.kernel_size, X))
        filter_seed, head_seed, split_seed, epoch_seed = (
            int(seed) for seed in check_random_state(self.random_state).randint(2**31 - 1, size=4)
        )
        if self.preset is None:
            backbone, shape = build_backbone(
                self.get_params(deep=False), spec, kind=self.backbone, trainable=self.trainable, seed=filter_seed
            )
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(head_seed)
                self._adopt(spec, self._with_head(backbone, shape), shape)
        else:
            params = self.get_params(deep=False)
            self._adopt(spec, *build_preset(params, _defaults(), spec, len(self.classes_), filter_seed))
        self.module_.to(self._place)
        settings = self._settings(epoch_seed)
        train_rows, valid_rows = self._split(numbers, split_seed)
        reporter = monitor or (_Printer() if self.verbose else Monitor())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(filter_seed)  # of the shots of fixed filters
            module, data, valid = self._prepare(rows, numbers, train_rows, valid_rows, reporter)
        path = None if checkpoint is None else Path(checkpoint)
        self.history_ = train(module, data, valid, settings, monitor=reporter, checkpoint=path, resume=resume)
        self.module_.eval()
        return self

    @property
    def _place(self) -> str:
        return place_of(self.device)

    def _settings(self, seed: int) -> Settings:
        recipe = None if self.preset is None else find_preset(self.preset, self.backbone)
        return Settings(
            self.max_epochs,
            self.batch_size,
            self.lr,
            self.weight_decay,
            self.patience,
            seed,
            self.device,
            warmup=0.0 if recipe is None else recipe.warmup,
            shift=0 if recipe is None else recipe.shift,
        )

    def _check_params(self) -> None:
        if self.preset is not None:
            find_preset(self.preset, self.backbone)
        for name, least in (("max_epochs", 1), ("batch_size", 1)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
                raise QuanvolveError(f"`{name}` (={value!r}) must be a whole number of at least {least}")
        for name in ("lr", "weight_decay", "validation_fraction"):
            if not isinstance(getattr(self, name), int | float | np.number):
                raise QuanvolveError(f"`{name}` (={getattr(self, name)!r}) must be a number")
        if not 0 < self.lr < float("inf"):
            raise QuanvolveError(f"`lr` (={self.lr!r}) must be greater than 0 and finite")
        if not 0 <= self.weight_decay < float("inf"):
            raise QuanvolveError(f"`weight_decay` (={self.weight_decay!r}) must be at least 0 and finite")
        if not 0 <= self.validation_fraction < 1:
            raise QuanvolveError(f"`validation_fraction` (={self.validation_fraction!r}) must be in [0, 1)")
        if self.patience is not None and self.patience < 1:
            raise QuanvolveError(f"`patience` (={self.patience!r}) must be at least 1, or None")

    def restore(self, spec: ImageSpec, circuits: tuple[Circuit, ...], out_channels: int) -> None:
        """Take the form of a saved classifier; the weights are still to be loaded."""
        module, shape = self._form(spec, circuits[:1], out_channels)
        if not take_fitted(module, circuits) and len(circuits) > 1:
            module, shape = self._form(spec, circuits, out_channels)
        self._adopt(spec, module, shape)

    def _form(
        self, spec: ImageSpec, circuits: tuple[Circuit, ...], out_channels: int
    ) -> tuple[HybridModel, tuple[int, ...]]:
        """The model without its weights, and the shape of its feature maps."""
        params = self.get_params(deep=False)
        if self.preset is not None:
            return build_preset(params, _defaults(), spec, len(self.classes_), 0, circuits)
        backbone, shape = restore_backbone(
            params, spec, circuits, out_channels, kind=self.backbone, trainable=self.trainable
        )
        return self._with_head(backbone, shape), shape

    def _with_head(self, backbone: torch.nn.Module, output_shape: tuple[int, ...]) -> HybridModel:
        return HybridModel(backbone, make_head(self.head, output_shape, len(self.classes_)))

    def _adopt(self, spec: ImageSpec, module: HybridModel, output_shape: tuple[int, ...]) -> None:
        self._spec, self.image_shape_, self.input_range_ = spec, spec.shape, spec.range
        self.output_shape_ = output_shape
        self.module_ = module
        self.preparation_: Preparation | None = None

    def _split(self, numbers: npt.NDArray[Any], seed: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Rows to train on and rows to validate on; stratified where every class can be on both sides."""
        rows = np.arange(len(numbers))
        count = round(self.validation_fraction * len(rows))
        if count < 1 or count >= len(rows):
            return rows, rows[:0]
        counts = np.bincount(numbers)
        stratify = numbers if counts.min() >= 2 and min(count, len(rows) - count) >= len(counts) else None
        chosen, valid = train_test_split(rows, test_size=count, random_state=seed, stratify=stratify)
        return chosen, valid

    def _prepare(
        self,
        rows: npt.NDArray[Any],
        numbers: npt.NDArray[Any],
        train_rows: npt.NDArray[Any],
        valid_rows: npt.NDArray[Any],
        monitor: Monitor,
    ) -> tuple[torch.nn.Module, TensorData, TensorData | None]:
        """What to train, on what: the head on feature maps where the filters are fixed, else the whole on images."""
        y = torch.as_tensor(numbers, dtype=torch.int64)
        size = len(rows) * int(np.prod(self.output_shape_)) * 4
        backbone = self.module_.backbone
        if self.module_.fixed_backbone and size <= CACHE_BYTES:
            maps = feature_maps(
                backbone, rows, self._spec, self.output_shape_, device=self._place, progress=monitor.on_features
            )
            X, module = torch.from_numpy(maps), self.module_.head
            statistics = X[torch.from_numpy(train_rows[:_STATISTICS_IMAGES])]
        elif self.preset is not None:
            # Its layers of batch normalisation learn their statistics as it is trained.
            X, module, statistics = torch.from_numpy(self._spec.images(rows)), self.module_, None
        else:
            X, module = torch.from_numpy(self._spec.images(rows)), self.module_
            some = rows[train_rows[:_STATISTICS_IMAGES]]
            statistics = torch.from_numpy(
                feature_maps(backbone, some, self._spec, self.output_shape_, device=self._place)
            )
        if statistics is not None:
            learn_statistics(self.module_.head, statistics.to(self._place))
        data = TensorData(X, y, torch.from_numpy(train_rows))
        return module, data, TensorData(X, y, torch.from_numpy(valid_rows)) if len(valid_rows) else None

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n, classes), in the order of `classes_`; rows sum to 1.

        Raises:
            ValueError: if the images are not of the fitted shape, or not finite.
        """
        check_is_fitted(self)
        rows = read_rows(self, stacked(X), reset=False, spec=self._spec)
        warn_about_range(rows, self._spec)
        probabilities = np.empty((len(rows), len(self.classes_)))
        with torch.no_grad():
            for start in range(0, len(rows), BLOCK):
                images = torch.from_numpy(self._spec.images(rows[start : start + BLOCK])).to(self._place)
                probabilities[start : start + BLOCK] = self.module_(images).double().softmax(dim=1).cpu().numpy()
        return probabilities

    def prepared(self, X: Any) -> npt.NDArray[np.float32]:
        """Images as `module_` takes them: scaled, shape (n, C, *size).

        Args:
            X: images as in `fit`.
        """
        check_is_fitted(self)
        rows = read_rows(self, stacked(X), reset=False, spec=self._spec)
        return np.asarray(self._spec.images(rows), np.float32)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable label of each image.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n,) of labels.
        """
        check_is_fitted(self)
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of right answers; labels that `fit` has not seen are counted as wrong, with a warning.

        Args:
            X: images as in `fit`.
            y: labels (n,).
            sample_weight: weights (n,) of the images.
        """
        check_is_fitted(self)
        warn_of_unknown_labels(self.classes_, y)
        return float(super().score(X, y, sample_weight))

    def save(self, folder: str | Path) -> None:
        """Write the fitted classifier to a folder, from which :func:`quanvolve.load` reads it.

        Args:
            folder: made if it is not there; gets `config.json` and `model.safetensors`.

        Raises:
            ModelError: if the folder cannot be written, or a parameter or label cannot be expressed in JSON.
        """
        save(self, folder)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _defaults() -> dict[str, Any]:
    return dict(QuanvClassifier().get_params(deep=False))


class _Printer(Monitor):
    def on_epoch(self, row: dict[str, Any]) -> None:
        accuracy = "" if row["valid_accuracy"] is None else f"  valid accuracy {row['valid_accuracy']:.4f}"
        print(f"epoch {row['epoch']}  loss {row['train_loss']:.4f}{accuracy}  {row['seconds']:.1f} s")
