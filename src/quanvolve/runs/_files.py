"""The names of the files in the folder of a run."""

from __future__ import annotations

from pathlib import Path

from quanvolve._file_names import CONFIG, TENSORS

RUN = "run.json"
"""The data and the options; without it a run cannot be continued."""
HISTORY = "history.jsonl"
"""One line of JSON for each finished epoch."""
CHECKPOINT = "checkpoint.safetensors"
"""The state after the last finished epoch; gone when the run is finished."""
METRICS = "metrics.json"
"""What the test images gave."""
LOSSES, CONFUSION, FEATURE_MAPS, FILTERS = "history.png", "confusion.png", "feature_maps.png", "filters.png"
RESIDUALS = "residuals.png"
"""Pictures."""
EXPLANATION = "explanation.html"
"""The page that `quanvolve explain` writes."""
ONNX_MODEL = "model.onnx"
"""Where the studio keeps the model for other programs."""

KEPT = (
    CONFIG,
    TENSORS,
    RUN,
    METRICS,
    HISTORY,
    EXPLANATION,
    ONNX_MODEL,
    LOSSES,
    CONFUSION,
    RESIDUALS,
    FEATURE_MAPS,
    FILTERS,
)
"""All that a finished run may have."""


def metrics_path(folder: Path) -> Path:
    """What the test images gave, in the folder of a run."""
    return folder / METRICS


def stamp_of(folder: Path) -> int:
    """When the model of a folder was written, in nanoseconds; another model has another stamp.

    Raises:
        FileNotFoundError: if there is none.
    """
    return (folder / CONFIG).stat().st_mtime_ns


def begun(folder: Path) -> bool:
    """Whether a folder says what is, or was, trained in it."""
    return (folder / RUN).is_file()


def trained(folder: Path) -> bool:
    """Whether a folder has a model that is final: its config.json is written last."""
    return (folder / CONFIG).is_file()
