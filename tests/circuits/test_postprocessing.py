"""Descriptions whose outputs are functions of expectation values, and what reads them or refuses them with a reason."""

import copy
import json
import pickle
import re
from dataclasses import replace

import pennylane as qp
import pytest

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit, Program, bind, capture, draw_figure, draw_text, named_circuit, openqasm
from quanvolve.circuits.description import Call, Value
from quanvolve.compile import PolynomialPlan, StatevectorPlan

SQUARED = Program(
    (
        Call("torch.Tensor.__getitem__", (("inputs",), ("constant", 0))),
        Call("torch.Tensor.__mul__", (("call", 0), ("weight", "w"))),
    ),
    (Value(("call", 1), 0, True, True), Value(("inputs",), 1, True, False)),
)


def function(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2), rotation="Y")
    qp.CNOT([0, 1])
    return qp.var(qp.X(1)), qp.expval(w[0] * qp.Z(0) + w[1] * qp.X(0)), qp.expval(qp.Z(1))


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return capture(function, 2, {"w": 2}, last_look=False)


def test_it_travels_hashes_and_compares(circuit: Circuit) -> None:
    assert (circuit.n_outputs, len(circuit.observables)) == (3, 4)
    data = json.loads(circuit.to_json())
    assert data["format"] == 4
    assert Circuit.from_json(circuit.to_json()) == circuit == pickle.loads(pickle.dumps(circuit)) == copy.copy(circuit)
    assert hash(Circuit.from_json(circuit.to_json())) == hash(circuit)
    plain = circuit.without_postprocessing()
    assert plain != circuit
    assert plain.n_outputs == 4
    assert plain.without_postprocessing() is plain
    older = json.loads(plain.to_json())
    assert older["format"] == 3
    assert "postprocessing" not in older


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": "sampled", "observables": ()}, "`postprocessing` needs expectation values to read"),
        ({"postprocessing": Program((), ())}, "at least one value of its own, got `counts` (=None) and 0 values"),
    ],
)
def test_what_it_cannot_be(circuit: Circuit, change: dict, message: str) -> None:
    with pytest.raises(QuanvolveError, match=re.escape(message)):
        replace(circuit, **change)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([["inputs"], 4, True, False], "the post-processing cannot run: value 0 of the program is entry 4 of 4"),
        (
            [["weight", "nobody"], 0, True, False],
            "the post-processing cannot run: value 0 of the program fails: 'nobody'",
        ),
    ],
)
def test_a_description_from_a_stranger_is_checked(circuit: Circuit, value: list, message: str) -> None:
    data = circuit.to_dict()
    data["postprocessing"]["values"] = [value]
    with pytest.raises(QuanvolveError, match=re.escape(message)):
        Circuit.from_dict(data)


def test_it_may_not_make_large_tensors(circuit: Circuit) -> None:
    data = circuit.to_dict()
    many = ["torch.Tensor.repeat", [["inputs"], ["constant", 2**21]], []]
    data["postprocessing"] = {"batched": False, "calls": [many], "values": [[["call", 0], 0, True, False]]}
    with pytest.raises(QuanvolveError, match=r"the post-processing cannot run: call 0 .* makes a tensor of more than"):
        Circuit.from_dict(data)


def test_too_many_outputs_are_refused(circuit: Circuit) -> None:
    program = Program((), (Value(("inputs",), 0, True, False),) * 65_537)
    with pytest.raises(QuanvolveError, match="at most 65,536 outputs, this one has 65,537"):
        replace(circuit, postprocessing=program)


def test_drawings_name_what_is_measured_and_the_outputs(circuit: Circuit) -> None:
    lines = draw_text(circuit).splitlines()
    assert lines[0].endswith("┤")
    assert "<" not in lines[0]
    assert lines[3:] == [
        "m0 = <X1>",
        "m1 = <Z0>",
        "m2 = <X0>",
        "m3 = <Z1>",
        "out 0 = 1 - m0^2",
        "out 1 = w[0] m1 + w[1] m2",
        "out 2 = m3",
    ]
    figure = draw_figure(circuit, output_names=["a", "b", "c"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"m0 = ⟨X1⟩", "a = 1 - m0^2", "b = w[0] m1 + w[1] m2", "c = m3"} <= set(texts)
    with pytest.raises(QuanvolveError, match="`output_names` has 4 names, the circuit measures 3 values"):
        draw_figure(circuit, output_names=["a", "b", "c", "d"])


def test_openqasm_says_what_the_outputs_are(circuit: Circuit) -> None:
    text = openqasm(bind(circuit, {"w": [0.5, 2.0]}))
    assert "// m0: X of q[1]\n" in text
    assert "// output 0: 1 - m0^2, of the measured values above\n" in text
    assert "// output 1: 0.5 m1 + 2 m2, of the measured values above\n" in text
    assert "// output 2: m3, of the measured values above\n" in text


@pytest.mark.parametrize("plan", [PolynomialPlan, StatevectorPlan])
def test_plans_of_expectation_values_refuse_it(circuit: Circuit, plan: type) -> None:
    with pytest.raises(PlanError, match=r"functions of its expectation values.*without_postprocessing\(\)"):
        plan([circuit])


def test_no_two_plain_measurements_are_merged() -> None:
    def twice(inputs):
        qp.RY(inputs[0], wires=0)
        return qp.expval(qp.Z(0)), qp.expval(qp.Z(0))

    assert capture(twice, 1).postprocessing is None
    assert len(capture(twice, 1).observables) == 2


def test_a_named_circuit_with_a_program_of_its_own() -> None:
    circuit = named_circuit("basic_entangler", 2, n_layers=1)
    changed = replace(circuit, weight_shapes=(*circuit.weight_shapes, ("w", ())), postprocessing=SQUARED)
    assert changed.unentangled().postprocessing == SQUARED
    assert changed.postprocessing.weights_read() == {"w"}
    assert draw_text(changed).splitlines()[-2:] == ["out 0 = m0 w", "out 1 = m1"]
