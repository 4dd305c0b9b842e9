"""Quantum convolution for PyTorch and scikit-learn.

The public names are loaded when first used, so that `import quanvolve` stays instant and pulls in neither
PennyLane, scikit-learn, skorch nor matplotlib; the version, which is read from the installed files, is too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quanvolve._cite import cite as cite
    from quanvolve._version import __version__ as __version__
    from quanvolve.data import load_dataset as load_dataset
    from quanvolve.estimators import QuanvClassifier as QuanvClassifier
    from quanvolve.estimators import QuanvRegressor as QuanvRegressor
    from quanvolve.estimators import QuanvTransformer as QuanvTransformer
    from quanvolve.estimators import load as load
    from quanvolve.nn import CoherentTree as CoherentTree
    from quanvolve.nn import QuantumLinear as QuantumLinear
    from quanvolve.nn import Quanv1d as Quanv1d
    from quanvolve.nn import Quanv2d as Quanv2d
    from quanvolve.nn import Quanv3d as Quanv3d
    from quanvolve.nn import quanv1d as quanv1d
    from quanvolve.nn import quanv2d as quanv2d
    from quanvolve.nn import quanv3d as quanv3d

_HOME = {
    "__version__": "quanvolve._version",
    "CoherentTree": "quanvolve.nn",
    "Quanv1d": "quanvolve.nn",
    "Quanv2d": "quanvolve.nn",
    "Quanv3d": "quanvolve.nn",
    "QuantumLinear": "quanvolve.nn",
    "quanv1d": "quanvolve.nn",
    "quanv2d": "quanvolve.nn",
    "quanv3d": "quanvolve.nn",
    "QuanvClassifier": "quanvolve.estimators",
    "QuanvRegressor": "quanvolve.estimators",
    "QuanvTransformer": "quanvolve.estimators",
    "cite": "quanvolve._cite",
    "load": "quanvolve.estimators",
    "load_dataset": "quanvolve.data",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'quanvolve' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
