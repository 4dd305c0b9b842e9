"""Feature maps of data that does not fit into memory: from arrays on disk to arrays on disk, a block at a time."""

from __future__ import annotations

import hashlib
import json
import operator
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import DataError, ModelError, QuanvolveError
from quanvolve._files import write_whole
from quanvolve._untrusted import read_json

BLOCK = 1024
_SAMPLES = 16


def transform_on_disk(
    transformer: Any,
    source: str | Path,
    target: str | Path,
    *,
    block: int = BLOCK,
    client: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Write the feature maps of images on disk to an array on disk, never holding more than a block of them.

    What is finished is kept: after an interruption the same call does only what is missing. The target has its name
    only once it is whole; until then it is beside it, with the ending ".part".

    Args:
        transformer: a fitted :class:`quanvolve.QuanvTransformer`.
        source: images (n, ...) as a .npy file or a .zarr folder.
        target: a .npy file or a .zarr folder for the feature maps (n, features), float32 (float64 for float64 images).
        block: images that are read, computed and written together.
        client: of a `distributed.Client`, to do blocks as tasks of Dask, on workers that see the same files.
        progress: told how many images are done, of how many.

    Returns:
        The finished array, opened to be read: a memory map, or an array of zarr.

    Raises:
        DataError: if the source cannot be read.
        ModelError: if the target that was begun is of other images or another transformer.
        QuanvolveError: if an ending is unknown, `block` is less than 1, or the target is there already.

    Examples:
        >>> import tempfile
        >>> from quanvolve import QuanvTransformer
        >>> images = np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/images.npy", images)
        ...     transformer = QuanvTransformer(random_state=0).fit(images[:10])
        ...     maps = transform_on_disk(transformer, f"{folder}/images.npy", f"{folder}/maps.npy", block=32)
        ...     bool((maps == transformer.transform(images)).all())
        True
    """
    if block < 1:
        raise QuanvolveError(f"`block` (={block}) must be at least 1")
    into, part = Path(target), Path(f"{target}.part")
    images = opened(source)
    _kind(into)
    state = Path(f"{part}.json")
    if into.exists() and (part.exists() or not state.exists()):
        raise QuanvolveError(f"{into} is there already: remove it, or give another name")
    n, sample = int(images.shape[0]), transformer.transform(np.asarray(images[:1]))
    wanted = {
        "fingerprint": _fingerprint(transformer, images), "block": block, "images": n, "shape": [n, sample.shape[1]],
        "dtype": str(sample.dtype),
    }  # fmt: skip
    if into.exists():  # whole, by a process that ended before it removed what it knew of its blocks
        done = _begun(state, into, wanted)
    else:
        done = _begun(state, part, wanted) if state.exists() else _begin(state, part, into, wanted)
    starts = [start for start in range(0, n, block) if start not in done]
    _tell(progress, done, block, n)
    for start in _run(transformer, Path(source), part, into, starts, block, n, client):
        done.add(start)
        write_whole(state, json.dumps({**wanted, "done": sorted(done)}))
        _tell(progress, done, block, n)
    if not into.exists():
        for left in part.rglob("*.partial") if part.is_dir() else ():  # chunks of zarr whose writer was killed
            left.unlink(missing_ok=True)
        os.replace(part, into)
    state.unlink(missing_ok=True)
    return opened(into)


def _tell(progress: Callable[[int, int], None] | None, done: set[int], block: int, n: int) -> None:
    if progress is not None:
        progress(sum(min(block, n - start) for start in done), n)


def opened(path: str | Path) -> Any:
    """An array on disk, to be read.

    Raises:
        DataError: if it is missing or damaged.
    """
    source = Path(path)
    try:
        if _kind(source) == "npy":
            return np.load(source, mmap_mode="r", allow_pickle=False)
        return _zarr().open_array(str(source), mode="r")
    except QuanvolveError:
        raise
    except Exception as error:
        raise DataError(f"{source} cannot be read as an array: {error}") from error


def _kind(path: Path) -> str:
    kind = path.suffix[1:].lower()
    if kind not in ("npy", "zarr"):
        raise QuanvolveError(f"{path} must end with .npy or .zarr")
    return kind


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise QuanvolveError("arrays of zarr need the package zarr: pip install 'quanvolve[cluster]'") from error
    return zarr


def _begin(state: Path, part: Path, into: Path, wanted: dict[str, Any]) -> set[int]:
    shape, dtype = tuple(wanted["shape"]), np.dtype(wanted["dtype"])
    if part.is_dir():
        shutil.rmtree(part)
    if _kind(into) == "npy":
        made = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
        made.flush()
        del made
    else:
        chunks = (min(wanted["block"], max(1, shape[0])), shape[1])
        _zarr().create_array(str(part), shape=shape, chunks=chunks, dtype=dtype, overwrite=True)
    write_whole(state, json.dumps({**wanted, "done": []}))
    return set()


def _begun(state: Path, part: Path, wanted: dict[str, Any]) -> set[int]:
    try:
        begun = read_json(state)
        done = set(map(operator.index, begun.pop("done")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{state} is damaged ({error}): remove it and {part}, and begin again") from None
    if begun != wanted or not part.exists() or not done <= set(range(0, wanted["images"], wanted["block"])):
        raise ModelError(
            f"{part} was begun with other images, another transformer or another `block`: remove it and {state}, or "
            "give another name"
        )
    return done


def _fingerprint(transformer: Any, images: Any) -> str:
    """Tells transformers and images apart."""
    digest = hashlib.sha256(repr((images.shape, str(images.dtype))).encode())
    step = max(1, images.shape[0] // _SAMPLES)
    digest.update(np.ascontiguousarray(np.asarray(images[::step][:_SAMPLES])).tobytes())
    for name, tensor in sorted(transformer.module_.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    digest.update(repr((transformer.image_shape_, transformer.input_range_)).encode())
    return digest.hexdigest()


def _run(
    transformer: Any, source: Path, part: Path, into: Path, starts: list[int], block: int, n: int, client: Any
) -> Iterator[int]:
    """Do blocks, and say which is finished."""
    kind = _kind(into)
    if client is None:
        for start in starts:
            yield do_block(transformer, source, part, kind, start, min(start + block, n))
        return
    import distributed

    tasks = [client.submit(do_block, transformer, source, part, kind, s, min(s + block, n), pure=False) for s in starts]
    arriving: Any = distributed.as_completed(tasks)  # type: ignore[no-untyped-call]
    for task in arriving:
        yield task.result()


def do_block(transformer: Any, source: Path, part: Path, kind: str, start: int, stop: int) -> int:
    """Compute and write one block; its first image's number."""
    maps = transformer.transform(np.asarray(opened(source)[start:stop]))
    if kind == "npy":
        into = np.lib.format.open_memmap(part, mode="r+")
        into[start:stop] = maps
        into.flush()
    else:
        _zarr().open_array(str(part), mode="r+")[start:stop] = maps
    return start
