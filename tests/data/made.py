"""Small files in the forms in which data sets are published."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

import numpy as np
import scipy.io

RNG = np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def mat(images: np.ndarray, labels: np.ndarray, compressed: bool = True) -> bytes:
    """SVHN's form of images (n, 3, H, W)."""
    buffer = io.BytesIO()
    arrays = {"X": images.transpose(2, 3, 1, 0), "y": labels[:, None].astype(np.uint8)}
    scipy.io.savemat(buffer, arrays, do_compression=compressed)
    return buffer.getvalue()


def cifar(images: np.ndarray, *labels: np.ndarray) -> bytes:
    """The binary form of images (n, 3, 32, 32): the labels of each image before it."""
    columns = [column.astype(np.uint8)[:, None] for column in labels]
    return np.concatenate([*columns, images.reshape(len(images), -1)], axis=1).astype(np.uint8).tobytes()


def usps(images: np.ndarray, labels: np.ndarray) -> bytes:
    """LIBSVM's form of images (n, 16, 16) with labels from 0, which are counted from 1 in the file."""
    lines = (
        f"{label + 1} " + " ".join(f"{i}:{value:.6g}" for i, value in enumerate(image.ravel(), 1)) + " \n"
        for image, label in zip(images, labels, strict=True)
    )
    return bz2.compress("".join(lines).encode())


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """A .tar.gz of the files, the same bytes at any time of day."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def colour(n: int, size: int = 32) -> np.ndarray:
    return RNG.integers(0, 256, (n, 3, size, size), dtype=np.uint8)
