"""What a layer keeps, copies and saves, and that nothing stale survives a change."""

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pennylane as qp
import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from tests.waiting import PATIENCE

NAMES = ("random", "basic_entangler", "strongly_entangling")


def images(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def user_circuit(inputs, theta, phi):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.BasicEntanglerLayers(theta, wires=range(2))
    qp.CRX(phi, wires=[0, 1])
    return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]


SHAPES = {"theta": (1, 2), "phi": 1}


@pytest.mark.parametrize("name", NAMES)
def test_seeds_reproduce_and_differ(name: str) -> None:
    first, again, other = (Quanv2d(1, 8, 2, circuit=name, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.weights, again.weights)
    assert first.circuits == again.circuits
    assert not torch.equal(first.weights, other.weights)
    assert (first.circuits != other.circuits) == (name == "random")
    x = images(2, 1, 4, 5)
    assert torch.equal(first(x), again(x))
    assert not torch.allclose(first(x), other(x))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_seed_the_global_generator_counts(name: str) -> None:
    torch.manual_seed(5)
    first, second = Quanv2d(1, 8, 2, circuit=name), Quanv2d(1, 8, 2, circuit=name)
    torch.manual_seed(5)
    again = Quanv2d(1, 8, 2, circuit=name)
    assert torch.equal(first.weights, again.weights)
    assert first.circuits == again.circuits
    assert not torch.equal(first.weights, second.weights)


def test_a_seed_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    Quanv2d(1, 8, 2, circuit="random", seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_one_seed_gives_the_same_weights_in_both_precisions() -> None:
    single, double = (Quanv2d(1, 8, 2, seed=0, dtype=dtype) for dtype in (torch.float32, torch.float64))
    assert torch.equal(single.weights, double.weights.float())


def test_random_structures_of_filters_are_all_distinct() -> None:
    layer = Quanv2d(2, 40, 2, circuit="random", n_layers=1, seed=0)
    assert len(layer.circuits) == 20  # 10 filters, each with a circuit for both channels
    assert len(set(layer.circuits)) == 20


@pytest.mark.parametrize("seed", range(3))
def test_random_structures_are_distinct_even_where_few_are_possible(seed: int) -> None:
    # two rotations about one of three axes on a single qubit: nine structures
    layer = Quanv2d(1, 6, 1, circuit="random", n_layers=2, seed=seed)
    assert len(set(layer.circuits)) == 6


def test_filters_and_channels_have_weights_of_their_own() -> None:
    layer = Quanv2d(3, 12, 2, seed=0)
    rows = layer.weights.detach().flatten(0, 1).flatten(1)
    assert len(torch.unique(rows, dim=0)) == 9
    assert 0 <= float(rows.min()) < 1
    assert 5 < float(rows.max()) < 2 * torch.pi


def test_trainable_weights_are_parameters_and_fixed_ones_buffers() -> None:
    trained = Quanv2d(1, 4, (1, 2), circuit=user_circuit, weight_shapes=SHAPES)
    fixed = Quanv2d(1, 4, (1, 2), circuit=user_circuit, weight_shapes=SHAPES, trainable=False)
    assert {name for name, _ in trained.named_parameters()} == {"theta", "phi"}
    assert not list(trained.buffers())
    assert {name for name, _ in fixed.named_buffers()} == {"theta", "phi"}
    assert not list(fixed.parameters())
    assert trained.theta.shape == (2, 1, 1, 2)
    assert trained.phi.shape == (2, 1)
    for layer in (trained, fixed):
        assert {"theta", "phi"} <= set(layer.state_dict())
    assert not fixed(images(1, 1, 2, 3)).requires_grad


def _through_pickle(layer: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(layer))


def _through_a_file(layer: nn.Module) -> nn.Module:
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.parametrize("travel", [copy.deepcopy, _through_pickle, _through_a_file])
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("used", [True, False])
def test_copies_compute_the_same_and_are_independent(
    travel: Callable[[nn.Module], nn.Module], trainable: bool, used: bool
) -> None:
    layer = Quanv2d(1, 6, 2, circuit="random", bias=True, trainable=trainable, seed=0)
    x = images(2, 1, 4, 5)
    before = layer(x).detach() if used else Quanv2d(1, 6, 2, circuit="random", bias=True, seed=0)(x).detach()
    twin = travel(layer)
    assert torch.equal(twin(x), before)
    with torch.no_grad():
        twin.weights += 1
    assert not torch.allclose(twin(x), before)
    assert torch.equal(layer(x), before)


def test_a_sequential_with_a_copied_layer_trains() -> None:
    model = copy.deepcopy(nn.Sequential(Quanv2d(1, 4, 2, 2, seed=0), nn.Flatten(), nn.Linear(16, 2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    before = model[0].weights.detach().clone()
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images(4, 1, 4, 4)), torch.tensor([0, 1, 0, 1]))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert not torch.equal(before, model[0].weights)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_state_dict_round_trip_is_bit_equal(name: str, trainable: bool, dtype: torch.dtype) -> None:
    arguments = {"circuit": name, "trainable": trainable, "bias": True, "dtype": dtype}
    layer, other = Quanv2d(2, 6, 2, seed=1, **arguments), Quanv2d(2, 6, 2, seed=2, **arguments)
    with torch.no_grad():
        layer.bias.add_(0.3)
    x = images(2, 2, 4, 5, dtype=dtype)
    other(x)
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert other.circuits == layer.circuits
    for key, value in layer.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)
    assert torch.equal(other(x), layer(x))


def test_state_of_a_users_circuit_travels() -> None:
    layer, other = (Quanv2d(1, 4, (1, 2), circuit=user_circuit, weight_shapes=SHAPES, seed=seed) for seed in (1, 2))
    other.load_state_dict(layer.state_dict())
    x = images(2, 1, 3, 4)
    assert torch.equal(other(x), layer(x))


FOREIGN = {
    "encoding": {"encoding": "rx"},
    "threshold": {"encoding": "threshold"},
    "another ansatz of the same shape": {"circuit": "random"},
    "ancilla": {"n_qubits": 5},
    "function": {"circuit": user_circuit, "weight_shapes": SHAPES, "kernel_size": (1, 2), "out_channels": 2},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_the_state_of_another_circuit_is_refused(kind: str) -> None:
    basic = {"in_channels": 1, "out_channels": 4, "kernel_size": 2, "circuit": "basic_entangler", "seed": 0}
    layer = Quanv2d(**basic)
    state = Quanv2d(**{**basic, **FOREIGN[kind]}).state_dict()
    with pytest.raises((QuanvolveError, RuntimeError), match=r"another circuit|size mismatch|Missing key"):
        layer.load_state_dict(state)


def test_the_state_of_another_encoding_of_random_structures_is_refused() -> None:
    state = Quanv2d(1, 4, 2, circuit="random", encoding="rx").state_dict()
    with pytest.raises(QuanvolveError, match="another circuit than this layer's 'random'"):
        Quanv2d(1, 4, 2, circuit="random", encoding="ry").load_state_dict(state)


@pytest.mark.parametrize("text", [b"", b"\x01\x02", b"[]", b"{}", b"[1]", b'[{"format": 1}]', b"\xff\xfe"])
def test_damaged_circuits_in_a_state_are_refused(text: bytes) -> None:
    layer = Quanv2d(1, 4, 2, circuit="random", seed=0)
    state = layer.state_dict()
    state["_extra_state"] = torch.tensor(list(text), dtype=torch.uint8)
    with pytest.raises(QuanvolveError):
        layer.load_state_dict(state)


def test_a_refused_state_changes_nothing() -> None:
    layer = Quanv2d(1, 4, 2, encoding="ry", seed=0)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    state = Quanv2d(1, 4, 2, encoding="rx", seed=1).state_dict()
    with pytest.raises(QuanvolveError, match="another circuit"):
        layer.load_state_dict(state)
    assert all(torch.equal(layer.state_dict()[key], value) for key, value in before.items())


# -- nothing stale -----------------------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Quanv2d], object]] = {
    "in place": lambda layer: layer.weights.data.add_(1.0),
    "one entry": lambda layer: layer.weights.data.view(-1).__setitem__(3, 0.7),
    "copy_": lambda layer: layer.weights.data.copy_(Quanv2d(1, 4, 2, seed=9).weights),
    "data": lambda layer: setattr(layer.weights, "data", layer.weights.data + 1.0),
    "state_dict": lambda layer: layer.load_state_dict(Quanv2d(1, 4, 2, seed=9).state_dict()),
    "numpy": lambda layer: layer.weights.detach().numpy().__setitem__((0, 0, 0, 0), 0.25),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("trainable", [True, False])
def test_a_change_of_weights_shows_at_once(change: str, trainable: bool) -> None:
    layer = Quanv2d(1, 4, 2, trainable=trainable, seed=0)
    x = images(2, 1, 4, 5)
    with torch.no_grad():
        before = layer(x)
        CHANGES[change](layer)
        after = layer(x)
        weights = layer.weights.detach().clone()
        fresh = Quanv2d(1, 4, 2, weights=weights)(x)
    assert not torch.allclose(before, after)
    assert torch.equal(after, fresh)


def test_a_change_back_shows_too() -> None:
    layer = Quanv2d(1, 4, 2, trainable=False, seed=0)
    x = images(1, 1, 3, 3)
    before = layer(x)
    layer.weights.add_(1.0)
    layer(x)
    layer.weights.copy_(Quanv2d(1, 4, 2, seed=0).weights.detach())
    assert torch.equal(layer(x), before)


def test_new_structures_show_with_equal_weights() -> None:
    first, second = (Quanv2d(1, 4, 2, circuit="random", trainable=False, seed=seed) for seed in (0, 1))
    second.weights.copy_(first.weights)
    x = images(1, 1, 3, 3)
    before = second(x)
    second.load_state_dict(first.state_dict())
    assert not torch.allclose(second(x), before)
    assert torch.equal(second(x), first(x))


def test_a_change_of_dtype_shows() -> None:
    layer = Quanv2d(1, 4, 2, trainable=False, seed=0)
    x = images(1, 1, 3, 3)
    single = layer(x)
    double = layer.double()(x.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double, Quanv2d(1, 4, 2, weights=layer.weights, dtype=torch.float64)(x.double()))
    assert torch.equal(layer.float()(x), single)


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inference_mode_before_training(trainable: bool, dtype: torch.dtype) -> None:
    # a circuit that no other test has compiled: what is cached in inference mode must serve autograd later
    layers = 5 if trainable else 6
    layer = Quanv2d(1, 2, (1, 2), n_layers=layers, trainable=trainable, seed=0, dtype=dtype)
    x = images(1, 1, 3, 3, dtype=dtype)
    with torch.inference_mode():
        before = layer(x)
    x.requires_grad_()
    out = layer(x)
    out.sum().backward()
    torch.testing.assert_close(out.detach(), before.clone())
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("trainable", [True, False])
def test_autocast_leaves_nothing_behind(trainable: bool) -> None:
    layer = Quanv2d(1, 4, 2, trainable=trainable, seed=0)
    x = images(1, 1, 3, 3)
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            layer(x)
        assert torch.equal(layer(x), Quanv2d(1, 4, 2, seed=0)(x))


def test_frozen_parameters_can_be_thawed() -> None:
    layer = Quanv2d(1, 4, 2, seed=0).requires_grad_(False)
    x = images(1, 1, 3, 3)
    assert not layer(x).requires_grad
    layer.requires_grad_(True)
    layer(x).sum().backward()
    assert layer.weights.grad.abs().sum() > 0


# -- without PennyLane -------------------------------------------------------------------------------------------------

WITHOUT_PENNYLANE = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pennylane":
            raise ImportError("PennyLane is blocked")

sys.meta_path.insert(0, Finder())
import json
import torch
from quanvolve import Quanv2d
from quanvolve.circuits import Circuit

folder = sys.argv[1]
circuits = [Circuit.from_json(line) for line in open(folder + "/circuits.json")]
state = torch.load(folder + "/state.pt", weights_only=True)
layer = Quanv2d(1, 6, 2, circuit=circuits, trainable=False, scale=torch.pi)
layer.load_state_dict(state)
torch.save(layer(torch.load(folder + "/images.pt")), folder + "/out.pt")
assert not any(name.split(".")[0] == "pennylane" for name in sys.modules)
try:
    import pennylane
except ImportError:
    print("blocked")
"""


def test_a_fixed_layer_loads_and_predicts_without_pennylane(tmp_path: Path) -> None:
    source = Quanv2d(1, 6, 2, circuit="random", trainable=False, seed=0)
    x = images(2, 1, 5, 6)
    (tmp_path / "circuits.json").write_text("\n".join(circuit.to_json() for circuit in source.circuits))
    torch.save(source.state_dict(), tmp_path / "state.pt")
    torch.save(x, tmp_path / "images.pt")
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_PENNYLANE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "blocked\n"
    assert torch.equal(torch.load(tmp_path / "out.pt"), source(x))
