"""`quanvolve calibrate`: a model that classifies as a device would, from a few circuits on it."""

from __future__ import annotations

import copy
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from quanvolve._errors import QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._device_options import DEVICE, BackendName, DeviceSeed, RunFolder, Shots, run_and_data
from quanvolve.cli._options import DATA, DataDir, Json, option
from quanvolve.cli._output import CALIBRATE, output_folder
from quanvolve.cli._progress import make_view

SCALES = (1, 3, 5)

if TYPE_CHECKING:
    from quanvolve.backends import Backend, Calibration, Mitigated
    from quanvolve.data import Dataset

_Output = Annotated[Path, option("--output", "Folder of the results, and of what has run.", DATA, "DIR")]
_HeldOut = Annotated[int, option("--held-out", "Random settings that test each fit.", DEVICE, min=1)]
_Sparse = Annotated[
    bool, option("--sparse/--full", "Only the settings that the ideal filter's terms need.", DEVICE, None)
]
_Mitigate = Annotated[
    str | None,
    option("--mitigate", "Undo errors: readout, zne (zero-noise extrapolation), or both.", DEVICE, "NAME,..."),
]
_Extrapolation = Annotated[str, option("--extrapolation", "Of zne: linear, richardson or exponential.", DEVICE, "NAME")]
_Retrain = Annotated[
    bool, option("--retrain/--keep-head", "Also train the head on the calibrated filters.", DEVICE, None)
]


def calibrate(
    run: RunFolder,
    backend: BackendName = "fake_manila",
    shots: Shots = 4096,
    held_out: _HeldOut = 20,
    sparse: _Sparse = False,
    mitigate: _Mitigate = None,
    extrapolation: _Extrapolation = "linear",
    retrain: _Retrain = False,
    seed: DeviceSeed = 0,
    output: _Output = Path("calibration"),
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Fit a model's filters as a device computes them.

    The filters run in 3^n settings of their angles, and become polynomials
    with error bars, tested in further settings. The calibrated model in
    OUTPUT/model classifies at full speed as that device would. With
    --mitigate there is another one in OUTPUT/mitigated, and zne runs every
    setting three times, with 1, 3 and 5 copies of each two-qubit gate.

    What has run is kept in OUTPUT: an interrupted calibration goes on when
    the same command is given again, and a second one costs nothing.
    """
    from quanvolve.backends import Cache, calibrate_model, calibrated_model, mitigate_model, named_backend
    from quanvolve.explain import save_figure

    output_folder(output, CALIBRATE)
    kinds = _kinds(mitigate)
    clf, data = run_and_data(run, data_dir)
    device = named_backend(backend, shots, seed)
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
        if kinds:
            options |= {"readout": "readout" in kinds, "scales": SCALES if "zne" in kinds else (1,)}
            mitigated, fits = mitigate_model(clf.module_, device, **options, extrapolation=extrapolation)
            found = [one.raw for one in fits]
            module = calibrated_model(clf.module_, found)
        else:
            module, found = calibrate_model(clf.module_, device, **options)
        models: dict[str, Any] = {"ideal": clf}
        exact = _noisy(clf, device)
        if exact is not None:
            models["noise model, exact"] = exact
        models["calibrated"] = _with_module(clf, module)
        if mitigated is not None:
            models["mitigated"] = _with_module(clf, mitigated)
        if retrain:
            view.phase("training the head on calibrated filters")
            models["calibrated, head retrained"] = _retrained(clf, found, data)
        view.phase("testing")
        right = {name: _score(model, data) for name, model in models.items()}
    models["calibrated"].save(output / "model")
    if mitigated is not None:
        models["mitigated"].save(output / "mitigated")
    if retrain:
        models["calibrated, head retrained"].save(output / "retrained")
    save_figure(_picture(models, found, data, device), output / "calibration.png")
    _report(output, run, device, found, fits, right, json)


def _kinds(names: str | None) -> set[str]:
    found = {name.strip() for name in names.split(",")} if names is not None else set()
    if found - {"readout", "zne"}:
        raise QuanvolveError(f"--mitigate {names} is not a list of some of: readout, zne")
    return found


def _score(clf: Any, data: Dataset) -> float:
    from quanvolve.cli._score import score

    return score(clf, data).accuracy


def _with_module(clf: Any, module: Any) -> Any:
    made = copy.copy(clf)
    made.module_ = module
    return made


def _noisy(clf: Any, device: Backend) -> Any:
    """The model with the exact noise model of the device, where it has one."""
    from quanvolve.backends import QiskitBackend, with_noise_of

    if not isinstance(device, QiskitBackend):
        return None
    return _with_module(clf, with_noise_of(clf.module_, device))


def _retrained(clf: Any, found: list[Calibration], data: Dataset) -> Any:
    from quanvolve.estimators import QuanvClassifier
    from quanvolve.nn import QuanvNd

    layer = clf.module_.backbone
    if not isinstance(layer, QuanvNd):
        raise QuanvolveError("--retrain is for models of one quantum layer and a head; this model has another form")
    own = {
        "circuit": tuple(one.circuit for one in found), "weight_shapes": None, "encoding": "ry", "readout": "z",
        "n_layers": 2, "n_qubits": None, "init": "auto", "noise": None, "shots": None, "trainable": False,
        "scale": layer.scale,
    }  # fmt: skip
    return QuanvClassifier(**{**clf.get_params(deep=False), **own}).fit(data.train_images, data.train_labels)


def _picture(models: dict[str, Any], found: list[Calibration], data: Dataset, device: Backend) -> Any:
    import numpy as np
    import torch

    from quanvolve.explain import calibration_figure

    maps = {}
    for name, clf in models.items():
        if name != "calibrated, head retrained":
            with torch.no_grad():
                image = torch.from_numpy(clf.prepared(data.test_images[:1]))
                whole = clf.module_.backbone(image)[0]
            maps[name] = np.atleast_3d(whole.numpy()) if whole.dim() == 3 else whole.flatten(1).numpy()[:, None]
    tested = np.concatenate([one.tested.values for one in found])
    predicted = np.concatenate([one.predicted for one in found])
    errors = np.sqrt(
        np.concatenate([one.predicted_errors for one in found]) ** 2
        + np.concatenate([one.tested.errors for one in found]) ** 2
    )
    return calibration_figure(maps, tested, predicted, errors, device=device.name)


def _report(
    output: Path,
    run: Path,
    device: Backend,
    found: list[Calibration],
    fits: list[Mitigated],
    right: dict[str, float],
    json: bool,
) -> None:
    import numpy as np

    from quanvolve._files import write_whole

    def mean(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in found]))

    result = {
        "run": str(run),
        "backend": device.name,
        "shots": device.shots,
        "filters": len(found),
        "circuits_a_filter": len(found[0].settings),
        "held_out_rms": mean("rms"),
        "expected_rms": mean("expected_rms"),
        "chi2": mean("chi2"),
        "residual": mean("residual"),
        "test_accuracy": right,
    }
    import json as text

    filters: list[dict[str, Any]] = [
        {
            "columns": one.columns.tolist(), "coefficients": one.coefficients.tolist(), "errors": one.errors.tolist(),
            "rms": one.rms, "expected_rms": one.expected_rms, "chi2": one.chi2,
        }
        for one in found
    ]  # fmt: skip
    for own, one in zip(filters, fits, strict=False):
        own["mitigated"] = {
            "coefficients": one.coefficients.tolist(), "errors": one.errors.tolist(), "scales": one.scales,
            "readout_errors": None if one.readout is None else list(one.readout.wrong.values()),
        }  # fmt: skip
    write_whole(output / "calibration.json", text.dumps({**result, "fits": filters}, indent=1) + "\n")
    if json:
        emit_json(result)
        return
    emit(
        f"\n{len(found)} filters, {len(found[0].settings)} circuits of {device.shots} shots each on {device.name}\n"
        f"held-out settings predicted with an rms error of {result['held_out_rms']:.4f}; shot noise alone makes "
        f"{result['expected_rms']:.4f} (chi^2 {result['chi2']:.2f})\n"
    )
    emit_table([(name, f"{share:.4f}") for name, share in right.items()], ("filters", "test accuracy"), right=(1,))
    emit(f"\nmodel {output / 'model'}\npicture {output / 'calibration.png'}")
