"""What one entry in one file is enough for: whatever CONTRIBUTING lists under "to add"."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import quanvolve
from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, Angle, Gate, Observable
from quanvolve.circuits.catalogue import Ansatz, Encoding, Layer, Readout, weight
from quanvolve.cli import main
from quanvolve.compile import PLANS, PlanEntry, StatevectorPlan, Work, register_plan
from quanvolve.data import Dataset, DatasetInfo, _registry, load_dataset
from quanvolve.data._four_idx import FILES
from quanvolve.data.named import SPECS
from quanvolve.data.named._mnist import idx_spec
from quanvolve.nn import HEADS, make_head
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
    monkeypatch.setitem(_registry.BUNDLED, "bits", _registry.Bundled(info, load))
    assert "bits" in said(capsys, "datasets")
    said(capsys, "train", "bits", "--epochs", "2", "--quiet", "--output", str(tmp_path / "run"))
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test_accuracy"] > 0.95
    from quanvolve.studio._requests import image_sets

    assert "bits" in [one.name for one in image_sets()]


def test_a_data_set_of_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    content = []
    for name, count in zip(FILES, (40, 40, 20, 20), strict=True):
        shape = (count, 6, 6) if "images" in name else (count,)
        values = rng.integers(0, 256 if "images" in name else 2, shape, dtype=np.uint8)
        header = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
        content.append(gzip.compress(header + values.tobytes(), mtime=0))
        (tmp_path / f"{name}.gz").write_bytes(content[-1])
    sums = tuple(hashlib.md5(one).hexdigest() for one in content)
    spec = idx_spec(
        DatasetInfo("spots", 60, (6, 6), 2, "this test", "none"), ("http://localhost:9/",), sums, ("a", "b")
    )
    monkeypatch.setitem(SPECS, "spots", spec)
    assert "spots" in said(capsys, "datasets")
    assert len(load_dataset("spots", data_dir=tmp_path).train_images) == 40
    said(
        capsys,
        "train",
        "spots",
        "--epochs",
        "1",
        "--quiet",
        "--data-dir",
        str(tmp_path),
        "--output",
        str(tmp_path / "run"),
    )
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_a_head(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setitem(
        HEADS,
        "mean",
        lambda shape, n_classes: nn.Sequential(nn.Flatten(2), MeanOfEach(), nn.Linear(shape[0], n_classes)),
    )
    said(capsys, "train", "--head", "mean", "--epochs", "1", "--quiet", "--output", str(tmp_path / "run"))
    model = quanvolve.load(tmp_path / "run")
    assert isinstance(model.module_.head[1], MeanOfEach)
    with pytest.raises(QuanvolveError, match=r"must be one of 'linear', 'cnn', 'mlp', 'quantum', 'mean'"):
        make_head("none of these", (2, 3), 2)


class MeanOfEach(nn.Module):
    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.mean(-1)


def test_a_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    class Twice(StatevectorPlan):
        """State vectors under another name, at no cost."""

        name = "twice"

        def work(self, layout: Any) -> tuple[Work, Work]:
            return Work.of("statevector", compile=0), Work.of("statevector", window=1e-4)

    register_plan(PlanEntry("twice", Twice))
    try:
        images = torch.rand(2, 1, 4, 4)
        layer = Quanv2d(1, 4, 2, seed=0)
        assert layer.plan.startswith("statevector")
        assert "twice" in layer._planner.choose(None).name
        torch.testing.assert_close(layer(images), Quanv2d(1, 4, 2, seed=0, engine="polynomial")(images))
        assert Quanv2d(1, 4, 2, seed=0, engine="twice").plan.endswith("as `engine` asks")
        said(capsys, "train", "--engine", "twice", "--epochs", "1", "--quiet", "--output", str(tmp_path / "run"))
        assert json.loads((tmp_path / "run" / "config.json").read_text())["params"]["engine"] == "twice"
    finally:
        del PLANS["twice"]


def test_a_kernel_for_a_device(tmp_path: Path) -> None:
    """A folder in `kernels`, and its name there: torch's dispatcher and the plans find it."""
    folder = copied(tmp_path) / "compile" / "kernels"
    (folder / "other").mkdir()
    (folder / "other" / "__init__.py").write_text("def ready() -> None: ...\n")
    for family in ("polynomial", "coefficients", "network", "states", "sample"):
        (folder / "other" / f"_{family}.py").write_text(f"{OTHER_KERNEL}kernel = Kernel('{family}')\n")
    table = folder / "__init__.py"
    text = table.read_text()
    assert '_FOLDERS = {"cpu": ("numba", "numba"),' in text
    table.write_text(text.replace('"cpu": ("numba", "numba")', '"cpu": ("other", "torch")'))
    with_sources(tmp_path, KERNELS_SEEN, QUANVOLVE_KERNELS="numba")


OTHER_KERNEL = """
from concurrent.futures import ThreadPoolExecutor
import torch
calls = []
class Kernel:
    def __init__(self, family): self.family = family
    def supports(self, tables, *tensors): return True
    def reference(self, tables, *tensors):
        from quanvolve.compile.ops import _coefficients, _network, _polynomial, _sample, _states
        known = {"polynomial": _polynomial.polynomial, "coefficients": _coefficients.coefficients,
                 "network": _network.network, "states": _states.states, "sample": _sample._draw}
        return known[self.family].reference(tables, *tensors)
    def forward(self, tables, *tensors):
        calls.append(1)
        return self.reference(tables, *tensors)
    def backward(self, tables, grad, *tensors, wanted):
        calls.append(2)
        with ThreadPoolExecutor(1) as other:  # where torch's dispatcher is not below autograd already
            return other.submit(self.gradients, tables, grad, *tensors).result()
    def gradients(self, tables, grad, *tensors):
        leaves = [one.detach().requires_grad_() for one in tensors]
        return torch.autograd.grad(self.reference(tables, *leaves), leaves, grad)
"""
KERNELS_SEEN = """
import torch
from importlib import import_module
from quanvolve import Quanv2d
images = torch.rand(3, 1, 6, 6)
for engine in ("polynomial", "tensor_train", "statevector"):
    layer = Quanv2d(1, 4, 2, seed=0, engine=engine)
    layer(images).sum().backward()
Quanv2d(1, 4, 2, seed=0, shots=5)(images)
for family in ("polynomial", "coefficients", "network", "states"):
    assert set(import_module(f"quanvolve.compile.kernels.other._{family}").calls) == {1, 2}, family
assert import_module("quanvolve.compile.kernels.other._sample").calls
"""


def test_a_call_of_the_studio(tmp_path: Path) -> None:
    path = copied(tmp_path) / "studio" / "routes" / "_system.py"
    entry = """
from quanvolve.studio._samples import sampled


@router.post("/api/v1/echo", operation_id="echo", **sampled(body={"word": "hello"}))
def echo(request: dict[str, str]) -> dict[str, str]:
    \"\"\"What was said.\"\"\"
    return request
"""
    path.write_text(path.read_text() + entry)
    code = """
from pathlib import Path
from fastapi.testclient import TestClient
from quanvolve.studio._app import create_app
from quanvolve.studio._settings import Settings
settings = Settings(Path("runs"), workers=0, first_model=False)
with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
    assert client.post("/api/v1/echo", json={"word": "hi"}).json() == {"word": "hi"}
    call = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/echo"]["post"]
    assert '{"word":"hello"}' in call["x-codeSamples"][0]["source"]
"""
    with_sources(tmp_path, code)


def with_sources(folder: Path, code: str, **more: str) -> None:
    """Run Python with the sources in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "QUANVOLVE_KERNELS": "torch", "QUANVOLVE_OFFLINE": "1"}
    environment |= more
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
assert found.n_trials == 2 and found.params["sharpness"] == found.model.module_.backbone.sharpness

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
