"""The models: what there is, how good they are, what they compute, and taking them away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response, StreamingResponse

from quanvolve.circuits import draw_figure
from quanvolve.runs import EXPLANATION, ONNX_MODEL, RESIDUALS, TASKS, config_of, epochs_of, metrics_of, trained
from quanvolve.studio import _deletion
from quanvolve.studio._drawings import svg_bytes
from quanvolve.studio._forms import Channel, Id, LayerOut, ModelDetail, ModelOut, ModelSamples, Rename
from quanvolve.studio._loaded import Loaded, is_drawable
from quanvolve.studio._problems import Missing
from quanvolve.studio._reports import content_of, framed
from quanvolve.studio._samples import sampled
from quanvolve.studio._studio import Studio, Use
from quanvolve.studio._tables import Job, Model
from quanvolve.studio._test_images import samples_for
from quanvolve.studio.routes._catalogue import SVG

router = APIRouter(prefix="/api/v1/models", tags=["Models"])
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.get("", operation_id="models")
def models(studio: Use) -> list[ModelOut]:
    """All models, newest first."""
    trainings = {job.model: job for job in reversed(studio.jobs.all(kind="train", limit=1000))}
    return [ModelOut(**_facts(studio, model, trainings.get(model.id))) for model in studio.store.all()]


@router.get("/{model}", operation_id="model")
def model(studio: Use, model: Id) -> ModelDetail:
    """One model, with its history."""
    return _detail(studio, studio.store.get(model))


@router.patch("/{model}", operation_id="rename_model", **sampled(body={"name": "Digits, first try"}))
def rename_model(studio: Use, model: Id, request: Rename) -> ModelDetail:
    """Give a model another name."""
    return _detail(studio, studio.store.rename(model, request.name))


@router.delete("/{model}", operation_id="delete_model", status_code=204)
def delete_model(studio: Use, model: Id) -> None:
    """Delete a model with its files and jobs; not while one of them runs."""
    _deletion.delete_model(model, studio.settings, studio.engine)


@router.get("/{model}/layer", operation_id="layer")
async def layer(studio: Use, model: Id) -> LayerOut:
    """What the model's first quantum layer computes: its windows, circuits and formulas."""
    return await studio.computed(_layer, await studio.loaded(model))


def _layer(loaded: Loaded) -> LayerOut:
    quanv = loaded.layer
    if quanv is None:
        empty = ("kernel_size", "stride", "corner", "dilation", "scales", "circuits", "channels")
        return LayerOut(
            summary="no quantum layer", plan="", in_channels=loaded.shape[0], **{name: [] for name in empty}
        )
    sides = quanv.geometry.sides()
    circuits = loaded.circuits()
    scales: dict[int, float] = {}
    for row in quanv.rows():
        scales |= zip(row.pixels, row.scale.tolist(), strict=True)
    return LayerOut(
        summary=str(quanv), plan=quanv.plan, in_channels=quanv.in_channels,
        kernel_size=list(quanv.kernel_size), stride=list(quanv.stride),
        corner=[-before for before, _ in sides], dilation=list(quanv.dilation),
        scales=[scales[pixel] for pixel in sorted(scales)],
        circuits=[circuit.name for circuit in circuits], channels=[Channel(**row) for row in loaded.channels()],
    )  # fmt: skip


@router.get(
    "/{model}/circuits/{number}/picture",
    operation_id="model_circuit",
    response_class=Response,
    responses=SVG,
    **sampled(saved="circuit.svg"),
)
async def model_circuit(
    studio: Use, model: Id, number: Annotated[int, Path(ge=0, le=10_000, examples=[0])], dark: bool = False
) -> Response:
    """One of the circuits of the first quantum layer, with the model's weights, as a picture in SVG."""
    loaded = await studio.loaded(model)
    key = ("model", loaded.key, number, dark)
    picture = await studio.drawings.picture(key, partial(_circuit, loaded, number, dark))
    return Response(picture, media_type="image/svg+xml")


def _circuit(loaded: Loaded, number: int, dark: bool) -> bytes:
    circuits = loaded.circuits()
    if number >= len(circuits):
        raise Missing("circuit", str(number))
    bound = circuits[number].bound
    return svg_bytes(lambda: draw_figure(bound.circuit, weights=bound.weights, scale=bound.scales), dark=dark)


@router.get("/{model}/samples", operation_id="model_samples")
async def model_samples(studio: Use, model: Id, count: Annotated[int, Query(ge=1, le=100)] = 20) -> ModelSamples:
    """Test images of the data set that the model was trained on, one class after the other, if it is still there."""
    loaded = await studio.loaded(model)
    return await studio.computed(samples_for, studio.store.ready(model), loaded, studio.settings, count)


@router.get("/{model}/residuals", operation_id="residuals", response_class=Response, **sampled(saved=RESIDUALS),
            responses={200: {"content": {"image/png": _BINARY}}})  # fmt: skip
def residuals(studio: Use, model: Id) -> Response:
    """The errors of a regressor on the test images, as a picture."""
    content = content_of(studio.store.ready(model) / RESIDUALS, "picture of the errors of model", model)
    return Response(content, media_type="image/png")


@router.get("/{model}/explanation", operation_id="explanation", response_class=Response, **sampled(saved=EXPLANATION),
            responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}})  # fmt: skip
def explanation(studio: Use, model: Id) -> Response:
    """The page that explains the model, once a job of kind `explain` has made it."""
    return framed(studio.store.ready(model) / EXPLANATION, "explanation of model", model)


@router.get("/{model}/onnx", operation_id="onnx", response_class=Response, **sampled(saved=ONNX_MODEL),
            responses={200: {"content": {"application/octet-stream": _BINARY}}})  # fmt: skip
def onnx(studio: Use, model: Id) -> Response:
    """The model as an ONNX file, once a job of kind `onnx` has made it."""
    content = content_of(studio.store.ready(model) / ONNX_MODEL, "ONNX file of model", model)
    disposition = f'attachment; filename="{_file_name(studio, model)}.onnx"'
    return Response(content, media_type="application/octet-stream", headers={"content-disposition": disposition})


@router.get("/{model}/download", operation_id="download", response_class=Response, **sampled(saved="model.zip"),
            responses={200: {"content": {"application/zip": _BINARY}}})  # fmt: skip
def download(studio: Use, model: Id) -> Response:
    """The model's folder as a ZIP file: `quanvolve.load`, `quanvolve evaluate` and `quanvolve explain` take it."""
    pieces: Iterator[bytes] = studio.store.zipped(model)
    first = next(pieces)  # errors are answers as long as nothing has been sent

    def all_pieces() -> Iterator[bytes]:
        yield first
        yield from pieces

    disposition = f'attachment; filename="{_file_name(studio, model)}.zip"'
    return StreamingResponse(all_pieces(), media_type="application/zip", headers={"content-disposition": disposition})


def _file_name(studio: Studio, model: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", studio.store.get(model).name).strip("-").lower()
    return name[:60] or model


def _facts(studio: Studio, row: Model, training: Job | None) -> dict[str, Any]:
    folder = studio.store.folder(row.id)
    ready = trained(folder)
    busy = training is not None and training.state in ("queued", "running")
    # The model is written before its metrics and pictures: until the job is done it is not ready.
    metrics = metrics_of(folder) if ready else None
    if ready and not (busy and metrics is None):
        state = "ready"
    elif training is None:
        state = "failed"
    else:
        state = "running" if training.state == "done" else training.state
    return {
        "id": row.id, "name": row.name, "dataset": row.dataset, "created": row.created, "state": state,
        "task": _task(row, metrics, folder),
        "settings": row.settings, "metrics": metrics, "explanation": (folder / EXPLANATION).is_file(),
        "onnx": (folder / ONNX_MODEL).is_file(),
    }  # fmt: skip


def _detail(studio: Studio, row: Model) -> ModelDetail:
    trainings = studio.jobs.all(kind="train", model=row.id, limit=1)
    facts = _facts(studio, row, trainings[0] if trainings else None)
    folder = studio.store.folder(row.id)
    config = config_of(folder)
    shape: list[int] | None = config.get("image_shape")
    return ModelDetail(
        **facts, image_shape=shape, input_range=config.get("input_range"),
        drawable=shape is not None and is_drawable(shape), preparation=config.get("preparation"),
        residuals=(folder / RESIDUALS).is_file(), explainable=facts["task"] == "classification",
        history=epochs_of(folder),
    )  # fmt: skip


def _task(row: Model, metrics: dict[str, Any] | None, folder: FilePath) -> str:
    """What a model learns, by its results; by its options while there are none, and else by the model itself."""
    stated = (metrics or row.settings).get("task")
    if metrics is None and stated not in TASKS:
        config = config_of(folder)
        kinds = {"regressor": "regression", "classifier": "multilabel" if config.get("multilabel") else None}
        stated = kinds.get(config.get("kind", ""))
    return stated if stated in TASKS else "classification"
