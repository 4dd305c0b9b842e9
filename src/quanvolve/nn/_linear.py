"""The dense quantum layer: a quantum convolution with one window, in the form of `torch.nn.Linear`."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy

from quanvolve._errors import QuanvolveError
from quanvolve._options import explains, layer_signature, model_options, takes
from quanvolve.nn._apply import check_plain
from quanvolve.nn._as_conv import leaf, one_of
from quanvolve.nn._geometry import Geometry
from quanvolve.nn._limits import check_whole
from quanvolve.nn._memory_format import own_tensor
from quanvolve.nn._quanv import QuanvNd

_WINDOW = (*inspect.signature(Geometry.parse).parameters, "in_channels", "out_channels", "groups", "channel_mixing")
"""The arguments of a convolution that a dense layer has no use for."""
_OPTIONS = [parameter for name, parameter in layer_signature().parameters.items() if name not in (*_WINDOW, "self")]


@explains(option for name, option in model_options().items() if name not in _WINDOW)
@takes(_OPTIONS)
class QuantumLinear(QuanvNd):
    """A dense quantum layer, with the arguments of `torch.nn.Linear`.

    Features times `scale` are angles; a circuit encodes them on its qubits and each measured value is an output. Where
    one circuit measures fewer values than there are outputs, further ones with weights of their own read the same
    features.

    Args:
        in_features: features of the input.
        out_features: features of the output. Output ``f * m + j`` is measurement j of circuit f, where a circuit
            measures m values; the last circuit's surplus measurements are left out.
        bias: adds a learnable bias to each output, zero at first. Unlike in `nn.Linear` the default is False.
        device, dtype: of weights and bias; the features must have the same.
        circuit, encoding, readout, n_qubits, n_layers, trainable, engine, noise, shots, seed, weight_shapes,
            weights, init, diff_method: as in :class:`Quanv2d`; a weight has the shape (circuits, 1, *shape).
        scale: what features are multiplied with to become angles in radians. Default: pi for a named circuit, 1 for
            any other. A tensor that broadcasts to (in_features,), or an `nn.Parameter` that is then trained.

    Shape:
        - Input: (\\*, in_features) with any number of leading axes, float32 or float64.
        - Output: (\\*, out_features), values in [-1, 1] before the bias.

    Raises:
        QuanvolveError: if arguments do not fit each other (at construction), or features do not fit the layer or
            contain values that are not finite (when called).

    References:
        Mari et al., "Transfer learning in hybrid classical-quantum neural networks", arXiv:1912.08278 (2019),
        section 2: the bare circuit of their dressed one.

    Examples:
        >>> import torch
        >>> from quanvolve import QuantumLinear
        >>> layer = QuantumLinear(4, 6, seed=0)
        >>> layer
        QuantumLinear(in_features=4, out_features=6, bias=False, circuit='strongly_entangling', n_qubits=4, 2 measured
            values of the last circuit left out)
        >>> layer(torch.rand(32, 7, 4)).shape
        torch.Size([32, 7, 6])
        >>> layer.weights.shape
        torch.Size([2, 1, 2, 4, 3])
    """

    dims = 1
    dense = True
    _items = "features"

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        check_features(in_features, out_features)
        super().__init__(1, out_features, in_features, bias=bias, device=device, dtype=dtype, **options)

    @property
    def in_features(self) -> int:
        """As in `nn.Linear`."""
        return self.kernel_size[0]

    @property
    def out_features(self) -> int:
        """As in `nn.Linear`."""
        return self.out_channels

    def forward(self, input: Tensor | None = None, *, features: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """Features (*, in_features) to measured values (*, out_features).

        Args:
            input: the features, by the name that `nn.Linear` has for them.
            features: the same by another name.
        """
        batch: Any = input if isinstance(input, Proxy) else one_of(input, features, "features")
        if isinstance(batch, Proxy):
            return leaf(self, batch)  # type: ignore[no-any-return]
        return own_tensor(self._values(self._rows(batch)).reshape(*batch.shape[:-1], self.out_features))

    def batched(self, images: Tensor) -> Tensor:
        """Features (*, in_features) as the batch (rows, 1, in_features) that the circuits read, checked."""
        return super().batched(self._rows(images))

    def _rows(self, features: Tensor) -> Tensor:
        if not isinstance(features, Tensor):
            return features  # which the convolution refuses
        check_plain(features, "the features")
        if features.dim() == 0 or features.shape[-1] != self.in_features:
            raise QuanvolveError(
                f"expected features of shape (*, {self.in_features}) (`in_features`), got shape {tuple(features.shape)}"
            )
        rows = features.flatten(0, -2) if features.dim() > 1 else features.unsqueeze(0)
        return rows.unsqueeze(1)

    def extra_repr(self) -> str:
        """The arguments in `nn.Linear`'s form, and what the circuits measure."""
        parts = [f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"]
        return ", ".join(parts + self._circuit_repr("circuit"))


def check_features(in_features: object, out_features: object) -> None:
    """Raise unless both are whole numbers of at least 1."""
    for argument, value in (("in_features", in_features), ("out_features", out_features)):
        check_whole(argument, value)
