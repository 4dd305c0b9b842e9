"""What a model says about images, and what it sees in one."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile

from quanvolve.runs import OF_LABELS, Answers
from quanvolve.studio._bodies import ImagesRoute
from quanvolve.studio._forms import Fault, Id, Maps, MapsRequest, Predictions, PredictRequest
from quanvolve.studio._loaded import Floats, Loaded
from quanvolve.studio._pictures import as_drawn
from quanvolve.studio._problems import Refused
from quanvolve.studio._samples import IMAGE, sampled
from quanvolve.studio._studio import Studio, Use
from quanvolve.studio._uploads import Read, Upload, coloured, from_files, must_be_drawable
from quanvolve.studio._wanted import still_wanted, while_wanted

_FEW = 16  # images that are looked at faster than a thread is asked
router = APIRouter(prefix="/api/v1/models/{model}", tags=["Predictions"], route_class=ImagesRoute)


@router.post("/predict", operation_id="predict", **sampled(body={"images": [IMAGE]}))
async def predict(studio: Use, model: Id, request: PredictRequest) -> Predictions:
    """What a model says of images given as arrays: classes, labels or numbers."""
    loaded = await studio.loaded(model)
    values = _checked(request.images)
    if request.drawing:
        row = await studio.computed(studio.store.get, model)
        images = await studio.computed(_drawings, studio, loaded, values, row.dataset)
    else:
        images = loaded.images(_stacked(values))
    names = [f"images[{k}]" for k in range(len(images))]
    return await _predicted(studio, loaded, Read(names, images, []), request.invert)


@router.post("/predict/files", operation_id="predict_files", **sampled(files=True))
async def predict_files(
    studio: Use,
    model: Id,
    files: Annotated[list[UploadFile], File(
        description="PNG, JPEG, BMP, GIF or WebP files; arrays of the model's shape, or of several, in .npy or .npz "
        "files; tables (.csv, .tsv) with an image a row.", min_length=1,
    )],
    drawing: Annotated[bool | None, Form(
        description="Cut out, scale and centre what is drawn; if false, pictures are taken as those of the training "
        "were, or as `fit` says, and without either must be of the model's size. Left out, pictures are drawings for "
        "models of grey arrays, are prepared as in the training of models of pictures, and are scaled to the model's "
        "size for other models of colour."
    )] = None,
    fit: Annotated[Literal["crop", "pad", "stretch"] | None, Form(
        description="How pictures of any size are brought to that of a model which learned from arrays."
    )] = None,
    invert: Annotated[bool, Form(description="Exchange dark and bright first.")] = False,
    images: Annotated[bool, Form(description="Return the images, too.")] = False,
) -> Predictions:  # fmt: skip
    """What a model says of uploaded pictures, arrays and tables.

    A file that cannot be used is named, and the others are used.
    """
    loaded = await studio.loaded(model)
    uploads = [Upload(file.filename or "", await file.read()) for file in files]
    row = await studio.computed(studio.store.get, model)
    read = await studio.computed(from_files, loaded, uploads, drawing, fit, row.dataset, studio.settings.limits)
    return await _predicted(studio, loaded, read, invert, images)


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
    outputs = seen.outputs.tolist()
    return Maps(
        image=loaded.prepared(image[None])[0].numpy().round(4).tolist(),
        maps=seen.maps.round(4).tolist(),
        task=loaded.task,
        classes=loaded.classes,
        probabilities=outputs if loaded.classes else [],
        targets=loaded.targets,
        numbers=[] if loaded.classes else outputs,
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
        in_colour = loaded.shape[0] == 3 and array.ndim == 3 and len(array) == 3
        if (array.ndim != 2 and not in_colour) or not array.size:
            raise Refused(422, "invalid", "images: a drawing is an array of rows and columns")
        if array.size > most or left < 0:
            raise Refused(413, "large", f"a drawing may have {most:,} pixels, and all of a request "
                          f"{studio.settings.limits.pixels:,}: make them smaller")  # fmt: skip
        if loaded.shape[0] == 3:
            drawings.append(coloured(_unit(array), loaded))
        else:
            drawings.append(loaded.drawn(as_drawn(array, (loaded.shape[1], loaded.shape[2]), dataset)))
    return np.stack(drawings)


def _unit(drawing: Floats) -> Floats:
    """Brightness in [0, 1]: of 255 where anything is above 1."""
    scale = 255 if drawing.max() > 1 else 1
    fractions: Floats = np.clip(drawing / scale, 0, 1).astype(np.float32)
    return fractions


async def _predicted(
    studio: Studio, loaded: Loaded, read: Read, invert: bool, with_images: bool = False
) -> Predictions:
    images = loaded.inverted(read.images) if invert else read.images
    outputs = await while_wanted(studio.batcher.outputs(loaded, images), studio.settings.limits.seconds)
    studio.meters.images.inc(len(images))
    looked = _odd(loaded, images) if len(images) <= _FEW else await studio.computed(_odd, loaded, images)
    labels: list[Any] = []
    if loaded.task == "multilabel":
        documents = Answers(read.names, outputs, OF_LABELS, labels=loaded.classes).documents()
        labels = [document["labels"] for document in documents]
    elif loaded.classes:
        labels = [loaded.classes[best] for best in outputs.argmax(axis=1)]
    return Predictions(
        task=loaded.task,
        names=read.names,
        classes=loaded.classes,
        labels=labels,
        probabilities=outputs.tolist() if loaded.classes else [],
        targets=loaded.targets,
        numbers=[] if loaded.classes else outputs.tolist(),
        inverted=list(looked),
        warning=_warning(list(looked.values()), len(images)),
        faults=[Fault(name=name, detail=detail) for name, detail in read.faults],
        images=images.tolist() if with_images else [],
    )


def _odd(loaded: Loaded, images: Floats) -> dict[int, str]:
    """What is said of images that are the wrong way round, by their numbers."""
    return {k: said for k, image in enumerate(images) if (said := loaded.wrong_way_round(image))}


def _warning(said: list[str], count: int) -> str | None:
    if not said:
        return None
    verb = "is" if len(said) == 1 else "are"
    which = f"the image {verb}" if count == 1 else f"{len(said)} of {count} images {verb}"
    return f"{which} {said[0]}"
