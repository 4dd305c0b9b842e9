"""What requests and answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from quanvolve.nn import HEADS
from quanvolve.runs import TaskName
from quanvolve.studio._layer_form import Word, layer_form
from quanvolve.studio._option_form import OF_TRAINING, option_form
from quanvolve.studio._store import ID
from quanvolve.study import SEEDS

_NUMBERS = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
_PICTURE: dict[str, Any] = {
    "description": "Rows of pixels, or channels of them.",
    "anyOf": [_NUMBERS, {"type": "array", "items": _NUMBERS}],
}
Array = Annotated[Any, WithJsonSchema({**_PICTURE, "examples": [[[0, 0.5], [1, 0]]]})]
Arrays = Annotated[Any, WithJsonSchema({"type": "array", "items": _PICTURE, "minItems": 1})]
Id = Annotated[str, Path(pattern=ID, description="Twelve hexadecimal digits.", examples=["0123456789ab"])]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
if TYPE_CHECKING:
    Head = str
else:
    Head = Literal[tuple(HEADS)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PredictRequest(_Request):
    """Images to classify."""

    images: Arrays = Field(description="Images in the units of the training data (see `input_range`), or drawings.")
    drawing: bool = Field(
        False,
        description="The images are drawings of any size, to be cut out, scaled and centred as MNIST's digits; "
        "for a model of colour, pictures in grey or colour that are scaled.",
    )
    invert: bool = Field(False, description="Exchange dark and bright first.")


class Fault(BaseModel):
    """A file that could not be used."""

    name: str
    detail: str = Field(description="Why.")


class Predictions(BaseModel):
    """What a model says of images: classes, several labels each, or numbers."""

    task: TaskName
    names: list[str] = Field(description="Of the images: those of their files, with a number where one holds several.")
    classes: list[str] = Field(description="Names of the classes or labels; none of a regressor.")
    labels: list[str | list[str]] = Field(
        description="The most probable class of each image; of several labels those above one half."
    )
    probabilities: list[list[float]] = Field(description="A row for each image, a number for each class or label.")
    targets: list[str] = Field(description="Names of the numbers of a regressor.")
    numbers: list[list[float]] = Field(description="A row for each image, a number for each target.")
    inverted: list[int] = Field(
        description="Which images are dark on bright where the model learned from bright on dark, or the other way "
        "round: ask again with `invert`."
    )
    warning: str | None = Field(description="What is said of these.")
    faults: list[Fault] = Field(description="Files that could not be used; the others were.")
    images: list[Array] = Field(description="The images in the units of the training data, where that was asked for.")


class MapsRequest(_Request):
    """An image to look into."""

    image: Array
    drawing: bool = Field(False, description="As in a prediction.")
    noise: float = Field(0.0, ge=0, le=0.5, description="Depolarizing probability after every gate; exact, not drawn.")
    shots: int | None = Field(None, ge=1, le=100_000, description="Samples of each window, in place of exact values.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of the samples.")


class Maps(BaseModel):
    """What a model makes of one image."""

    image: list[list[list[float]]] = Field(description="The image as the model sees it: (channels, rows, columns).")
    maps: list[list[list[float]]] = Field(description="Feature maps: (channels, rows, columns).")
    task: TaskName
    classes: list[str]
    probabilities: list[float] = Field(description="With this noise and these shots; none of a regressor.")
    targets: list[str]
    numbers: list[float] = Field(description="Of a regressor, with this noise and these shots.")
    milliseconds: float = Field(description="What it took the model.")


class Channel(BaseModel):
    """An output channel of a model's first layer."""

    channel: int
    filter: int
    output: int
    inputs: list[int] = Field(description="Channels of the image that it reads.")
    circuits: list[int] = Field(description="Numbers of the circuits whose values it sums.")
    formula: str | None = Field(description="In pixels x0, x1, ... of the window.")
    latex: str | None
    terms: int = Field(description="Of the formula.")
    main: str | None = Field(description="Its largest terms.")
    main_error: float | None = Field(description="By how much the others change a value at most.")
    why_not: str | None = Field(description="Why there is no formula.")


class LayerOut(BaseModel):
    """The first quantum layer of a model; without channels where there is none."""

    summary: str
    plan: str
    in_channels: int = Field(description="Of what it reads.")
    kernel_size: list[int]
    stride: list[int]
    corner: list[int] = Field(description="Row and column of the first window's first pixel.")
    dilation: list[int]
    scales: list[float] = Field(description="Angle of a pixel of 1, in radians, for each pixel of a window.")
    circuits: list[str] = Field(description="Their names; each has a picture.")
    channels: list[Channel]


class ModelOut(BaseModel):
    """A model."""

    id: str
    name: str
    dataset: str
    created: float = Field(description="Seconds since 1970.")
    state: Literal["ready", "queued", "running", "stopped", "failed"]
    task: TaskName = Field(description="What it learns: one class of several, any of several labels, or numbers.")
    settings: dict[str, Any] = Field(description="The options of its training.")
    metrics: dict[str, Any] | None = Field(description="Results on the test images; none before it is ready.")
    explanation: bool = Field(description="Whether its explanation has been made.")
    onnx: bool = Field(description="Whether its ONNX file has been made.")


class ModelDetail(ModelOut):
    """A model, with its shape and history."""

    image_shape: list[int] | None = Field(description="(channels, rows, columns)")
    input_range: list[float] | None = Field(description="Least and largest value of the training images.")
    drawable: bool = Field(description="Whether it takes pictures, grey or in colour.")
    preparation: dict[str, Any] | None = Field(
        description="What is done to pictures of any size, as it was in training; null where it learned from arrays."
    )
    residuals: bool = Field(description="Whether there is a picture of a regressor's errors.")
    explainable: bool = Field(description="Whether jobs of kind `explain` and `onnx` can be made: of classifiers.")
    history: list[dict[str, Any]] = Field(description="A row for each epoch.")


class Rename(_Request):
    """A new name."""

    name: Name


class LookRequest(option_form(_Request)):  # type: ignore[misc]  # made from the options
    """How data are to be read."""


class _Circuit(layer_form(LookRequest, {"kernel_size": 2, "stride": 2})):  # type: ignore[misc]  # made from the layer
    dataset: Word = Field("digits", description="A name, or the id of uploaded data.")
    filters: int = Field(4, ge=1, le=64)
    head: Head = "linear"
    trainable: bool = Field(False, description="Train the filters too.")


class TrainRequest(option_form(_Circuit, OF_TRAINING)):  # type: ignore[misc]  # made from the options
    """Train a model."""

    kind: Literal["train"]
    name: Name | None = Field(None, description="Of the model; by default after its data and circuit.")
    backbone: Word = "quantum"
    epochs: int = Field(15, ge=1, le=500)
    batch_size: int = Field(32, ge=1, le=1024)
    lr: float = Field(3e-3, gt=0, le=1)
    seed: int = Field(0, ge=0, le=2**32 - 1)


class CompareRequest(_Circuit):
    """Compare a model with matched controls."""

    kind: Literal["compare"]
    controls: list[Word] = Field(["conv", "unentangled", "pixels"], min_length=1, max_length=12)
    seeds: int = Field(
        SEEDS, ge=1, le=50, description="So few that nothing could be shown are said to be, in the report."
    )
    epochs: int = Field(10, ge=1, le=500)
    train_size: int | None = Field(None, ge=20, description="Training images, drawn anew by each seed.")
    test_size: int | None = Field(None, ge=20)
    lr: list[Annotated[float, Field(gt=0, le=1)]] = Field([3e-3], min_length=1, max_length=8)
    trainable: bool = True


class ModelJob(_Request):
    """Make the explanation, or the ONNX file, of a model."""

    kind: Literal["explain", "onnx"]
    model: str = Field(pattern=ID)


JobRequest = Annotated[TrainRequest | CompareRequest | ModelJob, Field(discriminator="kind")]


class Progress(BaseModel):
    """How far a job is."""

    done: int | None = Field(description="Epochs or trials that are finished.")
    total: int | None
    message: str = Field(description="The last line that it has printed.")


class JobOut(BaseModel):
    """A job."""

    id: str
    kind: Literal["train", "compare", "explain", "onnx"]
    state: Literal["queued", "running", "stopped", "done", "failed"]
    model: str | None
    settings: dict[str, Any]
    error: str | None = Field(description="Why it failed.")
    attempts: int
    created: float
    started: float | None
    finished: float | None
    progress: Progress


class DatasetOut(BaseModel):
    """A data set of images."""

    name: str
    images: int
    shape: list[int] = Field(description="Rows and columns; where they have colours, channels first.")
    classes: int
    source: str
    licence: str
    available: bool = Field(description="Whether its files are on this server.")


class Sample(BaseModel):
    """A test image."""

    index: int
    label: str
    image: Array = Field(description="In the units of the data set.")


class ModelSamples(BaseModel):
    """Test images of a model's data."""

    samples: list[Sample]
    why_not: str | None = Field(description="Why there are none, as when the data set is not there any longer.")


class DataRequest(_Request):
    """Begin a data set of your own."""

    name: Name
    files: int = Field(0, ge=0, le=1_000_000, description="How many are going to be sent; 0 if that is not known.")


class DataOut(BaseModel):
    """Uploaded data."""

    id: str
    name: str
    files: int = Field(description="That are there, unpacked.")
    bytes: int = Field(description="Their size.")
    awaited: int = Field(description="Files that are still to come: until then it cannot be used.")
    asked: dict[str, Any] = Field(description="How it was read when it was last looked at.")
    created: float = Field(description="Seconds since 1970.")


class DataClass(BaseModel):
    """How many samples of a class there are."""

    name: str
    train: int
    valid: int
    test: int


class Understood(BaseModel):
    """What was understood of data."""

    name: str
    source: str = Field(description="What kind of source it is, in words.")
    kind: str = Field(description="images, series, volumes or features.")
    shape: list[int] = Field(description="Of one sample.")
    dtype: str
    low: float = Field(description="The least training value.")
    high: float
    classes: list[DataClass] = Field(description="All samples as one, where no classes are learned.")
    preparation: str | None = Field(description="What was done to pictures.")
    notes: list[str] = Field(description="What was left out or changed while reading.")
    warnings: list[str] = Field(description="What will surprise whoever trains on them.")
    duplicates: int = Field(description="Test samples that are among the training samples.")
    contradictions: int = Field(description="Those of them that have another label there.")
    aim: str | None = Field(description="What is to be learned, where that are no classes.")
    task: Literal["classification", "regression", "multilabel"]
    dims: int = Field(description="Along how many axes a window slides.")
    look: str = Field(description="The name of its picture.")


class FormField(BaseModel):
    """A field of a form."""

    name: str
    kind: Literal["choice", "number", "switch", "text"]
    default: Any
    help: str = Field(description="What it is, in a line; empty where its name says it.")
    choices: list[str]
    least: float | None
    most: float | None
    whole: bool = Field(description="Whether a number has no digits after the point.")
    many: bool = Field(description="Whether it is sent as a list.")
    more: bool = Field(description="Whether it is one of the rarer ones, which stand together.")
    needs: str | None = Field(description="The field without which it has no meaning.")
    own: bool = Field(description="Whether it says how data of one's own are read.")


class CircuitOut(BaseModel):
    """The parts that circuits are made of."""

    circuits: dict[str, str] = Field(description="Names of ansatze, and what they are.")
    encodings: dict[str, str]
    readouts: dict[str, str]
    backbones: dict[str, str] = Field(description="What can stand where the circuits stand.")
    forms: dict[str, list[FormField]] = Field(
        description="What can be chosen for a training, for a comparison, and for a look at uploaded data."
    )


class About(BaseModel):
    """The studio."""

    version: str
    models: int
    jobs: dict[str, int]
    workers: int
    controls: dict[str, str] = Field(description="What a comparison can compare with.")
    comparison: dict[str, Any] = Field(description="What a comparison is unless something else is asked for.")
    least_seeds: list[int] = Field(description="How many seeds can show a difference among 1, 2, ... controls.")


class Health(BaseModel):
    """Whether it works."""

    status: Literal["ok"]
    version: str
