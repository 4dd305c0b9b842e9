"""The state of a training run after a finished epoch, in one file that is written whole or not at all."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from quanvolve._errors import ModelError
from quanvolve._files import replacing
from quanvolve._untrusted import MOST_BYTES, parse_json

_FORMAT = "quanvolve-checkpoint-1"


@dataclass
class TrainingState:
    """Everything that training needs to go on as if it had never stopped.

    Random numbers are not part of it: each epoch seeds its own from the run's seed and its number.

    Args:
        history: one row a finished epoch.
        module: the weights after it.
        best: the weights of the best epoch so far.
        optimizer: moments and step counts, as "<parameter number>.<name>".
        stopped: whether a callback ended the training.
    """

    history: list[dict[str, Any]]
    module: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    stopped: bool = False


def save_checkpoint(path: Path, state: TrainingState, fingerprint: str) -> None:
    """Write the state; an interrupted write leaves the previous checkpoint in place.

    Raises:
        ModelError: if the file cannot be written.
    """
    tensors = {}
    for group in ("module", "best", "optimizer"):
        for name, tensor in getattr(state, group).items():
            # clone: safetensors refuses tensors that share memory, as tied weights do
            tensors[f"{group}.{name}"] = tensor.detach().cpu().clone().contiguous()
    metadata = {"format": _FORMAT, "fingerprint": fingerprint, "history": json.dumps(state.history)}
    if state.stopped:
        metadata["stopped"] = "yes"
    try:
        with replacing(path) as part:
            save_file(tensors, part, metadata)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"cannot write the checkpoint {path}: {error}") from error


def load_checkpoint(path: Path, fingerprint: str, module: nn.Module, scores: tuple[str, ...]) -> TrainingState:
    """Read a state back.

    Args:
        path: of the file.
        fingerprint: of the run.
        module: what is trained; weights, best weights and moments have its types and shapes.
        scores: the numbers of the validation data beside the loss that each row of the history has.

    Raises:
        ModelError: if the file is missing, damaged, or of a run with other data or settings.
    """
    try:
        _check_size(path, module)
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise ModelError(f"{path} is not a checkpoint of this version: start again with another `checkpoint`")
            if metadata.get("fingerprint") != fingerprint:
                raise ModelError(
                    f"{path} belongs to a run with other data or settings: resume with those it was started with, or "
                    "start again with another `checkpoint`"
                )
            groups: dict[str, dict[str, Tensor]] = {"module": {}, "best": {}, "optimizer": {}}
            for key in file.keys():  # noqa: SIM118  (a safetensors file is not a mapping)
                group, _, name = key.partition(".")
                groups[group][name] = file.get_tensor(key)
            history = parse_json(metadata["history"])
        if not is_history(history, scores):
            raise ValueError("its history is not that of a training")
        _check_tensors(groups, module)
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path}: nothing to resume") from None
    except ModelError:
        raise
    except (SafetensorError, OSError, LookupError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{path} is damaged ({reason}): start again with another `checkpoint`") from error
    return TrainingState(history, **groups, stopped="stopped" in metadata)


def is_history(rows: Any, scores: tuple[str, ...] = ("accuracy",)) -> bool:
    """Whether these are the rows of a training: one an epoch, from 1, with finite numbers where there are some.

    Args:
        rows: of an untrusted file.
        scores: the numbers of the validation data beside the loss that each row has, without "valid_".

    Examples:
        >>> row = {"epoch": 1, "train_loss": 0.5, "valid_loss": None, "valid_accuracy": None, "lr": 0.1, "seconds": 2.0}
        >>> is_history([row]), is_history([row, row]), is_history([{**row, "lr": "fast"}])
        (True, False, False)
    """
    valid = ["valid_loss", *(f"valid_{score}" for score in scores)]
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and row.get("epoch") == epoch
        and all(_finite(row.get(name)) for name in ("train_loss", "lr", "seconds"))
        and (all(row.get(name, 0) is None for name in valid) or all(_finite(row.get(name)) for name in valid))
        for epoch, row in enumerate(rows, 1)
    )


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _check_size(path: Path, module: nn.Module) -> None:
    """Refuse a file that is too large for its module before it is read."""
    size = path.stat().st_size
    # Weights, best weights, two moments, and the step counts and the list of names, which are small.
    most = 4 * sum(t.numel() * t.element_size() for t in module.state_dict().values()) + MOST_BYTES
    if not path.is_file():
        raise ValueError("it is not a file")
    if size > most:
        raise ValueError(f"it has {size:,} bytes, expected at most {most:,}")


def _check_tensors(groups: dict[str, dict[str, Tensor]], module: nn.Module) -> None:
    """Refuse tensors that are not those of this module."""
    expected = {name: (tensor.dtype, tensor.shape) for name, tensor in module.state_dict().items()}
    for group in ("module", "best"):
        if {name: (tensor.dtype, tensor.shape) for name, tensor in groups[group].items()} != expected:
            raise ValueError(f"its tensors of {group!r} are not those of this model")
    shapes = [parameter.shape for parameter in module.parameters()]
    for name, tensor in groups["optimizer"].items():
        number = int(name.partition(".")[0])
        if not 0 <= number < len(shapes) or tensor.shape not in (shapes[number], torch.Size([])):
            raise ValueError(f"its tensor {name!r} is none of this optimizer")
    for group, tensors in groups.items():
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise ValueError(f"its tensor {name!r} of {group!r} has values that are not finite")


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's tensors by parameter number and name; its other settings come from the run's settings."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, entries in state.items()
        for name, value in entries.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of :func:`optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
