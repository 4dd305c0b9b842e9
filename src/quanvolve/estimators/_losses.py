"""What a training makes small: losses by name, or anybody's own, with weights of the samples."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from quanvolve._errors import QuanvolveError

LossFunction = Callable[[Tensor, Tensor], Tensor]

CROSS_ENTROPY, FOCAL = "cross_entropy", "focal"
LOSSES = (CROSS_ENTROPY, FOCAL)


class FocalLoss(nn.Module):
    """Cross-entropy in which samples that are classified well already count less: (1 - p)^gamma times -log p.

    Args:
        gamma: how much less; 0 is cross-entropy.
        reduction: "mean" of the samples, "sum", or "none" for one number a sample.

    Shape:
        Scores (n, classes) and labels (n,) to a scalar; with `reduction="none"` to (n,).

    References:
        Lin et al., "Focal Loss for Dense Object Detection", arXiv:1708.02002 (2017), equation 4.

    Examples:
        >>> import torch
        >>> from quanvolve.estimators import FocalLoss
        >>> scores = torch.tensor([[2.0, 0.0], [0.5, 0.0]])
        >>> FocalLoss(reduction="none")(scores, torch.tensor([0, 0]))
        tensor([0.0018, 0.0676])
    """

    def __init__(self, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__()
        self.gamma = gamma
        self.reduction = reduction

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The loss of these scores."""
        entropy = cross_entropy(scores, labels, reduction="none")
        # expm1 keeps the digits of 1 - p where p is nearly 1.
        losses = (-torch.expm1(-entropy)).pow(self.gamma) * entropy
        return losses if self.reduction == "none" else losses.sum() if self.reduction == "sum" else losses.mean()


def check_loss(loss: Any, label_smoothing: Any = 0.0, names: tuple[str, ...] = LOSSES) -> None:
    """Refuse what cannot be a loss.

    Args:
        loss: as the user gave it.
        label_smoothing: of cross-entropy.
        names: of the losses that there are for the task.

    Raises:
        QuanvolveError: naming the parameter.
    """
    if loss is None:
        raise QuanvolveError(
            "`loss` is None, which stands for a loss of one's own that is not saved with a model: give it again, or "
            f"one of {', '.join(map(repr, names))}"
        )
    if isinstance(loss, type):
        raise QuanvolveError(f"`loss` is the class {loss.__name__}: give an instance, such as {loss.__name__}()")
    if loss not in names if isinstance(loss, str) else not callable(loss):
        raise QuanvolveError(
            f"`loss` (={loss!r}) must be one of {', '.join(map(repr, names))}, a module of torch or a function of "
            "scores and targets"
        )
    if not isinstance(label_smoothing, int | float) or not 0 <= label_smoothing < 1:
        raise QuanvolveError(f"`label_smoothing` (={label_smoothing!r}) must be in [0, 1)")
    if label_smoothing and loss != CROSS_ENTROPY:
        raise QuanvolveError(
            f"`label_smoothing` (={label_smoothing!r}) has a meaning with `loss='cross_entropy'` only, not with "
            f"{loss!r}: leave one of the two out"
        )


def check_scores(loss: Any, head: Any) -> None:
    """Refuse a loss of logarithms of probabilities where the head gives scores, from which it would learn nonsense.

    Args:
        loss, head: as the user gave them; a head of one's own may end with the logarithms.

    Raises:
        QuanvolveError: naming the loss that takes scores.
    """
    if isinstance(loss, nn.NLLLoss) and isinstance(head, str):
        raise QuanvolveError(
            f"`loss` (={loss!r}) takes logarithms of probabilities, but `head={head!r}` gives scores: use "
            "torch.nn.CrossEntropyLoss(), which takes these and gives the same"
        )


def loss_function(loss: Any, label_smoothing: float, *, weighted: bool, device: str) -> LossFunction:
    """From outputs and targets of a batch to its loss; to one number a sample, if samples have weights.

    Args:
        loss: as the user gave it, checked.
        label_smoothing: of cross-entropy.
        weighted: whether samples have weights.
        device: where it computes.
    """
    reduction = "none" if weighted else "mean"
    if loss == CROSS_ENTROPY:
        return lambda scores, labels: cross_entropy(
            scores, labels, reduction=reduction, label_smoothing=float(label_smoothing)
        )
    if loss == FOCAL:
        return FocalLoss(reduction=reduction)
    if isinstance(loss, nn.Module):
        module = copy.deepcopy(loss).to(device)
        if weighted and hasattr(module, "reduction"):
            setattr(module, "reduction", "none")  # noqa: B010  (to torch's types an attribute of a module is a tensor)
        return module
    function: LossFunction = loss
    return function


def loss_of_batch(function: LossFunction, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """The loss of a batch, a scalar: the mean of its samples, each times its weight.

    Args:
        function: from :func:`loss_function`.
        outputs: of the module.
        targets: theirs.
        weights: shape (n,), 1 in the mean over all training samples; None if all are 1.

    Raises:
        QuanvolveError: if the function does not give a number for the batch, or one a sample, by which it can be
            trained.
    """
    try:
        losses = function(outputs, targets)
    except Exception as error:
        error.add_note(
            f"`loss` was called with outputs of the network, {_kind(outputs)}, and targets, {_kind(targets)}."
        )
        raise
    if not isinstance(losses, Tensor):
        raise QuanvolveError(f"`loss` gives a {type(losses).__name__}, expected a tensor: compute it with torch")
    if torch.is_grad_enabled() and not losses.requires_grad:
        raise QuanvolveError(
            "`loss` gives a tensor that does not depend on the outputs of the network: compute it of them with torch, "
            "without `detach` or `item`"
        )
    if losses.ndim == 0 and weights is None:
        return losses
    if losses.ndim == 0:
        raise QuanvolveError(
            "`loss` gives one number for a whole batch, but samples have weights: let it give one a sample, as torch's "
            "losses do with `reduction='none'`"
        )
    if losses.shape[0] != len(targets):
        raise QuanvolveError(
            f"`loss` gives a tensor of shape {tuple(losses.shape)} for {len(targets)} samples, expected a scalar or "
            "one number a sample"
        )
    each = losses.reshape(len(targets), -1).mean(dim=1)
    return each.mean() if weights is None else (each * weights).mean()


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def loss_fingerprint(loss: Any, label_smoothing: float) -> str:
    """What tells losses apart; nothing for the one that all runs had once."""
    if isinstance(loss, str):
        return "" if loss == CROSS_ENTROPY and not label_smoothing else f"{loss}/{float(label_smoothing)}"
    if not isinstance(loss, nn.Module):
        return f"{getattr(loss, '__module__', '')}.{getattr(loss, '__qualname__', type(loss).__qualname__)}"
    plain = {name: value for name, value in vars(loss).items() if isinstance(value, bool | int | float | str)}
    digest = hashlib.sha256(f"{type(loss).__qualname__}{sorted(plain.items())}".encode())
    for name, tensor in sorted(loss.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
