"""What one entry in one table is enough for: an encoding, an ansatz, a readout, a data set, a control."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import quanvolve
from quanvolve import Quanv2d
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, Angle, Gate, Observable
from quanvolve.circuits.catalogue import Ansatz, Encoding, Layer, Readout, weight
from quanvolve.cli import main
from quanvolve.data import Dataset, _registry, load_dataset
from quanvolve.data._registry import DatasetInfo
from quanvolve.studio.routes._catalogue import circuits
from tests.waiting import PATIENCE


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_an_encoding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def gates(n_inputs: int, n_wires: int) -> list[Gate]:
        pixels = [Angle(inputs=((k, 1.0),)) for k in range(n_inputs)]
        return [Gate(name, (wire,), pixel) for wire, pixel in enumerate(pixels) for name in ("RY", "RX")]

    monkeypatch.setitem(ENCODINGS, "twice", Encoding("RY and RX of each pixel", "this test", gates))  # type: ignore[index]
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", encoding="twice", n_layers=1, weights=[[[[0.0]]]])
    x = torch.rand(1, 1, 3, 3)
    torch.testing.assert_close(layer(x), torch.cos(torch.pi * x) ** 2, atol=1e-5, rtol=0)
    assert "RY and RX of each pixel" in said(capsys, "circuits")
    assert "twice" in circuits().encodings


def test_an_ansatz(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def gates(layer: Layer) -> list[Gate]:
        return [Gate("RY", (wire,), weight(layer.own_weights[wire])) for wire in range(layer.n_wires)]

    entry = Ansatz("one RY a qubit per layer", "this test", gates, lambda n_layers, n_wires: (n_layers, n_wires))
    monkeypatch.setitem(ANSATZE, "turned", entry)  # type: ignore[index]
    layer = Quanv2d(1, 1, 1, circuit="turned", n_layers=2, weights=[[[[0.25], [0.5]]]])
    x = torch.rand(1, 1, 3, 3)
    torch.testing.assert_close(layer(x), torch.cos(torch.pi * x + 0.75), atol=1e-5, rtol=0)
    assert "one RY a qubit per layer" in said(capsys, "circuits")
    assert "turned" in circuits().circuits


def test_a_readout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    minus = Observable(((-1.0, ((0, "Z"),)),))
    readout = Readout("minus Z of the first qubit", "this test", lambda n_wires: [minus])
    monkeypatch.setitem(READOUTS, "minus", readout)  # type: ignore[index]
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", readout="minus", n_layers=1, weights=[[[[0.0]]]])
    x = torch.rand(1, 1, 3, 3)
    torch.testing.assert_close(layer(x), -torch.cos(torch.pi * x), atol=1e-5, rtol=0)
    assert "minus Z of the first qubit" in said(capsys, "circuits")
    assert "minus" in circuits().readouts


def test_a_data_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def load() -> Dataset:
        digits = load_dataset("digits")
        keep, test = digits.train_labels < 2, digits.test_labels < 2
        return Dataset(
            "bits", digits.train_images[keep], digits.train_labels[keep], digits.test_images[test],
            digits.test_labels[test], ("0", "1"),
        )  # fmt: skip

    info = DatasetInfo("bits", 360, (8, 8), 2, "this test", "none")
    monkeypatch.setattr(_registry, "_INFOS", (*_registry._INFOS, info))
    monkeypatch.setitem(_registry._BUNDLED, "bits", load)
    assert "bits" in said(capsys, "datasets")
    said(capsys, "train", "bits", "--epochs", "2", "--quiet", "--output", str(tmp_path / "run"))
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test_accuracy"] > 0.95
    from quanvolve.studio._requests import image_sets

    assert "bits" in [one.name for one in image_sets()]


def test_a_control(tmp_path: Path) -> None:
    # The names are put together as the rooms are imported, so this one is written into a copy of the sources.
    shutil.copytree(
        Path(quanvolve.__file__).parent, tmp_path / "quanvolve", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = tmp_path / "quanvolve" / "nn" / "_controls.py"
    entry = """
CONTROLS["sums"] = Control(
    "sums of the window",
    lambda into, out, geometry, trained: Windowed(
        geometry, torch.ones(out, into, *geometry.kernel_size), torch.zeros(out), torch.relu, False
    ),
)
"""
    path.write_text(path.read_text() + entry)
    code = """
import numpy as np, torch
from quanvolve import QuanvClassifier, load_dataset
from quanvolve.nn import BACKBONES
from quanvolve.study import contenders_for
from quanvolve.studio.routes._catalogue import circuits

assert "sums" in BACKBONES
assert circuits().backbones["sums"] == "sums of the window"
(found,) = [one for one in contenders_for({}) if one.name == "sums"]
assert (found.summary, found.params["backbone"]) == ("sums of the window", "sums")
digits = load_dataset("digits")
clf = QuanvClassifier("sums", max_epochs=2, random_state=0).fit(digits.train_images, digits.train_labels)
maps = clf.module_.backbone(torch.from_numpy(digits.test_images[:1, None]))
windows = digits.test_images[0].reshape(4, 2, 4, 2).sum(axis=(1, 3))
np.testing.assert_allclose(maps[0, 3].numpy(), windows, atol=1e-5)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "QUANVOLVE_KERNELS": "torch"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE, env=environment)
