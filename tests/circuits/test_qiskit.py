"""Circuits of Qiskit as filters: its library of feature maps and ansatze against its own estimator."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit import library as lib
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.sparse import SparseEfficiencyWarning

from quanvolve import Quanv2d, QuanvClassifier, load
from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits import Circuit, circuit_of, from_qiskit, simulate, source_of

OBSERVABLES = [SparsePauliOp("IIIZ"), SparsePauliOp(["XIIY", "ZZII", "IIII"], [0.5, -1.5, 0.25])]
STEP = 1e-4
HAMILTONIAN = SparsePauliOp(["ZZII", "IZZI", "IIZZ", "IIIZ"], [0.3, -0.4, 0.5, 0.2])


def cubes(values: Sequence[Any]) -> Any:
    return values[0] ** 3 / 5 if len(values) == 1 else math.prod((value * value).sin() + 1.5 for value in values)


FEATURE_MAPS: dict[str, Callable[[], Any]] = {
    "z": lambda: lib.z_feature_map(4, reps=2),
    "zz": lambda: lib.zz_feature_map(4, reps=1),
    "zz linear, twice": lambda: lib.zz_feature_map(4, reps=2, entanglement="linear"),
    "pauli": lambda: lib.pauli_feature_map(4, reps=1, paulis=["Y", "ZX", "XYZ"]),
    "own data map": lambda: lib.pauli_feature_map(4, reps=1, paulis=["Z", "YY"], data_map_func=cubes),
}
ANSATZE: dict[str, Callable[[], Any]] = {
    "efficient_su2": lambda: lib.efficient_su2(4, reps=1),
    "real_amplitudes": lambda: lib.real_amplitudes(4, reps=2, entanglement="circular"),
    "n_local": lambda: lib.n_local(4, ["ry", "p"], ["cz", "crx"], reps=1, entanglement="linear"),
    "excitation_preserving": lambda: lib.excitation_preserving(4, reps=1),
    "qaoa": lambda: lib.qaoa_ansatz(HAMILTONIAN, reps=2),
    "evolved": lambda: lib.evolved_operator_ansatz([SparsePauliOp("XYZI"), HAMILTONIAN], reps=1),
}


def values_of_qiskit(written: Any, windows: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """One row a window, by `StatevectorEstimator`."""
    rows = []
    names = {p.name: p for p in written.parameters}
    for window in windows:
        numbers = {f"x[{k}]": value for k, value in enumerate(window)}
        for name, weight in weights.items():
            numbers |= {f"{name}[{k}]": float(value) for k, value in enumerate(weight)}
        bound = [numbers[name] for name in names]
        (result,) = StatevectorEstimator().run([(written, OBSERVABLES, bound)]).result()
        rows.append(result.data.evs)
    return np.array(rows)


@pytest.mark.parametrize("ansatz", ANSATZE)
@pytest.mark.parametrize("feature_map", FEATURE_MAPS)
def test_values_and_gradients_are_those_of_qiskit(feature_map: str, ansatz: str) -> None:
    written = FEATURE_MAPS[feature_map]().compose(ANSATZE[ansatz]())
    source = from_qiskit(written, observables=OBSERVABLES)
    assert source.n_inputs == 4
    assert sum(math.prod(shape) for shape in source.weight_shapes.values()) == written.num_parameters - 4
    layer = Quanv2d(1, 2, 2, circuit=source, dtype=torch.float64, seed=0)
    rng = np.random.default_rng(0)
    weights = {name: weight.detach()[0, 0].numpy().copy() for name, weight in layer.circuit_weights().items()}
    windows = rng.uniform(-1.5, 1.5, (2, 4))
    images = torch.tensor(windows.reshape(2, 1, 2, 2), requires_grad=True)
    ours = layer(images)[:, :, 0, 0]
    np.testing.assert_allclose(ours.detach().numpy(), values_of_qiskit(written, windows, weights), atol=1e-9, rtol=0)

    mix = torch.tensor([0.7, -0.4], dtype=torch.float64)
    (ours[0] @ mix).backward()

    def slope(change: Callable[[float], Any]) -> float:
        """By a stencil of the fourth order: products of four differences of pixels turn fast."""
        at = {k: float((change(k * STEP) @ mix.numpy()).item()) for k in (-2, -1, 1, 2)}
        return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * STEP)

    way = rng.normal(size=4)
    by_window = slope(lambda h: values_of_qiskit(written, windows[:1] + h * way, weights))
    assert images.grad is not None
    assert abs(images.grad[0].numpy().ravel() @ way - by_window) < 1e-6
    for name, weight in layer.circuit_weights().items():
        turn = rng.normal(size=weights[name].shape)
        assert weight.grad is not None
        by_weight = slope(
            lambda h, name=name, turn=turn: values_of_qiskit(
                written, windows[:1], {**weights, name: weights[name] + h * turn}
            )
        )
        assert abs(weight.grad.numpy().ravel() @ turn - by_weight) < 1e-6, name


def test_the_classes_of_older_code_work_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        written = (
            lib.ZZFeatureMap(2, reps=1)
            .compose(lib.EfficientSU2(2, reps=1))
            .compose(lib.TwoLocal(2, "ry", "cx", reps=1, parameter_prefix="a"))
        )
        source = from_qiskit(written)
    assert (source.n_inputs, source.weight_shapes) == (2, {"a": (4,), "θ": (8,)})


def described(written: Any, **options: Any) -> Circuit:
    return circuit_of(from_qiskit(written, **options))


def same(written: Any, circuit: Circuit) -> None:
    """Values of a circuit with one parameter, x, are those of Qiskit."""
    for x in (-1.3, 0.4, 2.0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SparseEfficiencyWarning)  # of the exact evolution
            state = Statevector(written.assign_parameters([x] if written.parameters else []))
        n = written.num_qubits
        expected = [state.expectation_value(SparsePauliOp("Z"), [qubit]).real for qubit in range(n)]
        np.testing.assert_allclose(simulate(circuit, [x], {}), expected, atol=1e-9)


def with_x(n_qubits: int = 3) -> tuple[QuantumCircuit, Parameter]:
    x = Parameter("x")
    written = QuantumCircuit(n_qubits)
    for qubit in range(n_qubits):
        written.u(0.3 + qubit, x * (qubit + 1), 0.7, qubit)
    return written, x


X = Parameter("x")
COMMUTING = SparsePauliOp(["XX", "ZZ", "II"], [0.5, 0.7, 0.9])
GATES: dict[str, tuple[Any, int]] = {
    **{gate.name: (gate, gate.num_qubits) for gate in (
        lib.HGate(), lib.XGate(), lib.YGate(), lib.ZGate(), lib.SGate(), lib.SdgGate(), lib.TGate(), lib.TdgGate(),
        lib.SXGate(), lib.SXdgGate(), lib.IGate(), lib.RXGate(X), lib.RYGate(X), lib.RZGate(X), lib.PhaseGate(X),
        lib.RGate(X, 0.4), lib.UGate(X, 2 * X, X / 3), lib.U1Gate(X), lib.U2Gate(X, 0.3), lib.U3Gate(0.4, X, 0.1),
        lib.CXGate(), lib.CYGate(), lib.CZGate(), lib.CHGate(), lib.CSGate(), lib.CSdgGate(), lib.CSXGate(),
        lib.DCXGate(), lib.ECRGate(), lib.SwapGate(), lib.iSwapGate(), lib.CRXGate(X), lib.CRYGate(X), lib.CRZGate(X),
        lib.CPhaseGate(X), lib.CU1Gate(X), lib.CU3Gate(X, 0.2, 0.3), lib.CUGate(X, 0.2, X, 0.4), lib.RXXGate(X),
        lib.RYYGate(X), lib.RZZGate(X), lib.RZXGate(X), lib.XXMinusYYGate(X, 0.3), lib.XXPlusYYGate(X, 0.3),
        lib.CCXGate(), lib.CCZGate(), lib.CSwapGate(), lib.RCCXGate(), lib.C3XGate(), lib.RC3XGate(), lib.C3SXGate(),
        lib.C4XGate(),
    )},
    "mcx": (lib.MCXGate(4), 5),
    "mcp": (lib.MCPhaseGate(X, 3), 4),
    "control state": (lib.RYGate(X).control(2, ctrl_state=1, annotated=False), 3),
    "controlled phase gate": (lib.PhaseGate(X).control(2, annotated=False), 3),
    "controlled phase of all": (lib.GlobalPhaseGate(1.1).control(1, annotated=False), 1),
    "annotated": (lib.U2Gate(X, 0.3).control(2, annotated=True), 3),
    "unitary of one": (lib.UnitaryGate(np.array([[0.6, 0.8j], [0.8j, 0.6]])), 1),
    "unitary of two": (lib.UnitaryGate(lib.XXPlusYYGate(0.7, 0.2).to_matrix()), 2),
    "controlled unitary": (lib.UnitaryGate(np.diag([1j, np.exp(0.3j)])).control(1, annotated=False), 2),
    "permutation": (lib.PermutationGate([2, 0, 1]), 3),
    "diagonal": (lib.DiagonalGate([1, 1j, -1, np.exp(0.4j)]), 2),
    "evolution": (lib.PauliEvolutionGate(COMMUTING, time=X), 2),
    "controlled evolution": (lib.PauliEvolutionGate(COMMUTING, time=X).control(1, annotated=False), 3),
    "fourier": (lib.QFTGate(3), 3),
}  # fmt: skip


@pytest.mark.parametrize("name", GATES)
def test_gates(name: str) -> None:
    gate, n_qubits = GATES[name]
    written = QuantumCircuit(n_qubits)
    for qubit in range(n_qubits):
        written.u(0.3 + qubit, X * (qubit + 1), 0.7, qubit)
    written.append(gate, range(n_qubits)[::-1])
    for qubit in range(n_qubits):
        written.u(0.9, 0.2, qubit, qubit)
    same(written, described(written))


def test_composite_instructions_are_what_they_are_made_of() -> None:
    inner = QuantumCircuit(2, name="inner", global_phase=0.8)
    inner.rx(X, 0)
    inner.cx(0, 1)
    outer = QuantumCircuit(3, name="outer")
    outer.append(inner.to_gate(), [2, 0])
    outer.append(inner.to_gate().control(1, annotated=False), [0, 1, 2])  # where the phase matters
    outer.append(inner.to_gate().inverse(), [1, 2])
    written, _ = QuantumCircuit(3), outer
    written.h([0, 1, 2])
    written.append(outer.to_instruction(), [1, 2, 0])
    written.h([0, 1, 2])
    same(written, described(written))
    shadow = QuantumCircuit(1, name="h")
    shadow.ry(X, 0)
    written = QuantumCircuit(1)
    written.append(shadow.to_gate(), [0])
    assert [gate.name for gate in described(written).gates] == ["RY"], "a gate of one's own may have any name"


def test_states_of_constants_are_prepared_and_what_has_no_effect_is_dropped() -> None:
    amplitudes = np.array([0.1, 0.5j, -0.7, 0.2, 0.0, 0.3, -0.2j, 0.4])
    written = QuantumCircuit(3, 1)
    written.reset([0, 1])
    written.initialize(amplitudes / np.linalg.norm(amplitudes), [0, 1, 2])
    written.barrier()
    written.delay(10, 0)
    written.id(1)
    written.ry(X, 1)
    written.cx(1, 2)
    circuit = described(written)
    same(written, circuit)
    prepared = QuantumCircuit(1)
    prepared.append(lib.StatePreparation([0.6, 0.8]), [0])
    prepared.rx(X, 0)
    same(prepared, described(prepared))


def test_evolution_of_terms_that_do_not_commute_is_the_product_that_a_device_runs() -> None:
    written = QuantumCircuit(1)
    written.append(lib.PauliEvolutionGate(SparsePauliOp(["X", "Z"], [0.4, 0.9]), X), [0])
    circuit = described(written)
    assert [gate.name for gate in circuit.gates] == ["RX", "RZ"]
    assert circuit.program is None


def test_an_expression_that_is_linear_stays_affine_and_others_are_computed_once() -> None:
    x, t = ParameterVector("x", 2), Parameter("t")
    written = QuantumCircuit(2)
    written.ry(2 * x[0] - x[1] / 4 + 3 * t + 0.5, 0)
    written.ry(x[0] * t, 0)
    written.rz(x[0] * t, 1)
    written.ry(((x[0] + x[1]).exp() / (2 + x[0].cos())).arctan() + abs(x[1]) ** 1.5 - (x[0] * x[0] + 1).log(), 1)
    written.ry(x[1].sign() * x[0].tan() + (x[0] / 9).arcsin() - (x[1] / 9).arccos() + x[0].conjugate() ** 2, 1)
    circuit = described(written)
    angle = circuit.gates[0].angle
    assert angle is not None
    assert angle.offset == pytest.approx(0.5)
    assert dict(angle.inputs) == pytest.approx({0: 2.0, 1: -0.25})
    assert [(name, index) for name, index, _ in angle.weights] == [("t", 0)]
    program = circuit.program
    assert program is not None
    assert program.values[0].source == program.values[1].source, "x[0] * t is computed once"
    source = from_qiskit(written)
    for window in ([0.3, -0.8], [-1.2, 0.5]):
        np.testing.assert_allclose(
            simulate(circuit, window, {"t": 0.7}), source.reference(window, {"t": 0.7}), atol=1e-9
        )


def test_which_parameters_are_the_window() -> None:
    x, y, tilt = ParameterVector("x", 3), ParameterVector("inputs", 2), Parameter("a tilt")
    written = QuantumCircuit(1)
    for parameter in (
        *y,
        x[2],
        x[0],
        tilt,
        Parameter("lambda"),
        Parameter("7"),
        Parameter("b1"),
        Parameter("b10"),
        Parameter("b_2"),
    ):
        written.ry(parameter, 0)
    source = from_qiskit(written)
    assert source.n_inputs == 2
    assert source.weight_shapes == {"w7": (), "a_tilt": (), "b1": (), "b10": (), "b_2": (), "lambda_": (), "x": (2,)}
    assert from_qiskit(written, inputs="x").n_inputs == 3, "x[1] is in the window though no gate reads it"
    assert from_qiskit(written, inputs=list(x)).weight_shapes["inputs_"] == (2,)
    assert from_qiskit(written, inputs=x).n_inputs == 3
    by_number = from_qiskit(written, inputs="b")
    ones = by_number.run(
        {name: torch.zeros(shape) for name, shape in by_number.weight_shapes.items()}
        | {"inputs": torch.tensor([1.0, 2.0, 10.0])}
    )[0]
    assert [float(gate.angle) for gate in ones if gate.angle] == [1.0, 10.0, 2.0]  # type: ignore[arg-type]
    assert from_qiskit(written, inputs=[tilt, x[0]]).weight_shapes["x"] == (1,)
    assert from_qiskit(written, inputs=["a tilt", "x[2]"]).n_inputs == 2
    assert from_qiskit(written, inputs=tilt).n_inputs == 1


def test_names_that_become_the_same_differ() -> None:
    written = QuantumCircuit(1)
    for parameter in (Parameter("x"), Parameter("a b"), Parameter("a-b"), ParameterVector("a_b", 1)[0], Parameter("ϕ")):
        written.ry(parameter, 0)
    names = list(from_qiskit(written).weight_shapes)
    assert names == ["a_b", "a_b_2", "a_b_3", "φ"], "Python reads layer.ϕ as layer.φ"


def test_measurements_are_probabilities_in_the_order_of_qiskit() -> None:
    written, _ = with_x()
    written.cx(0, 2)
    measured = QuantumCircuit(3, 4)
    measured.compose(written, inplace=True)
    measured.measure([2, 0], [3, 1])  # bit 1, of qubit 0, is the least significant
    circuit = described(measured)
    expected = Statevector(written.assign_parameters([0.8])).probabilities([0, 2])
    np.testing.assert_allclose(simulate(circuit, [0.8], {}), expected, atol=1e-9)
    both = described(measured, observables="IZI")
    assert both.n_outputs == 1, "observables stand above measurements"


def test_layers_and_models_take_them(tmp_path: Any) -> None:
    written = lib.zz_feature_map(4, reps=1).compose(lib.real_amplitudes(4, reps=1))
    layer = Quanv2d(1, 8, 2, circuit=written, seed=0)
    assert "circuit='ZZFeatureMap'" in repr(layer) or f"circuit={written.name!r}" in repr(layer)
    assert (layer.θ.shape, layer.scale) == ((2, 1, 8), 1.0)
    with pytest.raises(QuanvolveError, match="the circuit reads 4 inputs, but a window has 9"):
        Quanv2d(1, 4, 3, circuit=written)
    with pytest.raises(QuanvolveError, match="`weight_shapes` belongs to circuit functions"):
        Quanv2d(1, 4, 2, circuit=written, weight_shapes={"θ": 8})
    images = np.random.default_rng(0).random((12, 4, 4))
    model = QuanvClassifier(n_filters=1, circuit=written, trainable=True, max_epochs=1, random_state=0)
    model.fit(images, np.arange(12) % 2).save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict_proba(images), model.predict_proba(images))


def refused(written: Any, text: str, **options: Any) -> None:
    with pytest.raises(CaptureError, match=text):
        described(written, **options)


def test_what_is_no_circuit_with_the_same_gates_is_refused() -> None:
    written, x = with_x(2)
    written.add_bits(QuantumCircuit(0, 1).clbits)
    middle = written.copy()
    middle.measure(0, 0)
    middle.ry(x, 0)
    refused(
        middle, r"operation 3 \(ry\) on qubits \[0\] cannot be captured: qubit 0 was measured before it, in the middle "
        r"of the circuit; measure at the end, and in place of an earlier measurement copy the qubit to one more with a "
    )  # fmt: skip
    reset = written.copy()
    reset.reset(1)
    refused(reset, r"operation 2 \(reset\) on qubits \[1\] cannot be captured: it resets a qubit after gates on it")
    branch = written.copy()
    with branch.if_test((branch.clbits[0], 1)):
        branch.x(0)
    refused(branch, r"operation 2 \(if_else\) on qubits \[0\] cannot be captured: it is control flow, .* unroll loops")
    late = written.copy()
    late.initialize([0.6, 0.8], 0)
    refused(late, r"operation 2 \(initialize\), which contains reset, on qubits \[0\] cannot be captured: it resets a")
    inside = QuantumCircuit(1, 1)
    inside.measure(0, 0)
    composed = written.copy()
    composed.append(inside.to_instruction(), [0], [0])
    refused(composed, r"operation 2 \(circuit-\d+\) on qubits \[0\] cannot be captured: it has a measurement inside")
    noisy = written.copy()
    from qiskit.quantum_info import Kraus

    noisy.append(Kraus([np.eye(2) * 0.6, np.diag([0.8, -0.8])]).to_instruction(), [1])
    refused(noisy, r"operation 2 \(kraus\) on qubits \[1\] cannot be captured: it is not a unitary gate with a definit")


def test_a_gate_without_definition_is_refused() -> None:
    written, _ = with_x(1)
    written.append(Gate("mine", 1, []), [0])
    refused(written, r"operation 1 \(mine\) on qubits \[0\] cannot be captured: Qiskit fails to decompose it, with Tr")


def test_parameters_that_do_not_say_what_they_are_are_listed() -> None:
    a, b = ParameterVector("a", 3), Parameter("b")
    written = QuantumCircuit(1)
    for parameter in (*a, b):
        written.ry(parameter, 0)
    refused(
        written, r"the circuit has the parameters a\[0..2\], b, and none of them is called 'inputs' or 'x' or 'input'"
    )
    refused(written, r"say which are the window, as in from_qiskit\(circuit, inputs='a'\)")
    refused(written, r"`inputs` \(='c'\) is no parameter of the circuit, no vector", inputs="c")
    refused(written, r"`inputs` names 'c', which is no parameter of the circuit; it has the param", inputs=["c"])
    other = "`inputs` has b, which is not a parameter of the circuit: the circuit's own of this name is another object"
    refused(written, other, inputs=[Parameter("b")])
    refused(written, r"`inputs` must be one or more different parameters, got \['b', 'b'\]", inputs=[b, "b"])
    refused(written, r"`inputs` must be one or more different parameters, got \[\]", inputs=[])
    refused(QuantumCircuit(1), "the circuit has no parameters: a window sets some of them")
    with pytest.raises(CaptureError, match="`circuit` is a str, expected a QuantumCircuit of Qiskit"):
        from_qiskit("h")


def test_observables_that_do_not_fit_are_named() -> None:
    written, _ = with_x(2)
    refused(written, r"observable 1 \(ZZZ\) is on 3 qubits and the circuit on 2: write I", observables=["ZZ", "ZZZ"])
    refused(written, r"observable 0 \(AB\) is not an operator: give a SparsePauliOp", observables="AB")
    refused(written, r"observable 0 \(SparsePauliOp\) has complex coefficients", observables=SparsePauliOp("ZZ", 1j))
    refused(written, "`observables` is empty", observables=[])
    refused(written, "coefficients with parameters", observables=SparsePauliOp("ZZ", np.array([X])))
    wide = QuantumCircuit(13)
    wide.ry(X, 0)
    wide.measure_all()
    refused(wide, "the circuit measures 13 qubits, which have 8192 outcomes; at most 12 are possible")


def test_angles_that_are_not_real_are_refused() -> None:
    written = QuantumCircuit(1)
    written.ry(X * 1j, 0)
    refused(written, r"operation 0 \(ry\) has the complex angle")


def test_a_difference_from_qiskit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    written, _ = with_x(1)
    source = from_qiskit(written)
    wrong = type(source)(**{**source.__dict__, "reference": lambda window, weights: np.array([2.0])})
    with pytest.raises(CaptureError, match=r"Qiskit gives 2.000000 for its value 0, what was captured gives"):
        circuit_of(wrong)
    assert source_of(source) is source
    assert source_of(7) is None
