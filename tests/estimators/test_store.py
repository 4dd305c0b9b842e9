"""Saved models: bit-equal predictions in another process without PennyLane; anything else is refused in one line."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_digits

import quanvolve
from quanvolve import QuanvClassifier, QuanvTransformer
from quanvolve._errors import ModelError
from quanvolve.circuits import named_circuit
from quanvolve.estimators._save import config_digest

X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300]

OTHER_PROCESS = textwrap.dedent(
    """
    import sys
    class Block:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "pennylane":
                raise ImportError("PennyLane is not installed here")
    sys.meta_path.insert(0, Block())
    import numpy as np
    import torch
    torch.set_num_threads(1)
    import quanvolve
    X = np.load(sys.argv[1])
    for folder in sys.argv[2:]:
        model = quanvolve.load(folder)
        out = model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X)
        np.save(folder + ".npy", out)
    """
)


def _circuit(inputs, angle):
    import pennylane as qp

    qp.AngleEmbedding(np.pi * inputs, wires=range(4), rotation="X")
    qp.CRX(angle, wires=[0, 3])
    return qp.probs(wires=[0]), qp.expval(qp.X(1) @ qp.Z(2))


SAVED = {
    "filters": lambda: QuanvTransformer(circuit="random", random_state=0).fit(X),
    "a function's": lambda: QuanvTransformer(circuit=_circuit, weight_shapes={"angle": 1}, random_state=0).fit(X),
    "classifier": lambda: QuanvClassifier(max_epochs=1, random_state=0).fit(X, Y),
    "cnn": lambda: QuanvClassifier(max_epochs=1, trainable=True, head="cnn", circuit="random", random_state=0).fit(
        X, Y
    ),
    "classical": lambda: QuanvClassifier(max_epochs=1, backbone="classical", random_state=0).fit(X, Y),
    "threshold": lambda: QuanvClassifier(max_epochs=1, encoding="threshold", n_qubits=5, random_state=0).fit(X, Y),
    "float32": lambda: QuanvClassifier(max_epochs=1, kernel_size=(1, 3), scale=1.5, random_state=0).fit(
        X.astype("f4"), Y
    ),
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """What each saved model says here, and in another process without PennyLane."""
    folder = tmp_path_factory.mktemp("saved")
    models = {name: make() for name, make in SAVED.items()}
    folders = [folder / str(number) for number in range(len(models))]
    for model, path in zip(models.values(), folders, strict=True):
        model.save(path)
    np.save(folder / "X.npy", X)
    subprocess.run([sys.executable, "-W", "error", "-c", OTHER_PROCESS, folder / "X.npy", *folders], check=True)
    return {
        name: (
            model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X),
            np.load(f"{path}.npy"),
        )
        for (name, model), path in zip(models.items(), folders, strict=True)
    }


@pytest.mark.parametrize("name", SAVED)
def test_predicts_bit_equally_in_another_process_without_pennylane(name, elsewhere):
    np.testing.assert_array_equal(*elsewhere[name])


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [1.5, -2.5], [np.int8(3), np.int8(9)]])
def test_labels_keep_value_and_type(tmp_path, labels):
    y = np.array(labels)[(Y > 4).astype(int)]
    if y.dtype.kind == "f":
        y = y.astype(int)
    clf = QuanvClassifier(max_epochs=1, n_filters=1, random_state=0).fit(X, y)
    clf.save(tmp_path)
    loaded = quanvolve.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))
    assert loaded.classes_.dtype == clf.classes_.dtype


def test_parameters_names_and_history_come_back(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(X, columns=[f"p{i}" for i in range(64)])
    clf = QuanvClassifier(max_epochs=2, stride=(2, 1), random_state=0).fit(frame, Y)
    clf.label_names_ = [f"digit {i}" for i in range(10)]
    clf.save(tmp_path)
    loaded = quanvolve.load(tmp_path)
    assert loaded.get_params() == clf.get_params()
    assert loaded.history_ == clf.history_
    assert loaded.label_names_ == clf.label_names_
    assert repr(loaded.module_) == repr(clf.module_)
    np.testing.assert_array_equal(loaded.predict(frame), clf.predict(frame))


def test_a_folder_holds_json_and_safetensors_only(tmp_path):
    QuanvTransformer(random_state=0).fit(X).save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["format"] == "quanvolve-model"
    assert len(config["circuits"]) == 4
    assert set(load_file(tmp_path / "model.safetensors")) == {"weights", "_extra_state"}


@pytest.fixture
def folder(tmp_path):
    QuanvClassifier(max_epochs=1, n_filters=1, random_state=0).fit(X, Y).save(tmp_path)
    return tmp_path


def _edit(folder, **changes):
    """Change the configuration as somebody would who knows about its checksum."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({**config, "config_sha256": config_digest(config)}))


DAMAGE = {
    "no folder": (lambda f: f / "nowhere", r"nowhere is not a model folder: cannot read config.json"),
    "no config": (lambda f: (f / "config.json").unlink(), "cannot read config.json"),
    "no tensors": (lambda f: (f / "model.safetensors").unlink(), "cannot read model.safetensors"),
    "not json": (lambda f: (f / "config.json").write_bytes(b"\x00{"), "config.json is damaged: it is not JSON"),
    "deep json": (lambda f: (f / "config.json").write_text("[" * 100000), "config.json is damaged"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "was not written by quanvolve"),
    "foreign": (lambda f: (f / "config.json").write_text('{"a": 1}'), "was not written by quanvolve"),
    "newer": (lambda f: _edit(f, format_version=9), "has model format 9, this version reads 1"),
    "bit flip": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-1] + b"?"),
        "model.safetensors is damaged: its checksum",
    ),
    "truncated": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:100]),
        "model.safetensors is damaged",
    ),
    "other kind": (lambda f: _edit(f, kind="clusterer"), "is not a valid model: 'clusterer'"),
    "transformer": (lambda f: _edit(f, kind="transformer"), "is not a valid model"),
    "wrong shape": (lambda f: _edit(f, image_shape=[1, 20, 20]), "is not a valid model"),
    "huge shape": (lambda f: _edit(f, image_shape=[1, 10**6, 10**6]), "is not a valid model"),
    "huge channels": (lambda f: _edit(f, output_shape=[10**12, 4, 4]), "is not a valid model"),
    "no params": (lambda f: _edit(f, params=None), "is not a valid model"),
    "bad circuit": (lambda f: _edit(f, circuits=[{"format": 1}]), "is not a valid model"),
    "no circuit": (lambda f: _edit(f, circuits=[]), "is not a valid model"),
    "fewer classes": (lambda f: _edit(f, classes={"dtype": "<i8", "values": [0, 1]}), "is not a valid model"),
    "same labels": (
        lambda f: _edit(f, classes={"dtype": "<i8", "values": [3] * 10}),
        "the 10 labels are not all different",
    ),
    "edited by hand": (
        lambda f: (f / "config.json").write_text((f / "config.json").read_text().replace('"lr": 0.003', '"lr": 0.004')),
        "config.json is damaged: its checksum is not the one it states",
    ),
    "endless range": (lambda f: _edit(f, input_range=[0, 10**400]), "is not a valid model"),
    "range of nan": (lambda f: _edit(f, input_range=[float("nan"), 1]), "the input range nan to 1.0 is not finite"),
    "infinite shape": (lambda f: _edit(f, image_shape=[1, float("inf"), 8]), "is not a valid model"),
    "few names": (lambda f: _edit(f, label_names=["a"]), "there are 1 label names for 10 labels"),
    "no history": (lambda f: _edit(f, history=None), "is not a valid model"),
    "versions": (lambda f: _edit(f, versions="x", format_version=2), "has model format 2"),
    "meta device": (
        lambda f: _edit(f, params={**json.loads((f / "config.json").read_text())["params"], "device": "meta"}),
        "the device 'meta' holds no numbers",
    ),
    "odd labels": (lambda f: _edit(f, classes={"dtype": "V8", "values": [0, 1]}), "is not a valid model"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_folders_are_refused_in_one_line(folder, kind):
    damage, message = DAMAGE[kind]
    result = damage(folder)
    with pytest.raises(ModelError, match=message) as caught:
        quanvolve.load(result if kind == "no folder" else folder)
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_here_becomes_the_cpu(folder):
    config = json.loads((folder / "config.json").read_text())
    _edit(folder, params={**config["params"], "device": "cuda:63"})
    with pytest.warns(UserWarning, match="saved on 'cuda:63', which is not available here"):
        model = quanvolve.load(folder)
    assert model.device == "cpu"
    assert model.predict(X[:2]).shape == (2,)


def test_a_full_disk_while_overwriting_keeps_the_old_model(folder, monkeypatch):
    before = quanvolve.load(folder).predict_proba(X)
    other = QuanvClassifier(max_epochs=1, n_filters=2, random_state=1).fit(X, Y)
    write_bytes = Path.write_bytes

    def full(path, content):
        if "config.json" in path.name:
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ModelError, match=r"cannot write the model to .*: No space left on device"):
        other.save(folder)
    np.testing.assert_array_equal(quanvolve.load(folder).predict_proba(X), before)
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"cannot write the model to .*file"):
        QuanvTransformer(random_state=0).fit(X).save(tmp_path / "file")


def test_unfitted_models_are_not_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        QuanvTransformer().save(tmp_path)


def test_noise_and_init_are_kept_and_not_applied_twice(tmp_path: Path) -> None:
    X = np.random.default_rng(0).random((6, 4, 4))
    made = QuanvTransformer(noise={"bit_flip": 0.1, "readout": (0.01, 0.02)}, init="small", random_state=0).fit(X)
    made.save(tmp_path / "model")
    again = quanvolve.load(tmp_path / "model")
    assert again.init == "small"
    np.testing.assert_array_equal(again.transform(X), made.transform(X))
    np.testing.assert_array_equal(again.fit(X).transform(X), made.transform(X))


def test_a_noisy_circuit_of_the_users_is_not_made_noisier(tmp_path: Path) -> None:
    X = np.random.default_rng(0).random((6, 4, 4))
    circuit = named_circuit("basic_entangler", 4)
    made = QuanvTransformer(circuit=circuit, noise={"bit_flip": 0.1}, random_state=0).fit(X)
    made.save(tmp_path / "model")
    again = quanvolve.load(tmp_path / "model")
    assert again.noise is None
    np.testing.assert_array_equal(again.fit(X).transform(X), made.transform(X))
