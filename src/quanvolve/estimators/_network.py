"""What classifiers and other models that are trained have in common: a backbone and a head, from `fit` to `save`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.estimators._aim import Aim
from quanvolve.estimators._batches import TensorData
from quanvolve.estimators._filters import build_backbone, restore_backbone
from quanvolve.estimators._fitted import take_fitted
from quanvolve.estimators._inputs import ImageSpec, learn_spec, read_rows, spatial_axes, stacked, warn_about_range
from quanvolve.estimators._maps import BLOCK, feature_maps
from quanvolve.estimators._preset import build_preset, training_of
from quanvolve.estimators._processes import place_of
from quanvolve.estimators._save import save
from quanvolve.estimators._training import Monitor, Settings, train
from quanvolve.nn import HybridModel, find_preset, learn_statistics, make_head

CACHE_BYTES = 6 * 2**30
"""Feature maps of fixed filters are kept for all epochs up to this size, and computed for each batch beyond it."""

_STATISTICS_IMAGES = 4096


class QuanvNetwork(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A backbone and a head that are trained; its parameters are those of :class:`quanvolve.QuanvClassifier`.

    A subclass says what it learns by `_learn_targets`, `_aim`, `_n_outputs` and `_strata`, and what it makes of the
    outputs of the module.
    """

    _target_checks: ClassVar[dict[str, Any]] = {}
    """Arguments of scikit-learn's `check_X_y` about y."""

    def _learn_targets(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Learn what the targets are, and return them as the loss takes them.

        Args:
            y: as the user gave it, checked by scikit-learn.

        Raises:
            ValueError: if a model of this kind cannot learn them.
        """
        raise NotImplementedError

    def _aim(self) -> Aim:
        """What the training is for."""
        raise NotImplementedError

    @property
    def _n_outputs(self) -> int:
        """How many numbers the head gives for a sample, once the targets are learned."""
        raise NotImplementedError

    def _strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        """The groups, numbered from 0, that are to be on both sides of the validation split; None without groups."""
        return None

    @classmethod
    def from_preset(cls, preset: str, backbone: str = "quantum", **params: Any) -> Self:
        """A model of a preset's network, with the training settings of that preset.

        Args:
            preset: a name from :data:`quanvolve.nn.PRESETS`.
            backbone: "quantum", or "classical" for the twin.
            params: further parameters; those given take the place of the preset's.

        Raises:
            QuanvolveError: if there is no such preset.

        Examples:
            >>> from quanvolve import QuanvClassifier
            >>> clf = QuanvClassifier.from_preset("quantum", max_epochs=3)
            >>> clf.preset, clf.max_epochs, clf.batch_size
            ('quantum', 3, 128)
        """
        return cls(backbone, **{**training_of(preset, backbone), "preset": preset, **params})

    def fit(self, X: Any, y: Any) -> Self:
        """Train.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W); series (n, length) or (n, channels, length), with a
                `kernel_size` of one number in a tuple.
            y: what is to be learned of each.

        Raises:
            ValueError: if X or y are not valid, or a parameter does not fit.
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
    ) -> Self:
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
        rows, y = read_rows(self, X, y=y, reset=True, **self._target_checks)
        self._check_params()
        targets = self._learn_targets(y)
        aim = self._aim()
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
            self._adopt(spec, *build_preset(params, self._defaults(), spec, self._n_outputs, filter_seed))
        self.module_.to(self._place)
        settings = self._settings(epoch_seed)
        train_rows, valid_rows = self._split(targets, split_seed)
        reporter = monitor or (_Printer(aim.watched) if self.verbose else Monitor())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(filter_seed)  # of the shots of fixed filters
            module, data, valid = self._prepare(
                rows, torch.as_tensor(targets, dtype=aim.dtype), train_rows, valid_rows, reporter
            )
        path = None if checkpoint is None else Path(checkpoint)
        self.history_ = train(module, data, valid, settings, aim, monitor=reporter, checkpoint=path, resume=resume)
        self.module_.eval()
        return self

    def _defaults(self) -> dict[str, Any]:
        """The parameters of an estimator of this kind that was given none."""
        return dict(type(self)().get_params(deep=False))

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
        """Take the form of a saved model; the weights are still to be loaded."""
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
            return build_preset(params, self._defaults(), spec, self._n_outputs, 0, circuits)
        backbone, shape = restore_backbone(
            params, spec, circuits, out_channels, kind=self.backbone, trainable=self.trainable
        )
        return self._with_head(backbone, shape), shape

    def _with_head(self, backbone: torch.nn.Module, output_shape: tuple[int, ...]) -> HybridModel:
        return HybridModel(backbone, make_head(self.head, output_shape, self._n_outputs))

    def _adopt(self, spec: ImageSpec, module: HybridModel, output_shape: tuple[int, ...]) -> None:
        self._spec, self.image_shape_, self.input_range_ = spec, spec.shape, spec.range
        self.output_shape_ = output_shape
        self.module_ = module

    def _split(self, targets: npt.NDArray[Any], seed: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Rows to train on and rows to validate on; stratified where every group can be on both sides."""
        rows = np.arange(len(targets))
        count = round(self.validation_fraction * len(rows))
        if count < 1 or count >= len(rows):
            return rows, rows[:0]
        stratify = self._strata(targets)
        if stratify is not None:
            counts = np.bincount(stratify)
            if counts.min() < 2 or min(count, len(rows) - count) < len(counts):
                stratify = None
        chosen, valid = train_test_split(rows, test_size=count, random_state=seed, stratify=stratify)
        return chosen, valid

    def _prepare(
        self,
        rows: npt.NDArray[Any],
        y: Tensor,
        train_rows: npt.NDArray[Any],
        valid_rows: npt.NDArray[Any],
        monitor: Monitor,
    ) -> tuple[torch.nn.Module, TensorData, TensorData | None]:
        """What to train, on what: the head on feature maps where the filters are fixed, else the whole on images."""
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

    def prepared(self, X: Any) -> npt.NDArray[np.float32]:
        """Images as `module_` takes them: scaled, shape (n, C, *size).

        Args:
            X: images as in `fit`.
        """
        check_is_fitted(self)
        rows = read_rows(self, stacked(X), reset=False, spec=self._spec)
        return np.asarray(self._spec.images(rows), np.float32)

    def _outputs(self, X: Any, finish: Callable[[Tensor], Tensor]) -> npt.NDArray[np.float64]:
        """What the module gives for images, a block at a time.

        Args:
            X: images as in `fit`.
            finish: from the module's outputs, in double precision, to what is returned; shape (n, outputs) both.
        """
        check_is_fitted(self)
        rows = read_rows(self, stacked(X), reset=False, spec=self._spec)
        warn_about_range(rows, self._spec)
        outputs = np.empty((len(rows), self._n_outputs))
        with torch.no_grad():
            for start in range(0, len(rows), BLOCK):
                images = torch.from_numpy(self._spec.images(rows[start : start + BLOCK])).to(self._place)
                outputs[start : start + BLOCK] = finish(self.module_(images).double()).cpu().numpy()
        return outputs

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder, from which :func:`quanvolve.load` reads it.

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


class _Printer(Monitor):
    """A line an epoch.

    Args:
        watched: the validation number that is printed.
    """

    def __init__(self, watched: str) -> None:
        self._watched = watched

    def on_epoch(self, row: dict[str, Any]) -> None:
        score = row[f"valid_{self._watched}"]
        text = "" if score is None else f"  valid {self._watched.replace('_', ' ')} {score:.4f}"
        print(f"epoch {row['epoch']}  loss {row['train_loss']:.4f}{text}  {row['seconds']:.1f} s")
