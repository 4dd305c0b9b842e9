"""The audit of a model: which of its quantum weights can do anything, and which channels say something of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.analysis._channel_circuits import quantum_layers
from quanvolve.analysis._effective_rank import constant_of, effective_rank
from quanvolve.analysis._jacobian import Floats, gradient_variance, jacobian, on_windows, windows_of
from quanvolve.analysis._tree_audit import TreeAudit, tree_audit
from quanvolve.analysis._tree_view import coherent_trees

if TYPE_CHECKING:
    from quanvolve.analysis._layer_view import LayerView

_DRAWS = 64
_LEAST_WINDOWS, _MOST_IMAGES = 256, 256
_SAME = 1e-9
_FLAT = 1e-4
"""A variance of derivatives below which 10,000 shots do not tell one from zero."""


@dataclass(frozen=True)
class LayerAudit:
    """What an audit found of one quantum layer. Weights are named as in "weights[0, 0, 1, 2]".

    Attributes:
        name: of the layer in the model; "layer" for a model that is one.
        circuit: its name.
        trainable: whether its weights are trained.
        n_weights: how many there are.
        dead: those that change no output of any window.
        rescaling: those whose whole effect an affine map of the channels has too, so that a linear layer or a
            convolution after it makes training them pointless; the dead ones are not repeated.
        rank: how many independent directions of all weights change something (rank of the Jacobian).
        free_rank: how many remain when affine maps of the channels are free.
        n_channels: of the layer.
        constant: channels with one value for all windows.
        duplicates: pairs of channels of which one is the other, scaled and shifted.
        effective_rank: of the channels' values, between 0 and `n_channels`.
        gradient_variance: mean square derivative of a channel with respect to a weight at random weights; None without
            weights.
        n_windows: different windows that this rests on.
        no_gradient: whether the readout has no derivative at all.
    """

    name: str
    circuit: str
    trainable: bool
    n_weights: int
    dead: tuple[str, ...]
    rescaling: tuple[str, ...]
    rank: int
    free_rank: int
    n_channels: int
    constant: tuple[int, ...]
    duplicates: tuple[tuple[int, int], ...]
    effective_rank: float
    gradient_variance: float | None
    n_windows: int
    no_gradient: bool = False

    def sentences(self) -> list[str]:
        """What is worth saying, the worst first."""
        sentences = [*self._about_weights(), *self._about_channels()]
        if self.gradient_variance is not None and self.gradient_variance < _FLAT and not self.no_gradient:
            sentences.append(
                f"A typical derivative at random weights is {self.gradient_variance**0.5:.1e}: a barren plateau, on "
                "which 10,000 shots do not tell it from zero."
            )
        if self.n_windows < 2 * (self.n_channels + 1):
            sentences.append(
                f"The images have only {self.n_windows} different windows for {self.n_channels} channels: more images "
                "may show more."
            )
        return sentences

    def _about_weights(self) -> list[str]:
        if not self.n_weights:
            return ["The layer has no weights."]
        if self.no_gradient:
            return [f"The readout has no derivative, so none of the {self.n_weights} weights can be trained."]
        if not self.rank:
            return [f"None of the {self.n_weights} weights changes any output: there is nothing to train."]
        if not self.free_rank:
            return [
                f"Nothing to train: whatever the {self.n_weights} weights do, they only rescale, shift or mix the "
                "channels, which a linear layer or a convolution after it does anyway"
                + (f"; {len(self.dead)} of them change nothing at all." if self.dead else ".")
            ]
        sentences = []
        if self.dead:
            sentences.append(f"{len(self.dead)} of {self.n_weights} weights change no output: {_list(self.dead)}.")
        if self.rescaling:
            sentences.append(
                f"{len(self.rescaling)} of {self.n_weights} weights only rescale, shift or mix the channels, which an "
                f"affine layer after it does anyway: {_list(self.rescaling)}."
            )
        state = "are trained" if self.trainable else "are fixed"
        sentences.append(
            f"{self.n_weights} weights {state}; they have {self.rank} independent effects, {self.free_rank} of them "
            "beyond what an affine layer after it does."
        )
        return sentences

    def _about_channels(self) -> list[str]:
        sentences = []
        if self.constant:
            sentences.append(f"{_numbered('channel', self.constant)} constant on these images.")
        if self.duplicates:
            pairs = ", ".join(f"{i} and {j}" for i, j in self.duplicates[:6])
            more = f" and {len(self.duplicates) - 6} more pairs" if len(self.duplicates) > 6 else ""
            sentences.append(f"Channels {pairs}{more} say the same, but for scale and shift.")
        sentences.append(f"Its {self.n_channels} channels have an effective rank of {self.effective_rank:.2f}.")
        return sentences


@dataclass(frozen=True)
class Audit:
    """What :func:`audit` found.

    Attributes:
        layers: one for each quantum layer; those of coherent trees are a :class:`TreeAudit`.
        n_parameters: all weights of the model, also those of fixed filters.
        n_quantum: those of quantum layers.
        n_effective: independent effects of quantum weights beyond affine maps of their channels; of coherent trees all
            weights that change something.
    """

    layers: tuple[LayerAudit | TreeAudit, ...]
    n_parameters: int
    n_quantum: int
    n_effective: int

    def sentences(self) -> list[str]:
        """The findings, each layer's after its name."""
        sentences = [
            f"{self.n_parameters:,} parameters, {self.n_quantum:,} of them quantum; of these {self.n_effective:,} "
            "have an effect of their own (the others change nothing, repeat each other, or do what an affine layer "
            "after them does anyway)."
        ]
        for layer in self.layers:
            sentences += [f"{layer.name} ({layer.circuit}): {sentence}" for sentence in layer.sentences()]
        return sentences

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def audit(model: Any, X: Any, *, draws: int = _DRAWS, seed: int = 0) -> Audit:
    """Whether a model's quantum weights and channels do anything, judged on data.

    Args:
        model: a quantum layer, a module with some, or a fitted :class:`quanvolve.QuanvClassifier`.
        X: images as the model takes them, at most 256 of which are used.
        draws: of random weights, for the variance of derivatives.
        seed: of these, and of the choice of windows.

    Returns:
        Findings for each quantum layer, in the order in which they run; `str` makes sentences of them.

    Raises:
        QuanvolveError: if the model has no quantum layer, or cannot take the images.

    References:
        McClean et al., arXiv:1803.11173 (2018), equation 2, for the variance of derivatives; Roy and Vetterli,
        EUSIPCO (2007), equation 6, for the effective rank; Sim, Johnson and Aspuru-Guzik, arXiv:1905.10876 (2019),
        section 4, on counting weights.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 4, 2, circuit="basic_entangler", n_layers=1, seed=0)
        >>> found = audit(layer, torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
        >>> found.layers[0].rank, found.layers[0].free_rank
        (4, 0)
        >>> print(found.layers[0].sentences()[0])
        Nothing to train: whatever the 4 weights do, they only rescale, shift or mix the channels, which a linear
            layer or a convolution after it does anyway.
    """
    module, images = _module_and_images(model, X)
    names = {layer: name or "layer" for name, layer in (*quantum_layers(module), *coherent_trees(module))}
    if not names:
        raise QuanvolveError(f"`model` is a {type(module).__name__} without a quantum layer: nothing to audit")
    seen = _inputs(module, list(names), images)
    trees = {tree for _, tree in coherent_trees(module)}
    layers = tuple(
        tree_audit(names[layer], layer, inputs, seed)
        if layer in trees
        else _of_layer(names[layer], layer, inputs, draws, seed)
        for layer, inputs in seen
    )
    owners = [part for layer in names for part in (layer.levels if layer in trees else [layer])]
    quantum = {id(w): w for part in owners for w in part.circuit_weights().values()}
    others = [p for p in module.parameters() if id(p) not in quantum]
    n_quantum = sum(weight.numel() for weight in quantum.values())
    return Audit(
        layers, n_quantum + sum(p.numel() for p in others), n_quantum, sum(layer.free_rank for layer in layers)
    )


def _module_and_images(model: Any, X: Any) -> tuple[nn.Module, Tensor]:
    if hasattr(model, "module_"):
        return model.module_, torch.from_numpy(model.prepared(X[:_MOST_IMAGES]))
    if not isinstance(model, nn.Module):
        raise QuanvolveError(f"`model` is a {type(model).__name__}, expected a module or a fitted QuanvClassifier")
    images = X if isinstance(X, Tensor) else torch.as_tensor(np.asarray(X))
    return model, images[:_MOST_IMAGES]


def _inputs(module: nn.Module, layers: list[Any], images: Tensor) -> list[tuple[Any, Tensor]]:
    """What each layer is given, in the order in which they run."""
    if not len(images):
        raise QuanvolveError("`X` is empty, expected images")
    seen: list[tuple[Any, Tensor]] = []
    hooks = [layer.register_forward_pre_hook(lambda hooked, args: seen.append((hooked, args[0]))) for layer in layers]
    training = module.training
    like = next(iter((*module.parameters(), *module.buffers())), images)
    try:
        module.eval()
        with torch.no_grad():
            module(images.to(like.device, like.dtype if like.is_floating_point() else None))
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    first: dict[int, tuple[Any, Tensor]] = {}
    for layer, inputs in seen:
        first.setdefault(id(layer), (layer, inputs))
    return list(first.values())


def _of_layer(name: str, layer: LayerView, inputs: Tensor, draws: int, seed: int) -> LayerAudit:
    if layer.dims == 1 and inputs.dim() == 2:  # features of a dense layer
        inputs = inputs.unsqueeze(1)
    channels = layer.out_channels
    windows = windows_of(layer, inputs, max(_LEAST_WINDOWS, 4 * (channels + 1)), seed)
    counts = layer.circuits[0].counts is not None
    n_weights = sum(weight.numel() for weight in layer.circuit_weights().values())
    dead: tuple[str, ...] = ()
    rescaling: tuple[str, ...] = ()
    rank = free = 0
    if counts:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            values = on_windows(layer)(windows).reshape(len(windows), -1).numpy()
    else:
        derivatives = jacobian(layer, windows)
        values, rest = derivatives.values, derivatives.beyond_affine()
        dead = derivatives.without_effect()
        rescaling = tuple(weight for weight in rest.without_effect(derivatives) if weight not in dead)
        rank, free = derivatives.rank(), rest.rank()
    constant, duplicates = _alike(values)
    variance = None if counts or not n_weights else gradient_variance(layer, windows, draws, seed)
    return LayerAudit(
        name,
        layer.circuit_name,
        layer.trainable,
        n_weights,
        dead,
        rescaling,
        rank,
        free,
        channels,
        constant,
        duplicates,
        effective_rank(values),
        variance,
        len(windows),
        counts,
    )


def _alike(values: Floats) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Channels that are constant, and pairs of others that are the same but for scale and shift."""
    centred = values - values.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    constant = constant_of(values)
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    same = 1 - np.abs(unit.T @ unit) < _SAME
    others = [k for k in range(values.shape[1]) if k not in constant]
    return constant, tuple((i, j) for i in others for j in others if i < j and same[i, j])


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown


def _numbered(what: str, numbers: tuple[int, ...]) -> str:
    shown = _list([str(n) for n in numbers])
    return f"{what.capitalize()} {shown} is" if len(numbers) == 1 else f"{what.capitalize()}s {shown} are"
