"""The slow, obvious twins: PennyLane's default.qubit, one window after the other, in plain loops."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pennylane as qp
import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor

from quanvolve.circuits import Angle, Circuit, Gate, Observable, Preparation
from quanvolve.compile import Layout, PolynomialPlan, Windows, use_kernels

OPERATIONS = {
    "RX": qp.RX,
    "RY": qp.RY,
    "RZ": qp.RZ,
    "H": qp.Hadamard,
    "X": qp.PauliX,
    "Y": qp.PauliY,
    "Z": qp.PauliZ,
    "S": qp.S,
    "SX": qp.SX,
    "CNOT": qp.CNOT,
    "CY": qp.CY,
    "CZ": qp.CZ,
    "SWAP": qp.SWAP,
    "ISWAP": qp.ISWAP,
}
ROTATIONS = ("RX", "RY", "RZ")
PAULIS = {"X": qp.PauliX, "Y": qp.PauliY, "Z": qp.PauliZ}

Weights = Mapping[str, Any]


def run_qnode(function: Callable[..., Any], inputs: Any, weights: Weights, wires: Any) -> np.ndarray:
    """The function as the QNode that a user would write, on one window."""
    node = qp.QNode(function, qp.device("default.qubit", wires=wires), diff_method=None)
    values = node(inputs=inputs, **weights)
    parts = values if isinstance(values, list | tuple) else [values]
    return np.concatenate([np.asarray(part, float).reshape(-1) for part in parts])


def run_description(circuit: Circuit, window: Sequence[float], weights: Weights) -> np.ndarray:
    """A circuit description on default.qubit, on one window."""
    values = np.asarray(window, float)
    if circuit.threshold is not None:
        values = np.array([1.0 if value > circuit.threshold else 0.0 for value in values])
    flat = {name: np.asarray(weight, float).reshape(-1) for name, weight in weights.items()}

    def function() -> list[Any]:
        if circuit.preparation is not None:
            state = np.zeros(2 ** len(circuit.preparation.wires))
            state[: len(circuit.preparation.values)] = values[list(circuit.preparation.values)]
            norm = np.linalg.norm(state)
            state = state / norm if norm else np.eye(len(state))[0]
            qp.StatePrep(state, wires=circuit.preparation.wires)
        for gate in circuit.gates:
            if gate.angle is None:
                OPERATIONS[gate.name](wires=list(gate.wires))
                continue
            angle = gate.angle.offset
            for index, factor in gate.angle.inputs:
                angle += factor * values[index]
            for name, index, factor in gate.angle.weights:
                angle += factor * flat[name][index]
            OPERATIONS[gate.name](angle, wires=gate.wires[0])
        if circuit.counts:
            return [qp.probs(wires=range(circuit.n_wires))]
        return [
            qp.probs(wires=[wire for wire, _ in observable.outcome]) if observable.outcome else qp.expval(_word(word))
            for observable in circuit.observables
            for _, word in observable.terms or [(1.0, ())] * bool(observable.outcome)
        ]

    node = qp.QNode(function, qp.device("default.qubit", wires=circuit.n_wires), diff_method=None)
    if circuit.counts:
        assert circuit.counts == "most_probable"
        return np.array([float(bin(int(np.argmax(np.round(node()[0], 9)))).count("1"))])
    measured = iter(node() if any(o.terms or o.outcome for o in circuit.observables) else ())
    if any(o.outcome for o in circuit.observables):
        found = []
        for o in circuit.observables:
            if o.outcome:
                number = int("".join(str(bit) for _, bit in o.outcome), 2)
                found.append(float(next(measured)[number]))
            else:
                found.append(sum(c * float(next(measured)) for c, _ in o.terms))
        return np.array(found, float)
    return np.array([sum(c * float(next(measured)) for c, _ in o.terms) for o in circuit.observables], float)


def _word(word: Sequence[tuple[int, str]]) -> Any:
    letters = [PAULIS[pauli](wire) for wire, pauli in word]
    return qp.prod(*letters) if len(letters) > 1 else letters[0] if letters else qp.Identity(0)


def run_compiled(circuit: Circuit, windows: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Values (windows, filters, outputs) by this package; weights are (filters, *shape)."""
    return run_plan(PolynomialPlan([circuit]), circuit, windows, weights, True)


def slow_quanv2d(
    images: Tensor,
    measure: Callable[[int, int, np.ndarray], np.ndarray],
    *,
    out_channels: int,
    n_outputs: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | str = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    channel_mixing: str = "sum",
    scale: Any = 1.0,
    bias: Any = None,
) -> Tensor:
    """A quantum convolution in plain loops; `measure(filter, channel, window)` runs one circuit on one window.

    Filters are numbered through all groups; `channel` counts within a group and is 0 for joint mixing.
    """
    reach = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
    if padding == "valid":
        padding = (0, 0)
    if padding == "same":
        sides = [(r // 2, r - r // 2) for r in reach]
    else:
        sides = [(p, p) for p in padding]
    mode = {"zeros": "constant"}.get(padding_mode, padding_mode)
    padded = F.pad(images.double(), (*sides[1], *sides[0]), mode=mode).numpy()
    count, channels, height, width = padded.shape
    factors = np.broadcast_to(np.asarray(scale, float), (channels, *kernel_size))
    rows = range(0, height - reach[0], stride[0])
    columns = range(0, width - reach[1], stride[1])
    per_group_in, per_group_out = channels // groups, out_channels // groups
    filters = -(-per_group_out // n_outputs)
    out = np.zeros((count, out_channels, len(rows), len(columns)))
    for n in range(count):
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                for group in range(groups):
                    windows = []
                    for channel in range(group * per_group_in, (group + 1) * per_group_in):
                        window = [
                            factors[channel, a, b] * padded[n, channel, top + a * dilation[0], left + b * dilation[1]]
                            for a in range(kernel_size[0])
                            for b in range(kernel_size[1])
                        ]
                        windows.append(window)
                    if channel_mixing == "joint":
                        windows = [list(itertools.chain(*windows))]
                    for f in range(filters):
                        values = np.zeros(n_outputs)
                        for channel, window in enumerate(windows):
                            values = values + measure(group * filters + f, channel, np.array(window))
                        for k in range(n_outputs):
                            if f * n_outputs + k < per_group_out:
                                out[n, group * per_group_out + f * n_outputs + k, i, j] = values[k]
    if bias is not None:
        out = out + np.asarray(bias, float)[None, :, None, None]
    return torch.from_numpy(out)


def slow_layer(layer: Any, images: Tensor, **arguments: Any) -> Tensor:
    """The loop with a layer's weights and circuit descriptions; geometry comes from the caller."""
    weights = {name: getattr(layer, name).detach().double().numpy() for name, _ in layer.circuits[0].weight_shapes}
    per_filter = 1 if arguments.get("channel_mixing") == "joint" else images.shape[1] // arguments.get("groups", 1)

    def measure(row: int, channel: int, window: np.ndarray) -> np.ndarray:
        number = row * per_filter + channel
        circuit = layer.circuits[number if len(layer.circuits) > 1 else 0]
        return run_description(circuit, window, {name: w[row, channel] for name, w in weights.items()})

    return slow_quanv2d(images, measure, n_outputs=layer.circuits[0].n_outputs, **arguments)


def run_plan(plan: Any, circuit: Circuit, windows: Tensor, weights: Mapping[str, Tensor], fold: bool) -> Tensor:
    """Values (windows, filters, outputs) by a plan, by kernels and in plain torch; weights are (filters, *shape)."""
    filters = len(next(iter(weights.values()))) if weights else 1
    layout = Layout(1, filters, 1, filters * circuit.n_outputs)
    size = windows.shape[1]
    found = []
    for on in (False, True):
        with use_kernels(on):
            compiled = plan.compile(weights, windows, layout, None if fold else 1)
            images = Windows(windows[:, None], (size,), (1,), (1,)) if size else None
            if images is None:  # nothing is read: windows of one pixel that no angle looks at
                images = Windows(windows.new_zeros(len(windows), 1, 1), (1,), (1,), (1,))
            values = plan.evaluate(compiled, images, layout)
            found.append(values.reshape(len(windows), filters, circuit.n_outputs))
    if circuit.counts is None:
        close = {"rtol": 1e-10, "atol": 1e-11} if windows.dtype == torch.float64 else {"rtol": 1e-5, "atol": 5e-6}
        torch.testing.assert_close(found[1], found[0], **close)
    return found[1]


# -- random circuits ---------------------------------------------------------------------------------------------------

_FLOATS = st.floats(-4.0, 4.0, width=32)


@st.composite
def angles(draw: st.DrawFn, inputs: int, weights: tuple[tuple[str, int], ...], reads: bool) -> Angle:
    read = []
    if reads:
        read = draw(
            st.lists(
                st.tuples(st.integers(0, inputs - 1), st.sampled_from((1.0, -1.0, 0.5, 2.0, 3.14159))),
                min_size=1,
                max_size=2,
                unique_by=lambda term: term[0],
            )
        )
    used = [
        (name, index, draw(st.sampled_from((1.0, -0.5, 2.0))))
        for name, index in draw(st.lists(st.sampled_from(weights), max_size=2, unique=True))
    ]
    return Angle(draw(_FLOATS), tuple(read), tuple(used))


@st.composite
def product_circuits(draw: st.DrawFn, max_wires: int = 5) -> Circuit:
    """Gates from the whole vocabulary in any order, with inputs read only by qubits that met no other yet."""
    n_wires = draw(st.integers(1, max_wires))
    n_inputs = draw(st.integers(1, 4))
    shapes = draw(st.sampled_from(((("w", (2, 2)),), (("w", (3,)), ("v", ())), (("b", (1,)), ("a", (2, 1, 2))), ())))
    entries = tuple((name, index) for name, shape in shapes for index in range(int(np.prod(shape))))
    names = list(OPERATIONS) if n_wires > 1 else [n for n in OPERATIONS if n[0] != "C" and n[:2] not in ("SW", "IS")]
    gates: list[Gate] = []
    met: set[int] = set()
    readers = [0] * n_wires
    # Every second gate at first is an encoding rotation, then all gates alike.
    for position in range(draw(st.integers(1, 6 + 3 * n_wires))):
        encode = position < 2 * n_wires and draw(st.booleans())
        name = draw(st.sampled_from(ROTATIONS if encode else names))
        size = 1 if name in ROTATIONS or name in ("H", "X", "Y", "Z", "S", "SX") else 2
        wires = tuple(draw(st.permutations(range(n_wires)))[:size])
        if size == 2:
            met.update(wires)
        angle = None
        if name in ROTATIONS:
            may_read = wires[0] not in met and readers[wires[0]] < 3 and sum(readers) < 6
            reads = may_read and (encode or draw(st.booleans()))
            readers[wires[0]] += reads
            angle = draw(angles(n_inputs, entries, reads) if entries else _bare(n_inputs, reads))
        gates.append(Gate(name, wires, angle))
    words = st.dictionaries(st.integers(0, n_wires - 1), st.sampled_from("XYZ"), max_size=n_wires).map(
        lambda word: tuple(sorted(word.items()))
    )
    terms = st.lists(st.tuples(st.floats(-2, 2, width=32), words), min_size=1, max_size=3)
    observables = draw(st.lists(terms, min_size=1, max_size=3))
    return Circuit(
        n_wires=n_wires,
        n_inputs=n_inputs,
        gates=tuple(gates),
        observables=tuple(Observable(tuple(o)) for o in observables),
        weight_shapes=shapes,
        threshold=draw(st.sampled_from((None, None, 0.25))),
    )


@st.composite
def any_circuits(draw: st.DrawFn, max_wires: int = 4) -> Circuit:
    """Inputs are read anywhere; amplitude encoding, outcomes and numbers of ones occur too."""
    product = draw(product_circuits(max_wires))
    gates = list(product.gates)
    for _ in range(draw(st.integers(0, 6))):
        where = draw(st.integers(0, len(gates)))
        wire = draw(st.integers(0, product.n_wires - 1))
        gates.insert(where, Gate(draw(st.sampled_from(ROTATIONS)), (wire,), draw(_bare(product.n_inputs, True))))
    preparation = None
    if draw(st.booleans()):
        wires = tuple(draw(st.permutations(range(product.n_wires)))[: draw(st.integers(1, product.n_wires))])
        values = draw(st.lists(st.integers(0, product.n_inputs - 1), min_size=1, max_size=2 ** len(wires)))
        preparation = Preparation(wires, tuple(values))
    observables = list(product.observables)
    if draw(st.booleans()):
        bits = draw(st.dictionaries(st.integers(0, product.n_wires - 1), st.integers(0, 1), min_size=1))
        observables.append(Observable((), tuple(bits.items())))
    counts = draw(st.sampled_from((None, None, None, "most_probable")))
    return replace(
        product,
        gates=tuple(gates),
        preparation=preparation,
        observables=() if counts else tuple(observables),
        counts=counts,
    )


def _bare(inputs: int, reads: bool) -> st.SearchStrategy[Angle]:
    factors = st.tuples(st.integers(0, inputs - 1), st.sampled_from((1.0, -2.0, 0.5)))
    read = st.tuples(factors) if reads else st.just(())
    return st.builds(Angle, _FLOATS, read)


def draw_point(circuit: Circuit, filters: int, windows: int, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """Random windows, and random weights of some filters (one filter where the circuit has no weights)."""
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: 7 * torch.rand((filters, *shape), generator=generator, dtype=torch.float64) - 2
        for name, shape in circuit.weight_shapes
    }
    values = 3 * torch.rand((windows, circuit.n_inputs), generator=generator, dtype=torch.float64) - 1
    return values, weights


def expected(circuit: Circuit, windows: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """The twin of :func:`run_compiled`, one window and one filter at a time."""
    filters = len(next(iter(weights.values()))) if weights else 1
    rows = [
        [
            run_description(circuit, window.numpy(), {name: w[f].numpy() for name, w in weights.items()})
            for f in range(filters)
        ]
        for window in windows
    ]
    return torch.from_numpy(np.array(rows))
