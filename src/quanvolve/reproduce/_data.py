"""The data of a reproduction: some classes, sizes and numbers of images of a data set."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from quanvolve._errors import DataError
from quanvolve.data import Dataset, load_dataset

Array = npt.NDArray[Any]
Cut = tuple[Array, Array, Array, Array]


@lru_cache(maxsize=1)
def _loaded(dataset: str, data_dir: Path | None) -> Dataset:
    return load_dataset(dataset, data_dir=data_dir)


def cut(settings: dict[str, Any], data_dir: Path | None, seed: int) -> Cut:
    """Training images and labels, test images and labels.

    Args:
        settings: `dataset`; `series`, whether it is a folder of those; `classes`, which are kept; `side`, to which
            images are made smaller by bilinear interpolation, `antialias` or not; `train` and `test`, how many;
            `draw`: "first" takes the first ones, "random" draws the training images anew for each seed.
        data_dir: where the files are.
        seed: of the drawing.

    Raises:
        DataError: if they are not there.
    """
    name = settings["dataset"]
    if settings.get("series"):
        folder = data_dir or Path(os.environ.get("QUANVOLVE_DATA", "."))
        if not (folder / name).is_dir():
            raise DataError(
                f"the series {name} of the UCR archive are not in {folder}: give the folder that has them as "
                f"{name}/{name}_TRAIN.ts and {name}_TEST.ts with `data_dir`"
            )
        data = _loaded(str(folder / name), None)
    else:
        data = _loaded(name, data_dir)
    parts = []
    for images, labels, count, draws in (
        (data.train_images, data.train_labels, settings.get("train"), settings.get("draw") == "random"),
        (data.test_images, data.test_labels, settings.get("test"), False),
    ):
        rows = np.arange(len(labels))
        if settings.get("classes"):
            rows = rows[np.isin(labels, settings["classes"])]
        if draws:
            rows = np.random.default_rng(seed).permutation(rows)
        rows = rows[:count]
        parts += [_smaller(images[rows], settings.get("side"), settings.get("antialias", True)), labels[rows]]
    return parts[0], parts[1], parts[2], parts[3]


def _smaller(images: Array, side: int | None, antialias: bool) -> Array:
    if side is None or side == images.shape[-1]:
        return images
    pixels = torch.from_numpy(images)[:, None].float()
    small = F.interpolate(pixels, (side, side), mode="bilinear", align_corners=False, antialias=antialias)
    return small[:, 0].round().to(torch.uint8).numpy()
