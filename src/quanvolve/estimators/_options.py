"""The parameters that estimators have from the layer."""

from __future__ import annotations

from typing import Any

from quanvolve._options import layer_signature, model_options
from quanvolve.nn import WINDOW

_FIRST = (
    "encoding", "readout", "n_layers", "n_qubits", "channel_mixing", "scale", "weight_shapes", "init", "noise", "shots",
)  # fmt: skip
"""Where a signature has had these for longer, it keeps their order; all others follow in that of the layer."""

_names = sorted(model_options(), key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
PARAMETERS = [layer_signature().parameters[name] for name in _names if name != "trainable"]
"""Those of the constructors; whether filters are trained is up to each estimator."""

OPTIONS = [model_options()[parameter.name] for parameter in PARAMETERS]

_GEOMETRY = ("kernel_size", "stride")


def window_of(params: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an estimator that backbones of all kinds take, beside `kernel_size` and `stride`."""
    return {name: params[name] for name in WINDOW}


def quantum_of(params: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an estimator that only quantum layers take."""
    return {
        parameter.name: params[parameter.name]
        for parameter in PARAMETERS
        if parameter.name not in (*WINDOW, *_GEOMETRY)
    }
