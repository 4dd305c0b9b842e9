"""`quanvolve estimate` and `quanvolve calibrate`, against a fake backend."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from quanvolve import QuanvClassifier, load
from quanvolve.backends import QiskitBackend

from .conftest import cli, ok, refused


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("devices") / "run"
    ok("train", "digits", "--epochs", 2, "--filters", 1, "--circuit", "random", "--output", folder, "--quiet")
    return folder


def test_an_estimate_counts_and_prices(run: Path) -> None:
    given = ("--shots", 1000, "--seconds-per-shot", 0.001, "--price-per-second", 2, "--levels", 4)
    found = ok("estimate", run, *given, "--json").json
    assert found["windows"]["circuits"] == 360 * 16
    assert found["distinct"]["circuits"] <= 4**4
    assert found["calibration"]["circuits"] == 81
    assert found["calibration"]["price"] == pytest.approx(81 * 2)
    text = ok("estimate", run, *given).out
    assert "calibration, once for all images" in text
    assert "81.0 seconds" in text or "81 seconds" in text
    assert "360 test images, backend fake_manila: depth " in text


def test_a_calibration_ends_with_a_model_and_costs_nothing_twice(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    given = ("calibrate", run, "--shots", 500, "--held-out", 5, "--output", output)
    first = ok(*given, "--retrain", "--json").json
    assert (first["filters"], first["settings"]) == (1, 81)
    assert first["held_out_rms"] < 3 * first["expected_rms"]
    assert list(first["test_accuracy"]) == ["ideal", "noise model, exact", "calibrated", "calibrated, head retrained"]
    for name in ("model", "retrained"):
        model = load(output / name)
        found = ok("evaluate", output / name, "digits", "--json").json["test_accuracy"]
        key = "calibrated" if name == "model" else "calibrated, head retrained"
        assert found == first["test_accuracy"][key]
        assert model.module_.backbone.circuits[0].weight_shapes == ()
    fits = json.loads((output / "calibration.json").read_text())["fits"]
    assert len(fits[0]["coefficients"][0]) == len(fits[0]["errors"][0]) == 81
    assert (output / "calibration.png").stat().st_size > 10_000
    (output / "calibration.png").unlink()
    again = ok(*given)
    assert "0 of 86 settings" not in again.out
    assert "86 of 86 settings" in again.out
    assert f"{first['held_out_rms']:.4f}" in again.out


def test_errors_are_mitigated_on_request(run: Path, tmp_path: Path) -> None:
    given = ("calibrate", run, "--shots", 500, "--held-out", 5, "--output", tmp_path, "--mitigate", "readout, zne")
    found = ok(*given, "--json").json
    assert list(found["test_accuracy"]) == ["ideal", "noise model, exact", "calibrated", "mitigated"]
    assert load(tmp_path / "mitigated").module_.backbone.circuits[0].weight_shapes == ()
    (fit,) = json.loads((tmp_path / "calibration.json").read_text())["fits"]
    assert fit["mitigated"]["scales"] == [1, 3, 5]
    assert len(fit["mitigated"]["readout_errors"]) == 4
    assert fit["mitigated"]["coefficients"] != fit["coefficients"]
    text = ok(*given, "--extrapolation", "richardson").out  # from what has run
    assert "86 of 86 settings" in text
    assert "mitigated" in text
    only = ok(*given[:-1], "readout", "--json").json
    assert only["test_accuracy"]["calibrated"] == pytest.approx(found["test_accuracy"]["calibrated"], abs=0.2)


def test_an_interrupted_calibration_goes_on(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QiskitBackend, "settings_a_job", 40)
    jobs: list[int] = []
    real = QiskitBackend.run

    def counted(self: QiskitBackend, circuit: object, weights: object, inputs: torch.Tensor) -> object:
        if len(jobs) == 1:
            raise KeyboardInterrupt
        jobs.append(len(inputs))
        return real(self, circuit, weights, inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(QiskitBackend, "run", counted)
    given = ("calibrate", run, "--shots", 100, "--held-out", 5, "--output", tmp_path)
    stopped = cli(*given)
    assert stopped.code == 130
    assert stopped.err == f"quanvolve: interrupted; the same command goes on from what is in {tmp_path}\n"
    monkeypatch.setattr(QiskitBackend, "run", real)
    assert "40 of 86 settings\n80 of 86 settings" in ok(*given).out


def test_what_cannot_be_run_is_one_line(run: Path, tmp_path: Path) -> None:
    assert "--mitigate zne,all is not a list of some of: readout, zne" in refused(
        "calibrate", run, "--mitigate", "zne,all"
    )
    assert "`extrapolation` (='cubic') must be one of 'linear'" in refused(
        "calibrate", run, "--mitigate", "zne", "--extrapolation", "cubic"
    )
    zne = refused("calibrate", run, "--mitigate", "zne", "--backend", "default.qubit")
    assert "needs a Qiskit backend, whose transpiled gates are repeated; on default.qubit only" in zne
    assert "there is no fake backend 'fake_x', known are" in refused("calibrate", run, "--backend", "fake_x")
    assert "the PennyLane device 'nothing' cannot be made" in refused("estimate", run, "--backend", "nothing")
    copied = tmp_path / "copy"
    shutil.copytree(run, copied)
    (copied / "run.json").unlink()
    for command in ("estimate", "calibrate", "explain"):
        message = f"{copied} does not say which data set it was trained on: give one after it, a name from `quanvolve "
        assert refused(command, copied) == message + "datasets` or an .npz file"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.sqlite").write_bytes(b"damaged" * 1000)
    assert "cannot be used as a cache of results" in refused("calibrate", run, "--output", tmp_path / "out")
    plain = tmp_path / "plain"
    ok("train", "digits", "--epochs", 1, "--backbone", "none", "--output", plain, "--quiet")
    assert "has no quantum layer, which this command is about" in refused("calibrate", plain)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of two quantum layers, saved from Python, and images of two kinds for it."""
    folder = tmp_path_factory.mktemp("saved")
    rng, labels = np.random.default_rng(0), np.arange(40) % 2
    images = rng.integers(0, 60, (40, 2, 2)).astype(np.uint8)
    images[labels == 0, :, :1] += 150
    images[labels == 1, :, 1:] += 150
    np.savez(folder / "sides.npz", images=images, labels=labels)
    clf = QuanvClassifier(n_filters=1, head="quantum", max_epochs=2, random_state=0, image_shape=(1, 2, 2)).fit(
        images, labels
    )
    clf.save(folder / "model")
    return folder / "model", folder / "sides.npz"


def test_a_model_saved_from_python_with_all_its_layers(saved: tuple[Path, Path], tmp_path: Path) -> None:
    model, data = saved
    given = ("--held-out", 5, "--shots", 200)
    stated = ok("estimate", model, data, *given, "--json").json
    assert [(one["name"], one["calibration"]["settings"]) for one in stated["layers"]] == [
        ("backbone", 81), ("head.4", 81),
    ]  # fmt: skip
    assert stated["calibration"]["circuits"] == 162
    assert stated["held_out"]["circuits"] == 10
    assert stated["to_calibrate"]["shots"] == 172 * 200
    text = ok("estimate", model, data, *given).out
    assert "head.4" in text
    assert "random settings that test it" in text
    output = tmp_path / "out"
    result = ok("calibrate", model, data, *given, "--output", output)
    assert result.out.count("86 of 86 settings") == 2
    found = json.loads((output / "calibration.json").read_text())
    assert [(one["name"], one["filters"], one["settings"]) for one in found["layers"]] == [
        ("backbone", 1, 81), ("head.4", 1, 81),
    ]  # fmt: skip
    assert (found["filters"], found["settings"], found["dataset"]) == (2, 162, "sides")
    assert [fit["layer"] for fit in found["fits"]] == ["backbone", "head.4"]
    again = ok("calibrate", model, data, *given, "--output", output, "--json").json
    assert again["test_accuracy"] == found["test_accuracy"]
    calibrated = load(output / "model").module_
    assert calibrated.head[4].circuits[0].weight_shapes == ()
    # What calibration has saved is a model folder too.
    assert ok("estimate", output / "model", data, "--backend", "aer", "--json").json["calibration"]["settings"] == 162


def test_mitigation_is_counted_as_it_runs(
    saved: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = saved
    ran: list[int] = []
    real = QiskitBackend.run

    def counted(self: QiskitBackend, circuit: object, weights: object, inputs: torch.Tensor) -> object:
        ran.append(len(inputs))
        return real(self, circuit, weights, inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(QiskitBackend, "run", counted)
    given = (model, data, "--held-out", 3, "--shots", 200, "--mitigate", "readout,zne")
    stated = ok("estimate", *given, "--json").json
    assert ran == []
    ok("calibrate", *given, "--output", tmp_path, "--json")
    assert sum(ran) == stated["to_calibrate"]["settings"]
    assert stated["calibration"]["settings"] == 3 * 162
    assert "errors of the readout" in ok("estimate", *given).out


def test_nothing_runs_for_a_model_that_does_not_fit(
    saved: tuple[Path, Path], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it ran")

    monkeypatch.setattr(QiskitBackend, "run", never)
    wide = tmp_path / "wide"
    ok("train", "digits", "--epochs", 1, "--filters", 1, "--head", "quantum", "--output", wide, "--quiet")
    for command in (("estimate", wide), ("calibrate", wide, "--output", tmp_path / "out")):
        message = refused(*command)
        assert "the layer 'head.4' (QuantumLinear) cannot run there: the circuit has 8 qubits" in message
        assert "the backend fake_manila has 5 (no circuit has run)" in message
    found = ok("estimate", wide, "--backend", "aer", "--json").json
    assert found["calibration"]["settings"] == 3**4 + 3**8
    message = refused("calibrate", saved[0], saved[1], "--retrain", "--output", tmp_path / "out")
    assert "the quantum layers of this model are backbone, head.4: leave --retrain out" in message
    assert "are 2x2, but the model" in refused("calibrate", run, saved[1])


def test_an_encoding_without_a_calibration_is_said_for_its_layer(tmp_path: Path) -> None:
    folder = tmp_path / "iqp"
    ok("train", "digits", "--epochs", 1, "--filters", 1, "--encoding", "iqp", "--output", folder, "--quiet")
    found = ok("estimate", folder, "--json").json
    assert found["calibration"] is None
    assert "functions of the window" in found["layers"][0]["not_calibrated"]
    assert "no calibration: backbone: angles of the circuit are functions of the window" in ok("estimate", folder).out
    assert "cannot run there: angles of the circuit are functions" in refused("calibrate", folder)
