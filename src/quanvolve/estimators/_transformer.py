"""Fixed quantum filters as a scikit-learn transformer."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from quanvolve._options import explains, takes
from quanvolve.circuits import Circuit
from quanvolve.estimators._filters import build_backbone, restore_backbone
from quanvolve.estimators._inputs import ImageSpec, learn_spec, read_rows, spatial_axes, stacked, warn_about_range
from quanvolve.estimators._layout import to_fit, to_use
from quanvolve.estimators._maps import feature_maps
from quanvolve.estimators._options import OPTIONS, PARAMETERS
from quanvolve.estimators._save import save


@explains(OPTIONS)
@takes(PARAMETERS)
class QuanvTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Quantum feature maps of images, from fixed filters.

    Args:
        n_filters: number of circuits; each gives as many channels as it measures values.
        kernel_size, stride: of the window, a number or (rows, columns). A `kernel_size` of one number in a tuple, such
            as (9,), is for series, X being (n, length) or (n, channels, length); one of three is for volumes,
            (n, D, H, W) or (n, channels, D, H, W).
        circuit: a name from :func:`quanvolve.circuits.list_circuits`, a PennyLane function with the contract of
            `qp.qnn.TorchLayer` (then give `weight_shapes`), a circuit of Qiskit or OpenQASM, or a `Circuit`; see
            :class:`quanvolve.Quanv2d`. A saved model needs none of these programs.
        encoding, readout, n_layers: of a named circuit.
        n_qubits: number of qubits; by default one for each value in the window.
        channel_mixing: "sum" or "joint", see :class:`quanvolve.Quanv2d`.
        scale: what pixels in [0, 1] are multiplied with to become angles; by default pi for named circuits.
        weight_shapes: of a circuit function.
        init: of weights that are drawn: "uniform", "small" or "auto", which is uniform up to 9 qubits and small
            beyond; a function that fills a tensor, or these by name of the weight.
        noise: strengths by name, as in ``{"depolarizing": 0.01}``, or a noise model of PennyLane or Qiskit Aer; see
            :func:`quanvolve.circuits.with_noise`. A saved model keeps the noisy circuits.
        shots: outputs are means over so many shots, drawn anew at each call from torch's global generator (in `fit` of
            :class:`QuanvClassifier` from `random_state`); None for exact expectation values.
        image_shape: (H, W) or (C, H, W) of the images where X has rank 2; (C, L) of series. Without it,
            features make a square image where they can and a 1 x n one otherwise (which is read with 1 x k windows).
        channels: which axis of X holds the channels: "first", as (n, C, H, W), "last", as (n, H, W, C), or "auto": the
            last where only that can be (1, 3 or 4 of them), with a warning; refused where both can.
        random_state: fixes circuits and weights.
        device: where to compute.

    Attributes:
        module_: the `Quanv2d` layer; `Quanv1d` for series, `Quanv3d` for volumes.
        image_shape_: (C, H, W); (C, L) for series, (C, D, H, W) for volumes.
        input_range_: the values that become 0 and 1: (0, 255) for uint8, (0, 1) for floats in [0, 1], else the range
            of the training data.
        output_shape_: (channels, H', W'), with as many places as the window has axes.
        n_features_in_: pixels of an image.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> from quanvolve import QuanvTransformer
        >>> images = load_digits().images
        >>> QuanvTransformer(n_filters=2, random_state=0).fit_transform(images).shape
        (1797, 128)

    References:
        Henderson et al., "Quanvolutional Neural Networks", arXiv:1904.04767 (2019).
    """

    def __init__(
        self,
        n_filters: int = 4,
        kernel_size: int | tuple[int, ...] = 2,
        stride: int | tuple[int, ...] = 2,
        circuit: Any = "random",
        *,
        image_shape: tuple[int, ...] | None = None,
        channels: str = "auto",
        random_state: Any = None,
        device: str = "cpu",
        **options: Any,
    ) -> None:
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.circuit = circuit
        self.image_shape = image_shape
        self.channels = channels
        self.random_state = random_state
        self.device = device
        self.__dict__.update(options)

    def fit(self, X: Any, y: Any = None) -> QuanvTransformer:
        """Learn shape and range of the images and draw the filters.

        Args:
            X: images (n, features), (n, H, W) or (n, C, H, W).
            y: ignored.
        """
        X = stacked(X)
        X = to_fit(X, spatial_axes(self.kernel_size, X), self.channels, self.image_shape)
        rows = read_rows(self, X, reset=True)
        spec = learn_spec(X, rows, self.image_shape, spatial_axes(self.kernel_size, X))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._adopt(
            spec, *build_backbone(self.get_params(deep=False), spec, kind="quantum", trainable=False, seed=seed)
        )
        self.module_.to(self.device)
        return self

    def restore(self, spec: ImageSpec, circuits: tuple[Circuit, ...], out_channels: int) -> None:
        """Take the form of a saved transformer; the weights are still to be loaded."""
        params = self.get_params(deep=False)
        self._adopt(spec, *restore_backbone(params, spec, circuits, out_channels, kind="quantum", trainable=False))

    def _adopt(self, spec: ImageSpec, backbone: nn.Module, output_shape: tuple[int, ...]) -> None:
        self._spec, self.image_shape_, self.input_range_ = spec, spec.shape, spec.range
        self.module_, self.output_shape_ = backbone.eval(), output_shape

    def _arranged(self, X: Any) -> Any:
        return to_use(stacked(X), self._spec.shape, self.channels)

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Feature maps as rows.

        Args:
            X: images as in `fit`.

        Returns:
            Array (n, channels * H' * W'), channel-major; float64 for float64 images, else float32.
        """
        check_is_fitted(self)
        rows = read_rows(self, self._arranged(X), reset=False, spec=self._spec)
        warn_about_range(rows, self._spec)
        double = rows.dtype == np.float64
        module = copy.deepcopy(self.module_).double() if double else self.module_
        dtype = np.float64 if double else np.float32
        maps = feature_maps(module, rows, self._spec, self.output_shape_, dtype=dtype, device=self.device)
        return maps.reshape(len(rows), -1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of the columns of `transform`.

        Args:
            input_features: ignored.

        Returns:
            Array of "quanv<channel>_<row>_<column>", with as many places as the window has axes.
        """
        check_is_fitted(self)
        places = itertools.product(*(range(extent) for extent in self.output_shape_))
        return np.array(["quanv" + "_".join(map(str, place)) for place in places], dtype=object)

    def save(self, folder: str | Path) -> None:
        """Write the fitted transformer to a folder, from which :func:`quanvolve.load` reads it.

        Args:
            folder: made if it is not there; gets `config.json` and `model.safetensors`.

        Raises:
            ModelError: if the folder cannot be written, or a parameter cannot be expressed in JSON.
        """
        save(self, folder)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.three_d_array = True
        return tags
