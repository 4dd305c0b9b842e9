"""Presets trained on the GPU: accuracy and time beside the CPU's."""

from __future__ import annotations

import importlib.util
import time
from typing import Any

from benchmarks.gpu_check._table import Table


def training(table: Table) -> None:
    """A preset on the bundled digits: accuracy on the device and on the CPU."""
    for name in ("skorch", "sklearn", "platformdirs"):
        if importlib.util.find_spec(name) is None:
            table.line("training", "digits", "good", beside=f"{name} is not installed")
            return
    for trainable in (True, False):
        case = "trained filters" if trainable else "fixed filters"
        options = {"trainable": trainable, "max_epochs": 5}
        table.attempt("training", f"digits, {case}", lambda options=options: _digits(table, options))
    for preset in ("quantum", "tree"):
        options = {"preset": preset, "max_epochs": 10}
        table.attempt("training", f"digits, preset {preset}", lambda options=options: _digits(table, options))


def _digits(table: Table, options: dict[str, Any]) -> dict[str, Any]:
    from quanvolve import load_dataset

    data = load_dataset("digits")
    told = {}
    for device in dict.fromkeys(("cpu", str(table.device))):
        start = time.perf_counter()
        model = _model(device, **options).fit(data.train_images, data.train_labels)
        told[device] = model.score(data.test_images, data.test_labels), time.perf_counter() - start
    (mine, seconds), (other, its) = told[str(table.device)], told["cpu"]
    good = "good" if abs(mine - other) <= 0.03 else "apart"
    beside = f"CPU {other:.4f}; {seconds:.1f} s, CPU {its:.1f} s"
    return {"value": mine, "unit": "accuracy", "beside": beside, "ratio": seconds / its, "result": good}


def _model(device: str, preset: str | None = None, **options: Any) -> Any:
    from quanvolve import QuanvClassifier

    options |= {"device": device, "random_state": 0}
    return QuanvClassifier(**options) if preset is None else QuanvClassifier.from_preset(preset, **options)
