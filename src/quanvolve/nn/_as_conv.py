"""What `nn.Conv2d` has and a quantum convolution has not, said where it is asked for."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.fx import Proxy

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit

_NO_CONVOLUTION = {
    "transposed": "it is never transposed (False in nn.Conv2d)",
    "output_padding": "only transposed convolutions pad their outputs (zeros in nn.Conv2d)",
}


class AsConv(nn.Module):
    """The part of a layer that answers for attributes it has not."""

    def __getattr__(self, name: str) -> Any:
        """Raise what torch raises, with a sentence on what there is instead."""
        try:
            return super().__getattr__(name)
        except AttributeError as error:
            instead = self._instead_of(name)
            if instead is None:
                raise
            raise AttributeError(f"{error}: {instead}", name=name, obj=self) from None

    def _instead_of(self, name: str) -> str | None:
        circuits: tuple[Circuit, ...] = self.__dict__.get("circuits", ())
        if name in _NO_CONVOLUTION:
            return _NO_CONVOLUTION[name]
        if name != "weight" or not circuits:
            return None
        names = [f"`{weight}`" for weight, _ in circuits[0].weight_shapes]
        if not names:
            return "the circuits of its filters have no weights"
        return (
            f"the weights of its filters are angles of circuits, of shape (filters, channels, ...): {', '.join(names)}"
        )


def leaf(layer: nn.Module, images: Proxy) -> Any:
    """A call of the layer as `torch.fx` writes down those of torch's own: by name, and not what happens inside."""
    tracer: Any = images.tracer
    name = tracer.path_of_module(layer)
    if not name:
        raise QuanvolveError(
            "`torch.fx` traces models that hold quantum layers, and no layer itself: put it into an nn.Sequential"
        )
    return tracer.create_proxy("call_module", name, (images,), {})


def one_of(input: Tensor | None, other: Tensor | None, name: str) -> Any:
    """What a layer was called with, under the name that torch's layers have for it or under its own.

    Raises:
        QuanvolveError: if it came under both.
    """
    if input is not None and other is not None:
        raise QuanvolveError(f"`input` and `{name}` are two names of one argument: give one of them")
    return other if input is None else input
