"""What a job runs: a command of the command line, so that everything it does can be done by hand too."""

from __future__ import annotations

from pathlib import Path

from quanvolve._file_names import STUDY_TABLE
from quanvolve.runs import ONNX_MODEL, begun
from quanvolve.studio._own import data_path
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import OWN, Job
from quanvolve.study import SEEDS

TRAIN, EXPLAIN, ONNX, COMPARE = "train", "explain", "onnx", "compare"


def folder_of(job: Job, settings: Settings) -> Path:
    """Where a job works: the folder of its model, or of its study."""
    return settings.studies / job.id if job.model is None else settings.models / job.model


def command_of(job: Job, settings: Settings) -> list[str]:
    """The arguments of `quanvolve` that do the job, or go on with it.

    Examples:
        >>> settings = Settings(Path("store"))
        >>> chosen = {"dataset": "digits", "epochs": 3, "trainable": True}
        >>> job = Job(kind="train", model="0123456789ab", settings=chosen)
        >>> " ".join(command_of(job, settings))
        'train digits --output store/models/0123456789ab --epochs 3 --trainable'
    """
    folder = folder_of(job, settings)
    if job.kind == EXPLAIN:
        return ["explain", str(folder), *_data(settings)]
    if job.kind == ONNX:
        return ["export", str(folder), "--to", "onnx", "--output", str(folder / ONNX_MODEL)]
    output = ["--output", str(folder)]
    started = begun(folder) if job.kind == TRAIN else (folder / STUDY_TABLE).is_file()
    if started:
        return [job.kind, *output, "--resume", *(["--retry"] if job.kind == COMPARE else [])]
    chosen = dict(job.settings)
    if job.kind == COMPARE and chosen.get("seeds") == SEEDS:
        del chosen["seeds"]  # as usual: with few test images, splits take their place
    data = chosen.pop("dataset")
    if chosen.pop(OWN, None) is not None:
        data = str(data_path(settings.data / data))
    return [job.kind, data, *output, *_options(chosen), *_data(settings)]


def _options(chosen: dict[str, object]) -> list[str]:
    options = []
    for name, value in chosen.items():
        if name == "trainable":
            options.append("--trainable" if value else "--fixed")
        elif isinstance(value, bool):
            options.append(f"--{'' if value else 'no-'}{name.replace('_', '-')}")
        elif value is not None:
            text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            options += [f"--{name.replace('_', '-')}", text]
    return options


def _data(settings: Settings) -> list[str]:
    return [] if settings.data_dir is None else ["--data-dir", str(settings.data_dir)]
