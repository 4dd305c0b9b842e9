"""Jobs of requests: checked as far as that can be done at once, so that most mistakes are answered and not queued."""

from __future__ import annotations

import inspect
import math

from quanvolve._errors import QuanvolveError
from quanvolve._options import parse_noise
from quanvolve.circuits import named_circuit
from quanvolve.data import DatasetInfo, list_datasets, where
from quanvolve.nn import BACKBONES, QUANTUM_BACKBONES, Geometry, Quanv2d, check_channels
from quanvolve.studio._forms import CompareRequest, TrainRequest
from quanvolve.studio._layer_form import LAYER
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio._settings import Settings
from quanvolve.studio._tables import Job, Model, new_id

_MOST_QUBITS = 10
_MOST_VALUES = 60_000  # of the feature maps of an image


def image_sets() -> list[DatasetInfo]:
    """The data sets of images."""
    return [info for info in list_datasets() if len(info.shape) == 2]


def available(name: str, settings: Settings) -> bool:
    """Whether a data set is on this server: the studio downloads nothing by itself."""
    try:
        place = where(name, settings.data_dir)
    except QuanvolveError:
        return False
    return place != "to download" and not place.startswith("not in ")


def check(request: TrainRequest | CompareRequest, settings: Settings) -> None:
    """Refuse what could not be trained.

    Raises:
        Refused: naming what does not fit.
        QuanvolveError: of the circuit.
    """
    infos = {info.name: info for info in image_sets()}
    if request.dataset not in infos:
        raise Missing("data set of images", request.dataset)
    if not available(request.dataset, settings):
        raise Refused(
            409, "data", f"the files of data set {request.dataset!r} are not on this server: start the studio with "
            f"--data-dir, or run `quanvolve train {request.dataset}` there once",
        )  # fmt: skip
    if isinstance(request, TrainRequest) and request.backbone not in BACKBONES:
        raise Refused(422, "invalid", f"backbone: {request.backbone!r} is none of {', '.join(BACKBONES)}")
    rows, columns = infos[request.dataset].shape
    if request.kernel_size > min(rows, columns):
        raise Refused(422, "invalid", f"kernel_size: {request.kernel_size} is larger than images of {rows}x{columns}")
    layer = {LAYER[word].name: getattr(request, word) for word in LAYER}
    geometry = Geometry.parse(2, **{name: layer[name] for name in inspect.signature(Geometry).parameters})
    check_channels(1, request.groups, request.groups, request.channel_mixing)
    places = math.prod(geometry.output_size((rows, columns)))
    outputs = 1
    if not isinstance(request, TrainRequest) or request.backbone in QUANTUM_BACKBONES:
        circuit = named_circuit(
            request.circuit, request.kernel_size**2, encoding=request.encoding, readout=request.readout,
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
        Quanv2d(1, outputs, **layer, trainable=request.trainable, device="meta")
    if places * outputs * request.filters > _MOST_VALUES:
        raise Refused(
            422, "invalid", f"filters: {places * outputs * request.filters:,} values for each image, at most "
            f"{_MOST_VALUES:,} are allowed: use fewer filters or a larger stride",
        )  # fmt: skip


def job_of(request: TrainRequest | CompareRequest) -> tuple[Job, Model | None]:
    """The job of a request, and the model that a training makes."""
    chosen = request.model_dump(exclude={"kind", "name"})
    for word, option in LAYER.items():
        if not option.usual and chosen[word] == option.default:
            del chosen[word]  # as it would be anyway
    if isinstance(request, CompareRequest):
        return Job(kind="compare", settings=chosen), None
    name = request.name or default_name(request)
    model = Model(id=new_id(), name=name, dataset=request.dataset, settings=chosen)
    return Job(kind="train", model=model.id, settings=chosen), model


def default_name(request: TrainRequest) -> str:
    """A name that says what a model is.

    Examples:
        >>> default_name(TrainRequest(kind="train"))
        'digits: 4 x strongly entangling, linear'
    """
    what = request.circuit if request.backbone == "quantum" else request.backbone
    return f"{request.dataset}: {request.filters} x {what.replace('_', ' ')}, {request.head}"
