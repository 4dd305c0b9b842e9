"""What a coherent tree takes as blocks, encodings, windows and first weights; and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import BLOCKS, Angle, Circuit, Gate, Observable, list_circuits, named_block
from quanvolve.compile import use_kernels
from quanvolve.nn._tree_shape import TreeShape
from tests.nn.trees import on_all_qubits

DOUBLE = torch.float64
Z = Observable(((1.0, ((0, "Z"),)),))


def check(tree: CoherentTree) -> None:
    x = torch.rand(2, tree.in_channels, *tree.input_size, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(tree(x), on_all_qubits(tree, x), rtol=0, atol=1e-10)


@pytest.mark.parametrize("block", [*BLOCKS, *list_circuits()])
def test_every_named_block(block: str) -> None:
    check(CoherentTree(1, 8, window=[2, 4], block=block, init="uniform", seed=1, dtype=DOUBLE))


def pooling(inputs: Any, angles: Any, phase: Any) -> Any:
    qp.CRZ(angles[0], wires=[1, 0])
    qp.X(1)
    qp.CRX(angles[1] + 2 * phase, wires=[1, 0])
    return qp.expval(qp.Z(0))


def test_a_function_of_pennylane() -> None:
    tree = CoherentTree(
        1, 4, block=pooling, weight_shapes={"angles": 2, "phase": 1}, init="uniform", seed=1, dtype=DOUBLE
    )
    assert [name for name, _ in tree.named_parameters()] == [
        "levels.0.angles", "levels.0.phase", "levels.1.angles", "levels.1.phase",
    ]  # fmt: skip
    check(tree)


def test_measurement_and_feed_forward() -> None:
    def fed(inputs: Any, angle: Any) -> Any:
        qp.CNOT([0, 1])
        seen = qp.measure(1)
        qp.cond(seen, qp.RY)(torch.sin(angle), wires=0)
        return qp.expval(qp.Z(0))

    tree = CoherentTree(1, 4, block=fed, weight_shapes={"angle": 1}, init="uniform", seed=1, dtype=DOUBLE)
    x = torch.rand(1, 1, 4, dtype=DOUBLE)

    @qp.qnode(qp.device("default.qubit"), diff_method=None)
    def node() -> Any:
        for wire in range(4):
            qp.RY(float(x[0, 0, wire] * torch.pi), wires=wire)
        for depth, pairs in enumerate([[(0, 1), (2, 3)], [(0, 2)]]):
            for block, (kept, lost) in enumerate(pairs):
                qp.CNOT([kept, lost])
                qp.CRY(float(tree.levels[depth].angle[0, block].detach().sin()), wires=[lost, kept])
        return [qp.expval(getattr(qp, letter)(0)) for letter in "XYZ"]

    torch.testing.assert_close(tree(x)[0].detach(), torch.tensor(node(), dtype=DOUBLE), rtol=0, atol=1e-10)


def test_weights_that_a_function_closes_over_come_first() -> None:
    angle = torch.nn.Parameter(torch.tensor(0.7))

    def turned(inputs: Any) -> Any:
        qp.RY(angle, wires=0)
        qp.CNOT([1, 0])
        return qp.expval(qp.Z(0))

    tree = CoherentTree(1, 4, block=turned, dtype=DOUBLE)
    assert torch.allclose(tree.levels[0].angle, torch.tensor(0.7, dtype=DOUBLE))
    check(tree)


def test_ancillas_start_in_zero() -> None:
    gates = (
        *(Gate("RY", (wire,), Angle(weights=(("w", wire, 1.0),))) for wire in range(3)),
        Gate("CNOT", (2, 0)), Gate("CNOT", (1, 2)), Gate("CNOT", (2, 0)),
    )  # fmt: skip
    block = Circuit(3, 0, gates, (Z,), (("w", (3,)),))
    tree = CoherentTree(1, 4, block=block, init="uniform", seed=0, dtype=DOUBLE)
    two = CoherentTree(1, 4, block=block, init="uniform", seed=0, dtype=DOUBLE, n_levels=1)
    assert [level.circuit.n_wires for level in tree.levels] == [3, 3]
    x = torch.rand(1, 1, 4, dtype=DOUBLE)
    rho = []
    for block_number in range(2):
        angles = [*(x[0, 0, 2 * block_number : 2 * block_number + 2] * torch.pi).tolist(), 0.0]
        rho.append(three_qubits(angles, two.levels[0].w[0, block_number].tolist(), None))
    torch.testing.assert_close(two(x)[0].detach(), torch.tensor(np.array(rho).T), rtol=0, atol=1e-10)
    found = three_qubits(None, tree.levels[1].w[0, 0].tolist(), rho)
    torch.testing.assert_close(tree(x)[0].detach(), torch.tensor(found, dtype=DOUBLE), rtol=0, atol=1e-10)


def three_qubits(angles: Any, weights: list[float], bloch: Any) -> list[float]:
    """X, Y, Z of the first of three qubits, by density matrices."""

    @qp.qnode(qp.device("default.mixed", wires=3))
    def node() -> Any:
        if bloch is not None:
            single = [
                (np.eye(2) + sum(v * qp.matrix(p(0)) for v, p in zip(b, (qp.X, qp.Y, qp.Z), strict=True))) / 2
                for b in bloch
            ]
            qp.QubitDensityMatrix(np.kron(*single), wires=[0, 1])
        else:
            for wire, angle in enumerate(angles):
                qp.RY(angle, wires=wire)
        for wire, weight in enumerate(weights):
            qp.RY(weight, wires=wire)
        for pair in ((2, 0), (1, 2), (2, 0)):
            qp.CNOT(pair)
        return [qp.expval(p(0)) for p in (qp.X, qp.Y, qp.Z)]

    return [float(value) for value in node()]


def test_blocks_by_turns() -> None:
    tree = CoherentTree(1, 8, block=["su4", named_block("u_so4")], init="uniform", seed=0, dtype=DOUBLE)
    assert [level.circuit.n_weights for level in tree.levels] == [9, 6, 9 + 3]
    check(tree)


def test_an_encoding_of_one_s_own() -> None:
    def colours(inputs: Any) -> Any:
        qp.RX(inputs[0], wires=0)
        qp.RY(2 * inputs[1] + 0.3, wires=0)
        qp.RX(inputs[2], wires=0)
        return qp.expval(qp.Z(0))

    tree = CoherentTree(3, (2, 3), encoding=colours, scale=1.7, init="uniform", seed=0, dtype=DOUBLE)
    assert tree.n_qubits == 8
    check(tree)
    check(CoherentTree(3, 4, encoding=tree.encoding, init="uniform", seed=0, dtype=DOUBLE))


@pytest.mark.parametrize("kernels", [True, False])
def test_bits(kernels: bool) -> None:
    tree = CoherentTree(1, (2, 2), encoding="threshold", init="uniform", seed=0, dtype=DOUBLE)
    x = torch.tensor([[[[0.2, 0.7], [0.51, 0.4]]]], dtype=DOUBLE)
    plain = CoherentTree(1, (2, 2), encoding="rx", init="uniform", seed=0, dtype=DOUBLE)
    with use_kernels(kernels):
        torch.testing.assert_close(tree(x), plain(x.round()), rtol=0, atol=1e-12)


def test_a_scale_for_each_pixel_is_trained() -> None:
    scale = torch.nn.Parameter(torch.linspace(0.5, 3.0, 6, dtype=DOUBLE).reshape(1, 2, 3))
    tree = CoherentTree(1, (2, 3), scale=scale, init="uniform", seed=0, dtype=DOUBLE)
    check(tree)
    tree(torch.rand(1, 1, 2, 3, dtype=DOUBLE)).sum().backward()
    assert scale.grad is not None
    assert bool((scale.grad != 0).all())


def test_the_start_is_the_mean_and_half_the_cross_product() -> None:
    tree = CoherentTree(1, 2, init={"weights": torch.pi / 4, "turns": 0.0}, dtype=DOUBLE)
    with torch.no_grad():
        tree.levels[0].weights[..., :6] = 0
        a, b = 0.3, 0.9
        p, q = (np.array([np.sin(np.pi * v), 0, np.cos(np.pi * v)]) for v in (a, b))
        found = tree(torch.tensor([[[a, b]]], dtype=DOUBLE))[0].numpy()
    np.testing.assert_allclose(found, (p + q + np.cross(q, p)) / 2, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "window", "windows", "padded"),
    [
        ((28, 28), None, 10 * [None], (32, 32)),
        ((4, 2), None, [(1, 2), (2, 1), (2, 1)], (4, 2)),
        ((9, 9), 3, [(3, 3), (3, 3)], (9, 9)),
        ((3, 5, 2), (2, 2, 1), [(2, 2, 1), (2, 2, 1), (1, 2, 1)], (4, 8, 2)),
        (10, [2, 5], [(2,), (5,)], (10,)),
    ],
)
def test_levels(size: Any, window: Any, windows: list[Any], padded: tuple[int, ...]) -> None:
    shape = TreeShape.parse(size, window)
    assert len(shape.windows) == len(windows)
    assert all(one in (None, found) for one, found in zip(windows, shape.windows, strict=True))
    assert shape.padded == padded
    assert shape.sizes[0] == padded
    assert shape.sizes[-1] == shape.places


def test_padding_is_said() -> None:
    tree = CoherentTree(1, (5, 4))
    assert tree.padding == ((1, 2), (0, 0))
    assert "n_qubits=32, padding=((1, 2), (0, 0))" in repr(tree)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no channels": ({"in_channels": 0}, r"`in_channels` \(=0\) must be a whole number of at least 1"),
    "one pixel": ({"input_size": (1, 1)}, "leave nothing to join: a tree needs at least two places"),
    "four axes": ({"input_size": (2, 2, 2, 2)}, r"`input_size` \(=\(2, 2, 2, 2\)\) must be a whole number"),
    "a window of one": ({"window": (1, 1)}, r"`window` \(=\(1, 1\)\) must be a window of at least two places"),
    "a window of three axes": ({"window": [(1, 2, 1)]}, r"or several windows that the levels take by turns, such as 2"),
    "too many levels": ({"n_levels": 9}, r"`n_levels` \(=9\) must be at most 4: so many levels join \(4, 4\)"),
    "too much kept": ({"keep": 4}, r"`keep` \(=4\) must be a whole number from 1 to 3"),
    "more kept than there is": ({"keep": 3}, r"`keep` \(=3\) must be at most 2, the qubits of a block of level 0"),
    "a wide block": ({"in_channels": 3, "window": 2}, "have 12 qubits, at most 9 are possible: use a smaller `window`"),
    "an unknown block": ({"block": "su5"}, r"`block` \(='su5'\) must be one of 'su4', 'u_ttn'"),
    "a number as block": ({"block": 3}, r"`block` \(=3\) must be a name"),
    "no blocks": ({"block": []}, "`block` is an empty sequence: give a block"),
    "a narrow block": ({"block": Circuit(1, 0, (), (Z,))}, "has 1 qubits, but a window has 2: choose `window`"),
    "a block that reads": (
        {"block": Circuit(2, 1, (Gate("RX", (0,), Angle(inputs=((0, 1.0),))),), (Z,))},
        "reads inputs, but its qubits come from the level before",
    ),
    "an encoding of amplitudes": ({"encoding": "amplitude"}, "must make a product of one-qubit states, as 'ry', 'rx'"),
    "an encoding of two values": (
        {"encoding": Circuit(1, 2, (Gate("RX", (0,), Angle(inputs=((0, 1.0),))),), (Z,))},
        r"reads 2 values and has the weights \[\], expected one that reads the 1 channel",
    ),
    "an entangling encoding": (
        {"encoding": Circuit(2, 1, (Gate("RX", (0,), Angle(inputs=((0, 1.0),))), Gate("CNOT", (0, 1))), (Z,))},
        "must make a product of one-qubit states with angles that are sums",
    ),
    "an unknown readout": ({"readout": "w"}, r"`readout` \(='w'\) must be one of 'xyz', 'paulis', 'z'"),
    "a scale of another shape": ({"scale": torch.ones(3)}, r"broadcasts to \(1, 4, 4\): \(in_channels, \*input_size\)"),
    "an infinite scale": ({"scale": float("inf")}, r"`scale` \(=inf\) must be finite"),
    "an unknown init": ({"init": "large"}, r"`init` \(='large'\) must be one of"),
    "noise of no kind": ({"noise": {"rain": 0.1}}, "`noise` has the unknown channel 'rain'"),
    "no shots": ({"shots": 0}, r"`shots` \(=0\) must be a whole number"),
    "a bad seed": ({"seed": -1}, r"`seed` \(=-1\) must be a whole number"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused(what: str) -> None:
    options, message = REFUSED[what]
    with pytest.raises(QuanvolveError, match=message):
        CoherentTree(**{"in_channels": 1, "input_size": (4, 4), **options})


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(2, 1, 4, 5), r"expected images of \(4, 4\) places \(`input_size`\), got \(4, 5\)"),
        (torch.rand(2, 2, 4, 4), "expected 1 input channel"),
        (torch.rand(4, 4), r"expected images of shape \(N, C, H, W\)"),
        (torch.full((1, 1, 4, 4), torch.nan), "contain 16 value"),
        (torch.rand(1, 1, 4, 4, dtype=DOUBLE), "the images are float64 and the layer is float32"),
        ([[1.0]], "expected a torch.Tensor, got list"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        CoherentTree(1, (4, 4))(images)
