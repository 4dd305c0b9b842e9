"""What training makes small and watches, by name, for each task."""

from __future__ import annotations

from types import MappingProxyType

from quanvolve.estimators import _losses, _metrics, _multilabel, _regression

LOSSES_OF = MappingProxyType({
    "classification": _losses.LOSSES,
    "multilabel": _losses.LOSSES,
    "regression": _regression.LOSSES,
})  # fmt: skip
"""What `loss` may be."""

MONITORS_OF = MappingProxyType({
    "classification": (*_metrics.SCORES, "loss"),
    "multilabel": (*_multilabel.SCORES, "loss"),
    "regression": (*_regression.SCORES, "loss"),
})  # fmt: skip
"""What `monitor` may be."""
