"""Quantum convolution and a head as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from quanvolve._errors import QuanvolveError
from quanvolve._options import explains, takes
from quanvolve.estimators._aim import Classification, check_monitor, watched_of
from quanvolve.estimators._classes import warn_of_one_label_each, warn_of_single_samples, warn_of_unknown_labels
from quanvolve.estimators._losses import check_loss, check_scores, loss_fingerprint, loss_function
from quanvolve.estimators._multilabel import Multilabel, check_options, labels_of, multilabel_loss, takes_several
from quanvolve.estimators._network import QuanvNetwork
from quanvolve.estimators._options import OPTIONS, PARAMETERS
from quanvolve.estimators._weights import BALANCED, check_class_weight, class_weights

Array = npt.NDArray[Any]


_LEAST_SHARE = 1e-6


def _has_several_labels(clf: Any) -> bool:
    return bool(getattr(clf, "multilabel_", False))


def _has_class_weights_of_any_portion(clf: Any) -> bool:
    if isinstance(clf.class_weight, str) and clf.class_weight == BALANCED:
        raise QuanvolveError(
            "`class_weight='balanced'` needs all data at once, which `partial_fit` does not have: give a dict"
        )
    return True


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
            weight_shapes, init, noise, shots, image_shape, channels: see :class:`quanvolve.QuanvTransformer`.
        trainable: train the filters along with the head. Fixed filters are computed once for all epochs.
        max_epochs: passes over the training data.
        batch_size: images a step.
        lr: learning rate of AdamW at the start; it falls along a cosine to zero.
        weight_decay: of AdamW.
        validation_fraction: share of the training images set aside to choose the best epoch by; 0 keeps the last.
        patience: stop after so many epochs without a better one, by `monitor`; None runs all epochs.
        random_state: an int gives the same model twice on a CPU.
        device: where to compute. "accelerate" trains over all processes that `accelerate launch` has started, each of
            which calls `fit` with the same arguments, and has its part of every batch of `batch_size` samples.
        verbose: 1 prints a line an epoch.
        preset: a name from :data:`quanvolve.nn.PRESETS`: a whole network, with the schedule of its learning rate and
            random shifts of the training images, in place of filters and head. Their arguments must then be left at
            their defaults, but `backbone` may be "classical" for its twin, and for trees "unentangled", "cnn" or
            "classical-wide" too; the filters are always trained. :meth:`from_preset` also sets epochs, batch size and
            rates that suit it.
        loss: "cross_entropy"; "focal", in which samples that are classified well already count less
            (:class:`quanvolve.estimators.FocalLoss`); or a module of torch or a function of scores (n, classes) and
            class numbers (n,), which gives a scalar or, where samples or classes have weights, a number a sample.
        label_smoothing: of cross-entropy, the share of each target that is spread over all classes, in [0, 1).
        class_weight: "balanced" gives all classes the same part in the loss, however many samples they have; a dict
            gives weights of labels, 1 for those left out; None leaves all samples alike.
        monitor: the number of the validation data that chooses the best epoch, and that `patience` goes by:
            "accuracy", "balanced_accuracy", "roc_auc" and "average_precision" (one class against the rest), "f1" (of
            the classes, in the mean) or "loss". None takes the accuracy, or with `class_weight` the loss, in which
            classes have their weights. Of several labels a sample: "accuracy" (all of them right), "f1", "roc_auc" and
            "average_precision" (of the labels, in the mean) or "loss".
        warm_start: `fit` goes on from the weights that there are, with another optimizer and history; labels and
            shape must be known.
        callbacks: a list of skorch's callbacks, such as its `TensorBoard`, `MlflowLogger` and `EarlyStopping`. In
            `net.history` they find the numbers of `history_`; `net.module_` is what is trained, which with fixed
            filters is the head. A `LRScheduler` sets the learning rate in place of the cosine. Neither a checkpoint nor
            a saved model keeps them.

    Attributes:
        module_: the trained `torch.nn.Module`, with `backbone` and `head`; takes images in [0, 1].
        classes_: the labels; where samples have several, their numbers from 0.
        multilabel_: whether samples have several labels.
        label_names_: names of the labels for people, where given before saving; not set by `fit`.
        preparation_: a :class:`quanvolve.data.Preparation`: what was done to the pictures that the training images came
            from, where given after `fit`, for prediction to do it again; else None. It is saved with the model.
        history_: one dict an epoch: epoch, train_loss, valid_loss, valid_accuracy, lr, seconds, and what `monitor`
            names.
        best_epoch_: the epoch, from 1, whose weights the model has.
        image_shape_, input_range_, output_shape_, n_features_in_: see :class:`quanvolve.QuanvTransformer`.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> from quanvolve import QuanvClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> clf = QuanvClassifier(max_epochs=10, random_state=0).fit(X[:1000], y[:1000])
        >>> clf.score(X[1000:], y[1000:]) > 0.9
        True
    """

    _target_checks: ClassVar[dict[str, Any]] = {"multi_output": True}

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
        loss: Any = "cross_entropy",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        monitor: str | None = None,
        warm_start: bool = False,
        callbacks: Any = None,
        **options: Any,
    ) -> None:
        self._keep(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> QuanvClassifier:
        """Train.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W); series (n, length) or (n, channels, length), with a
                `kernel_size` of one number in a tuple.
            y: labels (n,), of any type scikit-learn takes; where a sample may have several or none, rows of 0 and 1,
                (n, labels).
            sample_weight: weights (n,) of the samples in the loss and in the numbers of the validation data; only
                their ratios matter. A weight of 0 leaves a sample out. A weight of 2 is the same as giving a sample
                twice: exactly so where all samples make one batch, else in the mean.
            validation_data: samples to choose the best epoch by, as (X, y) or (X, y, weights), in place of a share
                `validation_fraction` of X.

        Raises:
            ValueError: if X or y are not valid, y has one class only, or a parameter does not fit.

        Examples:
            >>> from sklearn.datasets import load_digits
            >>> from quanvolve import QuanvClassifier
            >>> X, y = load_digits(return_X_y=True)
            >>> clf = QuanvClassifier(class_weight="balanced", monitor="roc_auc", max_epochs=5, random_state=0)
            >>> clf = clf.fit(X[:1000], y[:1000] == 8, validation_data=(X[1000:1400], y[1000:1400] == 8))
            >>> [name for name in clf.history_[0] if name.startswith("valid")]
            ['valid_loss', 'valid_accuracy', 'valid_roc_auc']
        """
        super().fit(X, y, sample_weight, validation_data)
        return self

    @available_if(_has_class_weights_of_any_portion)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> QuanvClassifier:
        """Train for one epoch on a portion of the data, with the learning rate `lr` throughout.

        None of it is set aside for validation. Shape and range of the images are those of the first portion.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all labels that there will be; needed at the first call.

        Raises:
            ValueError: as `fit`; if y has a label that is not among the classes.
            AttributeError: if `class_weight="balanced"`, which needs all data at once.

        Examples:
            >>> from sklearn.datasets import load_digits
            >>> from quanvolve import QuanvClassifier
            >>> X, y = load_digits(return_X_y=True)
            >>> clf = QuanvClassifier(n_filters=2, random_state=0)
            >>> for part in range(0, 1600, 200):
            ...     clf = clf.partial_fit(X[part : part + 200], y[part : part + 200], classes=range(10))
            >>> len(clf.history_), clf.score(X[1600:], y[1600:]) > 0.6
            (8, True)
        """
        if labels_of(np.asarray(y))[1]:
            raise QuanvolveError("`partial_fit` takes one label a sample, but y has several: use `fit`")
        begun = self.__sklearn_is_fitted__()
        if classes is None and not begun:
            raise QuanvolveError("the first call of `partial_fit` needs `classes`, all labels that there will be")
        labels_to_come = np.unique(list(classes) if isinstance(classes, Set) else np.asarray(classes))
        if begun and classes is not None and not np.array_equal(labels_to_come, self.classes_):
            raise QuanvolveError(
                f"`classes` (={_short(labels_to_come)}) must be those of the first call, {_short(self.classes_)}"
            )

        def learn(labels: Array) -> Array:
            self.multilabel_ = False
            self.classes_: Array = labels_to_come
            if len(self.classes_) < 2:
                raise QuanvolveError(f"`classes` (={classes!r}) must have at least 2 labels")
            return self._known_targets(labels)

        self._fit_portion(X, y, sample_weight, learn)
        return self

    def _learn_targets(self, y: Array) -> Array:
        check_classification_targets(y)
        y, self.multilabel_ = labels_of(y)
        if self.multilabel_:
            check_options(self.monitor, self.class_weight)
            self.classes_ = np.arange(y.shape[1])
            return y
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise QuanvolveError(
                "this classifier needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {self.classes_.tolist()[0]!r}"
            )
        return numbers

    def _look_at(self, targets: Array, weights: Array | None, validation_fraction: float) -> None:
        if self.multilabel_:
            warn_of_one_label_each(targets)
        else:
            warn_of_single_samples(self.classes_, targets, validation_fraction, weights)

    def _set_out(self, targets: Array, weights: Array | None) -> None:
        """Let scores begin at the classes' shares in the loss, which unequal weights of classes may make tiny."""
        if self.multilabel_:
            return
        of_classes = class_weights(self.class_weight, self.classes_, targets, weights)
        if of_classes is None or isinstance(self.class_weight, str) or not isinstance(self.head, str):
            return
        totals = np.bincount(targets, weights=weights, minlength=len(self.classes_))
        shares = torch.as_tensor(of_classes * totals / len(targets), dtype=torch.float32).clamp(min=_LEAST_SHARE)
        layers = [layer for layer in self.module_.head.modules() if isinstance(layer, torch.nn.Linear)]
        if not layers:  # a head that only scales
            return
        with torch.no_grad():
            layers[-1].bias.add_(shares.log().to(layers[-1].bias.device))

    def _known_targets(self, y: Array) -> Array:
        check_classification_targets(y)
        y, several = labels_of(y)
        if several != self.multilabel_ or (several and y.shape[1] != len(self.classes_)):
            learned = f"rows of {len(self.classes_)} labels" if self.multilabel_ else "one label a sample"
            raise QuanvolveError(f"y has the shape {y.shape}, but the model was fitted on {learned}")
        if several:
            return y
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise QuanvolveError(
                f"y has the label {unknown[0].item()!r}, which is not one of those that are known: "
                f"{_short(self.classes_)}"
            )
        numbers: Array = np.searchsorted(self.classes_, y)
        return numbers

    def _check_params(self) -> None:
        super()._check_params()
        check_loss(self.loss, self.label_smoothing)
        check_scores(self.loss, self.head)
        check_class_weight(self.class_weight)
        check_monitor(self.monitor)

    def _aim(self, targets: Array, weights: Array | None, *, weighted: bool) -> Classification | Multilabel:
        if self.multilabel_:
            each = multilabel_loss(self.loss, self.label_smoothing, weighted=weighted, device=self._place)
            return Multilabel(
                each, self._watched, f"{loss_fingerprint(self.loss, self.label_smoothing)}/{self._watched}"
            )
        of_classes = class_weights(self.class_weight, self.classes_, targets, weights)
        fingerprint = loss_fingerprint(self.loss, self.label_smoothing)
        if of_classes is not None:
            fingerprint += f"/{of_classes.tolist()}"
        if self._watched != "accuracy":
            fingerprint += f"/{self._watched}"
        return Classification(
            loss_function(
                self.loss, self.label_smoothing, weighted=weighted or of_classes is not None, device=self._place
            ),
            self._watched,
            None if of_classes is None else torch.as_tensor(of_classes, dtype=torch.float32),
            fingerprint,
        )

    @property
    def _watched(self) -> str:
        return watched_of(self.monitor, self.class_weight)

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _strata(self, targets: Array) -> Array | None:
        return None if getattr(self, "multilabel_", False) else targets

    @available_if(_has_several_labels)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Scores of several labels a sample: above 0 where a label is more probable than not. Classes have none.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n, labels), of which the sigmoid is that of :meth:`predict_proba`.

        Raises:
            ValueError: as :meth:`predict_proba`.

        Examples:
            >>> from sklearn.datasets import load_digits
            >>> X, y = load_digits(return_X_y=True)
            >>> labels = np.stack([y % 2, y > 4], axis=1)
            >>> clf = QuanvClassifier(max_epochs=3, random_state=0).fit(X[:200], labels[:200])
            >>> ((clf.decision_function(X) > 0) == clf.predict(X)).all()
            np.True_
        """
        return self._outputs(X, lambda scores: scores)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n, classes), in the order of `classes_`; rows sum to 1. Where samples have several labels, that of
            each, whatever the others are.

        Raises:
            ValueError: if the images are not of the fitted shape, or not finite.
        """
        check_is_fitted(self)
        return self._outputs(X, torch.sigmoid if self.multilabel_ else lambda scores: scores.softmax(dim=1))

    def predict(self, X: Any) -> Array:
        """The most probable label of each image.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n,) of labels; where samples have several, rows of 0 and 1, with 1 for probabilities above one half.
        """
        check_is_fitted(self)
        if self.multilabel_:
            return (self.predict_proba(X) > 0.5).astype(np.int64)
        labels: Array = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of right answers; labels that `fit` has not seen are counted as wrong, with a warning.

        Where samples have several labels, all of a sample's must be right.

        Args:
            X: images as in `fit`.
            y: labels (n,).
            sample_weight: weights (n,) of the images.
        """
        check_is_fitted(self)
        if not self.multilabel_:
            warn_of_unknown_labels(self.classes_, y)
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = takes_several(self.monitor, self.class_weight)
        return tags


def _short(labels: Array) -> str:
    shown = ", ".join(map(repr, labels.tolist()[:12]))
    return shown if len(labels) <= 12 else f"{shown} and {len(labels) - 12} more"
