"""`quanvolve estimate`: what a model's test images would take on a device."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._device_options import DEVICE, BackendName, DeviceSeed, Levels, RunFolder, Shots, run_and_data
from quanvolve.cli._options import DataDir, Json, option

_Seconds = Annotated[float, option("--seconds-per-shot", "Time of one shot with its reset.", DEVICE, "S", min=0)]
_PriceSecond = Annotated[float, option("--price-per-second", "Of the device's time.", DEVICE, "P", min=0)]
_PriceShot = Annotated[float, option("--price-per-shot", "Of one shot.", DEVICE, "P", min=0)]
_PriceCircuit = Annotated[float, option("--price-per-circuit", "Of one circuit.", DEVICE, "P", min=0)]


def estimate(
    run: RunFolder,
    backend: BackendName = "fake_manila",
    shots: Shots = 4096,
    levels: Levels = None,
    seconds_per_shot: _Seconds = 250e-6,
    price_per_second: _PriceSecond = 0.0,
    price_per_shot: _PriceShot = 0.0,
    price_per_circuit: _PriceCircuit = 0.0,
    seed: DeviceSeed = 0,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Count circuits, shots, time and cost before anything runs.

    Three ways to classify the test images of a run as a device would: a
    circuit for each window, equal windows once, or a calibration.
    """
    import torch

    from quanvolve.backends import QiskitBackend, Rates, named_backend
    from quanvolve.backends import estimate as count

    clf, data = run_and_data(run, data_dir)
    device = named_backend(backend, shots, seed)
    images = torch.from_numpy(clf.prepared(data.test_images))
    rates = Rates(seconds_per_shot, 0.0, price_per_second, price_per_shot, price_per_circuit)
    found = count(
        clf.module_,
        images,
        backend=device if isinstance(device, QiskitBackend) else None,
        shots=shots,
        levels=levels,
        rates=rates,
    )
    if json:
        emit_json({"run": str(run), "backend": device.name, "n_images": len(images), **asdict(found)})
        return
    emit(
        f"{len(images)} test images, backend {device.name}: depth {found.depth}, "
        f"{found.two_qubit_gates} two-qubit gates a circuit\n"
    )
    ways = [("a circuit for each window", found.windows), ("equal windows once", found.distinct)]
    ways += [("calibration, once for all images", found.calibration)] if found.calibration else []
    emit_table(
        [(name, f"{w.circuits:,}", f"{w.shots:,}", _time(w.seconds), f"{w.price:,.2f}") for name, w in ways],
        ("way", "circuits", "shots", "time", "price"),
        right=(1, 2, 3, 4),
    )
    if found.calibration is None:
        emit("no calibration: the encoding is not one rotation of one qubit for each pixel")


def _time(seconds: float) -> str:
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.2g} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
