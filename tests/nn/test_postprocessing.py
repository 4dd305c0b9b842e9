"""Outputs that are functions of expectation values: variances, purities, observables whose coefficients are weights."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from quanvolve import Quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit, capture, simulate

N = 4
WEIGHTS = {"weights": (1, N, 3)}
WORDS: list[Callable[[], Any]] = [
    lambda: qp.Z(0),
    lambda: qp.X(1) @ qp.Z(0),
    lambda: qp.Y(2),
    lambda: qp.Z(0) @ qp.Z(1) @ qp.X(3),
    lambda: qp.Identity(0),
]


def hamiltonian(coefficients: Any) -> Any:
    return qp.Hamiltonian(coefficients, [word() for word in WORDS[: len(coefficients)]])


RETURNS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Tensor]], Any]]] = {
    "variance": ({}, lambda w: [qp.var(qp.Z(0)), qp.expval(qp.Z(1))]),
    "variance of a sum": ({}, lambda w: [qp.var(hamiltonian([0.5, -1.5, 2.0])), qp.probs(wires=[2])]),
    "variance of a matrix": ({}, lambda w: qp.var(qp.Hermitian([[1.0, 2.0j], [-2.0j, 3.0]], wires=1))),
    "purity": ({}, lambda w: [qp.purity(wires=[0, 2]), qp.expval(qp.Z(0)), qp.purity(wires=[1])]),
    "hamiltonian": ({"c": (3,)}, lambda w: [qp.expval(hamiltonian(w["c"])), qp.probs(wires=[0, 1])]),
    "dot": ({"c": (4,)}, lambda w: qp.expval(qp.dot(torch.sin(w["c"]), [word() for word in WORDS[:4]]))),
    "products": ({"c": (2,)}, lambda w: [qp.expval((w["c"][0] * qp.X(0)) @ (w["c"][1] * qp.Y(2))), qp.var(qp.X(1))]),
    "matrices": (
        {"c": (2,)},
        lambda w: qp.expval(qp.dot(w["c"], [qp.Projector([0, 1], [0, 1]), qp.Hermitian([[1.0, 0.0], [0.0, 3.0]], 2)])),
    ),
    "variance of a hamiltonian": ({"c": (5,)}, lambda w: [qp.var(hamiltonian(w["c"])), qp.expval(hamiltonian(w["c"]))]),
}


def circuit_of(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    shapes, returned = RETURNS[name]

    def circuit(inputs, **weights):
        qp.AngleEmbedding(inputs, wires=range(N), rotation="Y")
        qp.StronglyEntanglingLayers(weights["weights"], wires=range(N))
        return returned(weights)

    return circuit, {**WEIGHTS, **shapes}


def reference(function: Callable[..., Any], images: Tensor, weights: dict[str, Tensor], wires: int = N) -> Tensor:
    """What PennyLane gives for layers with one window an image: shape (images, values)."""
    device = qp.device("default.qubit", wires=wires)
    rows = []
    for image in images.flatten(1):
        with qp.queuing.AnnotatedQueue() as queue:
            returned = function(image, **weights)
        every = returned if isinstance(returned, list | tuple) else [returned]
        operations = qp.tape.QuantumScript.from_queue(queue).operations
        plain = [m for m in every if not weighted(m)] or [qp.expval(qp.Z(0))]
        tapes = [qp.tape.QuantumScript(operations, measured) for measured in (plain, [qp.state()])]
        values, state = qp.execute(tapes, device, diff_method="backprop", interface="torch")
        rest = iter(values if isinstance(values, tuple) else [values])
        own = [spread(m.obs, state, wires) if weighted(m) else next(rest) for m in every]
        rows.append(torch.cat([torch.as_tensor(value).reshape(-1) for value in own]))
    return torch.stack(rows)


def weighted(measurement: Any) -> bool:
    """Whether it is a variance with trained coefficients, whose eigenvectors PennyLane differentiates to NaN."""
    if not isinstance(measurement, qp.measurements.VarianceMP):
        return False
    return any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in qp.pytrees.flatten(measurement.obs)[0])


def spread(operator: Any, state: Tensor, wires: int) -> Tensor:
    matrix = torch.as_tensor(qp.matrix(operator, wire_order=range(wires))).to(state)
    image = matrix @ state
    return (image.abs() ** 2).sum() - (state.conj() @ image).real ** 2


def outputs(name: str) -> int:
    function, shapes = circuit_of(name)
    return capture(function, N, shapes, last_look=False).n_outputs


def compared(layer: Any, expected: Callable[[Tensor, dict[str, Tensor]], Tensor], images: Tensor, tol: float) -> None:
    """Values, and gradients by images and weights, of a layer and of a function of images and weights."""
    weights = {name: weight.detach().double().requires_grad_() for name, weight in layer.circuit_weights().items()}
    own, theirs = images.clone().requires_grad_(), images.double().requires_grad_()
    out, value = layer(own), expected(theirs, weights)
    out = out.reshape(value.shape)
    factors = torch.rand(value.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(out.double(), value, rtol=tol, atol=tol)
    ours = torch.autograd.grad((out * factors.to(out)).sum(), [own, *layer.circuit_weights().values()])
    right = torch.autograd.grad((value * factors).sum(), [theirs, *weights.values()])
    for one, other in zip(ours, right, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=10 * tol, atol=10 * tol)


@pytest.mark.parametrize("engine", ["polynomial", "statevector", "tensor_train"])
@pytest.mark.parametrize("name", RETURNS)
def test_values_and_gradients_are_those_of_default_qubit(name: str, engine: str) -> None:
    function, shapes = circuit_of(name)
    layer = Quanv2d(
        1, outputs(name), 2, circuit=function, weight_shapes=shapes, engine=engine, seed=0, dtype=torch.float64
    )
    images = 4 * torch.rand(3, 1, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 2
    compared(layer, lambda x, w: reference(function, x, {n: v[0, 0] for n, v in w.items()}), images, 1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["purity", "variance of a hamiltonian"])
def test_each_circuit_has_its_own_before_the_sum_over_channels(name: str, dtype: torch.dtype) -> None:
    function, shapes = circuit_of(name)
    measured = outputs(name)
    layer = Quanv2d(6, 2 * (measured + 1), 2, groups=2, circuit=function, weight_shapes=shapes, seed=0, dtype=dtype)
    assert layer.filter_shape == (4, 3)

    def expected(images: Tensor, weights: dict[str, Tensor]) -> Tensor:
        rows = []
        for group in range(2):
            filters = []
            for filter_ in (2 * group, 2 * group + 1):
                parts = [
                    reference(function, images[:, 3 * group + c], {n: v[filter_, c] for n, v in weights.items()})
                    for c in range(3)
                ]
                filters.append(torch.stack(parts).sum(0))
            rows.append(torch.cat(filters, dim=1)[:, : measured + 1])
        return torch.cat(rows, dim=1)

    images = torch.rand(2, 6, 2, 2, dtype=dtype, generator=torch.Generator().manual_seed(0))
    compared(layer, expected, images, 1e-9 if dtype == torch.float64 else 2e-5)


def test_a_circuit_that_reads_all_channels() -> None:
    shapes, returned = RETURNS["variance of a hamiltonian"]

    def circuit(inputs, weights, c):
        for k in range(12):
            qp.RX(inputs[k], wires=k % N)
        qp.StronglyEntanglingLayers(weights, wires=range(N))
        return returned({"c": c})

    layer = Quanv2d(
        3, 2, 2, circuit=circuit, channel_mixing="joint", weight_shapes={**WEIGHTS, **shapes}, seed=0,
        dtype=torch.float64,
    )  # fmt: skip
    images = torch.rand(2, 3, 2, 2, dtype=torch.float64)
    compared(layer, lambda x, w: reference(circuit, x, {n: v[0, 0] for n, v in w.items()}), images, 1e-9)


def test_more_places_than_one_and_an_empty_batch() -> None:
    function, shapes = circuit_of("variance")
    layer = Quanv2d(2, 3, 2, circuit=function, weight_shapes=shapes, seed=0, dtype=torch.float64)
    images = torch.rand(2, 2, 3, 4, dtype=torch.float64)
    out = layer(images)
    assert out.shape == (2, 3, 2, 3)
    for row in range(2):
        for column in range(3):
            one = layer(images[:, :, row : row + 2, column : column + 2])
            torch.testing.assert_close(out[:, :, row : row + 1, column : column + 1], one)
    empty = torch.zeros(0, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert layer(empty).shape == (0, 3, 2, 3)
    layer(empty).sum().backward()
    assert empty.grad is not None
    assert not layer.weights.grad.any()


@pytest.mark.parametrize("noise", [{"depolarizing": 0.05}, {"amplitude_damping": 0.1, "readout": (0.02, 0.05)}])
@pytest.mark.parametrize("engine", ["polynomial", "density"])
def test_noise_is_exact(noise: dict[str, Any], engine: str) -> None:
    function, shapes = circuit_of("variance of a hamiltonian")
    layer = Quanv2d(
        1, 2, 2, circuit=function, weight_shapes=shapes, seed=0, noise=noise, engine=engine, dtype=torch.float64
    )
    images = torch.rand(2, 1, 2, 2, dtype=torch.float64)
    weights = {name: weight.detach()[0, 0].numpy() for name, weight in layer.circuit_weights().items()}
    for image, values in zip(images, layer(images).flatten(1), strict=True):
        expected = simulate(layer.circuits[0], image.flatten().tolist(), weights)
        torch.testing.assert_close(values.detach(), torch.from_numpy(expected), rtol=0, atol=1e-9)
    # A variance of a mixed state, which is not the mixture of variances.
    assert (layer(images)[:, 0] > 0).all()


def test_shots_give_the_function_of_the_means() -> None:
    function, shapes = circuit_of("variance")
    layer = Quanv2d(1, 2, 2, circuit=function, weight_shapes=shapes, seed=0, dtype=torch.float64)
    few = Quanv2d(1, 2, 2, circuit=function, weight_shapes=shapes, seed=0, dtype=torch.float64, shots=4)
    images = torch.rand(1, 1, 2, 2, dtype=torch.float64).expand(4000, 1, 2, 2)
    torch.manual_seed(0)
    with torch.no_grad():
        exact, drawn = layer(images[:1]).flatten(), few(images).flatten(1)
    assert {round(float(v) * 4) / 4 for v in drawn[:, 0]} <= {0.0, 0.75, 1.0}  # 1 - m^2 of means of four
    # The mean of 1 - m^2 is that of the variance, less the variance of m: a fourth of it.
    assert abs(drawn[:, 0].mean() - 0.75 * exact[0]) < 0.02
    assert abs(drawn[:, 1].mean() - exact[1]) < 0.03
    assert "whose errors make them biased" in few.plan
    assert "biased" not in layer.plan
    assert "functions of its 2 measured values" in layer.plan


def test_gradients_from_shots_alone() -> None:
    function, shapes = circuit_of("variance of a hamiltonian")
    options = {"circuit": function, "weight_shapes": shapes, "seed": 0, "dtype": torch.float64}
    exact = Quanv2d(1, 2, 2, **options)
    drawn = Quanv2d(1, 2, 2, **options, shots=200_000, diff_method="parameter-shift")
    images = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    torch.manual_seed(0)
    for layer in (exact, drawn):
        layer(images).sum().backward()
    for name in ("weights", "c"):
        one, other = getattr(exact, name).grad, getattr(drawn, name).grad
        assert one.abs().max() > 0.1
        torch.testing.assert_close(other, one, rtol=0, atol=0.2)


def test_frozen_compiled_copied_and_saved() -> None:
    function, shapes = circuit_of("variance of a hamiltonian")
    layer = Quanv2d(2, 3, 2, circuit=function, weight_shapes=shapes, seed=0)
    images = torch.rand(2, 2, 4, 4)
    out = layer(images)
    frozen = layer.frozen()
    torch.testing.assert_close(frozen(images), out, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(torch.compile(layer, fullgraph=True, backend="aot_eager")(images), out)
    torch.testing.assert_close(copy.deepcopy(layer)(images), out)
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(images), out)
    other = Quanv2d(2, 3, 2, circuit=layer.circuits[0], seed=5, scale=1.0)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(images), out)
    plain = Quanv2d(2, 3, 2, circuit=capture(circuit_of("hamiltonian")[0], N, circuit_of("hamiltonian")[1]), scale=1.0)
    with pytest.raises(QuanvolveError, match="the state holds the weights of another circuit"):
        plain.load_state_dict(layer.state_dict())
    layer.c.data.mul_(2.0)  # compiled filters notice weights that only the post-processing reads
    with torch.no_grad():
        assert not torch.allclose(layer(images), out)


def test_second_derivatives() -> None:
    function, shapes = circuit_of("hamiltonian")
    layer = Quanv2d(1, 5, 2, circuit=function, weight_shapes=shapes, seed=0, dtype=torch.float64, engine="statevector")
    images = torch.rand(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (images,))


def test_circuits_of_a_layer_may_differ_in_what_they_make_of_what_they_measure() -> None:
    circuits = []
    for name in ("variance", "two variances"):
        returned = RETURNS.get(name, (0, lambda w: [qp.var(qp.Z(0)), qp.var(qp.Z(1))]))[1]

        def circuit(inputs, weights, returned=returned):
            qp.AngleEmbedding(inputs, wires=range(N), rotation="Y")
            qp.StronglyEntanglingLayers(weights, wires=range(N))
            return returned({})

        circuits.append(capture(circuit, N, WEIGHTS))
    layer = Quanv2d(1, 4, 2, circuit=circuits, seed=0, dtype=torch.float64)
    images = torch.rand(2, 1, 2, 2, dtype=torch.float64)
    for row in layer.rows():
        for image, values in zip(images, layer(images).flatten(1), strict=True):
            expected = simulate(row.circuit, image.flatten().tolist(), {"weights": row.weights["weights"].detach()})
            own = values[[c for c in row.out_channels if c is not None]]
            torch.testing.assert_close(own.detach(), torch.from_numpy(expected), rtol=0, atol=1e-9)
    with pytest.raises(PlanError, match="differ in whether they have a post-processing; the filters of one layer must"):
        Quanv2d(1, 4, 2, circuit=[circuits[0], circuits[1].without_postprocessing()])


def test_a_trained_coefficient_that_the_function_brings_along() -> None:
    c = torch.nn.Parameter(torch.tensor([0.3, -0.7, 0.2], dtype=torch.float64))

    def circuit(inputs):
        qp.AngleEmbedding(inputs, wires=range(N))
        return qp.expval(hamiltonian(c))

    layer = Quanv2d(1, 1, 2, circuit=circuit, dtype=torch.float64)
    assert torch.equal(layer.c.detach().reshape(3), c.detach())
    images = torch.rand(2, 1, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(layer(images).reshape(2, 1), reference(circuit, images, {}))


def test_weights_that_only_the_coefficients_read_are_trained() -> None:
    function, shapes = circuit_of("hamiltonian")
    layer = Quanv2d(1, 5, 2, circuit=function, weight_shapes=shapes, seed=0)
    before = layer.c.detach().clone()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(torch.rand(2, 1, 4, 4)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(layer.c.detach(), before)


MEASURED = st.one_of(
    st.tuples(st.just("expval"), st.lists(st.floats(-2, 2), min_size=1, max_size=4)),
    st.tuples(st.just("var"), st.lists(st.floats(-2, 2), min_size=1, max_size=4)),
    st.tuples(st.just("trained"), st.lists(st.booleans(), min_size=1, max_size=4)),
    st.tuples(st.just("trained var"), st.lists(st.booleans(), min_size=1, max_size=4)),
    st.tuples(st.just("purity"), st.sets(st.integers(0, N - 1), min_size=1, max_size=3)),
    st.tuples(st.just("probs"), st.sets(st.integers(0, N - 1), min_size=1, max_size=2)),
)


def measurement(kind: str, of: Any, c: Tensor) -> Any:
    if kind in ("purity", "probs"):
        return getattr(qp, kind)(wires=sorted(of))
    coefficients = [c[k] if own is True else 0.5 if own is False else own for k, own in enumerate(of)]
    measure = qp.var if kind.endswith("var") else qp.expval
    return measure(qp.dot(coefficients, [word() for word in WORDS[: len(of)]]))


@settings(max_examples=15, deadline=None)
@given(st.lists(MEASURED, min_size=1, max_size=4), st.integers(0, 2**20), st.sampled_from(["auto", "statevector"]))
def test_random_returns(returned: list[tuple[str, Any]], seed: int, engine: str) -> None:
    def circuit(inputs, weights, c):
        qp.AngleEmbedding(inputs, wires=range(N), rotation="Y")
        qp.StronglyEntanglingLayers(weights, wires=range(N))
        return [measurement(kind, of, c) for kind, of in returned]

    captured = capture(circuit, N, {**WEIGHTS, "c": (4,)}, last_look=False)
    assert Circuit.from_json(captured.to_json()) == captured
    layer = Quanv2d(
        1, captured.n_outputs, 2, circuit=captured, scale=1.0, engine=engine, seed=seed, dtype=torch.float64
    )
    generator = torch.Generator().manual_seed(seed)
    images = math.pi * torch.rand(2, 1, 2, 2, dtype=torch.float64, generator=generator)
    compared_values(layer, circuit, images)


def compared_values(layer: Quanv2d, circuit: Callable[..., Any], images: Tensor) -> None:
    weights = {name: weight.detach()[0, 0].requires_grad_() for name, weight in layer.circuit_weights().items()}
    theirs = reference(circuit, images, weights)
    ours = layer(images).flatten(1)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    one = torch.autograd.grad(ours.sin().sum(), list(layer.circuit_weights().values()))
    other = torch.autograd.grad(theirs.sin().sum(), list(weights.values()), allow_unused=True)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a[0, 0], torch.zeros_like(a[0, 0]) if b is None else b, rtol=1e-7, atol=1e-7)
