"""Quantum convolution and a head as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import QuanvolveError
from quanvolve._options import explains, takes
from quanvolve.estimators._aim import check_monitor
from quanvolve.estimators._losses import check_loss, loss_fingerprint
from quanvolve.estimators._network import QuanvNetwork
from quanvolve.estimators._options import OPTIONS, PARAMETERS
from quanvolve.estimators._regression import LOSSES, SCORES, Regression, regression_loss
from quanvolve.estimators._targets import Targets

Array = npt.NDArray[Any]


@explains(OPTIONS)
@takes(PARAMETERS)
class QuanvRegressor(RegressorMixin, QuanvNetwork):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor of images, series or volumes: a quantum convolution, then a head that gives one number or several.

    Training sees the targets scaled to mean 0 and deviation 1, whatever their unit; all else has it.

    Args:
        backbone, head, n_filters, kernel_size, stride, circuit, encoding, readout, n_layers, n_qubits, channel_mixing,
            scale, weight_shapes, init, noise, shots, trainable, image_shape, channels, max_epochs, batch_size, lr,
            weight_decay, validation_fraction, random_state, device, verbose, preset, warm_start, callbacks: see
            :class:`quanvolve.QuanvClassifier`; a head gives as many numbers as there are targets.
        patience: stop after so many epochs without a better one, by `monitor`; None runs all epochs.
        loss: "mse"; "huber", which is quadratic up to one deviation of the targets and linear beyond; "mae"; or a
            module of torch or a function of outputs and scaled targets, both (n, targets), which gives a scalar or,
            where samples have weights, a number a sample.
        monitor: the number of the validation data that chooses the best epoch: "r2", "mae", "rmse" (in the unit of the
            targets, in the mean over them) or "loss". None takes "r2".

    Attributes:
        module_: the trained `torch.nn.Module`, with `backbone` and `head`; takes images in [0, 1] to scaled targets.
        n_outputs_: how many targets there are.
        target_mean_, target_scale_: mean and standard deviation of each target in training, (n_outputs_,).
        history_: one dict an epoch: epoch, train_loss, valid_loss, valid_r2, lr, seconds, and what `monitor` names.
        best_epoch_: the epoch, from 1, whose weights the model has.
        preparation_: see :class:`quanvolve.QuanvClassifier`.
        image_shape_, input_range_, output_shape_, n_features_in_: see :class:`quanvolve.QuanvTransformer`.

    Examples:
        How a disease went on within a year, from ten numbers of a patient:

        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.model_selection import train_test_split
        >>> from quanvolve import QuanvRegressor
        >>> parts = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
        >>> X, X_test, y, y_test = parts
        >>> model = QuanvRegressor(stride=1, lr=0.01, max_epochs=40, random_state=0).fit(X, y)
        >>> model.score(X_test, y_test) > 0.3
        True
        >>> model.predict(X_test).shape
        (111,)
    """

    _target_checks: ClassVar[dict[str, Any]] = {"multi_output": True, "y_numeric": True}

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
        channels: str = "auto",
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
        loss: Any = "mse",
        monitor: str | None = None,
        warm_start: bool = False,
        callbacks: Any = None,
        **options: Any,
    ) -> None:
        self._keep(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> QuanvRegressor:
        """Train.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W); series (n, length) or (n, channels, length), with a
                `kernel_size` of one number in a tuple.
            y: numbers (n,), or (n, targets) for several of each.
            sample_weight: weights (n,) of the samples in the loss and in the numbers of the validation data; only
                their ratios matter. A weight of 0 leaves a sample out.
            validation_data: samples to choose the best epoch by, as (X, y) or (X, y, weights), in place of a share
                `validation_fraction` of X that is drawn at random. Of a series that is to be forecast they should be
                the latest.

        Raises:
            ValueError: if X or y are not valid, or a parameter does not fit.

        Examples:
            >>> import numpy as np
            >>> from quanvolve import QuanvRegressor
            >>> X = np.random.default_rng(0).random((300, 8))
            >>> y = np.stack([X[:, 0] + X[:, 1], X[:, 6] - X[:, 7]], axis=1)
            >>> model = QuanvRegressor(kernel_size=(2,), stride=1, lr=0.02, random_state=0).fit(X[:250], y[:250])
            >>> model.predict(X[250:]).shape, model.score(X[250:], y[250:]) > 0.9
            ((50, 2), True)
        """
        super().fit(X, y, sample_weight, validation_data)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuanvRegressor:
        """Train for one epoch on a portion of the data, with the learning rate `lr` throughout.

        None of it is set aside for validation. Shape and range of the images, and mean and deviation of the targets,
        are those of the first portion.

        Args:
            X, y, sample_weight: as in `fit`.

        Raises:
            ValueError: as `fit`.
        """
        self._fit_portion(X, y, sample_weight, self._learn_targets)
        return self

    def _learn_targets(self, y: Array) -> Array:
        self._flat = y.ndim == 1
        targets = _numbers(y)
        self.n_outputs_: int = targets.shape[1]
        return targets

    def _known_targets(self, y: Array) -> Array:
        targets = _numbers(y)
        if targets.shape[1] != self.n_outputs_:
            raise QuanvolveError(f"y has {targets.shape[1]} target(s), but the model was fitted on {self.n_outputs_}")
        return targets

    def _set_out(self, targets: Array, weights: Array | None) -> None:
        self._targets = Targets.of(targets, weights, flat=self._flat)

    def _scaled(self, targets: Array) -> Array:
        return self._targets.scaled(targets)

    def _check_params(self) -> None:
        super()._check_params()
        check_loss(self.loss, names=LOSSES)
        check_monitor(self.monitor, SCORES)

    def _aim(self, targets: Array, weights: Array | None, *, weighted: bool) -> Regression:
        function = regression_loss(self.loss, weighted=weighted, device=self._place)
        return Regression(function, self._targets, self._watched, f"{loss_fingerprint(self.loss, 0.0)}/{self._watched}")

    @property
    def _watched(self) -> str:
        return self.monitor or "r2"

    @property
    def target_mean_(self) -> npt.NDArray[np.float64]:
        """The mean of each training target, shape (targets,)."""
        check_is_fitted(self)
        return np.array(self._targets.mean)

    @property
    def target_scale_(self) -> npt.NDArray[np.float64]:
        """The standard deviation of each training target, shape (targets,); 1 for one that is always the same."""
        check_is_fitted(self)
        return np.array(self._targets.scale)

    @property
    def _n_outputs(self) -> int:
        return self.n_outputs_

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """The numbers for each image.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n,), or (n, targets) where `fit` was given such.

        Raises:
            ValueError: if the images are not of the fitted shape, or not finite.
        """
        check_is_fitted(self)
        return self._targets.restored(self._outputs(X, lambda outputs: outputs))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _numbers(y: Array) -> Array:
    """Targets as (n, targets) in double precision.

    Raises:
        ValueError: if they are no numbers.
    """
    try:
        targets = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise QuanvolveError(
            f"y has the type {np.asarray(y).dtype}, expected numbers: a regressor learns these"
        ) from None
    return targets[:, None] if targets.ndim == 1 else targets
