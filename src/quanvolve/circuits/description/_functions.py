"""The functions of torch that a program may call: pure ones, by the name under which they are recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import resolve_name

_BOTH = """
abs absolute acos arccos acosh arccosh add amax amin arctan arctan2 argmax argmin asin arcsin asinh arcsinh atan atan2
atanh arctanh bmm ceil chunk clamp clamp_max clamp_min clip clone cos cosh count_nonzero cumprod cumsum deg2rad detach
diag diagonal diff div divide dot eq erf erfc exp exp2 expm1 flatten flip fliplr float_power floor floor_divide fmod
frac gather ge greater gt hypot index_select inner kron le less lerp log log10 log1p log2 logaddexp logical_and
logical_not logical_or logit lt matmul max maximum mean min minimum mm moveaxis movedim mul multiply mv narrow ne neg
negative norm outer permute pow prod rad2deg ravel real reciprocal relu remainder repeat_interleave reshape roll round
rsqrt rsub select sigmoid sign sin sinc sinh softmax sort split sqrt square squeeze std sub subtract sum swapaxes
swapdims t take tan tanh tensor_split tile transpose tril triu true_divide trunc unbind unflatten unsqueeze var where
"""
_TORCH = """
atleast_1d atleast_2d broadcast_to cat column_stack concat concatenate dstack einsum full_like hstack ones_like
row_stack stack tensordot vstack zeros_like
"""
_TENSOR = """
__abs__ __add__ __and__ __eq__ __floordiv__ __ge__ __getitem__ __gt__ __invert__ __le__ __lt__ __matmul__ __mod__
__mul__ __ne__ __neg__ __or__ __pos__ __pow__ __radd__ __rdiv__ __rfloordiv__ __rmatmul__ __rmod__ __rmul__ __rpow__
__rsub__ __rtruediv__ __sub__ __truediv__ broadcast_to contiguous double expand expand_as float new_full new_ones
new_tensor new_zeros repeat reshape_as to type type_as view view_as
"""
_FUNCTIONAL = "elu gelu hardtanh leaky_relu linear normalize pad relu sigmoid silu softmax softplus softsign tanh"
_LINALG = "norm vector_norm"


def _collect() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for prefix, owner, names in (
        ("torch", torch, _BOTH + _TORCH),
        ("torch.Tensor", Tensor, _BOTH + _TENSOR),
        ("torch.nn.functional", torch.nn.functional, _FUNCTIONAL),
        ("torch.linalg", torch.linalg, _LINALG),
    ):
        for name in names.split():
            function = getattr(owner, name, None)
            if function is not None:
                functions[f"{prefix}.{name}"] = function
    functions["torch.Tensor.T"] = lambda tensor: tensor.T
    functions["torch.Tensor.mT"] = lambda tensor: tensor.mT
    functions["torch.Tensor.real"] = lambda tensor: tensor.real
    return functions


FUNCTIONS: dict[str, Callable[..., Any]] = _collect()
_NAMES = {id(function): name for name, function in FUNCTIONS.items()}
_PROPERTIES = {
    Tensor.T.__get__: "torch.Tensor.T",  # type: ignore[attr-defined]
    Tensor.mT.__get__: "torch.Tensor.mT",  # type: ignore[attr-defined]
    Tensor.real.__get__: "torch.Tensor.real",  # type: ignore[attr-defined]
}


def name_of(function: Any) -> str:
    """The name in `FUNCTIONS`, or for any other function one that tells a person what it is."""
    if id(function) in _NAMES:
        return _NAMES[id(function)]
    if function is Tensor.__setitem__:
        return "an assignment to entries"
    for known, name in _PROPERTIES.items():
        if function == known:
            return name
    return str(resolve_name(function) or getattr(function, "__name__", repr(function)))
