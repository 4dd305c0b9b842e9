"""What a fitted model says: from outputs of its module to answers, and what is odd about images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_regressor
from torch import Tensor

from quanvolve.estimators._polarity import border_of, inverted

Array = npt.NDArray[Any]


def answers_of(model: Any, outputs: Tensor) -> npt.NDArray[np.float64]:
    """Outputs of a model's module as `predict_proba` gives them, or as a regressor's `predict` does.

    Args:
        model: a fitted classifier or regressor.
        outputs: shape (n, outputs), of its `module_` or of one with other circuits.

    Returns:
        Shape (n, classes), (n, labels) or (n, targets).

    Examples:
        >>> import torch
        >>> from quanvolve import QuanvRegressor
        >>> X = np.random.default_rng(0).random((40, 8))
        >>> model = QuanvRegressor(kernel_size=(2,), max_epochs=1, random_state=0).fit(X, 100 + X[:, 0])
        >>> with torch.no_grad():
        ...     outputs = model.module_(torch.from_numpy(model.prepared(X)))
        >>> bool(np.allclose(answers_of(model, outputs)[:, 0], model.predict(X)))
        True
    """
    exact = outputs.detach().double()
    if is_regressor(model):
        numbers: npt.NDArray[np.float64] = model._targets.restored(exact.numpy()).reshape(len(outputs), -1)
        return numbers
    shares: npt.NDArray[np.float64] = (exact.sigmoid() if model.multilabel_ else exact.softmax(dim=1)).numpy()
    return shares


def polarity_of(model: Any, image: Array) -> str | None:
    """What is wrong where an image is dark on bright and those of the fit were bright on dark, or the other way round.

    Args:
        model: fitted.
        image: as in its `fit`, of its `image_shape_`.
    """
    spec = model._spec
    return None if spec.border is None else inverted(spec.border, border_of(spec.images(image.reshape(1, -1))))


def is_bright(model: Any) -> bool:
    """Whether the images that a model was fitted on are dark on bright, as ink on paper."""
    return inverted(model._spec.border, 0.0) is not None
