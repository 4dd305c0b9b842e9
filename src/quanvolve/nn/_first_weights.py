"""The weights that a layer begins with: drawn in one of its own ways, by a function of the user's, or given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.nn._apply import check_plain
from quanvolve.nn._filters import INITS, draw_weights, spread_of

InitLike = str | Callable[[Tensor], Any] | Mapping[str, Any]
"""A way to draw weights, a function that fills a tensor, or one of these, a number or a tensor for some weights."""


def check_init(init: Any, circuit: Circuit) -> None:
    """Raise unless weights can begin so.

    Raises:
        QuanvolveError: if there is no such way, or the circuit has no such weight.
    """
    names = [name for name, _ in circuit.weight_shapes]
    if not isinstance(init, Mapping):
        if isinstance(init, str):
            spread_of(init, circuit, ())
        elif not callable(init):
            raise QuanvolveError(
                f"`init` is of type {type(init).__name__}, expected one of {', '.join(map(repr, INITS))}, a function "
                f"that fills a tensor, or a mapping from names of weights ({', '.join(names) or 'here none'}) to one "
                "of these, a number or a tensor"
            )
        return
    unknown = [name for name in init if name not in names]
    if unknown:
        raise QuanvolveError(f"`init` has the names {unknown}, the circuit has the weights {names}")


def first_weights(
    init: InitLike,
    circuit: Circuit,
    name: str,
    rows: tuple[int, int],
    generator: torch.Generator | None,
    device: Any,
    dtype: torch.dtype | None,
) -> Tensor:
    """A weight of all filters, as `init` says.

    Args:
        init: what the layer was given; weights that a mapping leaves out are drawn as "auto" says.
        circuit: whose weight it is.
        name: of the weight.
        rows: filters, and circuits that each sums over.
        generator: of random numbers; None for torch's global one.
        device, dtype: of the weight.

    Returns:
        Tensor of shape (*rows, *shape), the weight's shape in the circuit last.

    Raises:
        QuanvolveError: if what `init` has for the weight does not fit it.
    """
    shape = dict(circuit.weight_shapes)[name]
    way = init.get(name, "auto") if isinstance(init, Mapping) else init
    if isinstance(way, str):
        return draw_weights((*rows, *shape), generator, device, dtype, spread_of(way, circuit, shape))
    value = torch.zeros((*rows, *shape), device=device, dtype=dtype)
    if value.device.type == "meta":
        return value
    if callable(way):
        _fill(value, way, name, generator)
    elif isinstance(way, Real) and not isinstance(way, bool):
        value.fill_(float(way))
    else:
        array = _array(way, name)
        if tuple(array.shape) not in (shape, tuple(value.shape)):
            raise QuanvolveError(
                f"`init` has for weight {name!r} an array of shape {tuple(array.shape)}, expected the circuit's own "
                f"{shape}, for all filters, or {tuple(value.shape)}"
            )
        value.copy_(array)
    if not bool(torch.isfinite(value).all()):
        raise QuanvolveError(f"`init` gives weight {name!r} values that are not finite")
    return value


def _array(way: Any, name: str) -> Tensor:
    """A tensor, or what NumPy can make an array of real numbers of."""
    if isinstance(way, Tensor):
        check_plain(way, f"`init` of weight {name!r}")
        return way.detach()
    try:
        if way is None or isinstance(way, bool):  # numbers for NumPy
            raise TypeError
        return torch.from_numpy(np.array(way, float))
    except (TypeError, ValueError):
        raise QuanvolveError(
            f"`init` has for weight {name!r} a value of type {type(way).__name__} that is no array of real numbers: "
            f"give one of {', '.join(map(repr, INITS))}, a function that fills a tensor, a number or a tensor"
        ) from None


def _fill(value: Tensor, function: Callable[[Tensor], Any], name: str, generator: torch.Generator | None) -> None:
    """Call a function on the weight of each filter, as `qp.qnn.TorchLayer` does on its only one."""
    seed = None if generator is None else int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.no_grad(), nullcontext() if seed is None else torch.random.fork_rng():
        if seed is not None:
            torch.manual_seed(seed)
        for part in value.flatten(0, 1):
            part = part.reshape(1) if part.dim() == 0 else part  # what functions of torch.nn.init can fill
            result = function(part)
            if result is not None and not isinstance(result, Tensor):
                raise QuanvolveError(
                    f"`init` makes of weight {name!r} a value of type {type(result).__name__}: fill the tensor in "
                    "place, or return one of its shape"
                )
            if result is not None and result is not part:
                if result.shape != part.shape:
                    raise QuanvolveError(
                        f"`init` makes of weight {name!r}, of shape {tuple(part.shape)}, a tensor of shape "
                        f"{tuple(result.shape)}: fill the tensor in place, or return one of its shape"
                    )
                part.copy_(result)
