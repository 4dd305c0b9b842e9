"""Arithmetic on angles: what a person writes between the arguments and the gates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import torch
import torch.nn.functional as F
import torch.utils.checkpoint
from torch import Tensor, nn

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, rotated

Angles = Callable[[Tensor, Tensor], Any]
CASES: list[KindCase] = []
_SHAPES = {"weights": (3,)}


def _add(name: str, angles: Angles, expected: str = EQUAL, **options: Any) -> None:
    def function(inputs: Tensor, weights: Tensor) -> list[Any]:
        return rotated(angles(inputs, weights))

    CASES.append(KindCase(f"angles: {name}", function, _SHAPES, expected, **options))


# -- functions of one number -------------------------------------------------------------------------------------------

_REAL = """
abs absolute angle arctan arcsinh asinh atan ceil clone conj_physical contiguous cos deg2rad erf erfc exp2 fix floor
frac nan_to_num neg negative positive rad2deg relu round sgn sigmoid sign sin sinc square tan tanh trunc cumsum cumprod
flip ravel flatten detach diff
"""
_SMALL = "cosh exp expm1 sinh i0 softmax logcumsumexp logsumexp"
_POSITIVE = "digamma lgamma log log10 log1p log2 reciprocal rsqrt sqrt mvlgamma polygamma"
_UNIT = "acos arccos arcsin arctanh asin atanh erfinv logit"
_ABOVE = "acosh arccosh"
_FUNCTIONAL = """
celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu relu6 selu sigmoid silu softplus
softshrink softsign tanh tanhshrink
"""
_SPECIAL_REAL = "erf erfc erfcx i0e i1e ndtr log_ndtr sinc expit"
_SPECIAL_SMALL = "exp2 expm1 i0 i1"
_SPECIAL_POSITIVE = "digamma entr gammaln log1p psi"
_SPECIAL_UNIT = "erfinv logit"
_SPECIAL_WITHOUT_DERIVATIVE = """
bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 modified_bessel_k1
scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0 airy_ai
"""
_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "cumsum": (0,), "cumprod": (0,), "flip": ((0,),), "softmax": (0,), "logcumsumexp": (0,), "logsumexp": (0,),
    "mvlgamma": (1,),
}  # fmt: skip


def _real(x: Tensor, w: Tensor) -> Tensor:
    return x * 0.3 + w


def _small(x: Tensor, w: Tensor) -> Tensor:
    return torch.sin(x * 0.3 + w)


def _positive(x: Tensor, w: Tensor) -> Tensor:
    return torch.cos(x * 0.3 + w) + 1.5


def _unit(x: Tensor, w: Tensor) -> Tensor:
    return 0.5 + 0.4 * torch.sin(x * 0.3 + w)


def _of(prefix: str, owner: Any, names: str, domain: Angles, expected: str = EQUAL) -> None:
    for name in names.split():
        function, more = getattr(owner, name, None), _ARGUMENTS.get(name, ())
        if name == "polygamma":
            _add(f"{prefix}.polygamma", lambda x, w, f=function, d=domain: f(1, d(x, w)))
        elif function is not None:
            _add(f"{prefix}.{name}", lambda x, w, f=function, d=domain, more=more: f(d(x, w), *more), expected)


for _prefix, _owner in (("torch", torch), ("Tensor", Tensor)):
    _of(_prefix, _owner, _REAL, _real)
    _of(_prefix, _owner, _SMALL, _small)
    _of(_prefix, _owner, _POSITIVE if _prefix == "torch" else "digamma lgamma log sqrt rsqrt", _positive)
    _of(_prefix, _owner, _UNIT, _unit)
    _of(_prefix, _owner, _ABOVE, lambda x, w: _positive(x, w) + 1.0)
_of("F", F, _FUNCTIONAL, _real)
_of("special", torch.special, _SPECIAL_REAL, _real)
_of("special", torch.special, _SPECIAL_SMALL, _small)
_of("special", torch.special, _SPECIAL_POSITIVE, _positive)
_of("special", torch.special, _SPECIAL_UNIT, _unit)
_of("special", torch.special, _SPECIAL_WITHOUT_DERIVATIVE, lambda x, w: _positive(x, w).detach(), EITHER)

# -- operators, and functions of several numbers -----------------------------------------------------------------------

_add("sums and multiples", lambda x, w: 2 * x - w / 3 + 0.1)
_add("reversed operators", lambda x, w: (1.0 - x) + 2.0 / (3.0 + w**2) + 2.0 ** (0.1 * torch.sin(x)))
_add("powers", lambda x, w: (0.1 * x) ** 2 + (0.1 * x) ** 3 - w**2)
_add("power of a power", lambda x, w: (torch.cos(x) + 2) ** torch.sin(w))
_add("products of inputs and weights", lambda x, w: x * w)
_add("products of inputs", lambda x, w: (0.1 * x[0] * x[1], x[1] * w[0], w[1] * w[2]) and x[0] * x[1] * 0.1 + w[0])
_add("IQP angles", lambda x, w: torch.stack([(math.pi - x[0]) * (math.pi - x[1]) * 0.1, w[0], x[2]]))
_add("floor division and remainder", lambda x, w: x.detach() // 0.7 + x % 1.3 - w)
_add("remainder of a turn", lambda x, w: torch.remainder(x, 2 * math.pi) + torch.fmod(w, 1.0))
_add("abs and negation", lambda x, w: abs(x) - (-w))
_add("matmul", lambda x, w: torch.outer(x, w) @ w)
_add("dot", lambda x, w: x @ w)
_add("inner", lambda x, w: torch.inner(x, w) + torch.dot(w, w))
_add("comparison as a number", lambda x, w: (x > 0.5).double() + w)
_add("comparison times something", lambda x, w: x * (x > w))
_add("and, or, not", lambda x, w: ((x > 0) & ~(x > 1) | (w > 0)).double())
_add(
    "logical functions",
    lambda x, w: torch.logical_and(x > 0, w > 0).double() - torch.logical_xor(x > 1, w > 0).double(),
)
_add("maximum, minimum", lambda x, w: torch.maximum(x, w) - torch.minimum(x, 2 * w))
_add("fmax, fmin", lambda x, w: torch.fmax(x, w) - torch.fmin(x, 2 * w))
_add("max over entries", lambda x, w: x.max() + w.min() - x.amax() + x.amin())
_add("max with its place", lambda x, w: x.max(dim=0).values + w)
_add("median", lambda x, w: x.median() + w)
_add("mean, std, var", lambda x, w: (x - x.mean()) / (x.std() + 1.0) + w.var())
_add("prod", lambda x, w: (x * 0.2).prod() + w)
_add("norm", lambda x, w: x / (x.norm() + 1.0) + torch.linalg.vector_norm(w))
_add("where", lambda x, w: torch.where(x > 0.5, x, w))
_add("where with numbers", lambda x, w: torch.where(x > 0.5, 1.0, -1.0) * w)
_add("where with a narrow range", lambda x, w: torch.where((x > 0.46) & (x < 0.54), 2.0, w))
_add("nested where", lambda x, w: torch.where(x > 0.2, torch.where(x > 0.6, w, 2 * x), -x))
_add("clamp", lambda x, w: torch.clamp(x, 0.2, 0.8) + x.clamp(min=-1) - w.clamp_max(0.3))
_add("clip", lambda x, w: torch.clip(x, 0, 1) * w)
_add("clamp by tensors", lambda x, w: torch.clamp(x, min=w, max=w + 1))
_add("heaviside", lambda x, w: torch.heaviside(x.detach() - 0.5, torch.tensor(0.0, dtype=torch.float64)) + w)
_add("copysign", lambda x, w: torch.copysign(w, x - 0.3))
_add("bucketize", lambda x, w: torch.bucketize(x.detach(), torch.tensor([0.2, 0.6])).double() + w)
_add("searchsorted", lambda x, w: torch.searchsorted(torch.tensor([0.2, 0.6]).double(), x.detach()).double() + w)
_add("round to decimals", lambda x, w: torch.round(x, decimals=1) + w)
_add("atan2", lambda x, w: torch.atan2(x, w) + torch.arctan2(w, torch.cos(x)))
_add("hypot", lambda x, w: torch.hypot(x, w))
_add("lerp", lambda x, w: torch.lerp(x, w, 0.3))
_add("addcmul, addcdiv", lambda x, w: torch.addcmul(x, w, x, value=0.1) + torch.addcdiv(x, w, x**2 + 1))
_add("xlogy", lambda x, w: torch.xlogy(_small(x, w), _positive(x, w)))
_add("special.xlog1py", lambda x, w: torch.special.xlog1py(_small(x, w), _positive(x, w)))
_add("logaddexp", lambda x, w: torch.logaddexp(torch.sin(x), w))
_add("float_power", lambda x, w: torch.float_power(_positive(x, w), 1.5))
_add("ldexp", lambda x, w: torch.ldexp(w, torch.tensor([1, -1, 0])) + x)
_add("cross", lambda x, w: torch.linalg.cross(x, w))
_add("polyval by hand", lambda x, w: w[0] + _small(x, w) * (w[1] + _small(x, w) * w[2]))
_add("numpy constants", lambda x, w: np.pi * x + np.float64(0.5) * w + w * np.float32(2.0))
_add("a numpy array", lambda x, w: torch.as_tensor(np.array([0.1, 0.2, 0.3])) * x + w)
_add("a tensor of constants", lambda x, w: torch.tensor([0.1, 0.2, 0.3]) * x + torch.arange(3) * w)
_add("float32 on the way", lambda x, w: (0.5 * x).to(torch.float64) + w.double())
_add("linspace, ones, zeros", lambda x, w: torch.linspace(0, 1, 3) * x + torch.ones(3) * w + torch.zeros_like(x))
_add("full_like, new_tensor", lambda x, w: torch.full_like(x, 0.3) * x + x.new_tensor([1.0, 2.0, 3.0]) * w)
_add("eye", lambda x, w: torch.eye(3, dtype=x.dtype) @ x + w)
_add("qp.math", lambda x, w: qp.math.sin(x) + qp.math.sqrt(qp.math.abs(w) + 1) + qp.math.arctan(x))
_add("qp.math.stack and sum", lambda x, w: qp.math.stack([x[0], w[1], qp.math.sum(x * w)]))
_add("qp.math.where, clip", lambda x, w: qp.math.where(x > 0.3, x, w) + qp.math.clip(x, 0.0, 1.0))
_add("qp.math.cast, toarray-free", lambda x, w: qp.math.cast(x, "float64") * w)

# -- shapes, indices, linear algebra -----------------------------------------------------------------------------------

_add("stack, cat", lambda x, w: torch.cat([torch.stack([x[0], w[1]]), x[1:], w[:1]]))
_add("flip, roll", lambda x, w: x.flip(0) + torch.roll(w, 1))
_add("repeat, tile, expand", lambda x, w: x.repeat(2) + torch.tile(w, (2,)) + x[0].expand(6))
_add("reshape, transpose", lambda x, w: torch.outer(x, w).T.reshape(-1) + torch.outer(x, w).permute(1, 0).flatten())
_add("unsqueeze, squeeze", lambda x, w: (x.unsqueeze(0) * w.unsqueeze(1)).squeeze())
_add("chunk, split, unbind", lambda x, w: torch.cat([*x.chunk(3), *w.split(1)]) + sum(torch.unbind(x)))
_add("iteration", lambda x, w: torch.stack([a * b for a, b in zip(x, w, strict=True)]))
_add("unpacking", lambda x, w: (lambda a, b, c: torch.stack([a - b, b * w[0], c]))(*x))
_add("enumerate and len", lambda x, w: torch.stack([(k + 1) * a / len(x) + w[k] for k, a in enumerate(x)]))
_add("negative indices and steps", lambda x, w: x[-1] + w[::2] - x[:2])
_add("ellipsis and None", lambda x, w: (x[..., None] * w[None, :])[..., 0])
_add("a list of indices", lambda x, w: x[[2, 0, 1]] + w[[0, 0, 2]])
_add("a tensor of indices", lambda x, w: x[torch.tensor([2, 0])] + torch.take(w, torch.tensor([0, 1])))
_add(
    "gather, index_select",
    lambda x, w: x.gather(0, torch.tensor([1, 1, 0])) + w.index_select(0, torch.tensor([2, 1, 0])),
)
_add("sort", lambda x, w: torch.sort(x).values + w)
_add("sort, descending", lambda x, w: x.sort(descending=True)[0] * w)
_add("argsort as indices", lambda x, w: w[torch.argsort(x)] + x)
_add("topk", lambda x, w: torch.topk(x, 2).values + w[:2])
_add("argmax as an index", lambda x, w: w[x.argmax()] + x)
_add("one-hot of argmax", lambda x, w: F.one_hot(x.argmax(), 3) * w + x)
_add("cumulative sums", lambda x, w: torch.cumsum(x, 0) + torch.cumprod(torch.cos(w), 0))
_add("cummax", lambda x, w: torch.cummax(x, 0).values + w)
_add("diff", lambda x, w: torch.diff(x, prepend=w[:1]))
_add("einsum", lambda x, w: torch.einsum("i,j->ij", x, w) @ w)
_add("tensordot, kron", lambda x, w: torch.kron(x[:2], w[:2]) + torch.tensordot(x, w, dims=1))
_add("triu, tril, diag", lambda x, w: torch.triu(torch.outer(x, w)).sum(0) + torch.diag(torch.outer(x, w)))
_add("pairs of inputs", lambda x, w: torch.combinations(x, 2).prod(dim=1) * 0.1 + w)
_add("block of a Gram matrix", lambda x, w: torch.cdist(x[:, None], w[:, None])[0])
_add("linalg.norm", lambda x, w: torch.linalg.norm(torch.outer(x, w) + torch.eye(3)) + x)
_add("linalg.matrix_norm", lambda x, w: torch.linalg.matrix_norm(torch.outer(x, w)) + x)
_add("det", lambda x, w: torch.linalg.det(torch.diag(torch.cos(x) + 2) + torch.outer(w, w)) * 0.1)
_add("inverse", lambda x, w: torch.linalg.inv(torch.diag(torch.cos(x) + 2) + torch.outer(w, w)).sum(0))
_add("solve", lambda x, w: torch.linalg.solve(torch.eye(3, dtype=x.dtype) * 2 + torch.outer(w, w), x))
_add("matrix_exp", lambda x, w: torch.linalg.matrix_exp(torch.outer(torch.sin(x), torch.cos(w)))[0])
_add("matrix_power", lambda x, w: torch.linalg.matrix_power(torch.outer(torch.sin(x), torch.cos(w)), 2)[0])
_add("eigvalsh", lambda x, w: torch.linalg.eigvalsh(torch.diag(torch.sin(x)) + torch.outer(w, w)))
_add("svdvals", lambda x, w: torch.linalg.svdvals(torch.diag(torch.cos(x) + 2) + torch.outer(w, w)))
_add("qr", lambda x, w: torch.linalg.qr(torch.diag(torch.cos(x) + 2) + torch.outer(w, w)).R[0])
_add("trace", lambda x, w: torch.trace(torch.outer(x, w)) + w)
_add("softmax", lambda x, w: torch.softmax(x, dim=0) + F.log_softmax(w, dim=0) + F.softmin(x, dim=0))
_add("normalize", lambda x, w: F.normalize(x + 0.1, dim=0) + w)
_add("layer_norm", lambda x, w: F.layer_norm(x, (3,)) + w)
_add("linear", lambda x, w: F.linear(x, torch.outer(w, w), w))
_add("pad", lambda x, w: F.pad(x, (1, 0)) + F.pad(w, (0, 1), value=0.3))
_add("conv1d", lambda x, w: F.conv1d(x.reshape(1, 1, 3), w[:2].reshape(1, 1, 2)).reshape(-1))
_add("avg_pool1d", lambda x, w: F.avg_pool1d(x.reshape(1, 1, 3), 2, 1).reshape(-1) + w[:2])
_add("max_pool1d", lambda x, w: F.max_pool1d(x.reshape(1, 1, 3), 2, 1).reshape(-1) + w[:2])
_add("cosine_similarity", lambda x, w: F.cosine_similarity(x + 0.1, w, dim=0) + x)
_add("mse_loss", lambda x, w: F.mse_loss(torch.sin(x), w) + x)
_add("threshold", lambda x, w: F.threshold(x, 0.5, -0.3) + w)
_add("fft", lambda x, w: torch.fft.fft(x).real + torch.fft.rfft(w).abs()[0])
_add("unfold", lambda x, w: x.unfold(0, 2, 1).sum(1) + w[:2])
_add("meshgrid", lambda x, w: torch.meshgrid(x, w, indexing="ij")[0].mean(1) + w)
_add("mask as an index", lambda x, w: x[x > 0.3].sum() + w, EITHER)
_add("nonzero", lambda x, w: torch.nonzero(x > 0.3).double().sum() + w, EITHER)
_add("unique", lambda x, w: torch.unique(torch.round(x.detach())).sum() + w, EITHER)
_add("masked_select", lambda x, w: torch.masked_select(x, x > 0.3).sum() + w, EITHER)
_add("masked_fill", lambda x, w: x.masked_fill(x > 0.3, 1.5) + w)

# -- complex numbers ---------------------------------------------------------------------------------------------------

_add("abs of a complex number", lambda x, w: torch.abs(x + 1j * w))
_add("angle of a complex number", lambda x, w: torch.angle(torch.exp(1j * (x + w))))
_add("real and imaginary parts", lambda x, w: torch.complex(x, w).real + torch.exp(1j * x).imag + x.real)
_add("view_as_complex", lambda x, w: torch.view_as_complex(torch.stack([x, w], -1)).abs())
_add("polar", lambda x, w: torch.polar(w, x).real)
_add("a complex product", lambda x, w: ((x + 0.5j) * (w - 1j)).imag)
_add("conj", lambda x, w: ((x + 1j * w) * torch.conj(x + 1j * w)).real * 0.1)
_add("complex matrices", lambda x, w: torch.linalg.matrix_exp(-1j * torch.diag(x)).real.diagonal() + w)

# -- assignments -------------------------------------------------------------------------------------------------------


def _assigned(x: Tensor, w: Tensor) -> Tensor:
    angles = torch.zeros(3, dtype=x.dtype)
    angles[0] = x[0]
    angles[1:] = w[1:] * x[1:]
    return angles


def _assigned_by_mask(x: Tensor, w: Tensor) -> Tensor:
    angles = x.clone()
    angles[angles > 0.5] = 0.3
    return angles + w


def _augmented(x: Tensor, w: Tensor) -> Tensor:
    angles = x.clone()
    angles += w
    angles *= 0.5
    angles -= 0.1
    angles /= 2.0
    return angles


def _augmented_entry(x: Tensor, w: Tensor) -> Tensor:
    angles = x.clone()
    angles[1] += w[0]
    angles[0] *= 2
    return angles


def _in_place(x: Tensor, w: Tensor) -> Tensor:
    return x.clone().mul_(2.0).add_(w).clamp_(-2.0, 2.0)


def _a_view(x: Tensor, w: Tensor) -> Tensor:
    angles = torch.zeros(2, 3, dtype=x.dtype)
    row = angles[1]
    row += x
    angles.view(-1)[0] = w[0]
    return angles


def _an_alias(x: Tensor, w: Tensor) -> Tensor:
    angles = x.clone()
    before = angles * 1.0
    angles.zero_()
    angles.add_(w)
    return torch.cat([angles, before])


def _out(x: Tensor, w: Tensor) -> Tensor:
    with torch.no_grad():
        result = torch.empty(3, dtype=x.dtype)
        torch.sin(x.detach(), out=result)
    return result + w


def _scattered(x: Tensor, w: Tensor) -> Tensor:
    return torch.zeros(3, dtype=x.dtype).scatter(0, torch.tensor([2, 0]), x[:2]).index_add(0, torch.tensor([1]), w[:1])


for _name, _angles in (
    ("assignment to entries", _assigned),
    ("assignment by a mask", _assigned_by_mask),
    ("augmented assignment", _augmented),
    ("augmented assignment to an entry", _augmented_entry),
    ("methods in place", _in_place),
    ("assignment through a view", _a_view),
    ("a tensor changed after it was used", _an_alias),
    ("scatter, index_add", _scattered),
):
    _add(_name, _angles)

_add("out=", _out, EITHER)

# -- gradients ---------------------------------------------------------------------------------------------------------


def _no_grad(x: Tensor, w: Tensor) -> Tensor:
    with torch.no_grad():
        fixed = torch.sin(x) * w
    return fixed + x


@torch.no_grad()
def _decorated(x: Tensor, w: Tensor) -> Tensor:
    return x * w


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0]


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return -gradients[0]


def _hooked(x: Tensor, w: Tensor) -> Tensor:
    angles = x * w
    if angles.requires_grad:
        angles.register_hook(lambda gradient: 2 * gradient)
    return angles


_add("detach", lambda x, w: x.detach() * w + x * w.detach())
_add("straight-through rounding", lambda x, w: x + (torch.round(x) - x).detach() + w)
_add(".data", lambda x, w: x.data * w + x, EITHER)
_add("no_grad", _no_grad)
_add("no_grad around all", lambda x, w: _decorated(x, w) + w)
_add("inference tensors", lambda x, w: x.detach().requires_grad_(False) * w)
_add("an autograd.Function", lambda x, w: _Rounded.apply(x) + w, EITHER)
_add("an autograd.Function that turns gradients", lambda x, w: _Reversed.apply(x) + w, EITHER)
_add("a hook that changes gradients", _hooked, EITHER)
_add("torch.func.vmap", lambda x, w: torch.func.vmap(lambda a, b: torch.sin(a) * b)(x, w), EITHER)
_add("torch.func.grad", lambda x, w: torch.func.grad(lambda a: torch.sin(a).sum())(x) + w, EITHER)
_add(
    "autograd.grad",
    lambda x, w: (
        torch.autograd.grad(torch.sin(x + w).sum(), w, create_graph=True)[0] if w.requires_grad else torch.cos(x + w)
    ),
    EITHER,
)
_add("checkpoint", lambda x, w: torch.utils.checkpoint.checkpoint(torch.sin, x * w, use_reentrant=False), EITHER)

# -- what is closed over -----------------------------------------------------------------------------------------------

_generator = torch.Generator().manual_seed(3)


def _drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=_generator, dtype=torch.float64)


def _module(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        parameter.data = _drawn(*parameter.shape) * 0.4
    return module


_linear = _module(nn.Linear(3, 3))
_frozen = _module(nn.Linear(3, 3)).requires_grad_(False)
_network = _module(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
_parameter, _tensor = nn.Parameter(_drawn(3)), _drawn(3).requires_grad_()
_constant, _scalar = _drawn(3), nn.Parameter(_drawn())
_norm = _module(nn.LayerNorm(3))
_list = nn.ParameterList([nn.Parameter(_drawn(2)), nn.Parameter(_drawn(1))])
_add("a Linear that is closed over", lambda x, w: _linear(x) + w, closed_over=tuple(_linear.parameters()))
_add("a frozen Linear", lambda x, w: _frozen(x) + w)
_add(
    "a network that is closed over", lambda x, w: torch.cat([_network(x), w]), closed_over=tuple(_network.parameters())
)
_add("a parameter that is closed over", lambda x, w: _parameter * x + w, closed_over=(_parameter,))
_add("a tensor that wants gradients", lambda x, w: _tensor * x + w, closed_over=(_tensor,))
_add("a parameter without axes", lambda x, w: _scalar * x + w, closed_over=(_scalar,))
_add("a parameter alone", lambda x, w: torch.cat([_parameter, w]) + x[0], closed_over=(_parameter,))
_add("a parameter, detached", lambda x, w: _parameter.detach() * x + w)
_add("a parameter in no_grad", lambda x, w: _without_gradient() * x + w)
_add("a constant tensor", lambda x, w: _constant * x + w)
_add("a LayerNorm that is closed over", lambda x, w: _norm(x) + w, closed_over=tuple(_norm.parameters()))
_add(
    "a ParameterList",
    lambda x, w: torch.cat([_list[0] * x[:2], _list[1] + w[:1]]),
    closed_over=tuple(_list.parameters()),
)


@torch.no_grad()
def _without_gradient() -> Tensor:
    return _parameter * 2
