"""Data of somebody's own, made for tests, and the requests that bring them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

API = "/api/v1/data"


def png(number: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> bytes:
    """A picture like no other of another number."""
    random = np.random.default_rng(number)
    shape = size[::-1] if mode == "L" else (*size[::-1], 3)
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 256, shape).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def photographs(count: int = 20, **kind: Any) -> dict[str, bytes]:
    """Pictures in folders of classes."""
    return {f"garden/{('apple', 'pear')[k % 2]}/{k}.png": png(k, **kind) for k in range(count)}


def npz(**arrays: Any) -> bytes:
    """Arrays in a file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def prices(count: int = 40) -> bytes:
    """A table with numbers to predict."""
    random = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{a + 2 * b + 0.001:.4f}" for a, b in random.random((count, 2))]
    return "\n".join(["rooms,area,price", *rows, ""]).encode()


def parts(files: Mapping[str, bytes]) -> list[Any]:
    """Files as a request of httpx has them."""
    return [("files", (name, content, "application/octet-stream")) for name, content in files.items()]


def bring(client: Any, files: Mapping[str, bytes], name: str = "Mine") -> str:
    """Upload a data set; its id."""
    made = client.post(API, json={"name": name, "files": len(files)})
    assert made.status_code == 201, made.text
    data = str(made.json()["id"])
    sent = client.post(f"{API}/{data}/files", files=parts(files))
    assert sent.status_code == 200, sent.text
    return data
