"""What a model says about images, and what it sees in one."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile

from quanvolve.studio._forms import Id, Maps, MapsRequest, Predictions, PredictRequest
from quanvolve.studio._loaded import Floats, Loaded, as_array
from quanvolve.studio._pictures import as_drawn, decoded
from quanvolve.studio._problems import Refused
from quanvolve.studio._studio import Studio, Use

router = APIRouter(prefix="/api/v1/models/{model}", tags=["Predictions"])


@router.post("/predict", operation_id="predict")
async def predict(studio: Use, model: Id, request: PredictRequest) -> Predictions:
    """Classify images given as arrays."""
    loaded = await studio.loaded(model)
    values = _checked(studio, request.images)
    if request.drawing:
        row = await studio.computed(studio.store.get, model)
        images = await studio.computed(_drawings, loaded, values, row.dataset)
    else:
        images = loaded.images(values)
    return await _predicted(studio, loaded, images)


@router.post("/predict/files", operation_id="predict_files")
async def predict_files(
    studio: Use,
    model: Id,
    files: Annotated[list[UploadFile], File(description="PNG, JPEG, BMP, GIF or WebP files.", min_length=1)],
    drawing: Annotated[
        bool, Form(description="Cut out, scale and centre what is drawn; else pictures must be of the model's size.")
    ] = True,
) -> Predictions:
    """Classify uploaded pictures."""
    loaded = await studio.loaded(model)
    if len(files) > studio.settings.limits.batch:
        raise Refused(413, "large", f"{len(files)} files, at most {studio.settings.limits.batch} are taken at a time")
    contents = [await file.read() for file in files]
    row = await studio.computed(studio.store.get, model)
    images = await studio.computed(_from_files, studio, loaded, contents, drawing, row.dataset)
    return await _predicted(studio, loaded, images)


@router.post("/feature-maps", operation_id="feature_maps")
async def feature_maps(studio: Use, model: Id, request: MapsRequest) -> Maps:
    """What the model's first layer makes of an image, with noise and shots if wanted, and what the model then says."""
    loaded = await studio.loaded(model)
    values = _checked(studio, [request.image])
    row = await studio.computed(studio.store.get, model)
    return await studio.computed(_maps, loaded, values, request, row.dataset)


def _maps(loaded: Loaded, values: Any, request: MapsRequest, dataset: str) -> Maps:
    image = (_drawings(loaded, values, dataset) if request.drawing else loaded.images(values))[0]
    began = time.perf_counter()
    seen = loaded.seen(image, request.noise, request.shots, request.seed)
    return Maps(
        image=loaded.prepared(image[None])[0].numpy().round(4).tolist(),
        maps=seen.maps.round(4).tolist(),
        classes=loaded.classes,
        probabilities=seen.probabilities.tolist(),
        milliseconds=round(1e3 * (time.perf_counter() - began), 3),
    )


def _checked(studio: Studio, values: Any) -> list[Any]:
    limits = studio.settings.limits
    if not isinstance(values, list) or not values:
        raise Refused(422, "invalid", "images: expected a list of at least one image")
    if len(values) > limits.batch:
        raise Refused(413, "large", f"{len(values)} images, at most {limits.batch} are taken at a time")
    return values


def _drawings(loaded: Loaded, values: list[Any], dataset: str) -> Floats:
    """Drawings of any size, as images of the model."""
    _must_be_drawable(loaded)
    found = []
    for value in values:
        array = as_array(value, "a drawing")
        if array.ndim == 3 and len(array) == 1:
            array = array[0]
        if array.ndim != 2 or not array.size:
            raise Refused(422, "invalid", "images: a drawing is an array of rows and columns")
        found.append(as_drawn(array, (loaded.shape[1], loaded.shape[2]), dataset))
    return loaded.scaled(np.stack(found))[:, None]


def _from_files(studio: Studio, loaded: Loaded, contents: list[bytes], drawing: bool, dataset: str) -> Floats:
    most = studio.settings.limits.image_pixels
    found = []
    if drawing:
        _must_be_drawable(loaded)
    for content in contents:
        picture = decoded(content, most, colour=loaded.shape[0] == 3)
        if drawing:
            picture = as_drawn(picture, (loaded.shape[1], loaded.shape[2]), dataset)
        found.append(picture)
        if picture.shape[-2:] != loaded.shape[1:]:
            given, own = ("x".join(map(str, shape)) for shape in (picture.shape[-2:], loaded.shape[1:]))
            raise Refused(422, "invalid", f"files: a picture is {given}, this model takes {own}: or say drawing=true")
    return loaded.images(loaded.scaled(np.stack(found)))


def _must_be_drawable(loaded: Loaded) -> None:
    if not loaded.drawable:
        size = "x".join(map(str, loaded.shape))
        raise Refused(409, "drawing", f"this model takes images of {size}, which cannot be drawn: use drawing=false")


async def _predicted(studio: Studio, loaded: Loaded, images: Floats) -> Predictions:
    seconds = studio.settings.limits.seconds
    try:
        async with asyncio.timeout(seconds):
            found = await studio.batcher.probabilities(loaded, images)
    except TimeoutError:
        raise Refused(503, "slow", f"the prediction took longer than {seconds:g} s and was given up") from None
    studio.meters.images.inc(len(images))
    return Predictions(
        classes=loaded.classes,
        labels=[loaded.classes[best] for best in found.argmax(axis=1)],
        probabilities=found.tolist(),
    )
