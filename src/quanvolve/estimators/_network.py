"""What classifiers and other models that are trained have in common: a backbone and a head, from `fit` to `save`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve._warn import warn_user
from quanvolve.circuits import Circuit
from quanvolve.data import Preparation
from quanvolve.estimators._aim import Aim, best_epoch
from quanvolve.estimators._batches import TensorData
from quanvolve.estimators._checkpoint import TrainingState
from quanvolve.estimators._filters import build_backbone, restore_backbone
from quanvolve.estimators._fitted import take_fitted
from quanvolve.estimators._inputs import ImageSpec, learn_spec, read_rows, spatial_axes, stacked, warn_about_range
from quanvolve.estimators._kernels import choose_kernels
from quanvolve.estimators._layout import to_fit, to_use
from quanvolve.estimators._maps import BLOCK, feature_maps
from quanvolve.estimators._monitor import Monitor, Printer
from quanvolve.estimators._parameters import check_form, check_training, of_the_network
from quanvolve.estimators._preset import build_preset, training_of
from quanvolve.estimators._processes import place_of
from quanvolve.estimators._save import save
from quanvolve.estimators._seeds import Seeds, drawing
from quanvolve.estimators._split import set_aside
from quanvolve.estimators._threads import one_thread
from quanvolve.estimators._training import Settings, SteadySettings, train
from quanvolve.estimators._weights import merged, relative, weighed
from quanvolve.nn import HybridModel, find_preset, learn_statistics, make_head

CACHE_BYTES = 6 * 2**30
"""Feature maps of fixed filters are kept for all epochs up to this size, and computed for each batch beyond it."""

_STATISTICS_IMAGES = 4096
_ALIKE = 8  # rows of a product that are summed alike, whatever their number

Array = npt.NDArray[Any]


class _Given(NamedTuple):
    """Samples as the user gave them, checked: (n, features), targets as the loss takes them, weights or None."""

    rows: Array
    targets: Array
    weights: Array | None


class QuanvNetwork(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """A backbone and a head that are trained; its parameters are those of :class:`quanvolve.QuanvClassifier`.

    A subclass says what it learns by `_learn_targets`, `_aim`, `_n_outputs` and `_strata`, and what it makes of the
    outputs of the module.
    """

    _target_checks: ClassVar[dict[str, Any]] = {}
    """Arguments of scikit-learn's `check_X_y` about y."""

    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the arguments of the constructor under their names, as scikit-learn asks for.

        It reads them from the signature of each class, which is why that is written out there.

        Args:
            given: `locals()` of the constructor, whose `options` are those of the layer.
        """
        named = {name: value for name, value in given.items() if name not in ("self", "options")}
        self.__dict__.update(named | given["options"])

    @abstractmethod
    def _learn_targets(self, y: Array) -> Array:
        """Learn what the targets are, and return them as the loss takes them.

        Args:
            y: as the user gave it, checked by scikit-learn.

        Raises:
            ValueError: if a model of this kind cannot learn them.
        """

    @abstractmethod
    def _known_targets(self, y: Array) -> Array:
        """Targets as the loss takes them, of a kind that has been learned.

        Raises:
            ValueError: if they are of another kind.
        """

    def _scaled(self, targets: Array) -> Array:
        """Targets as the module is to give them."""
        return targets

    def _look_at(self, targets: Array, weights: Array | None, validation_fraction: float) -> None:
        """Warn of what cannot be learned as one would think.

        Args:
            targets: of the samples, as the loss takes them.
            weights: of these, or None.
            validation_fraction: the share of them that is set aside.
        """

    def _set_out(self, targets: Array, weights: Array | None) -> None:
        """Give a new network, where that helps, the answers that need no samples to be looked at.

        Args:
            targets: of the training samples, as the loss takes them.
            weights: of these, or None.
        """

    @abstractmethod
    def _aim(self, targets: Array, weights: Array | None, *, weighted: bool) -> Aim:
        """What the training is for.

        Args:
            targets: of the training samples, as the loss takes them.
            weights: of these, or None.
            weighted: whether these or the validation samples have weights.
        """

    @property
    @abstractmethod
    def _watched(self) -> str:
        """The number of the validation data that chooses the best epoch."""

    @property
    @abstractmethod
    def _n_outputs(self) -> int:
        """How many numbers the head gives for a sample, once the targets are learned."""

    def _strata(self, targets: Array) -> Array | None:
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W); series (n, length) or (n, channels, length), with a
                `kernel_size` of one number in a tuple.
            y: what is to be learned of each.
            sample_weight: weights (n,) of the samples in the loss and in the numbers of the validation data; only
                their ratios matter, and a weight of 0 leaves a sample out.
            validation_data: samples to choose the best epoch by, as (X, y) or (X, y, weights), in place of a share
                `validation_fraction` of X.

        Raises:
            ValueError: if X or y are not valid, or a parameter does not fit.
        """
        return self.fit_watched(X, y, sample_weight=sample_weight, validation_data=validation_data)

    def fit_watched(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        validation_data: Any = None,
        monitor: Monitor | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
    ) -> Self:
        """As `fit`, for long runs: with progress, and resumable.

        Args:
            X, y, sample_weight, validation_data: as in `fit`.
            monitor: told of progress.
            checkpoint: a file that is written after each epoch.
            resume: go on from that file if it is there; the result equals that of an uninterrupted run with the same
                data and parameters (`random_state` must be an int).

        Raises:
            ModelError: if the checkpoint is damaged or of another run.
        """
        warm = self.warm_start and self.__sklearn_is_fitted__()
        fraction = 0.0 if validation_data is not None else self.validation_fraction
        X, rows, targets, weights = self._read(X, y, sample_weight, known=warm, fraction=fraction)
        seeds = Seeds.of(self.random_state)
        if not warm:
            spec = learn_spec(X, rows, self.image_shape, spatial_axes(self.kernel_size, X))
            self._build(spec, seeds)
            self._set_out(targets, weights)
        # What can be refused is, before filters are computed.
        apart = None if validation_data is None else self._validation(validation_data)
        chosen, held_out = set_aside(len(rows), fraction, self._strata(targets), seeds.split)
        weighted = weights is not None or (apart is not None and apart.weights is not None)
        aim = self._aim(targets, weights, weighted=weighted)
        aim.check(targets[held_out] if apart is None else apart.targets)
        if apart is None and not len(held_out):
            self._say_what_needs_validation()
        self._maps_kept = self._keeps_maps(len(rows))
        epochs = 0 if self._maps_kept else self.max_epochs
        steps = epochs * -(-len(chosen) // self.batch_size)
        small = choose_kernels(self.module_, self._spec.shape, images=len(rows), steps=steps, epochs=epochs)
        reporter = monitor or (Printer(aim.watched) if self.verbose else Monitor())
        with one_thread(small):
            samples = self._tensors(rows, targets, weights, aim, reporter, seeds)
        data = samples.of(torch.from_numpy(chosen))
        valid = samples.of(torch.from_numpy(held_out)) if len(held_out) else None
        if apart is not None:
            valid = self._tensors(*apart, aim, Monitor(), seeds)
        if not warm:
            self._learn_statistics(rows, data, seeds)
        path = None if checkpoint is None else Path(checkpoint)
        state = train(
            self._trained, data, valid, self._settings(seeds.epochs), aim, monitor=reporter,
            callbacks=self.callbacks or (), checkpoint=path, resume=resume,
        )  # fmt: skip
        self.history_ = state.history
        self._optimizer: dict[str, Tensor] = {}
        self.module_.eval()
        return self

    def _fit_portion(self, X: Any, y: Any, sample_weight: Any, learn: Callable[[Array], Array]) -> Self:
        """One epoch on some of the data, all of which are trained on.

        Args:
            X, y, sample_weight: as in `fit`.
            learn: makes targets of y at the first call.
        """
        begun = self.__sklearn_is_fitted__()
        X, rows, targets, weights = self._read(X, y, sample_weight, known=begun, learn=learn)
        seeds = Seeds.of(self.random_state)
        if not begun:
            spec = learn_spec(X, rows, self.image_shape, spatial_axes(self.kernel_size, X))
            self._build(spec, seeds)
            self._set_out(targets, weights)
            self._optimizer = {}
        if not self._optimizer:
            self._maps_kept = self._keeps_maps(len(rows))  # whose weights the optimizer then goes on with
        aim = self._aim(targets, weights, weighted=weights is not None)
        reporter = Printer(aim.watched) if self.verbose else Monitor()
        data = self._tensors(rows, targets, weights, aim, reporter, seeds)
        if not begun:
            self._learn_statistics(rows, data, seeds)
        history = self.history_ if begun else []
        epoch = len(history) + 1
        settings = replace(SteadySettings(**asdict(self._settings(seeds.epochs))), max_epochs=epoch, patience=None)
        weights_now = self._trained.state_dict()
        earlier = TrainingState(history, weights_now, weights_now, self._optimizer)
        state = train(
            self._trained, data, None, settings, aim, monitor=reporter, callbacks=self.callbacks or (), earlier=earlier
        )
        self.history_, self._optimizer = state.history, state.optimizer
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Whether a training has ended; one that failed leaves a network behind that is not to be used."""
        return hasattr(self, "history_")

    @property
    def best_epoch_(self) -> int:
        """The epoch, from 1, whose weights the model has."""
        return best_epoch(self.history_, self._watched)

    def _read(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        known: bool,
        fraction: float = 0.0,
        learn: Callable[[Array], Array] | None = None,
    ) -> tuple[Any, Array, Array, Array | None]:
        """What was given, checked.

        Args:
            X, y, sample_weight: as in `fit`.
            known: whether images and targets must be of a form that has been learned.
            fraction: the share of samples that will be set aside for validation.
            learn: makes targets of y, where they are not known.

        Returns:
            X, as images where it was a list of them; samples (n, features), targets and weights.
        """
        X = stacked(X)
        if known:
            X = self._arranged(X)
        else:
            X = to_fit(X, spatial_axes(self.kernel_size, X), self.channels, self.image_shape)
        spec = self._spec if known else None
        rows, y = read_rows(self, X, y=y, reset=not known, spec=spec, **self._target_checks)
        self._check_params()
        if known:
            check_form(self, self._built_with)
            warn_about_range(rows, self._spec)
        rows, y, weights = weighed(rows, y, sample_weight)
        targets = self._known_targets(y) if known else (learn or self._learn_targets)(y)
        if not known and learn is None:
            self._look_at(targets, weights, fraction)
        return X, *merged(rows, targets, weights, self.batch_size)

    def _validation(self, given: Any) -> _Given:
        """Validation data of the user's own, checked as the training data are."""
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise QuanvolveError("`validation_data` must be (X, y) or (X, y, weights)")
        X, y, *more = given
        rows, y = read_rows(self, self._arranged(X), y=y, reset=False, spec=self._spec, **self._target_checks)
        warn_about_range(rows, self._spec)
        rows, y, weights = weighed(rows, y, more[0] if more else None)
        return _Given(rows, self._known_targets(y), relative(weights))

    def _say_what_needs_validation(self) -> None:
        for name in ("monitor", "patience"):
            if getattr(self, name) is not None:
                warn_user(
                    f"`{name}` (={getattr(self, name)!r}) has no effect without validation data: give some as "
                    f"`validation_data`, or a larger `validation_fraction` (={self.validation_fraction:g})"
                )

    def _build(self, spec: ImageSpec, seeds: Seeds) -> None:
        """Make the network for these images, with new weights."""
        self.__dict__.pop("history_", None)
        params = self.get_params(deep=False)
        if self.preset is None:
            backbone, shape = build_backbone(
                params, spec, kind=self.backbone, trainable=self.trainable, seed=seeds.filters
            )
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seeds.head)
                self._adopt(spec, self._with_head(backbone, shape), shape)
        else:
            self._adopt(spec, *build_preset(params, self._defaults(), spec, self._n_outputs, seeds.filters))
        self.module_.to(self._place)

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
            shift=0 if recipe is None or len(self._spec.shape) != 3 else recipe.shift,
        )

    def _check_params(self) -> None:
        """Refuse what parameters cannot be."""
        check_training(self)

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
        self._built_with = of_the_network(self)
        self._spec, self.image_shape_, self.input_range_ = spec, spec.shape, spec.range
        self.output_shape_ = output_shape
        self.module_ = module
        self.preparation_: Preparation | None = None

    def _arranged(self, X: Any) -> Any:
        return to_use(stacked(X), self._spec.shape, self.channels)

    @property
    def _trained(self) -> torch.nn.Module:
        """What is trained: the head where feature maps are kept, else the whole."""
        module: torch.nn.Module = self.module_.head if self._maps_kept else self.module_
        return module

    def _keeps_maps(self, n: int) -> bool:
        """Whether the filters are fixed, and feature maps of so many images are computed once for all epochs."""
        return bool(self.module_.fixed_backbone) and n * int(np.prod(self.output_shape_)) * 4 <= CACHE_BYTES

    def _tensors(
        self, rows: Array, targets: Array, weights: Array | None, aim: Aim, monitor: Monitor, seeds: Seeds
    ) -> TensorData:
        """Samples as they are trained on: feature maps where they are kept, else images."""
        if self._maps_kept:
            with drawing(seeds.filters):
                maps = feature_maps(
                    self.module_.backbone, rows, self._spec, self.output_shape_, device=self._place,
                    progress=monitor.on_features,
                )  # fmt: skip
            X = torch.from_numpy(maps)
        else:
            X = torch.from_numpy(self._spec.images(rows))
        y = torch.as_tensor(self._scaled(targets), dtype=aim.dtype)
        return TensorData(X, y, weights=None if weights is None else torch.as_tensor(weights, dtype=torch.float32))

    def _learn_statistics(self, rows: Array, data: TensorData, seeds: Seeds) -> None:
        """Let the head standardize the channels by some of the training images.

        Args:
            rows: all images.
            data: what of them is trained on.
            seeds: of shots.
        """
        some = data.rows[:_STATISTICS_IMAGES]
        if self._maps_kept:
            maps = data.X[some]
        elif self.preset is not None:
            return  # its layers of batch normalisation learn their statistics as it is trained
        else:
            with drawing(seeds.filters):
                maps = torch.from_numpy(
                    feature_maps(
                        self.module_.backbone, rows[some.numpy()], self._spec, self.output_shape_, device=self._place
                    )
                )
        learn_statistics(self.module_.head, maps.to(self._place))

    def prepared(self, X: Any) -> npt.NDArray[np.float32]:
        """Images as `module_` takes them: scaled, shape (n, C, *size).

        Args:
            X: images as in `fit`.
        """
        check_is_fitted(self)
        rows = read_rows(self, self._arranged(X), reset=False, spec=self._spec)
        return np.asarray(self._spec.images(rows), np.float32)

    def _outputs(self, X: Any, finish: Callable[[Tensor], Tensor]) -> npt.NDArray[np.float64]:
        """What the module gives for images, a block at a time.

        Args:
            X: images as in `fit`.
            finish: from the module's outputs, in double precision, to what is returned; shape (n, outputs) both.
        """
        check_is_fitted(self)
        rows = read_rows(self, self._arranged(X), reset=False, spec=self._spec)
        warn_about_range(rows, self._spec)
        outputs = np.empty((len(rows), self._n_outputs))
        with torch.no_grad():
            for start in range(0, len(rows), BLOCK):
                images = torch.from_numpy(self._spec.images(rows[start : start + BLOCK])).to(self._place)
                answers = self.module_(_filled_up(images))[: len(images)]
                outputs[start : start + BLOCK] = finish(answers.double()).cpu().numpy()
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


def _filled_up(images: Tensor) -> Tensor:
    """The images, the last one so often that there are a multiple of `_ALIKE`.

    Products of matrices with few rows are summed in another order than those with many, so that the same image would
    get another answer, by a rounding, in other company.
    """
    lacking = -len(images) % _ALIKE
    return torch.cat([images, images[-1:].expand(lacking, *images.shape[1:])]) if lacking else images
