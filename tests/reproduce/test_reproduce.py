"""Published results: their configs, the mistakes they contain on purpose, resuming, and every quick form."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, simulate
from quanvolve.cli import main
from quanvolve.nn import BACKBONES, Quanv2d
from quanvolve.reproduce import Result, find, names, reproduce
from quanvolve.reproduce._circuits import CIRCUITS, with_circuit
from quanvolve.reproduce._data import cut
from quanvolve.reproduce._features import carried, each_window, redrawn
from tests.datasets import MNIST, complete


@pytest.mark.parametrize("name", names())
def test_the_config_is_whole_and_our_result_belongs_to_it(name: str) -> None:
    one = find(name)
    own = {arm.name for arm in one.arms}
    assert len(own) == len(one.arms) >= 2
    assert one.control in own
    for text in (one.title, one.source, one.claim, one.differs):
        assert text.strip()
    for expected in one.expected:
        assert expected.arm in own
        assert expected.minus is None or expected.minus in own
        assert expected.interval[0] < expected.interval[1]
        assert expected.source
    quick = one.quickened()
    assert quick.arms[0] == one.arms[0] or one.quick.get("arms")
    assert one.control in {arm.name for arm in quick.arms}
    for arm in one.arms:
        assert {**one.params, **arm.params}.get("backbone", "quantum") in BACKBONES
    path = one.folder / "result.json"
    if path.is_file():
        result = json.loads(path.read_text())
        assert set(result["accuracies"]) == own
        assert {len(values) for values in result["accuracies"].values()} == {one.seeds}
        assert not result["quick"]
        assert [e["what"] for e in result["expected"]] == [e.name for e in one.expected]


def test_names_are_checked() -> None:
    with pytest.raises(QuanvolveError, match=r"there is no reproduction 'bowls': did you mean 'bowles'\? known are"):
        find("bowls")


def test_data_are_cut_as_the_papers_say() -> None:
    settings: dict[str, Any] = {"dataset": "mnist", "classes": [3, 5], "side": 8, "draw": "first"}
    train, train_labels, test, test_labels = cut(settings, MNIST, 0)
    assert (len(train), len(test)) == (71, 25)
    assert train.shape[1:] == test.shape[1:] == (8, 8)
    assert set(train_labels) == set(test_labels) == {3, 5}
    drawn = {**settings, "draw": "random", "train": 100, "test": 50}
    first, again, other = (cut(drawn, MNIST, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(cut(drawn, MNIST, 1)[2], cut(drawn, MNIST, 2)[2])


def test_redrawn_filters_are_those_of_layers_window_by_window() -> None:
    generator = np.random.default_rng(3)
    images = generator.random((2, 6, 6)).astype(np.float32)
    params = {"circuit": "strongly_entangling", "n_layers": 1, "n_filters": 2, "kernel_size": 2, "stride": 2}
    found = redrawn(images, params, seed=5, test=False)
    assert found.shape == (2, 8, 3, 3)
    seeds = np.random.default_rng(5)
    for image, maps in zip(images, found, strict=True):
        layer = Quanv2d(1, 4 * 2 * 9, 2, 2, n_layers=1, trainable=False, seed=int(seeds.integers(2**31)))
        values = layer(torch.from_numpy(image)[None, None])[0]
        for number in range(2):
            for place in range(9):
                row, column = divmod(place, 3)
                own = values[4 * (9 * number + place) : 4 * (9 * number + place) + 4, row, column]
                np.testing.assert_allclose(maps[4 * number : 4 * number + 4, row, column], own, atol=1e-6)

    assert not np.allclose(redrawn(images, params, seed=5, test=True), found)


def test_own_weights_for_each_window_are_the_same_for_all_images() -> None:
    images = np.random.default_rng(3).random((1, 6, 6)).astype(np.float32).repeat(2, 0)
    params = {"circuit": "strongly_entangling", "n_layers": 1, "n_filters": 2, "kernel_size": 2, "stride": 2}
    first, second = each_window(images, params, seed=5, test=False)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(each_window(images[:1], params, seed=5, test=True)[0], first)
    layer = Quanv2d(1, 4 * 2 * 9, 2, 2, n_layers=1, trainable=False, seed=5)
    np.testing.assert_allclose(first[:4, 0, 1], layer(torch.from_numpy(images[:1])[:, None])[0, 4:8, 0, 1], atol=1e-6)
    one, other = redrawn(images, params, seed=5, test=False)
    assert not np.allclose(one, other)


def test_eight_gates_are_drawn_by_seed() -> None:
    one, again, other = (CIRCUITS["eight_gates"]({"random_state": seed}) for seed in (3, 3, 4))
    assert one == again != other
    assert len(one.gates) == 4 + 8
    values = Quanv2d(1, 4, 2, circuit=CIRCUITS["eight_gates"]({"random_state": 0}), scale=1.0)(torch.rand(1, 1, 2, 2))
    assert values.abs().max() <= 1 + 1e-6


def test_states_that_are_carried_on_are_one_long_circuit() -> None:
    params = {"circuit": "eight_gates", "random_state": 2, "kernel_size": 2, "stride": 2}
    images = np.random.default_rng(0).random((3, 4, 4)).astype(np.float32)
    found = carried(images, params, 0, test=False)
    circuit = CIRCUITS["eight_gates"](params)
    for image, maps in zip(images, found, strict=True):
        gates: list[Gate] = []
        for place, (row, column) in enumerate(np.ndindex(2, 2)):
            for gate in circuit.gates:
                inputs = tuple((4 * place + index, factor) for index, factor in gate.angle.inputs) if gate.angle else ()
                gates.append(replace(gate, angle=gate.angle and Angle(gate.angle.offset, inputs)))
            windows = [image[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].reshape(-1) for r, c in np.ndindex(2, 2)]
            whole = Circuit(4, 16, tuple(gates), circuit.observables)
            expected = simulate(whole, np.concatenate(windows).tolist(), {})
            np.testing.assert_allclose(maps[:, row, column], expected, atol=1e-6)


def test_the_preprocessing_filter_is_cosines() -> None:
    x = torch.rand(5, 1, 2, 2)
    params = with_circuit({"circuit": "cnot_rows", "n_layers": 1, "kernel_size": 2})
    assert params == {"circuit": CIRCUITS["cnot_rows"]({}), "kernel_size": 2, "scale": 1.0}
    a, b, c, d = torch.cos(math.pi * x.reshape(5, 4)).T
    expected = {
        "cnot_rows": [a, a * b, c, c * d],
        "cnot_columns": [a, b, a * c, b * d],
        "cnot_diagonals": [a, b, b * c, a * d],
    }
    for name, channels in expected.items():
        found = Quanv2d(1, 4, 2, circuit=CIRCUITS[name]({}), scale=1.0)(x)[:, :, 0, 0]
        torch.testing.assert_close(found, torch.stack(channels, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "before"), [("hadamard_first", True), ("hadamard_last", False)])
def test_hadamard_gates_are_where_the_name_says(name: str, before: bool) -> None:
    window, shape = torch.rand(4), {"weights": (2, 4, 3)}
    layer = Quanv2d(1, 4, 2, circuit=CIRCUITS[name]({"n_layers": 2}), scale=1.0, seed=0)
    assert layer.circuits[0].weight_shapes == tuple(shape.items())

    @qp.qnode(qp.device("default.qubit", wires=4))
    def twin(inputs: torch.Tensor, weights: torch.Tensor) -> Any:
        if before:
            for wire in range(4):
                qp.Hadamard(wire)
        qp.AngleEmbedding(math.pi * inputs, wires=range(4), rotation="Y")
        qp.StronglyEntanglingLayers(weights, wires=range(4))
        if not before:
            for wire in range(4):
                qp.Hadamard(wire)
        return [qp.expval(qp.Z(wire)) for wire in range(4)]

    found = layer(window.reshape(1, 1, 2, 2)).flatten()
    expected = torch.stack(twin(window, layer.circuit_weights()["weights"][0, 0]))
    torch.testing.assert_close(found, expected.to(found.dtype), atol=1e-5, rtol=0)


def test_the_sentences_say_what_came_out() -> None:
    one = find("torchquantum-example")
    result = Result(
        {"quantum": [0.85, 0.87], "pixels": [0.7, 0.72], "random convolution": [0.8, 0.8]}, {}, 1.0, False, "1"
    )
    text = " ".join(result.sentences(one))
    assert "Came out: quantum: 86.0 ± 1.4 % over 2 seeds; the matched control (pixels): 71.0 ± 1.4 %." in text
    assert "quantum: 0.860, as expected (0.82 to 0.91: " in text
    assert "pixels: 0.710, not as expected (0.81 to 0.9: " in text
    assert "quantum minus pixels: 0.150, not as expected" in text


def test_it_is_resumed_and_refuses_other_folders(tmp_path: Path) -> None:
    one = find("torchquantum-example")
    told: list[str] = []

    def interrupted(done: int, total: int, what: str) -> None:
        told.append(what)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce(one, tmp_path, quick=True, data_dir=MNIST, progress=interrupted)
    kept = json.loads((tmp_path / "trainings.json").read_text())["accuracies"]
    assert sum(map(len, kept.values())) == 2
    told.clear()
    result = reproduce(one, tmp_path, quick=True, data_dir=MNIST, progress=lambda done, total, what: told.append(what))
    assert len([what for what in told if what]) == 2 * len(one.arms) - 2
    assert result.accuracies["quantum"][0] == kept["quantum"]["0"]
    assert json.loads((tmp_path / "result.json").read_text())["quick"] is True
    with pytest.raises(ModelError, match=r"has results of .* give another `output`"):
        reproduce(one, tmp_path, data_dir=MNIST)
    (tmp_path / "trainings.json").write_text("{")
    with pytest.raises(ModelError, match="is damaged"):
        reproduce(one, tmp_path, quick=True, data_dir=MNIST)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in names())
    assert main(["reproduce", "nothing"]) == 2
    assert "there is no reproduction 'nothing'" in capsys.readouterr().err
    assert main(["reproduce", "series", "--data-dir", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "the series ArrowHead of the UCR archive are not in" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["reproduce", "series", "--output", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"quanvolve: error: --output {tmp_path / 'file'} is a file, expected a folder\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_quick_form_runs(name: str, tmp_path: Path) -> None:
    one = find(name)
    data = complete("timeseries" if one.data.get("series") else "mnist")
    result = reproduce(one, tmp_path, quick=True, data_dir=data)
    quick = one.quickened()
    assert set(result.accuracies) == {arm.name for arm in quick.arms}
    for values in result.accuracies.values():
        assert all(0 <= value <= 1 for value in values)
    if name == "pennylane-demo":
        assert result.checks["features"]["windows"] == 392
        assert result.checks["features"]["difference"] < 1e-6
