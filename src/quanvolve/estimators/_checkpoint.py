"""The state of a training run after a finished epoch, in one file that is written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from quanvolve._errors import ModelError
from quanvolve._files import replacing

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
    """

    history: list[dict[str, Any]]
    module: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Tensor]


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
    try:
        with replacing(path) as part:
            save_file(tensors, part, metadata)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"cannot write the checkpoint {path}: {error}") from error


def load_checkpoint(path: Path, fingerprint: str) -> TrainingState:
    """Read a state back.

    Raises:
        ModelError: if the file is missing, damaged, or of a run with other data or settings.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise ModelError(f"{path} is not a checkpoint of this version: start again with another --output")
            if metadata.get("fingerprint") != fingerprint:
                raise ModelError(
                    f"{path} belongs to a run with other data or settings: resume with those it was started with, or "
                    "start again with another --output"
                )
            groups: dict[str, dict[str, Tensor]] = {"module": {}, "best": {}, "optimizer": {}}
            for key in file.keys():  # noqa: SIM118  (a safetensors file is not a mapping)
                group, _, name = key.partition(".")
                groups[group][name] = file.get_tensor(key)
            history = json.loads(metadata["history"])
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path}: nothing to resume") from None
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is damaged ({error}): start again with another --output") from error
    return TrainingState(history, **groups)


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
