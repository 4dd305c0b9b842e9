"""Programs in OpenQASM as filters: what is written comes back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit.library import real_amplitudes, zz_feature_map

from quanvolve import Quanv2d, QuanvTransformer, load
from quanvolve._errors import CaptureError
from quanvolve.circuits import (
    ANSATZE,
    ENCODINGS,
    READOUTS,
    bind,
    circuit_of,
    from_openqasm,
    from_qiskit,
    is_openqasm,
    named_circuit,
    openqasm,
    simulate,
)
from tests.circuits.pennylane_catalogue import CROSSED

PARTS = sorted(
    (ansatz, encoding)
    for ansatz, encoding in itertools.product(CROSSED, ENCODINGS)
    if ANSATZE[ansatz].layered or not ENCODINGS[encoding].repeats
)
EXACT = [name for name in READOUTS if name not in ("popcount", "popcount_sampled")]


@pytest.mark.parametrize("number", range(len(PARTS)), ids=lambda number: "-".join(PARTS[number]))
def test_the_catalogue_comes_back(number: int) -> None:
    ansatz, encoding = PARTS[number]
    readout = EXACT[number % len(EXACT)]
    circuit = named_circuit(ansatz, 4, encoding=encoding, readout=readout, n_layers=1, seed=number, columns=2)
    rng = np.random.default_rng(number)
    weights = {name: rng.uniform(-3, 3, shape) for name, shape in circuit.weight_shapes}
    bound = bind(circuit, weights, scale=2.0)
    source = from_openqasm(openqasm(bound, "a title"), inputs=[name for name, _ in bound.parameters])
    assert (source.n_inputs, source.weight_shapes) == (len(bound.parameters), {})
    again = circuit_of(source)
    window = rng.uniform(0, 1, 4)
    numbers = list(bound.values(window).values())
    expected = simulate(circuit, 2.0 * window, weights)
    np.testing.assert_allclose(simulate(again, numbers, {}), expected, atol=1e-9, rtol=0)
    np.testing.assert_allclose(source.reference(numbers, {}), expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("readout", ["popcount", "popcount_sampled"])
def test_counts_of_bits_are_no_expectation_values(readout: str) -> None:
    circuit = named_circuit("none", 2, readout=readout, encoding="threshold", n_layers=1)
    text = openqasm(bind(circuit, {"weights": np.zeros((1, 2, 3))}))
    with pytest.raises(
        CaptureError, match=r"an output is 'the number of ones in .*', which is not an expectation value"
    ):
        from_openqasm(text, inputs="b")
    assert from_openqasm(text, inputs="b", observables=["ZZ"]).n_inputs == 2


def test_terms_of_an_output_are_read_with_their_factors() -> None:
    circuit = named_circuit("none", 2, readout="popcount_expected", n_layers=1)
    words = openqasm(bind(circuit, {"weights": np.zeros((1, 2, 3))}))
    assert " * " in words
    assert circuit_of(from_openqasm(words)).observables == circuit.observables


def test_what_qiskit_writes_comes_back() -> None:
    written = zz_feature_map(3, reps=1).compose(real_amplitudes(3, reps=1))
    source = from_openqasm(qasm3.dumps(written))
    assert (source.n_inputs, source.weight_shapes) == (3, {"θ": (6,)})
    window, weights = [0.3, -0.4, 0.5], {"θ": np.linspace(-1, 2, 6)}
    np.testing.assert_allclose(
        source.reference(window, weights), from_qiskit(written).reference(window, weights), atol=1e-9
    )


PROGRAM = """
// two qubits
/* and a
   longer comment */
OPENQASM 3;
include "stdgates.inc";
input float[64] a10;
input float[64] a9;
input angle tilt;
qubit[2] q;
bit[2] c;
ry(2 * a9) q[0];
rx(a10 - pi / 2) q[1];
cx q[0], q[1];
rz(tilt * a9) q[1];
rx(tilt) q[1];
c = measure q;
"""


def test_numbers_of_names_are_the_order_of_a_vector() -> None:
    source = from_openqasm(PROGRAM, inputs="a")
    circuit = circuit_of(source)
    assert (circuit.n_inputs, circuit.n_outputs, dict(circuit.weight_shapes)) == (2, 4, {"tilt": ()})
    assert [gate.angle.inputs for gate in circuit.gates[:2] if gate.angle] == [((0, 2.0),), ((1, 1.0),)]
    swapped = from_openqasm(PROGRAM, inputs=["a10", "a9"])
    np.testing.assert_allclose(
        swapped.reference([0.2, 0.7], {"tilt": 0.4}), source.reference([0.7, 0.2], {"tilt": 0.4}), atol=1e-12
    )
    only = from_openqasm(PROGRAM, inputs=["tilt"], observables="ZI")
    assert (only.n_inputs, only.weight_shapes) == (1, {"a": (2,)})


def test_a_layer_takes_text_and_a_model_is_saved_without_it(tmp_path: object) -> None:
    text = PROGRAM.replace("a10", "x_1").replace("a9", "x_0")
    assert is_openqasm(text)
    assert not is_openqasm("strongly_entangling")
    layer = Quanv2d(1, 4, (1, 2), circuit=text, dtype=torch.float64, seed=0)
    assert "circuit='OpenQASM'" in repr(layer)
    window = torch.tensor([0.3, -0.9], dtype=torch.float64)
    weights = {"tilt": layer.tilt.detach().numpy().reshape(())}
    np.testing.assert_allclose(
        layer(window.reshape(1, 1, 2)).detach().numpy().ravel(),
        from_openqasm(text).reference(window.tolist(), weights),
        atol=1e-9,
    )
    images = np.random.default_rng(0).random((3, 4, 4))
    made = QuanvTransformer(n_filters=1, kernel_size=(1, 2), circuit=text, random_state=0).fit(images)
    made.save(f"{tmp_path}/model")
    np.testing.assert_array_equal(load(f"{tmp_path}/model").transform(images), made.transform(images))


def test_version_2_has_no_parameters() -> None:
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    with pytest.raises(CaptureError, match="the circuit has no parameters: a window sets some of them"):
        Quanv2d(1, 1, 1, circuit=qasm2.dumps(bell))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "OPENQASM 3.0;\nfoo bar baz;\n",
            r"the OpenQASM program cannot be read: line 2, column \d+: 'ba.' is not expected there",
        ),
        ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nfoo q[0];', "the OpenQASM program cannot be read: .*:4,"),
        ("OPENQASM 3.0;\ninput array[float[64], 3] x;\n", "only 'float' and 'angle' inputs are supported"),
        ("OPENQASM 4.0;\n", "the text is not OpenQASM 2 or 3: it must begin with OPENQASM and the version"),
        ("ry(0.1) q[0];", "the text is not OpenQASM 2 or 3"),
    ],
)
def test_programs_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    with pytest.raises(CaptureError, match=message):
        from_openqasm(text)
