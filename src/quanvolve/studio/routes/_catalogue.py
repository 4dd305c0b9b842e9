"""What there is to choose from: data sets and circuits."""

from __future__ import annotations

import threading
from functools import lru_cache, partial
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, draw_figure, named_circuit
from quanvolve.data import Dataset, load_dataset
from quanvolve.nn import BACKBONES, CONTROLS
from quanvolve.studio._drawings import svg_bytes
from quanvolve.studio._fields import forms
from quanvolve.studio._forms import CircuitOut, DatasetOut, Sample
from quanvolve.studio._layer_form import Word
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._requests import available, image_sets
from quanvolve.studio._samples import sampled
from quanvolve.studio._studio import Use
from quanvolve.studio._test_images import samples_of

router = APIRouter(prefix="/api/v1", tags=["Data sets and circuits"])
SVG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}}
_lock = threading.Lock()
_BACKBONES = {
    "quantum": "quantum circuits", "unentangled": "the circuits without gates on two qubits",
    "classical": "a convolution of the same shape, then ReLU", "none": "nothing: the pixels",
}  # fmt: skip


@router.get("/datasets", operation_id="datasets")
def datasets(studio: Use) -> list[DatasetOut]:
    """The data sets of images, and whether their files are on this server."""
    return [
        DatasetOut(
            name=info.name, images=info.images, shape=list(info.shape), classes=info.classes, source=info.source,
            licence=info.licence, available=available(info.name, studio.settings),
        )
        for info in image_sets()
    ]  # fmt: skip


@router.get("/datasets/{name}/samples", operation_id="samples")
def samples(
    studio: Use,
    name: Annotated[Word, Path(examples=["digits"])],
    count: Annotated[int, Query(ge=1, le=100)] = 20,
    start: Annotated[int, Query(ge=0, le=100_000, description="Skip so many test images of each class.")] = 0,
) -> list[Sample]:
    """Test images of a data set, one class after the other."""
    if name not in [info.name for info in image_sets()]:
        raise Missing("data set of images", name)
    if not available(name, studio.settings):
        raise Refused(409, "data", f"the files of data set {name!r} are not on this server")
    with _lock:
        data = _dataset(name, studio.settings.data_dir)
    return samples_of(data, count, start)


@lru_cache(maxsize=2)
def _dataset(name: str, data_dir: FilePath | None) -> Dataset:
    return load_dataset(name, data_dir=data_dir)


@router.get("/circuits", operation_id="circuits")
def circuits() -> CircuitOut:
    """Circuits, encodings and readouts, and what else can be chosen."""
    tables: list[Any] = [ANSATZE, ENCODINGS, READOUTS]
    first, second, third = ({name: entry.summary for name, entry in table.items()} for table in tables)
    backbones = {name: CONTROLS[name].summary if name in CONTROLS else _BACKBONES.get(name, name) for name in BACKBONES}
    return CircuitOut(circuits=first, encodings=second, readouts=third, backbones=backbones, forms=forms())


@router.get(
    "/circuits/{name}/picture",
    operation_id="circuit_picture",
    response_class=Response,
    responses=SVG,
    **sampled(saved="circuit.svg"),
)
async def circuit_picture(
    studio: Use,
    name: Annotated[Word, Path(examples=["strongly_entangling"])],
    encoding: Word = "ry",
    readout: Word = "z",
    layers: Annotated[int, Query(ge=1, le=8)] = 2,
    kernel_size: Annotated[int, Query(ge=1, le=3)] = 2,
    dark: bool = False,
) -> Response:
    """A circuit as a picture in SVG."""
    chosen = (name, encoding, readout, layers, kernel_size, dark)
    picture = await studio.drawings.picture(("circuit", *chosen), partial(_picture, *chosen))
    return Response(picture, media_type="image/svg+xml")


def _picture(name: str, encoding: str, readout: str, layers: int, kernel_size: int, dark: bool) -> bytes:
    circuit = named_circuit(
        name, kernel_size**2, encoding=encoding, readout=readout, n_layers=layers, columns=kernel_size
    )
    if circuit.n_wires > 10:
        raise Refused(422, "invalid", f"{circuit.n_wires} qubits are too many for a picture: use a smaller window")
    return svg_bytes(lambda: draw_figure(circuit), dark=dark)
