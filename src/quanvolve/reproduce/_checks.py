"""Exact checks that belong to a reproduction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from quanvolve.circuits import simulate
from quanvolve.nn import Quanv2d
from quanvolve.reproduce._config import Reproduction
from quanvolve.reproduce._data import cut
from quanvolve.reproduce._features import unit


def features(reproduction: Reproduction, data_dir: Path | None) -> dict[str, Any]:
    """The feature maps of two images, window by window with PennyLane, and by the layer.

    Returns:
        `windows`, and the largest `difference`.
    """
    images = unit(cut(reproduction.data, data_dir, 0)[0][:2])
    params = {**reproduction.params, **reproduction.arms[0].params}
    layer = Quanv2d(
        1, 4, params["kernel_size"], params["stride"], circuit=params["circuit"], n_layers=params["n_layers"], seed=0,
        trainable=False,
    )  # fmt: skip
    with torch.no_grad():
        ours = layer(torch.from_numpy(images)[:, None]).numpy()
        windows = F.unfold(torch.from_numpy(images)[:, None], params["kernel_size"], stride=params["stride"]).numpy()
    (row,) = layer.rows()
    weights = {name: weight.detach().numpy() for name, weight in row.weights.items()}
    largest, count = 0.0, 0
    flat = ours.reshape(*ours.shape[:2], -1)
    for image, place in np.ndindex(len(images), flat.shape[2]):
        theirs = simulate(row.circuit, (windows[image, :, place] * np.pi).tolist(), weights)
        largest = max(largest, float(np.abs(theirs - flat[image, :, place]).max()))
        count += 1
    return {"windows": count, "difference": largest}


CHECKS: dict[str, Callable[[Reproduction, Path | None], dict[str, Any]]] = {"features": features}
"""By the name that a config gives."""
