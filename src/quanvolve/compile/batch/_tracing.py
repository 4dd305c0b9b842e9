"""Whether torch traces or transforms what runs now, so that numbers cannot be looked at."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import get_interpreter_stack, get_unwrapped, is_batchedtensor, is_gradtrackingtensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad


def transforming() -> bool:
    """Whether a `torch.func` transform is running, or derivatives are taken in forward mode."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def traced(*tensors: Tensor) -> bool:
    """Whether numbers cannot be looked at: of these tensors, or of any while torch compiles, traces or transforms.

    Examples:
        >>> from torch._subclasses.fake_tensor import FakeTensorMode
        >>> traced(torch.ones(2)), traced(FakeTensorMode().from_tensor(torch.ones(2)))
        (False, True)
    """
    modes = torch._C._TorchDispatchModeKey
    return (
        torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
        or torch._C._get_dispatch_mode(modes.FAKE) is not None
        or torch._C._get_dispatch_mode(modes.PROXY) is not None
        or any(isinstance(tensor, FakeTensor) for tensor in tensors)
    )


def recorded(tensor: Tensor) -> bool:
    """Whether what is done to the tensor goes into a CUDA graph, so that numbers cannot be looked at.

    Examples:
        >>> recorded(torch.ones(2))
        False
    """
    return tensor.is_cuda and torch.cuda.is_current_stream_capturing()


def bare(tensor: Tensor) -> Tensor | None:
    """A tensor without what `torch.func` wraps around it; None if it has no numbers of its own, or several sets.

    Examples:
        >>> torch.func.grad(lambda x: x.sum() * float(bare(x).sum()))(torch.ones(2))
        tensor([2., 2.])
    """
    while is_gradtrackingtensor(tensor):
        tensor = get_unwrapped(tensor)
    hidden = isinstance(tensor, FakeTensor) or is_batchedtensor(tensor) or tensor.device.type == "meta"
    return None if hidden or torch.compiler.is_compiling() else tensor


def followed(tensor: object) -> bool:
    """Whether derivatives by a tensor are taken, in any mode and at any level of `torch.func`.

    Examples:
        >>> followed(torch.ones(2)), followed(torch.ones(2, requires_grad=True))
        (False, True)
        >>> torch.func.vmap(torch.func.grad(lambda x: x.sum() * followed(x)))(torch.ones(2))
        tensor([1., 1.])
    """
    if not isinstance(tensor, Tensor):
        return False
    if is_batchedtensor(tensor):
        return followed(get_unwrapped(tensor))
    if is_gradtrackingtensor(tensor):
        return True
    return tensor.requires_grad or has_tangent(tensor)


def has_tangent(tensor: Tensor) -> bool:
    """Whether a derivative in forward mode comes with it."""
    return forward_ad._current_level >= 0 and forward_ad.unpack_dual(tensor).tangent is not None


def derivatives() -> int:
    """How many derivatives `torch.func` takes now, one of the other.

    Examples:
        >>> derivatives()
        0
        >>> torch.func.grad(torch.func.grad(lambda x: x * derivatives()))(torch.tensor(1.0))
        tensor(0.)
    """
    kinds = [str(level.key()) for level in get_interpreter_stack() or ()]
    return sum(kind.endswith(("Grad", "Jvp")) for kind in kinds)
