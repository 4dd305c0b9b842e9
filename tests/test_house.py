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


def with_sources(folder: Path, code: str) -> None:
    """Run Python with the sources in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "QUANVOLVE_KERNELS": "torch", "QUANVOLVE_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE, env=environment, cwd=folder)


def copied(folder: Path) -> Path:
    """A copy of the sources: names are put together as the rooms are imported."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(Path(quanvolve.__file__).parent, folder / "quanvolve", ignore=ignored))


def test_a_control(tmp_path: Path) -> None:
    path = copied(tmp_path) / "nn" / "_controls.py"
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
    with_sources(tmp_path, code)


def test_an_option_of_the_layer(tmp_path: Path) -> None:
    path = copied(tmp_path) / "nn" / "_quanv.py"
    text = path.read_text()
    for before, added in (
        ('        diff_method: str = "exact",\n', "        sharpness: int = 1,\n"),
        ("            diff_method (with shots): ", "            sharpness: How sharp it is.\n"),
        ("        super().__init__()\n", "        self.sharpness = sharpness\n"),
    ):
        assert text.count(before) == 1
        line = next(line for line in text.splitlines(keepends=True) if line.startswith(before.rstrip("\n")))
        text = text.replace(line, line + added)
    path.write_text(text)
    code = """
import contextlib, io, json, pathlib
import numpy as np
import quanvolve
from quanvolve.cli import main
from quanvolve.nn import hybrid_model
from quanvolve.study import Choice, parse_space, search
from quanvolve.studio import Settings
from quanvolve.studio._commands import command_of
from quanvolve.studio._forms import TrainRequest
from quanvolve.studio._requests import job_of
from quanvolve.studio.routes._catalogue import circuits

def said(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(list(arguments)) == 0
    return " ".join(out.getvalue().split())

assert quanvolve.QuanvClassifier().get_params()["sharpness"] == 1
assert quanvolve.QuanvTransformer(sharpness=3).get_params()["sharpness"] == 3
for kind in (quanvolve.QuanvClassifier, quanvolve.QuanvTransformer, quanvolve.Quanv2d, quanvolve.QuantumLinear):
    assert "sharpness: How sharp it is." in kind.__doc__
assert hybrid_model((2,), 2, sharpness=3).backbone.sharpness == 3

for command in ("train", "compare"):
    assert "--sharpness N [x>=1] How sharp it is. [default: 1]" in said(command, "--help")
assert "sharpness" in said("search", "--help")
(field,) = [one for one in circuits().forms["train"] if one.name == "sharpness"]
assert (field.kind, field.default, field.least, field.help) == ("number", 1, 1.0, "How sharp it is.")
job, _ = job_of(TrainRequest(kind="train", sharpness=3))
assert "--sharpness 3" in " ".join(command_of(job, Settings(pathlib.Path("store"))))

said("train", "digits", "--epochs", "1", "--sharpness", "3", "--output", "run")
assert json.loads(pathlib.Path("run/run.json").read_text())["options"]["sharpness"] == 3
config = json.loads(pathlib.Path("run/config.json").read_text())
assert config["params"]["sharpness"] == 3
loaded = quanvolve.load("run")
assert loaded.get_params()["sharpness"] == loaded.module_.backbone.sharpness == 3
found = search("digits", space=parse_space({"sharpness": "2..3"}), sampler="grid", epochs=1, train_size=80)
assert found.n_trials == 2 and found.params["sharpness"] == found.classifier.module_.backbone.sharpness

# A run and a model from before there was the option.
run = json.loads(pathlib.Path("run/run.json").read_text())
del run["options"]["sharpness"], config["params"]["sharpness"]
pathlib.Path("run/run.json").write_text(json.dumps(run))
from quanvolve.estimators._save import config_digest
config["config_sha256"] = config_digest(config)
pathlib.Path("run/config.json").write_text(json.dumps(config))
assert quanvolve.load("run").module_.backbone.sharpness == 1
assert "test accuracy" in said("train", "--resume", "--output", "run")
"""
    with_sources(tmp_path, code)
