"""Model folders of strangers: refused in one line before anything large is there, whatever their checksums say."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits

import quanvolve
from quanvolve import QuanvClassifier
from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.estimators._save import config_digest
from tests.limited import errors_of

X, Y = load_digits(return_X_y=True)
Config = dict[str, Any]


def sealed(folder: Path, config: Config) -> None:
    """Write a configuration with the checksums that belong to it, as an attacker would."""
    tensors = folder / "model.safetensors"
    if tensors.is_file() and tensors.stat().st_size < 2**28:
        config["tensors_sha256"] = hashlib.sha256(tensors.read_bytes()).hexdigest()
    text = json.dumps({**config, "config_sha256": config_digest(config)})
    (folder / "config.json").write_text(text)


def read(folder: Path) -> Config:
    config: Config = json.loads((folder / "config.json").read_text())
    return config


def config(change: Callable[[Config], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = read(folder)
        change(content)
        sealed(folder, content)

    return damage


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = load_file(folder / "model.safetensors")
        change(content)
        save_file(content, folder / "model.safetensors")
        sealed(folder, read(folder))

    return damage


def header(text: bytes, size: int | None = None) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = (len(text) if size is None else size).to_bytes(8, "little") + text + bytes(64)
        (folder / "model.safetensors").write_bytes(content)
        sealed(folder, read(folder))

    return damage


def sparse(name: str, size: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with (folder / name).open("r+b") as file:
            file.truncate(size)

    return damage


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


def circuit(**changes: Any) -> Callable[[Path], None]:
    return config(lambda c: c["circuits"][0].update(changes))


def calling(function: str, *numbers: int) -> Callable[[Path], None]:
    """A circuit with a program that makes a tensor."""
    call = [function, [["inputs"], *(["constant", number] for number in numbers)], []]
    return circuit(program={"batched": False, "calls": [call], "values": []})


HEAD = "head.2.weight"
DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "doubles": (tensors(lambda t: t.update({HEAD: t[HEAD].double()})), "'head.2.weight' is 'F64', expected F32"),
    "halves": (tensors(lambda t: t.update({HEAD: t[HEAD].half()})), "'head.2.weight' is 'F16', expected F32"),
    "whole numbers": (tensors(lambda t: t.update({HEAD: t[HEAD].int()})), "'head.2.weight' is 'I32', expected F32"),
    "another shape": (
        tensors(lambda t: t.update({HEAD: t[HEAD].T.contiguous()})),
        "'head.2.weight' has the shape [64, 10], expected (10, 64)",
    ),
    "nan": (tensors(lambda t: t[HEAD].fill_(math.nan)), "'head.2.weight' has values that are not finite"),
    "inf": (tensors(lambda t: t["head.2.bias"][3:4].fill_(math.inf)), "'head.2.bias' has values that are not finite"),
    "a tensor too many": (tensors(lambda t: t.update(more=torch.ones(1))), 'missing [], unexpected ["more"]'),
    "a tensor too few": (tensors(lambda t: t.pop(HEAD)), 'missing ["head.2.weight"], unexpected []'),
    "other circuits inside": (
        tensors(lambda t: t.update({"backbone._extra_state": torch.zeros(30_000_000, dtype=torch.uint8)})),
        "the state's description of the layer's circuits is damaged",
    ),
    "endless labels": (
        config(lambda c: c["classes"].update(dtype="<U120000000")),
        "10 labels of type <U120000000 take 4,800,000,000 bytes, expected at most 67,108,864",
    ),
    "odd labels": (config(lambda c: c["classes"].update(dtype="V8")), "labels of type 'V8' are not valid"),
    "cut labels": (
        config(lambda c: c["classes"].update(dtype="<U1", values=["aa", "b"])), "the labels cannot be of type <U1",
    ),
    "many labels": (
        config(lambda c: c["classes"].update(values=list(range(200_000)))), "200,000 labels, expected 2 to 100,000",
    ),
    "many wires": (circuit(n_wires=10**7), "a circuit may have at most 4,096 wires, this one has 10,000,000"),
    "endless wires": (circuit(n_wires=10**400), "at most 4,096 wires, this one has more than 10^18"),
    "many inputs": (circuit(n_inputs=10**9), "at most 1,048,576 inputs, this one has 1,000,000,000"),
    "many gates": (circuit(gates=[["H", [0]]] * 300_000), "at most 100,000 gates, this one has 300,000"),
    "a million gates": (circuit(gates=[["H", [0]]] * 10**6), "values, expected at most 4,000,000"),
    "many weights": (circuit(weight_shapes=[["w", [10**9, 10**9]]]), "at most 16,777,216 weights, this one has more"),
    "many outputs": (circuit(observables=[[]] * 70_000), "at most 65,536 observables, this one has 70,000"),
    "long outcomes": (
        circuit(n_wires=50, observables=[{"outcome": [[wire, 0] for wire in range(50)]}]), "at most 20 bits",
    ),
    "zeros": (calling("torch.Tensor.new_zeros", 10**6, 10**6), "makes a tensor of more than 1,048,576 entries"),
    "repeated": (calling("torch.Tensor.repeat", 10**9), "makes a tensor of more than 1,048,576 entries"),
    "repeated each": (calling("torch.repeat_interleave", 10**9), "makes a tensor of more than 1,048,576 entries"),
    "expanded": (calling("torch.Tensor.expand", 10**9, 4), "makes a tensor of more than 1,048,576 entries"),
    "a program that fails": (calling("torch.reshape", 7), "call 0 of the program, torch.reshape, fails"),
    "large images": (config(lambda c: c.update(image_shape=[1, 10**9, 10**9])), "at most 268,435,456 values"),
    "endless images": (config(lambda c: c.update(image_shape=[1, 10**4000])), "at most 268,435,456 values"),
    "many channels": (config(lambda c: c.update(image_shape=[2**20, 2, 2])), "expected at most 1,048,576 pairs"),
    "large maps": (config(lambda c: c.update(output_shape=[10**9, 4, 4])), "at most 268,435,456 values"),
    "other maps": (config(lambda c: c.update(output_shape=[4, 2, 8])), "(4, 4, 4), but it says [4, 2, 8]"),
    "large windows": (config(lambda c: c["params"].update(kernel_size=10**9)), "`kernel_size` is [1000000000]"),
    "large steps": (config(lambda c: c["params"].update(stride=10**9)), "`stride` is [1000000000]"),
    "negative steps": (config(lambda c: c["params"].update(stride=-1)), "expected a few whole numbers of at least 1"),
    "many filters": (config(lambda c: c["params"].update(n_filters=10**9, backbone="classical")), "of another model"),
    "a large head": (
        config(lambda c: (
            c["params"].update(backbone="none", kernel_size=1), c.update(circuits=[]),
            c.update(image_shape=[1, 2**13, 2**13], output_shape=[1, 2**13, 2**13]),
        )),
        "the weights take 2,684,354,",
    ),
    "names in lists": (config(lambda c: c.update(feature_names=[[["a"]]])), "`feature_names` is not a list of texts"),
    "few names": (config(lambda c: c.update(feature_names=["a"])), "there are 1 feature names for 64 features"),
    "deep": (instead("config.json", lambda p: p.write_text('{"a":' * 100_000)), "it is nested too deeply"),
    "many values": (
        instead("config.json", lambda p: p.write_text(f"[{'[],' * 10_000_000}0]")),
        "it has about 20,000,002 values, expected at most 4,000,000",
    ),
    "long numbers": (
        instead("config.json", lambda p: p.write_text(f'{{"a": {"9" * 5000}}}')), "config.json is damaged",
    ),
    "a large configuration": (sparse("config.json", 2**36), "it has 68,719,476,736 bytes, expected at most 67,108,864"),
    "large tensors": (sparse("model.safetensors", 2**36), "has 68,719,476,736 bytes, expected at most"),
    "an endless header": (header(b"{}", 2**60), "its header would have 1,152,921,504,606,846,976 bytes"),
    "a header of zeros": (header(bytes(100)), "its header is not JSON"),
    "a header of lists": (header(b"[]"), "its header is no object"),
    "entries of a header": (header(b'{"head.2.weight": 3}'), "of another model"),
    "a folder as configuration": (instead("config.json", Path.mkdir), "cannot read config.json (Is a directory)"),
    "folders as tensors": (instead("model.safetensors", Path.mkdir), "cannot read model.safetensors (Is a directory)"),
    "a pipe": (instead("config.json", os.mkfifo), "cannot read config.json (it is not a file)"),
    "a pipe as tensors": (instead("model.safetensors", os.mkfifo), "cannot read model.safetensors (it is not a file)"),
    "a device": (
        instead("config.json", lambda p: p.symlink_to("/dev/zero")), "cannot read config.json (it is not a file)",
    ),
    "an empty configuration": (instead("config.json", Path.touch), "config.json is damaged"),
    "no tensors in the file": (instead("model.safetensors", Path.touch), "model.safetensors is damaged"),
    "a long reason": (config(lambda c: c.update(kind="x" * 10**6)), "is not a valid model: 'xxx"),
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    QuanvClassifier(max_epochs=1, n_filters=1, random_state=0).fit(X[:300], Y[:300]).save(folder)
    return folder


@pytest.fixture(scope="module")
def errors(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place, folders = tmp_path_factory.mktemp("hostile"), {}
    for name, (damage, _) in DAMAGE.items():
        folders[name] = Path(shutil.copytree(model, place / name))
        damage(folders[name])
    return errors_of(model, {"as it was": model, **folders})


def test_the_model_itself_loads_in_that_memory(errors: dict[str, str]) -> None:
    assert errors["as it was"] == ""


@pytest.mark.parametrize("kind", DAMAGE)
def test_it_is_refused_in_one_line_and_little_memory(kind: str, errors: dict[str, str]) -> None:
    said, expected = errors[kind], DAMAGE[kind][1]
    assert expected in said
    assert kind in said  # the folder
    assert "\n" not in said
    assert len(said) < 1000


VALUES = (
    None, True, False, 0, -1, 1, 7, 10**9, -(10**9), 10**30, 1.5, 1e308, -1e308, math.inf, math.nan, "", "x", "0", "\0",
    "none", [], {}, [[]], [None], {"x": 1}, [0, 1], ["a"], [[1, 2], [3]],
)  # fmt: skip


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([before] if before else []), *(place for key, item in inner for place in places(item, (*before, key)))]


def mutated(value: Any, rng: random.Random) -> Any:
    """A value of JSON with one thing changed, removed or doubled, at any depth."""
    found = copy.deepcopy(value)
    # Each depth is as likely as any other: most places are deep inside of circuits.
    by_depth: dict[int, list[tuple[Any, ...]]] = {}
    for place in places(value):
        by_depth.setdefault(len(place), []).append(place)
    *way, last = rng.choice(by_depth[rng.choice(sorted(by_depth))])
    inside = found
    for key in way:
        inside = inside[key]
    action = rng.choice(("replace",) * 6 + ("remove", "double"))
    if action == "remove":
        del inside[last]
    elif action == "double" and isinstance(inside, list):
        inside.insert(last, copy.deepcopy(inside[last]))
    else:
        inside[last] = copy.deepcopy(rng.choice(VALUES))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_any_change_of_a_configuration_loads_or_is_refused(seed: int, model: Path, tmp_path: Path) -> None:
    rng, original = random.Random(seed), read(model)
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    refused = 0
    for _ in range(60):
        sealed(folder, mutated(original, rng))
        said = outcome(folder)
        refused += bool(said)
        assert "\n" not in said
        assert len(said) < 1000
    assert 10 < refused < 60


def outcome(folder: Path) -> str:
    """Why a model is refused, when it is loaded or when it predicts; "" if it works."""
    try:
        found = quanvolve.load(folder)
        assert np.isfinite(found.predict_proba(X[:2])).all()
    except (QuanvolveError, UserWarning) as refusal:
        return str(refusal)
    return ""


def test_any_change_of_bytes_is_refused(model: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    for name in ("config.json", "model.safetensors"):
        content = (model / name).read_bytes()
        for _ in range(40):
            folder = Path(shutil.copytree(model, tmp_path / "model", dirs_exist_ok=True))
            place = rng.randrange(len(content))
            flipped = content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]
            other = rng.choice((flipped, content[:place], content + b"x"))
            (folder / name).write_bytes(other)
            if name == "config.json" and _means_the_same(other, content):
                continue
            with pytest.raises(ModelError) as caught:
                quanvolve.load(folder)
            assert "\n" not in str(caught.value)


def _means_the_same(text: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(text) == json.loads(other))
    except ValueError:
        return False


def test_weights_that_are_not_finite_are_not_saved(model: Path, tmp_path: Path) -> None:
    found = quanvolve.load(model)
    with torch.no_grad():
        found.module_.head[2].weight[0, 0] = math.nan
    with pytest.raises(ModelError, match=r"cannot be saved: the tensor 'head\.2\.weight' has values that are not fin"):
        found.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
