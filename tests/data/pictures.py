"""Folders of small pictures, and files that are damaged in every way that is known."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def painted(number: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> Image.Image:
    """Another picture for each number."""
    rng = np.random.default_rng(number)
    shape = size if mode == "L" else (*size, {"RGB": 3, "RGBA": 4}[mode])
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))


def folder_of(
    path: Path, classes: dict[str, int], *, ending: str = "png", size: tuple[int, int] = (8, 8), mode: str = "L"
) -> Path:
    """So many pictures of each class, in a folder for each."""
    number = 0
    for kind, count in classes.items():
        (path / kind).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            painted(number, size, mode).save(
                path / kind / f"{number:03}.{ending}", **({"lossless": True} if ending == "webp" else {})
            )
            number += 1
    return path


def claimed_png(width: int, height: int) -> bytes:
    """A PNG file that claims a size without having the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _saved(picture: Image.Image, ending: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, format={"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending))
    return file.getvalue()


def damaged() -> dict[str, tuple[str, bytes, str]]:
    """Files that cannot be read: for each kind of fault its name, its content and what is said of it."""
    photo = painted(0, (64, 64), "RGB")
    faults = {
        "0 bytes": ("empty.png", b"", r"is not an image of a known kind .*: it has 0 bytes"),
        "text": ("text.png", b"hello", "is not an image of a known kind .* damaged or something else"),
        "a page": ("page.jpg", b"<html><body>404</body></html>", "is not an image of a known kind"),
        "20,000 x 20,000": ("huge.png", claimed_png(20_000, 20_000), r"has over \d+ pixels, expected at most 64"),
        "9,000 x 9,000": ("large.png", claimed_png(9_000, 9_000), "has 9000x9000 pixels, expected at most 64 mega"),
        "no pixels": ("hollow.png", claimed_png(8, 8), "is a damaged image"),
        "floating point": (
            "float.tif", _saved(Image.fromarray(np.ones((8, 8), np.float32)), "tif"), "floating-point numbers"
        ),
        "32 bits": (
            "deep.tif", _saved(Image.fromarray(np.full((8, 8), 70_000, np.int32)), "tif"), "grey values from 70000"
        ),
    }  # fmt: skip
    for ending in ("jpg", "png", "gif", "bmp", "tif", "webp"):
        content = _saved(photo, ending)
        faults[f"cut {ending}"] = (f"cut.{ending}", content[: len(content) // 2], "is (a damaged image|not an image)")
    return faults
