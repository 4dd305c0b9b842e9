"""Jobs of requests: checked as far as that can be done at once, so that most mistakes are answered and not queued."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from quanvolve._errors import QuanvolveError
from quanvolve._options import parse_noise
from quanvolve.circuits import named_circuit
from quanvolve.data import DatasetInfo, list_datasets, where
from quanvolve.estimators import LOSSES_OF, MONITORS_OF
from quanvolve.nn import BACKBONES, QUANTUM_BACKBONES, Geometry, Quanv1d, Quanv2d, Quanv3d, check_channels
from quanvolve.runs import OF_DATA, DataOptions
from quanvolve.studio._forms import CompareRequest, LookRequest, TrainRequest
from quanvolve.studio._layer_form import LAYER
from quanvolve.studio._option_form import DEFAULTS, OF_TRAINING
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import OWN, Job, Model, new_id

_MOST_QUBITS = 10
_MOST_VALUES = 60_000  # of the feature maps of an image
_KINDS = {1: "series", 2: "images", 3: "volumes"}


class Facts(NamedTuple):
    """What has to be known of data before a model of them is begun.

    Args:
        name: of the data set.
        shape: of a sample, channels first.
        task: what is learned.
    """

    name: str
    shape: tuple[int, ...]
    task: str


def image_sets() -> list[DatasetInfo]:
    """The data sets of images, grey or in colour."""
    return [info for info in list_datasets() if len(info.shape) in (2, 3)]


def available(name: str, settings: Settings) -> bool:
    """Whether a data set is on this server: the studio downloads nothing by itself."""
    try:
        place = where(name, settings.data_dir)
    except QuanvolveError:
        return False
    return place != "to download" and not place.startswith("not in ")


def facts_of_named(request: TrainRequest | CompareRequest, settings: Settings) -> Facts:
    """What is known of a data set with a name.

    Raises:
        Refused: if it is not here, or read in a way that is for data of one's own.
    """
    infos = {info.name: info for info in image_sets()}
    if request.dataset not in infos:
        raise Missing("data set of images", request.dataset)
    if not available(request.dataset, settings):
        raise Refused(
            409, "data", f"the files of data set {request.dataset!r} are not on this server: start the studio with "
            f"--data-dir, or run `quanvolve train {request.dataset}` there once",
        )  # fmt: skip
    for name in OF_DATA:
        if name != "task" and getattr(request, name) != DEFAULTS[name]:
            raise Refused(422, "invalid", f"{name}: this is for data of your own, not for {request.dataset!r}")
    shape = infos[request.dataset].shape
    return Facts(request.dataset, shape if len(shape) == 3 else (1, *shape), request.task)


def facts_of_understood(understood: Mapping[str, Any]) -> Facts:
    """What is known of uploaded data that somebody has looked at.

    Examples:
        >>> facts_of_understood({"name": "mine", "dims": 1, "shape": [24], "task": "regression"}).shape
        (1, 24)
    """
    shape, dims = tuple(understood["shape"]), understood["dims"]
    return Facts(understood["name"], shape if len(shape) > dims else (1, *shape), understood["task"])


def data_options(request: LookRequest) -> DataOptions:
    """How data are read."""
    return DataOptions(**{name: getattr(request, name) for name in OF_DATA})


def check(request: TrainRequest | CompareRequest, facts: Facts) -> None:
    """Refuse what could not be trained.

    Raises:
        Refused: naming what does not fit.
        QuanvolveError: of the circuit.
    """
    _check_task(request, facts.task)
    if isinstance(request, TrainRequest) and request.backbone not in BACKBONES:
        raise Refused(422, "invalid", f"backbone: {request.backbone!r} is none of {', '.join(BACKBONES)}")
    channels, *sizes = facts.shape
    dims = len(sizes)
    if request.kernel_size > min(sizes):
        raise Refused(
            422, "invalid", f"kernel_size: {request.kernel_size} is larger than {_KINDS[dims]} of "
            f"{'x'.join(map(str, sizes))}",
        )  # fmt: skip
    layer = {LAYER[word].name: getattr(request, word) for word in LAYER}
    layer |= {name: (layer[name],) * dims for name in ("kernel_size", "stride")}
    geometry = Geometry.parse(dims, **{name: layer[name] for name in inspect.signature(Geometry).parameters})
    check_channels(channels, request.groups, request.groups, request.channel_mixing)
    places = math.prod(geometry.output_size(tuple(sizes)))
    outputs = 1
    if not isinstance(request, TrainRequest) or request.backbone in QUANTUM_BACKBONES:
        pixels = request.kernel_size**dims
        if request.channel_mixing == "joint":
            pixels *= channels // request.groups
        circuit = named_circuit(
            request.circuit, pixels, encoding=request.encoding, readout=request.readout,
            n_wires=request.qubits, n_layers=request.layers, columns=request.kernel_size,
        )  # fmt: skip
        outputs = circuit.n_outputs
        if circuit.n_wires > _MOST_QUBITS:
            raise Refused(
                422, "invalid", f"kernel_size: its circuit has {circuit.n_wires} qubits, this studio trains up to "
                f"{_MOST_QUBITS}: use a smaller window, or the encoding dense or amplitude",
            )  # fmt: skip
        if request.trainable and circuit.counts is not None:
            raise Refused(422, "invalid", f"trainable: the readout {request.readout!r} has no gradient")
        # What else does not fit; on the meta device nothing is allocated.
        layer["noise"] = parse_noise(request.noise)
        kind = {1: Quanv1d, 2: Quanv2d, 3: Quanv3d}[dims]
        kind(channels, outputs * request.groups, **layer, trainable=request.trainable, device="meta")
    if places * outputs * request.filters > _MOST_VALUES:
        raise Refused(
            422, "invalid", f"filters: {places * outputs * request.filters:,} values for each image, at most "
            f"{_MOST_VALUES:,} are allowed: use fewer filters or a larger stride",
        )  # fmt: skip


def _check_task(request: TrainRequest | CompareRequest, task: str) -> None:
    """Refuse options that are not for what is learned."""
    if isinstance(request, CompareRequest):
        if task not in ("auto", "classification"):
            raise Refused(
                422, "invalid", f"dataset: these data are for {task}, and comparisons take one class a sample: train a "
                "model on them instead, or choose other labels",
            )  # fmt: skip
        return
    known = "classification" if task == "auto" else task
    for name, allowed in (("loss", LOSSES_OF[known]), ("monitor", MONITORS_OF[known])):
        value = getattr(request, name)
        if value is not None and value not in allowed:
            raise Refused(422, "invalid", f"{name}: {value!r} is not for {known}, expected {', '.join(allowed)}")
    if known != "classification" and request.class_weight is not None:
        raise Refused(422, "invalid", f"class_weight: it has no meaning for {known}, leave it out")


def job_of(request: TrainRequest | CompareRequest, own: str | None = None) -> tuple[Job, Model | None]:
    """The job of a request, and the model that a training makes.

    Args:
        request: what was asked for.
        own: the name of the data set, if it is one that was uploaded.
    """
    chosen = request.model_dump(exclude={"kind", "name"})
    for word, option in LAYER.items():
        if not option.usual and chosen[word] == option.default:
            del chosen[word]  # as it would be anyway
    for name in (*OF_DATA, *OF_TRAINING):
        if name in chosen and chosen[name] == DEFAULTS[name]:
            del chosen[name]
    ours = chosen if own is None else {**chosen, OWN: own}
    if isinstance(request, CompareRequest):
        return Job(kind="compare", settings=ours), None
    name = request.name or default_name(request, own)
    model = Model(id=new_id(), name=name[:80], dataset=own or request.dataset, settings=chosen)
    return Job(kind="train", model=model.id, settings=ours), model


def default_name(request: TrainRequest, own: str | None = None) -> str:
    """A name that says what a model is.

    Examples:
        >>> default_name(TrainRequest(kind="train"))
        'digits: 4 x strongly entangling, linear'
    """
    what = request.circuit if request.backbone == "quantum" else request.backbone
    return f"{own or request.dataset}: {request.filters} x {what.replace('_', ' ')}, {request.head}"
