"""The functions of torch that a program may call: pure ones, by the name under which they are recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.overrides import resolve_name

_BOTH = """
abs absolute acos acosh add addcdiv addcmul addmm addmv addr all amax amin aminmax angle any arccos arccosh arcsin
arcsinh arctan arctan2 arctanh argmax argmin argsort asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_not
bitwise_or bitwise_xor bmm ceil chunk clamp clamp_max clamp_min clip clone conj copysign cos cosh count_nonzero cross
cummax cummin cumprod cumsum deg2rad det detach diag diag_embed diagonal diff digamma dist div divide dot dsplit eq erf
erfc erfinv exp exp2 expm1 fix flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac frexp
gather ge greater greater_equal gt heaviside hsplit hypot i0 imag index_add index_copy index_fill index_select inner
inverse isclose isfinite isinf isnan isneginf isposinf kron kthvalue ldexp le lerp less less_equal lgamma log log10
log1p log2 log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not logical_or logical_xor logit
logsumexp lt masked_fill matmul matrix_exp matrix_power max maximum mean median min minimum mm mode moveaxis movedim
msort mul multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow ne neg negative nextafter norm
not_equal outer permute polygamma positive pow prod quantile rad2deg ravel real reciprocal relu remainder renorm
repeat_interleave reshape resolve_conj resolve_neg roll rot90 round rsqrt scatter scatter_add select sgn sigmoid sign
signbit sin sinc sinh slogdet softmax sort split sqrt square squeeze std sub subtract sum swapaxes swapdims t take
take_along_dim tan tanh tensor_split tile topk trace transpose tril triu true_divide trunc unbind unflatten unsqueeze
var vdot vsplit where xlogy
"""
_TORCH = """
atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors broadcast_to bucketize cartesian_prod cat cdist celu
chain_matmul column_stack combinations complex concat concatenate conv1d cumulative_trapezoid dstack einsum full_like
hstack layer_norm matrix_power meshgrid ones_like polar prelu relu rms_norm row_stack rsub searchsorted selu stack
std_mean tensordot threshold trapezoid trapz vander var_mean view_as_complex view_as_real vstack zeros_like
"""
_TENSOR = """
__abs__ __add__ __and__ __eq__ __floordiv__ __ge__ __getitem__ __gt__ __invert__ __le__ __lt__ __matmul__ __mod__
__mul__ __ne__ __neg__ __or__ __pos__ __pow__ __radd__ __rand__ __rdiv__ __rfloordiv__ __rmatmul__ __rmod__ __rmul__
__ror__ __rpow__ __rsub__ __rtruediv__ __rxor__ __sub__ __truediv__ __xor__ bfloat16 bool broadcast_to byte cdouble
cfloat contiguous cpu double expand expand_as float half int long new_full new_ones new_tensor new_zeros repeat
reshape_as short sum_to_size to type type_as unfold view view_as
"""
_FUNCTIONAL = """
avg_pool1d celu conv1d cosine_similarity elu gelu glu hardshrink hardsigmoid hardswish hardtanh layer_norm leaky_relu
linear log_softmax logsigmoid max_pool1d mish normalize one_hot pad pairwise_distance prelu relu relu6 rms_norm selu
sigmoid silu softmax softmin softplus softshrink softsign tanh tanhshrink threshold
"""
_FFT = "fft fftshift hfft ifft ifftshift ihfft irfft rfft"
_LINALG = """
cross det diagonal eigh eigvalsh inv matmul matrix_exp matrix_norm matrix_power multi_dot norm qr slogdet solve
solve_triangular svdvals vecdot vector_norm
"""
_SPECIAL = """
bessel_j0 bessel_j1 digamma entr erf erfc erfcx erfinv exp2 expit expm1 gammaln i0 i0e i1 i1e log1p log_ndtr
log_softmax logit logsumexp ndtr ndtri psi round sinc softmax xlog1py xlogy
"""


def put(tensor: Tensor, index: Any, value: Tensor | float) -> Tensor:
    """A copy of a tensor in which some entries have other values: what ``tensor[index] = value`` leaves behind.

    Examples:
        >>> put(torch.zeros(3), slice(1, None), torch.tensor(2.0))
        tensor([0., 2., 2.])
    """
    if (
        isinstance(index, Tensor)
        and index.dtype == torch.bool
        and not (isinstance(value, Tensor) and value.numel() > 1)
    ):
        chosen = index.reshape(tuple(index.shape) + (1,) * (tensor.dim() - index.dim()))
        return torch.where(chosen, torch.as_tensor(value, device=tensor.device).to(tensor.dtype).reshape(()), tensor)
    if index is Ellipsis:
        index = (Ellipsis,)
    places = torch.arange(tensor.numel(), device=tensor.device).reshape(tensor.shape)[index]
    values = torch.as_tensor(value, device=tensor.device).to(tensor.dtype).expand(places.shape).reshape(-1)
    if not values.numel():
        return tensor.clone()
    # Only with functions that return new tensors does it run under torch.func's transforms.
    source = torch.zeros(tensor.numel(), dtype=torch.long, device=tensor.device)
    source = source.index_put((places.reshape(-1),), torch.arange(values.numel(), device=tensor.device))
    taken = torch.zeros(tensor.numel(), dtype=torch.bool, device=tensor.device)
    taken = taken.index_put((places.reshape(-1),), torch.ones((), dtype=torch.bool, device=tensor.device))
    return torch.where(taken, values[source], tensor.reshape(-1)).reshape(tensor.shape)


def frozen_stack(items: list[Any]) -> Tensor:
    """What ``torch.tensor`` makes of numbers some of which are tensors: a tensor that sends no gradient back.

    Examples:
        >>> frozen_stack([torch.tensor(1.0), 2.0])
        tensor([1., 2.])
    """
    like = next(item for item in items if isinstance(item, Tensor))
    numbers = [item if isinstance(item, Tensor) else like.new_tensor(item) for item in items]
    return torch.stack([number.reshape(()) for number in numbers]).detach()


def _collect() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for prefix, owner, names in (
        ("torch", torch, _BOTH + _TORCH),
        ("torch.Tensor", Tensor, _BOTH + _TENSOR),
        ("torch.nn.functional", torch.nn.functional, _FUNCTIONAL),
        ("torch.linalg", torch.linalg, _LINALG),
        ("torch.special", torch.special, _SPECIAL),
        ("torch.fft", torch.fft, _FFT),
    ):
        for name in names.split():
            function = getattr(owner, name, None)
            if function is not None:
                functions[f"{prefix}.{name}"] = function
    for name in _GETTERS:
        functions[f"torch.Tensor.{name}"] = operator.attrgetter(name)
    functions[PUT] = put
    functions[FROZEN_STACK] = frozen_stack
    functions[MIDDLE] = _middle
    for name, loss in _LOSSES.items():
        functions[f"torch.nn.functional.{name}"] = loss
    return functions


def _middle(tensor: Tensor) -> Tensor:
    """The median of all entries, of whose gradient equal entries get equal parts, as of torch's own outside of vmap."""
    middle = (tensor == tensor.detach().reshape(-1).median()).to(tensor.dtype)
    return (tensor * middle).sum() / middle.sum()


def _loss(each: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss of torch's in functions for which vmap has rules that broadcast."""

    def loss(first: Tensor, second: Tensor, *unused: Any, reduction: str = "mean", **options: Any) -> Tensor:
        known = {name: value for name, value in options.items() if name == "beta"}
        values = each(first - second, **known)
        return values if reduction == "none" else values.sum() if reduction == "sum" else values.mean()

    return loss


def _smooth(difference: Tensor, beta: float = 1.0) -> Tensor:
    size = difference.abs()
    return size if beta == 0 else torch.where(size < beta, 0.5 * size**2 / beta, size - 0.5 * beta)


_LOSSES: dict[str, Callable[..., Tensor]] = {
    "mse_loss": _loss(torch.square),
    "l1_loss": _loss(torch.abs),
    "smooth_l1_loss": _loss(_smooth),
}
PUT, FROZEN_STACK, MIDDLE = "put", "frozen_stack", "median_of_all"
EVENLY = {
    f"{owner}.{name}": other
    for owner in ("torch", "torch.Tensor")
    for name, other in (("max", "torch.amax"), ("min", "torch.amin"), ("median", MIDDLE))
}
"""Reductions to one entry, by what has the same gradient under vmap where entries are equal."""
_GETTERS = ("T", "mT", "H", "mH", "real", "imag")
FUNCTIONS: dict[str, Callable[..., Any]] = _collect()
_NAMES = {id(function): name for name, function in FUNCTIONS.items()}
# Whatever stands in memory that is not filled: no program can depend on it.
_NAMES |= {id(getattr(torch.nn.functional, name)): f"torch.nn.functional.{name}" for name in _LOSSES}
_NAMES[id(torch.moveaxis)], _NAMES[id(Tensor.moveaxis)] = "torch.movedim", "torch.Tensor.movedim"  # vmap knows these
_NAMES[id(torch.empty_like)], _NAMES[id(Tensor.new_empty)] = "torch.zeros_like", "torch.Tensor.new_zeros"
_PROPERTIES = {getattr(Tensor, name).__get__: f"torch.Tensor.{name}" for name in _GETTERS}


@lru_cache(maxsize=1024)
def name_of(function: Any) -> str:
    """The name in `FUNCTIONS`, or for any other function one that tells a person what it is."""
    if id(function) in _NAMES:
        return _NAMES[id(function)]
    if function in _PROPERTIES:
        return _PROPERTIES[function]
    return str(resolve_name(function) or getattr(function, "__name__", repr(function)))
