"""What a model says about images, and what it sees in one."""

from __future__ import annotations

import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile

from quanvolve.studio._bodies import ImagesRoute
from quanvolve.studio._forms import Id, Maps, MapsRequest, Predictions, PredictRequest
from quanvolve.studio._loaded import Floats, Loaded
from quanvolve.studio._pictures import as_drawn
from quanvolve.studio._problems import Refused
from quanvolve.studio._samples import IMAGE, sampled
from quanvolve.studio._studio import Studio, Use
from quanvolve.studio._uploads import from_files, must_be_drawable
from quanvolve.studio._wanted import still_wanted, while_wanted

router = APIRouter(prefix="/api/v1/models/{model}", tags=["Predictions"], route_class=ImagesRoute)


@router.post("/predict", operation_id="predict", **sampled(body={"images": [IMAGE]}))
async def predict(studio: Use, model: Id, request: PredictRequest) -> Predictions:
    """Classify images given as arrays."""
    loaded = await studio.loaded(model)
    values = _checked(request.images)
    if request.drawing:
        row = await studio.computed(studio.store.get, model)
        images = await studio.computed(_drawings, studio, loaded, values, row.dataset)
    else:
        images = loaded.images(_stacked(values))
    return await _predicted(studio, loaded, images)


@router.post("/predict/files", operation_id="predict_files", **sampled(files=True))
async def predict_files(
    studio: Use,
    model: Id,
    files: Annotated[list[UploadFile], File(
        description="PNG, JPEG, BMP, GIF or WebP files, or arrays of the model's shape in .npy files.", min_length=1,
    )],
    drawing: Annotated[bool | None, Form(
        description="Cut out, scale and centre what is drawn; if false, pictures must be of the model's size. Left "
        "out, pictures are drawings for models of one channel, and are scaled to the model's size for models of colour."
    )] = None,
) -> Predictions:  # fmt: skip
    """Classify uploaded pictures, and arrays in files."""
    loaded = await studio.loaded(model)
    contents = [await file.read() for file in files]
    row = await studio.computed(studio.store.get, model)
    images = await studio.computed(from_files, loaded, contents, drawing, row.dataset, studio.settings.limits)
    return await _predicted(studio, loaded, images)


@router.post(
    "/feature-maps",
    operation_id="feature_maps",
    **sampled(body={"image": IMAGE, "noise": 0.02, "shots": 1000}),
)
async def feature_maps(studio: Use, model: Id, request: MapsRequest) -> Maps:
    """What the model's first layer makes of an image, with noise and shots if wanted, and what the model then says."""
    loaded = await studio.loaded(model)
    if not isinstance(request.image, np.ndarray):
        raise Refused(422, "invalid", "image: expected an array of rows and columns")
    row = await studio.computed(studio.store.get, model)
    return await studio.computed(_maps, studio, loaded, request, row.dataset)


def _maps(studio: Studio, loaded: Loaded, request: MapsRequest, dataset: str) -> Maps:
    values = [request.image]
    image = (_drawings(studio, loaded, values, dataset) if request.drawing else loaded.images(_stacked(values)))[0]
    began = time.perf_counter()
    seen = loaded.seen(image, request.noise, request.shots, request.seed)
    return Maps(
        image=loaded.prepared(image[None])[0].numpy().round(4).tolist(),
        maps=seen.maps.round(4).tolist(),
        classes=loaded.classes,
        probabilities=seen.probabilities.tolist(),
        milliseconds=round(1e3 * (time.perf_counter() - began), 3),
    )


def _checked(values: Any) -> list[Floats]:
    if not isinstance(values, list) or not values:
        raise Refused(422, "invalid", "images: expected a list of at least one image")
    return values


def _stacked(values: list[Floats]) -> Floats:
    if len({value.shape for value in values}) > 1:
        raise Refused(422, "invalid", "images: expected arrays of numbers, all of the same shape")
    return np.stack(values)


def _drawings(studio: Studio, loaded: Loaded, values: list[Floats], dataset: str) -> Floats:
    """Drawings of any size, as images of the model."""
    must_be_drawable(loaded)
    most, left = studio.settings.limits.image_pixels, studio.settings.limits.pixels
    drawings = []
    for value in values:
        still_wanted()
        array = value[0] if value.ndim == 3 and len(value) == 1 else value
        left -= array.size
        if array.ndim != 2 or not array.size:
            raise Refused(422, "invalid", "images: a drawing is an array of rows and columns")
        if array.size > most or left < 0:
            raise Refused(413, "large", f"a drawing may have {most:,} pixels, and all of a request "
                          f"{studio.settings.limits.pixels:,}: make them smaller")  # fmt: skip
        drawings.append(as_drawn(array, (loaded.shape[1], loaded.shape[2]), dataset))
    return loaded.scaled(np.stack(drawings))[:, None]


async def _predicted(studio: Studio, loaded: Loaded, images: Floats) -> Predictions:
    probabilities = await while_wanted(studio.batcher.probabilities(loaded, images), studio.settings.limits.seconds)
    studio.meters.images.inc(len(images))
    return Predictions(
        classes=loaded.classes,
        labels=[loaded.classes[best] for best in probabilities.argmax(axis=1)],
        probabilities=probabilities.tolist(),
    )
