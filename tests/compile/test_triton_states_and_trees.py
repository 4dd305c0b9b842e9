"""Whole layers by the kernels for GPUs, run by Triton's interpreter, against plain torch; and what the contract's small
cases do not reach: work that is cut into pieces."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from quanvolve import CoherentTree, Quanv2d
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import kernels, use_kernels
from quanvolve.compile.kernels.triton import _network, _states, _tree
from quanvolve.compile.ops._states import states
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._states import StateTables
from tests.compile import kernel_contract as contract

LAYERS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "tree": lambda: (CoherentTree(1, (2, 4), n_trees=2, seed=1), contract.drawn(3, 1, 2, 4)),
    "statevector": lambda: (
        Quanv2d(1, 2, 2, stride=2, circuit="basic_entangler", n_layers=1, engine="statevector", seed=1),
        contract.drawn(2, 1, 4, 2),
    ),
    "amplitudes": lambda: (
        Quanv2d(1, 2, 2, stride=1, circuit="basic_entangler", encoding="amplitude", n_layers=1, seed=1),
        contract.drawn(1, 1, 3, 3),
    ),
    "tensor train": lambda: (
        Quanv2d(2, 2, 2, circuit="random", channel_mixing="joint", encoding="dense", engine="tensor_train", seed=1),
        contract.drawn(1, 2, 2, 3),
    ),
}


def results(layer: nn.Module, images: Tensor) -> list[Tensor]:
    """Values and gradients by pixels and weights."""
    given = images.detach().clone().requires_grad_()
    out = layer(given)
    shape = torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)
    return [out, *torch.autograd.grad((out * shape).sum(), [given, *layer.parameters()])]


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("tree", {"leaves", "cartan", "tree"}),
        ("statevector", {"states"}),
        ("amplitudes", {"states"}),
        ("tensor train", {"network"}),
    ],
    ids=LAYERS,
)
def test_layers_are_those_of_plain_torch(name: str, families: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, images = LAYERS[name]()
    layer.double()
    with use_kernels(False):
        expected = results(layer, images)
    kernel, used = kernels.kernel, set[str]()
    monkeypatch.setattr(kernels, "kernel", lambda family, device: (used.add(family), kernel(family, device))[1])
    with contract.kernels_of("cuda"):
        found = results(layer, images)
    assert used == families
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def as_whole(family: str, kind: str, count: int, monkeypatch: pytest.MonkeyPatch, **to: tuple[object, object]) -> None:
    """Values and gradients stay what they are where numbers of a kernel's module are others."""
    case, tensors = contract.case_on(family, kind, "cuda", count)

    def run() -> list[Tensor]:
        with contract.kernels_of("cuda"):
            out = case.operator.call(case.tables, *tensors)
            return [out, *torch.autograd.grad((out * out.detach().cos()).sum(), tensors)]

    expected = run()
    for name, (module, number) in to.items():
        monkeypatch.setattr(module, name, number)
    for one, other in zip(run(), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["one circuit", "amplitudes, one for each row"])
def test_states_in_parts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is a launch of its own, of several programs for every block of windows."""
    launches, parts = _states._launches, set[int]()
    monkeypatch.setattr(_states, "_launches", lambda circuits, n: (parts.add(n), launches(circuits, n))[1])
    as_whole("states", kind, 2, monkeypatch, _PART=(_states, 2), _TILE=(_states, 1), _TILE_BACK=(_states, 1))
    assert min(parts) == 1
    assert max(parts) > 1


def test_states_of_some_windows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("states", "amplitudes, one for each row", 3, monkeypatch, _ROOM=(_states, 1), _BLOCK=(_states, 2))


def test_trees_of_some_images_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("tree", "shared numbers", 5, monkeypatch, _ROOM=(_tree, 1), _BLOCK=(_tree, 4))


def test_numbers_of_trees_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("tree", "one input", 5, monkeypatch, _BLOCK=(_tree, 2), _CHUNK=(_tree, 4))


def test_networks_of_some_images_and_words_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    as_whole("network", "one for each row", 2, monkeypatch, _BLOCK=(_network, 16), _PROGRAMS=(_network, 3))


def every_kind(wires: int, rotations: bool) -> Circuit:
    """Fixed gates, words of all letters and sums of them; rotations that read two values, or none at all."""
    turns = (
        Gate("RX", (0,), Angle(0.3, ((0, 1.5), (1, -0.5)))),
        Gate("RZ", (1,), Angle(0.1, (), (("weights", 1, 2.0),))),
        Gate("RY", (0,), Angle(0.0, ((1, 0.7),), (("weights", 0, 1.0),))),
    )
    gates = (Gate("H", (0,)), Gate("CNOT", (0, 1)), Gate("S", (1,)), Gate("SX", (0,)), Gate("CZ", (0, wires - 1)))
    words = (
        ((1.0, ((0, "X"),)),), ((1.0, ((0, "Y"),)),), ((1.0, ((1, "Z"),)),), ((1.0, ((0, "X"), (1, "Y"))),),
        ((0.5, ((0, "Y"), (1, "Y"))), (0.25, ((1, "X"),))), ((1.0, ()),),
    )  # fmt: skip
    weights = (("weights", (2,)),) if rotations else ()
    mixed = [gate for pair in zip(gates, (*turns, *turns), strict=False) for gate in pair] if rotations else gates
    return Circuit(wires, 2, tuple(mixed), tuple(map(Observable, words)), weights)


@pytest.mark.parametrize("rotations", [True, False])
def test_states_of_gates_and_words_of_every_kind(rotations: bool) -> None:
    parsed = [Parsed(every_kind(3, rotations))]
    tables = StateTables.of_circuits(parsed, 1)
    values = contract.drawn(1, 1, 2, 3).requires_grad_()
    weights = contract.drawn(1, 2 if rotations else 0).requires_grad_()

    def run(of: Callable[..., Tensor]) -> list[Tensor]:
        out = of(tables, values, weights) + 0 * (values.sum() + weights.sum())  # also where nothing is read
        return [out, *torch.autograd.grad((out * (out.detach() + 1)).sum(), [values, weights])]

    expected = run(states.reference)
    with contract.kernels_of("cuda"):
        found = run(states.call)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_circuits_that_differ_in_wires_are_left_to_plain_torch() -> None:
    values, weights = contract.drawn(1, 1, 2, 3), contract.drawn(2, 2)
    with contract.kernels_of("cuda"):
        for wires, taken in (((3, 3), True), ((3, 2), False)):
            tables = StateTables.of_circuits([Parsed(every_kind(n, True)) for n in wires], 2)
            assert states.takes(tables, values, weights) == taken
