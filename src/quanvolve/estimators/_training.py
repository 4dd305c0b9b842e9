"""Training: skorch runs the epochs; this file decides what an epoch starts from and what is kept after it."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, LRScheduler
from skorch.helper import predefined_split
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.estimators._adamw import AdamW
from quanvolve.estimators._aim import Aim, best_epoch
from quanvolve.estimators._augment import random_shift
from quanvolve.estimators._batches import Batches, BatchWeights, TensorData
from quanvolve.estimators._checkpoint import (
    TrainingState,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from quanvolve.estimators._monitor import Monitor
from quanvolve.estimators._processes import accelerator_for, net_class, own_module
from quanvolve.estimators._schedule import cosine, one_cycle
from quanvolve.estimators._threads import is_small, one_thread


@dataclass(frozen=True)
class Settings:
    """How to train; together with the data it fixes the result on a CPU.

    Args:
        max_epochs: passes over the training data.
        batch_size: samples a step.
        lr: highest learning rate of AdamW; without `warmup` that of the first epoch, after which it falls along a
            cosine to zero at `max_epochs`.
        weight_decay: of AdamW.
        patience: stop after so many epochs without a better validation score; None never stops early.
        seed: of the order of samples, of dropout and of shifts.
        device: where to train; "accelerate" for what `accelerate launch` has given each of its processes.
        warmup: share of the training in which the learning rate rises, batch by batch; 0 starts at the highest and
            changes it between epochs only.
        shift: pixels by which training images are moved at random, at most.
    """

    max_epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    patience: int | None
    seed: int
    device: str
    warmup: float = 0.0
    shift: int = 0

    def rate(self, epoch: int, done: float = 0.0) -> float:
        """The learning rate in an epoch (from 1) of which a share is done."""
        if not self.warmup:
            return self.lr * cosine((epoch - 1) / self.max_epochs)
        return self.lr * one_cycle((epoch - 1 + done) / self.max_epochs, self.warmup)


@dataclass(frozen=True)
class SteadySettings(Settings):
    """How to train on one portion of data after another: the learning rate stays as it is."""

    def rate(self, epoch: int, done: float = 0.0) -> float:
        """The learning rate."""
        return self.lr


class _Watch(Callback):  # type: ignore[misc]  # skorch has no types
    """Sets learning rates, scores the validation data and passes batches on to the monitor.

    It comes before the user's callbacks, which therefore find the scores in skorch's history. Where these set the
    learning rate themselves, it leaves it to them.
    """

    def __init__(
        self,
        monitor: Monitor,
        settings: Settings,
        aim: Aim,
        batches: int,
        valid: TensorData | None,
        callbacks: Sequence[Any],
    ) -> None:
        self.scheduled = any(isinstance(_callback(entry), LRScheduler) for entry in callbacks)
        self.monitor = monitor
        self.settings = settings
        self.aim = aim
        self.batches = batches
        self.weights = None if valid is None else valid.weights_of(slice(None))
        self.epoch = 0
        self.finished = False
        self.scores: dict[str, float | None] = {}

    def on_epoch_begin(self, net: Any, **_: Any) -> None:
        self.batch, self.finished = 0, False
        self.rate = net.optimizer_.param_groups[0]["lr"] if self.scheduled else self.settings.rate(self.epoch)
        self.outputs: list[Tensor] = []
        self.targets: list[Tensor] = []

    def on_batch_begin(self, net: Any, training: bool = False, **_: Any) -> None:
        if training and not self.scheduled:
            # From the numbers of epoch and batch alone, so that a resumed run cannot differ.
            lr = self.settings.rate(self.epoch, self.batch / self.batches)
            for group in net.optimizer_.param_groups:
                group["lr"] = lr

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **step: Any) -> None:
        if training:
            self.batch += 1
            self.monitor.on_batch(self.epoch, self.batch, float(step["loss"].detach()))
        else:
            self.outputs.append(step["y_pred"].detach().cpu())
            self.targets.append(batch[1].cpu())

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        self.scores = dict.fromkeys(self.aim.names)
        if self.outputs:
            self.scores |= self.aim.scores(torch.cat(self.outputs), torch.cat(self.targets), self.weights)
            for name, score in self.scores.items():
                net.history.record(f"valid_{name}", score)
                # What callbacks that keep the best epoch go by.
                net.history.record(f"valid_{name}_best", best_epoch(list(net.history), name) == len(net.history))
        self.finished = True


class _Loss(nn.Module):
    """The loss of an aim as skorch's callbacks expect it; it has no weights that could be trained."""

    def __init__(self, aim: Aim, weights: BatchWeights) -> None:
        super().__init__()
        self._aim, self._weights = aim, weights

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of the batch that is being worked on."""
        weights = self._weights.now
        return self._aim.loss(outputs, targets, None if weights is None else weights.to(outputs.device))


def train(
    module: nn.Module,
    data: TensorData,
    valid: TensorData | None,
    settings: Settings,
    aim: Aim,
    *,
    monitor: Monitor | None = None,
    callbacks: Sequence[Any] = (),
    checkpoint: Path | None = None,
    resume: bool = False,
    earlier: TrainingState | None = None,
) -> TrainingState:
    """Train a module in place and leave it with the weights of its best epoch.

    Args:
        module: samples to what the loss of the aim takes.
        data: training samples.
        valid: validation samples; the best epoch is the best on these (without them, the last).
        settings: how to train.
        aim: what to train for.
        monitor: told of progress.
        callbacks: of skorch, which may end the training as theirs do. No checkpoint has their state.
        checkpoint: file to write after each epoch.
        resume: go on from that file, to the same weights as an uninterrupted run; if it is not there, start.
        earlier: go on from this, if there is no such file.

    Returns:
        How it ended. The history has a row for each epoch with epoch, train_loss, valid_loss, the scores of the aim
        (such as valid_accuracy), lr and seconds.

    Raises:
        ModelError: if the checkpoint is damaged or of another run.
    """
    monitor = monitor or Monitor()
    batches = len(Batches(data, settings.batch_size))
    watch = _Watch(monitor, settings, aim, batches, valid, callbacks)
    fingerprint = _fingerprint(module, data, valid, settings, aim)
    accelerator = accelerator_for(settings.device)
    first = accelerator is None or accelerator.is_main_process
    net = _skorch_net(module, valid, settings, aim, watch, callbacks, accelerator)
    trained = own_module(net.module_, accelerator)
    state = earlier or TrainingState([], trained.state_dict(), copy.deepcopy(module.state_dict()), {})
    if resume and checkpoint is not None and checkpoint.exists():
        state = load_checkpoint(checkpoint, fingerprint, trained, aim.names)
    history, best, stopped = list(state.history), state.best, state.stopped
    trained.load_state_dict(state.module)
    if state.optimizer:
        restore_optimizer(net.optimizer_, state.optimizer)
    _retell(net, history)
    monitor.on_start(len(history) + 1, settings.max_epochs, batches)
    few = data[torch.arange(min(len(data), settings.batch_size))][0]
    with _own_random_numbers(), one_thread(is_small(trained, few)):
        net.notify("on_train_begin", X=data, y=None)
        while not stopped and len(history) < settings.max_epochs and not _out_of_patience(history, settings, aim):
            watch.epoch = len(history) + 1
            _seed_epoch(settings.seed, watch.epoch)
            stopped = _run_epoch(net, data, watch, bool(callbacks))
            history.append(_row(net.history[-1], watch))
            _require_finite(history[-1], settings)
            if best_epoch(history, aim.watched) == watch.epoch:
                best = copy.deepcopy(trained.state_dict())
            if checkpoint is not None and first:
                tensors = optimizer_tensors(net.optimizer_)
                state = TrainingState(history, trained.state_dict(), best, tensors, stopped)
                save_checkpoint(checkpoint, state, fingerprint)
            monitor.on_epoch(history[-1])
        net.notify("on_train_end", X=data, y=None)
    tensors = optimizer_tensors(net.optimizer_)
    module.load_state_dict(best)
    module.eval()
    return TrainingState(history, module.state_dict(), best, tensors, stopped)


def _run_epoch(net: Any, data: TensorData, watch: _Watch, stoppable: bool) -> bool:
    """One epoch; whether a callback has ended the training after it.

    skorch's callbacks do so by the exception of Ctrl-C. What comes before the end of the epoch is Ctrl-C itself.
    """
    try:
        net.fit_loop(data, epochs=1)
    except KeyboardInterrupt:
        if not (stoppable and watch.finished):
            raise
        return True
    return False


def _retell(net: Any, history: list[dict[str, Any]]) -> None:
    """Let skorch know the epochs that there have been, whose number callbacks go by."""
    for row in history:
        net.history.new_epoch()
        for name, value in row.items():
            if value is not None:
                net.history.record({"seconds": "dur"}.get(name, name), value)


def _skorch_net(
    module: nn.Module,
    valid: TensorData | None,
    settings: Settings,
    aim: Aim,
    watch: _Watch,
    callbacks: Sequence[Any],
    accelerator: Any,
) -> Any:
    kind, processes = net_class(aim.net, accelerator)
    weights = BatchWeights()
    criterion = _Loss(aim, weights)
    defaults = {"predict_nonlinearity": partial(torch.softmax, dim=-1), "callbacks__valid_acc": None}
    net = kind(
        module,
        # A module would be wrapped by accelerate, which wants weights in it.
        criterion=criterion if accelerator is None else lambda: criterion.forward,
        optimizer=AdamW,
        lr=settings.lr,
        optimizer__weight_decay=settings.weight_decay,
        batch_size=settings.batch_size,
        iterator_train=Batches,
        iterator_train__shuffle=True,
        iterator_train__augment=partial(random_shift, pixels=settings.shift) if settings.shift else None,
        iterator_train__weights=weights,
        iterator_valid=Batches,
        iterator_valid__weights=weights,
        train_split=None if valid is None else predefined_split(valid),
        callbacks=[("watch", watch), *callbacks],
        device=settings.device if accelerator is None else None,
        verbose=0,
        **(defaults if issubclass(kind, NeuralNetClassifier) else {}),
        **processes,
    )
    return net.initialize()


def check_callbacks(callbacks: Any) -> None:
    """Refuse what are no callbacks of skorch.

    Raises:
        QuanvolveError: naming what is none.
    """
    if callbacks is None:
        return
    if not isinstance(callbacks, list | tuple):
        raise QuanvolveError(f"`callbacks` (={callbacks!r}) must be a list of skorch's callbacks, or None")
    for entry in callbacks:
        if not isinstance(_callback(entry), Callback):
            raise QuanvolveError(
                f"`callbacks` has {entry!r}, expected a callback of skorch such as `skorch.callbacks.EarlyStopping()`, "
                "or a pair of a name and one"
            )


def _callback(entry: Any) -> Any:
    """Without the name that it may have."""
    named = isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)
    return entry[1] if named else entry


def _seed_epoch(seed: int, epoch: int) -> None:
    """Seed an epoch from its number alone, so that a resumed run cannot differ."""
    torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed}/{epoch}".encode()).digest()[:7], "big"))


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Leave the caller's random number generators as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):
        yield


def _row(record: dict[str, Any], watch: _Watch) -> dict[str, Any]:
    return {
        "epoch": watch.epoch,
        "train_loss": float(record["train_loss"]),
        "valid_loss": float(record["valid_loss"]) if watch.outputs else None,
        **{f"valid_{name}": score for name, score in watch.scores.items()},
        "lr": watch.rate,
        "seconds": round(float(record["dur"]), 3),
    }


def _require_finite(row: dict[str, Any], settings: Settings) -> None:
    losses = [loss for loss in (row["train_loss"], row["valid_loss"]) if loss is not None]
    if not all(map(math.isfinite, losses)):
        raise QuanvolveError(
            f"training diverged in epoch {row['epoch']}: the loss is {losses[0]}; use a smaller `lr` (={settings.lr:g})"
        )


def _out_of_patience(history: list[dict[str, Any]], settings: Settings, aim: Aim) -> bool:
    return settings.patience is not None and len(history) - best_epoch(history, aim.watched) >= settings.patience


def _fingerprint(module: nn.Module, data: TensorData, valid: TensorData | None, settings: Settings, aim: Aim) -> str:
    """Tells runs apart: settings, aim, data and initial weights."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode() + aim.fingerprint.encode())
    for part in (data, valid):
        if part is not None:
            # A sample of the pixels is enough to notice other data, and does not take longer than an epoch.
            samples, labels = part[torch.arange(0, len(part), max(1, len(part) // 256))]
            digest.update(repr((len(part), tuple(samples.shape), samples.dtype)).encode())
            for tensor in (part.rows, part.y, samples, labels, *([] if part.weights is None else [part.weights])):
                digest.update(tensor.numpy().tobytes())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
