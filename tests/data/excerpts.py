"""Cuts the excerpts in `files/` out of the complete data: `QUANVOLVE_DATA=... python -m tests.data.excerpts`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quanvolve.data import read_idx, write_idx
from quanvolve.data._four_idx import FILES
from tests.datasets import EXCERPTS, complete

IMAGES = {"train": 400, "t10k": 150}
# How many series of each class, and the ending of the text files.
UCR = {"ArrowHead": (2, "ts"), "Coffee": (6, "txt")}


def cut(mnist: Path, timeseries: Path, into: Path) -> None:
    """Write the excerpts of MNIST and of the series into a folder."""
    (into / "mnist").mkdir(parents=True, exist_ok=True)
    for stem in FILES:
        write_idx(into / "mnist" / f"{stem}.gz", read_idx(mnist / f"{stem}.gz")[: IMAGES[stem.partition("-")[0]]])
    for name, (each, ending) in UCR.items():
        folder = into / "timeseries" / name
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {}
        with np.load(timeseries / name / f"{name}.npz") as whole:
            for part in ("train", "test"):
                labels = whole[f"{part}_labels"]
                rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[:each] for label in np.unique(labels)]))
                for kind in ("series", "labels"):
                    arrays[f"{part}_{kind}"] = whole[f"{part}_{kind}"][rows]
                file = f"{name}_{part.upper()}.{ending}"
                lines = (timeseries / name / file).read_text().splitlines(keepends=True)
                head = next((k + 1 for k, line in enumerate(lines) if line.strip() == "@data"), 0)
                text = "".join(lines[:head] + [lines[head + row] for row in rows])
                (folder / file).write_text(text)
        np.savez_compressed(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    cut(complete("mnist"), complete("timeseries"), EXCERPTS)
