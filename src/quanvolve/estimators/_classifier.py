"""Quantum convolution and a head as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import QuanvolveError
from quanvolve._options import explains, takes
from quanvolve.estimators._aim import Classification
from quanvolve.estimators._classes import warn_of_single_samples, warn_of_unknown_labels
from quanvolve.estimators._network import QuanvNetwork
from quanvolve.estimators._options import OPTIONS, PARAMETERS


@explains(OPTIONS)
@takes(PARAMETERS)
class QuanvClassifier(ClassifierMixin, QuanvNetwork):  # type: ignore[misc]  # scikit-learn has no types
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

    def _learn_targets(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise QuanvolveError(
                "this classifier needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {self.classes_[0]!r}"
            )
        warn_of_single_samples(self.classes_, numbers, self.validation_fraction)
        return numbers

    def _aim(self) -> Classification:
        return Classification()

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return targets

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n, classes), in the order of `classes_`; rows sum to 1.

        Raises:
            ValueError: if the images are not of the fitted shape, or not finite.
        """
        return self._outputs(X, lambda scores: scores.softmax(dim=1))

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
