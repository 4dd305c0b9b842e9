"""Circuits of a saved model: those of its filters, and of all its quantum layers where these were calibrated."""

from __future__ import annotations

from typing import Any

from torch import nn

from quanvolve.circuits import Circuit
from quanvolve.nn import HybridModel, QuanvNd


def kept_circuits(module: nn.Module) -> tuple[Circuit, ...]:
    """The circuits to be saved with a model.

    The layers of a preset share one circuit, and that of a quantum head is made anew from its name: the circuits of the
    first layer of the backbone are enough. Where another layer has been calibrated, it has fitted polynomials without
    weights in place of its circuits; then those of all layers are kept, one for each row.
    """
    first, layers = _layers(module)
    if any(layer is not first and not layer.circuit_weights() for layer in layers.values()):
        return tuple(row.circuit for layer in layers.values() for row in layer.rows())
    return first.circuits if first is not None else ()


def kept_options(module: nn.Module) -> dict[str, Any]:
    """How the filters are evaluated: those of a calibrated model are computed exactly, whatever they were before."""
    first, _ = _layers(module)
    if first is None:
        return {}
    drawn = first.shots is not None
    return {"engine": first.engine, "shots": first.shots, "diff_method": first.diff_method if drawn else "exact"}


def take_fitted(module: nn.Module, circuits: tuple[Circuit, ...]) -> bool:
    """Give all quantum layers of a model the circuits that were saved for each of their rows.

    Args:
        module: as it was before it was calibrated; it is changed.
        circuits: from :func:`kept_circuits`.

    Returns:
        Whether they are circuits of all layers, and not of the first alone.
    """
    first, layers = _layers(module)
    rows = {name: layer.layout.rows for name, layer in layers.items()}
    if list(layers.values()) == [first] or not layers or len(circuits) != sum(rows.values()):
        return False
    start = 0
    for name, layer in layers.items():
        parent, _, last = name.rpartition(".")
        fitted = layer.with_circuits(circuits[start : start + rows[name]])
        setattr(module.get_submodule(parent), last, fitted)
        start += rows[name]
    return True


def _layers(module: nn.Module) -> tuple[QuanvNd | None, dict[str, QuanvNd]]:
    """The first quantum layer of the backbone, and all by name."""
    backbone = module.backbone if isinstance(module, HybridModel) else module
    first = next((layer for layer in backbone.modules() if isinstance(layer, QuanvNd)), None)
    return first, {name: layer for name, layer in module.named_modules() if isinstance(layer, QuanvNd)}
