"""Which recorded calls are linear: an angle is affine only if every call that made it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

CONSTANT, AFFINE, OTHER = 0, 1, 2
"""How a tensor depends on inputs and weights; linear functions of affine tensors are affine."""

_CONSTANT = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"}
# Linear in all their tensors together.
_LINEAR_NAMES = """
    add sub subtract radd neg negative pos positive clone contiguous flatten reshape view reshape_as view_as ravel
    unflatten unsqueeze squeeze transpose swapaxes swapdims t T mT permute moveaxis movedim cat concat concatenate stack
    hstack vstack dstack column_stack row_stack sum mean nansum cumsum diff expand expand_as broadcast_to
    broadcast_tensors repeat tile roll flip fliplr flipud rot90 unbind split chunk tensor_split hsplit vsplit dsplit
    diag diagonal diag_embed tril triu trace deg2rad rad2deg atleast_1d atleast_2d atleast_3d block_diag meshgrid double
    float to type type_as real rsub resolve_conj resolve_neg narrow select pad unfold avg_pool1d sum_to_size trapezoid
    trapz cumulative_trapezoid cpu half bfloat16
"""
# Linear in each of their tensors alone.
_PRODUCT_NAMES = """
    mul multiply rmul matmul rmatmul mm bmm mv dot inner outer kron cross vdot vecdot tensordot einsum linear lerp
    multi_dot chain_matmul
"""
_LINEAR, _PRODUCTS = frozenset(_LINEAR_NAMES.split()), frozenset(_PRODUCT_NAMES.split())
_FIRST_ONLY = {"div", "divide", "true_divide", "truediv"}
_BY_INDEX = {"getitem", "gather", "index_select", "take", "take_along_dim", "repeat_interleave"}


def degree(
    function: str, arguments: Sequence[Any], keywords: Mapping[str, Any], degree_of: Mapping[int, int], real: bool
) -> int:
    """How the result of a call depends on inputs and weights.

    Args:
        function: its name in `FUNCTIONS`.
        arguments: of the call.
        keywords: of the call.
        degree_of: of every tensor that depends on them, by id.
        real: whether results are real floating numbers.
    """
    name = function.rsplit(".", 1)[-1].strip("_")
    degrees = [_degree(argument, degree_of) for argument in (*arguments, *keywords.values())]
    most = max(degrees, default=CONSTANT)
    if name in _CONSTANT or most == CONSTANT:
        return CONSTANT
    if most == OTHER or not real:
        return OTHER
    if name in _LINEAR:
        reinterpreted = name == "view" and any(isinstance(argument, torch.dtype) for argument in arguments)
        return OTHER if reinterpreted else AFFINE
    if name in _PRODUCTS:
        return AFFINE if _factors(arguments, keywords, degree_of) == 1 else OTHER
    if name in _FIRST_ONLY or name in _BY_INDEX:
        return AFFINE if sum(degrees) == degrees[0] and "rounding_mode" not in keywords else OTHER
    if name == "where":
        return AFFINE if degrees[0] == CONSTANT else OTHER
    if name == "put":
        return AFFINE if degrees[1] == CONSTANT else OTHER
    return OTHER


def _factors(arguments: Sequence[Any], keywords: Mapping[str, Any], degree_of: Mapping[int, int]) -> int:
    """How many of the factors depend on inputs or weights; of a bias that is added nothing is asked."""
    flat = [leaf for argument in arguments for leaf in (argument if isinstance(argument, list | tuple) else [argument])]
    named = [value for name, value in keywords.items() if name != "bias"]
    return sum(_degree(leaf, degree_of) > CONSTANT for leaf in [*flat, *named])


def _degree(argument: Any, degree_of: Mapping[int, int]) -> int:
    if isinstance(argument, list | tuple):
        return max((_degree(item, degree_of) for item in argument), default=CONSTANT)
    return degree_of.get(id(argument), CONSTANT)
