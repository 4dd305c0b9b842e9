"""`quanvolve calibrate`: a model that classifies as a device would, from a few circuits on it."""

from __future__ import annotations

import copy
import shlex
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from quanvolve._errors import QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve._options import model_options
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._device_options import (
    DEVICE,
    BackendName,
    DataName,
    DeviceSeed,
    HeldOut,
    Mitigate,
    RunFolder,
    Shots,
    Sparse,
    mitigation,
    run_and_data,
)
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import CALIBRATE, output_folder
from quanvolve.cli._progress import make_view

_MEANS = ("rms", "expected_rms", "chi2", "residual")

if TYPE_CHECKING:
    from quanvolve.backends import Backend, Calibration, Mitigated
    from quanvolve.data import Dataset

_Output = Annotated[Path, option("--output", "Folder of the results, and of what has run.", DATA, "DIR")]
_Extrapolation = Annotated[str, option("--extrapolation", "Of zne: linear, richardson or exponential.", DEVICE, "NAME")]
_Retrain = Annotated[
    bool, option("--retrain/--keep-head", "Also train the head on the calibrated filters.", DEVICE, None)
]


def calibrate(
    run: RunFolder,
    dataset: DataName = None,
    backend: BackendName = "fake_manila",
    shots: Shots = 4096,
    held_out: HeldOut = 20,
    sparse: Sparse = False,
    mitigate: Mitigate = None,
    extrapolation: _Extrapolation = "linear",
    retrain: _Retrain = False,
    seed: DeviceSeed = 0,
    output: _Output = Path("calibration"),
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Fit a model's filters as a device computes them.

    The filters of all quantum layers run in 3^n settings of their angles, and
    become polynomials with error bars, tested in further settings (`quanvolve
    estimate` says in how many). The calibrated model in OUTPUT/model
    classifies at full speed as that device would. With --mitigate there is
    another one in OUTPUT/mitigated, and zne runs every setting three times,
    with 1, 3 and 5 copies of each two-qubit gate. A model with a layer that
    the device cannot run is refused before anything runs.

    What has run is kept in OUTPUT: an interrupted calibration goes on when
    the same command is given again, and a second one costs nothing.
    """
    from quanvolve.backends import Cache, calibrate_model, calibrated_model, mitigate_model, named_backend
    from quanvolve.figures import save_figure

    output_folder(output, CALIBRATE)
    mitigated_by = mitigation(mitigate)
    clf, data = run_and_data(run, dataset, data_dir)
    if retrain:
        _check_retrained(clf)
    device = named_backend(backend, shots, seed)
    exact = _noisy(clf, device)
    cache = Cache(output)
    view = make_view(quiet=False, json=json)
    again = f"interrupted; the same command goes on from what is in {shlex.quote(str(output))}"
    with interruptible(again), closing(view):
        view.phase("calibrating")
        options: dict[str, Any] = {
            "sparse": sparse, "held_out": held_out, "seed": seed, "cache": cache, "progress": view.settings,
        }  # fmt: skip
        mitigated = None
        fits: list[Mitigated] = []
        if mitigated_by:
            options |= mitigated_by
            mitigated, fits = mitigate_model(clf.module_, device, **options, extrapolation=extrapolation)
            calibrations = [fit.raw for fit in fits]
            module = calibrated_model(clf.module_, calibrations)
        else:
            module, calibrations = calibrate_model(clf.module_, device, **options)
        models: dict[str, Any] = {"ideal": clf}
        if exact is not None:
            models["noise model, exact"] = exact
        models["calibrated"] = _with_module(clf, module)
        if mitigated is not None:
            models["mitigated"] = _with_module(clf, mitigated)
        if retrain:
            view.phase("training the head on calibrated filters")
            models["calibrated, head retrained"] = _retrained(clf, calibrations, data)
        view.phase("testing")
        right = {name: _score(model, data) for name, model in models.items()}
    models["calibrated"].save(output / "model")
    if mitigated is not None:
        models["mitigated"].save(output / "mitigated")
    if retrain:
        models["calibrated, head retrained"].save(output / "retrained")
    save_figure(_picture(models, calibrations, data, device), output / "calibration.png")
    _report(output, run, data, device, _by_layer(clf.module_, calibrations), fits, right, json)


def _score(clf: Any, data: Dataset) -> float:
    from quanvolve.runs import score

    return score(clf, data).accuracy


def _with_module(clf: Any, module: Any) -> Any:
    made = copy.copy(clf)
    made.module_ = module
    return made


def _noisy(clf: Any, device: Backend) -> Any:
    """The model with the exact noise model of the device, where it has one; it costs nothing, so it comes first."""
    from quanvolve.backends import QiskitBackend, check_model, with_noise_of

    check_model(clf.module_, device, calibrated=True)
    if not isinstance(device, QiskitBackend):
        return None
    try:
        return _with_module(clf, with_noise_of(clf.module_, device))
    except QuanvolveError as error:
        warnings.warn(f"no exact values with the noise model of {device.name}: {error}", UserWarning, stacklevel=2)
        return None


def _check_retrained(clf: Any) -> None:
    """Raise unless the model is one quantum layer and a head without any."""
    from quanvolve.nn import QuanvNd

    quantum = [name for name, module in clf.module_.named_modules() if isinstance(module, QuanvNd)]
    if quantum != ["backbone"]:
        raise QuanvolveError(
            "--retrain trains a classical head on the filters of one quantum layer; the quantum layers of this model "
            f"are {', '.join(quantum)}: leave --retrain out"
        )


def _retrained(clf: Any, calibrations: list[Calibration], data: Dataset) -> Any:
    from quanvolve.estimators import QuanvClassifier
    from quanvolve.nn import WINDOW

    layer = clf.module_.backbone
    inherited = (*WINDOW, "kernel_size", "stride", "channel_mixing", "bias")
    usual = {name: option.default for name, option in model_options().items() if name not in inherited}
    circuits = tuple(calibration.circuit for calibration in calibrations)
    changed = {**usual, "circuit": circuits, "trainable": False, "scale": layer.scale}
    return QuanvClassifier(**{**clf.get_params(deep=False), **changed}).fit(data.train_images, data.train_labels)


def _picture(models: dict[str, Any], calibrations: list[Calibration], data: Dataset, device: Backend) -> Any:
    import numpy as np
    import torch

    from quanvolve.figures import calibration_figure

    maps = {}
    for name, clf in models.items():
        if name != "calibrated, head retrained":
            with torch.no_grad():
                image = torch.from_numpy(clf.prepared(data.test_images[:1]))
                whole = clf.module_.backbone(image)[0]
            maps[name] = whole.numpy() if whole.dim() == 3 else whole.numpy().reshape(len(whole), 1, -1)

    def flat(arrays: list[Any]) -> Any:
        return np.concatenate([np.ravel(array) for array in arrays])  # layers measure different numbers of values

    tested, predicted = flat([fit.tested.values for fit in calibrations]), flat([fit.predicted for fit in calibrations])
    errors = np.hypot(
        flat([fit.predicted_errors for fit in calibrations]), flat([fit.tested.errors for fit in calibrations])
    )
    return calibration_figure(maps, tested, predicted, errors, device=device.name)


def _by_layer(module: Any, calibrations: list[Calibration]) -> dict[str, list[Calibration]]:
    """The fits of each quantum layer, by its name."""
    from quanvolve.nn import QuanvNd

    left = iter(calibrations)
    return {
        name: [next(left) for _ in range(layer.layout.rows)]
        for name, layer in module.named_modules()
        if isinstance(layer, QuanvNd)
    }


def _report(
    output: Path,
    run: Path,
    data: Dataset,
    device: Backend,
    layers: dict[str, list[Calibration]],
    fits: list[Mitigated],
    right: dict[str, float],
    json: bool,
) -> None:
    import json as text

    from quanvolve._files import write_whole

    calibrations = [calibration for group in layers.values() for calibration in group]
    each = [{"name": name, **_quality(group)} for name, group in layers.items()]
    result = {
        "run": str(run),
        "dataset": data.name,
        "backend": device.name,
        "shots": device.shots,
        **_quality(calibrations),
        "layers": each,
        "test_accuracy": right,
    }
    filters: list[dict[str, Any]] = [
        {
            "layer": name, "columns": calibration.columns.tolist(), "coefficients": calibration.coefficients.tolist(),
            "errors": calibration.errors.tolist(), "rms": calibration.rms,
            "expected_rms": calibration.expected_rms, "chi2": calibration.chi2,
        }
        for name, group in layers.items()
        for calibration in group
    ]  # fmt: skip
    for entry, fit in zip(filters, fits, strict=False):
        entry["mitigated"] = {
            "coefficients": fit.coefficients.tolist(), "errors": fit.errors.tolist(), "scales": fit.scales,
            "readout_errors": None if fit.readout is None else list(fit.readout.wrong.values()),
        }  # fmt: skip
    write_whole(output / "calibration.json", text.dumps({**result, "fits": filters}, indent=1) + "\n")
    if json:
        emit_json(result)
        return
    emit(f"\n{len(calibrations)} filters, fitted to circuits of {device.shots} shots each on {device.name}\n")
    emit_table(
        [
            (row["name"], f"{row['filters']:,}", f"{row['settings']:,}", f"{row['held_out_rms']:.4f}",
             f"{row['expected_rms']:.4f}", f"{row['chi2']:.2f}")
            for row in each
        ],
        ("layer", "filters", "settings", "rms error", "of shot noise", "chi^2"),
        right=(1, 2, 3, 4, 5),
    )  # fmt: skip
    emit("rms error: of predictions, in random settings that took no part in the fits\n")
    emit_table([(name, f"{share:.4f}") for name, share in right.items()], ("filters", "test accuracy"), right=(1,))
    emit(f"\nmodel {output / 'model'}\npicture {output / 'calibration.png'}")


def _quality(calibrations: list[Calibration]) -> dict[str, Any]:
    """How many filters, the settings of all their fits, and how well these predict others."""
    import numpy as np

    means = {name: float(np.mean([getattr(fit, name) for fit in calibrations])) for name in _MEANS}
    means["held_out_rms"] = means.pop("rms")
    return {"filters": len(calibrations), "settings": sum(len(fit.settings) for fit in calibrations), **means}
