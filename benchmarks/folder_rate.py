"""Folders of pictures: the rate at which `load_dataset` reads them, beside a plain loop over them with Pillow.

    python benchmarks/folder_rate.py

Each set is written to a temporary folder and read by both in turn, so that both find it in the memory of the file
system. The plain loop knows what `load_dataset` has to find out: the files, their size and their colours. It converts
and resizes where that is asked for, and fills an array that is there already. Writes `folder_rate.csv` beside this
file.
"""

from __future__ import annotations

import csv
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from quanvolve import load_dataset

HERE = Path(__file__).parent
ROUNDS = 3
SETS = {
    "28x28 grey PNG": (20_000, (28, 28), "L", "png", {}),
    "32x32 colour PNG": (20_000, (32, 32), "RGB", "png", {}),
    "64x64 colour JPEG, to 28x28": (20_000, (64, 64), "RGB", "jpg", {"image_size": 28}),
    "3000x2000 colour JPEG, to 64x64": (60, (2000, 3000), "RGB", "jpg", {"image_size": 64}),
}  # fmt: skip


def write(folder: Path, count: int, size: tuple[int, int], mode: str, ending: str) -> None:
    """So many smooth pictures with some noise, in ten classes."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / str(number % 10)
        place.mkdir(parents=True, exist_ok=True)
        blocks = rng.integers(0, 256, (4, 4, 3) if mode == "RGB" else (4, 4), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(blocks).resize(size[::-1], Image.Resampling.BICUBIC))
        noisy = smooth // 2 + rng.integers(0, 16, smooth.shape, dtype=np.uint8)
        Image.fromarray(noisy).save(place / f"{number:05}.{ending}")


def plain(folder: Path, count: int, shape: tuple[int, ...], resize: bool) -> np.ndarray:
    """The loop that people write."""
    images = np.empty((count, *shape), dtype=np.uint8)
    paths = [path for kind in sorted(os.listdir(folder)) for path in sorted((folder / kind).iterdir())]
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            if resize:
                picture = ImageOps.fit(picture.convert("RGB"), (shape[1], shape[0]), Image.Resampling.BILINEAR)
            images[number] = np.asarray(picture)
    return images


def seconds(run: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Time both in turn, and see what memory is used beside the array itself."""
    rows = []
    for name, (count, size, mode, ending, asked) in SETS.items():
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            write(folder, count, size, mode, ending)
            side = asked.get("image_size")
            shape = ((side, side) if side else size) + ((3,) if mode == "RGB" else ())
            times: dict[str, list[float]] = {"quanvolve": [], "plain": []}
            for _ in range(ROUNDS):
                times["plain"].append(seconds(lambda: plain(folder, count, shape, bool(side))))  # noqa: B023
                times["quanvolve"].append(seconds(lambda: load_dataset(folder, **asked)))  # noqa: B023
            tracemalloc.start()
            array = load_dataset(folder, **asked).train_images.base
            beside = tracemalloc.get_traced_memory()[1] - array.nbytes
            tracemalloc.stop()
        rates = {kind: count / statistics.median(own) for kind, own in times.items()}
        ratio = rates["quanvolve"] / rates["plain"]
        rows.append(
            [name, count, f"{rates['plain']:.0f}", f"{rates['quanvolve']:.0f}", f"{ratio:.2f}", f"{beside / 1e6:.1f}"]
        )
        print(*rows[-1], flush=True)
    with (HERE / "folder_rate.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pictures", "count", "plain loop / s", "quanvolve / s", "ratio", "MB beside the array"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
