"""`quanvolve estimate`: what a model's test images would take on a device."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from quanvolve.cli._asked import option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._device_options import (
    DEVICE,
    BackendName,
    DataName,
    DeviceSeed,
    HeldOut,
    Levels,
    Mitigate,
    RunFolder,
    Shots,
    Sparse,
    mitigation,
    run_and_data,
)
from quanvolve.cli._options import DataDir, Json

_Seconds = Annotated[float, option("--seconds-per-shot", "Time of one shot with its reset.", DEVICE, "S", min=0)]
_PriceSecond = Annotated[float, option("--price-per-second", "Of the device's time.", DEVICE, "P", min=0)]
_PriceShot = Annotated[float, option("--price-per-shot", "Of one shot.", DEVICE, "P", min=0)]
_PriceCircuit = Annotated[float, option("--price-per-circuit", "Of one circuit.", DEVICE, "P", min=0)]


def estimate(
    run: RunFolder,
    dataset: DataName = None,
    backend: BackendName = "fake_manila",
    shots: Shots = 4096,
    levels: Levels = None,
    held_out: HeldOut = 20,
    sparse: Sparse = False,
    mitigate: Mitigate = None,
    seconds_per_shot: _Seconds = 250e-6,
    price_per_second: _PriceSecond = 0.0,
    price_per_shot: _PriceShot = 0.0,
    price_per_circuit: _PriceCircuit = 0.0,
    seed: DeviceSeed = 0,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Count circuits, shots, time and cost before anything runs.

    All quantum layers of the model count, each by itself and together, in
    three ways to classify the test images as a device would: a circuit for
    each window, equal windows once, or a calibration (with the options of
    `quanvolve calibrate`), whose filters serve all images. A coherent tree
    runs once for each image, tree and measured basis, on qubits that are
    reset and used again.
    """
    import torch

    from quanvolve.backends import Rates, named_backend
    from quanvolve.backends import estimate as count

    undone = mitigation(mitigate)
    clf, data = run_and_data(run, dataset, data_dir)
    device = named_backend(backend, shots, seed)
    images = torch.from_numpy(clf.prepared(data.test_images))
    rates = Rates(seconds_per_shot, 0.0, price_per_second, price_per_shot, price_per_circuit)
    counted = count(
        clf.module_, images, backend=device, shots=shots, levels=levels, rates=rates, sparse=sparse, held_out=held_out,
        seed=seed, **undone,
    )  # fmt: skip
    if json:
        about = {"run": str(run), "dataset": data.name, "backend": device.name, "n_images": len(images)}
        whole = None if counted.to_calibrate is None else asdict(counted.to_calibrate)
        emit_json({**about, **asdict(counted), "to_calibrate": whole})
        return
    emit(
        f"{len(images)} test images, backend {device.name}: depth {counted.depth}, "
        f"{counted.two_qubit_gates} two-qubit gates a circuit\n"
    )
    emit_table(
        [
            (
                layer.name,
                f"{layer.filters:,}",
                *(f"{work.circuits:,}" if work else "-" for work in (layer.windows, layer.distinct, layer.calibration)),
            )
            for layer in counted.layers
        ],
        ("layer", "filters, trees", "a circuit a window", "equal windows once", "calibration"),
        right=(1, 2, 3, 4),
    )
    emit("")
    ways = [("a circuit for each window", counted.windows), ("equal windows once", counted.distinct)]
    ways += [("calibration, once for all images", counted.calibration)] if counted.calibration else []
    ways += [("random settings that test it", counted.held_out)] if counted.held_out else []
    ways += [("errors of the readout", counted.readout)] if counted.readout else []
    emit_table(
        [(name, f"{w.circuits:,}", f"{w.shots:,}", _time(w.seconds), f"{w.price:,.2f}") for name, w in ways],
        ("way, all layers", "circuits", "shots", "time", "price"),
        right=(1, 2, 3, 4),
    )
    for layer in counted.layers:
        if layer.tree is not None:
            size = layer.tree
            lasts = "" if size.seconds is None else f"; a shot lasts {_time(size.seconds)}"
            emit(
                f"{layer.name or 'model'}: a tree on {size.qubits} qubits with {size.resets:,} resets, depth "
                f"{size.depth:,}, {size.gates:,} gates, {size.two_qubit_gates:,} of them on two qubits{lasts}"
            )
        if layer.not_calibrated is not None:
            emit(f"no calibration: {layer.name}: {layer.not_calibrated}")


def _time(seconds: float) -> str:
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.2g} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
