"""Circuits as text and as pictures."""

import math
import warnings

import numpy as np
import pennylane as qp
import pytest
import torch
from matplotlib.figure import Figure

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import capture, draw_figure, draw_text, named_circuit


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def mixed(inputs, w, theta):
    for wire in range(3):
        qp.RY(math.pi * inputs[wire] + w[wire], wires=wire)
    qp.CZ([0, 1])
    qp.CY([2, 0])
    qp.SWAP([1, 2])
    qp.ISWAP([0, 2])
    qp.Hadamard(1)
    qp.T(2)
    qp.RX(-0.5 * theta, wires=1)
    return qp.probs(wires=[0, 1, 2])


@pytest.fixture
def odd():
    return capture(mixed, 3, {"w": 3, "theta": 1})


def test_text_names_pixels_and_weights():
    text = draw_text(named_circuit("strongly_entangling", 4, n_layers=1), scale=math.pi)
    lines = text.splitlines()
    assert len(lines) == 4
    for wire, line in enumerate(lines):
        assert line.startswith(f"{wire}: ──RY(pi x{wire})──RZ(w[0,{wire},0])──RY(w[0,{wire},1])──RZ(w[0,{wire},2])")
        assert line.endswith("<Z>")
    assert "╭●" in text
    assert "╰X" in text


def test_text_shows_the_values_of_weights(odd):
    text = draw_text(odd, weights={"w": [1.0, 2.0, -3.0], "theta": torch.tensor(2.0, requires_grad=True)}, decimals=1)
    for part in ("RY(pi x0 + 1.0)", "RY(pi x1 + 2.0)", "RY(pi x2 - 3.0)", "RX(-1.0)", "RZ(pi/4)", "SWAP", "ISWAP", "H"):
        assert part in text


def test_text_says_how_other_outputs_are_measured(odd):
    lines = draw_text(odd, decimals=3).splitlines()
    assert lines[4] == "out 0 = P(q0 q1 q2 = 000)"
    assert lines[-1] == "... (8 outputs)"
    assert "RX(-0.500 theta)" in lines[1]


def test_text_says_which_output_is_which_where_wires_are_out_of_order():
    def swapped(inputs):
        qp.RY(inputs[0], wires=0)
        qp.RX(inputs[1], wires=1)
        return [qp.expval(qp.X(1)), qp.expval(-1.5 * qp.Z(0))]

    assert draw_text(capture(swapped, 2)).splitlines()[-2:] == ["out 0 = <X1>", "out 1 = -1.50 <Z0>"]


def test_text_of_a_threshold_names_the_limit_in_pixels():
    text = draw_text(named_circuit("random", 2, encoding="threshold", n_layers=1), scale=math.pi)
    assert "RX(pi [x0 > 0.5])" in text


def test_text_keeps_idle_wires():
    lines = draw_text(named_circuit("random", 1, n_wires=3, n_layers=1)).splitlines()
    assert [line[:2] for line in lines] == ["0:", "1:", "2:"]


def test_text_continues_below_where_it_is_too_wide():
    text = draw_text(named_circuit("strongly_entangling", 3), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("0: ") > 1


def test_figure_labels_gates_wires_and_outputs():
    figure = draw_figure(named_circuit("basic_entangler", 2, n_layers=1), scale=math.pi)
    assert texts(figure) == [
        *("q0", "q1", "RY", "π x0", "RY", "π x1", "RX", "w[0,0]", "RX", "w[0,1]"),
        *("⟨Z⟩", "out 0", "⟨Z⟩", "out 1"),
    ]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["reads a pixel", "has a weight", "measured"]


def test_figure_shows_values_and_every_kind_of_gate(odd):
    figure = draw_figure(odd, weights={"w": np.zeros(3), "theta": 3.0})
    found = texts(figure)
    for part in ("π x0 + 0.00", "-1.50", "π/4", "Y", "H", "... (8 outputs)"):
        assert part in found
    assert {text.get_text() for text in figure.legends[0].get_texts()} >= {"pixel and weight", "fixed"}


def test_figure_draws_no_gate_across_another():
    def crossing(inputs):
        qp.CNOT([0, 2])
        qp.RY(inputs[0], wires=1)
        return qp.expval(qp.Z(0))

    ax = draw_figure(capture(crossing, 1)).axes[0]
    (gate,) = [text for text in ax.texts if text.get_text() == "x0"]
    upright = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert max(upright) < gate.get_position()[0] - 0.5


def test_long_circuits_continue_below():
    circuit = named_circuit("strongly_entangling", 9)
    found = texts(draw_figure(circuit))
    assert found.count("q0") == 2
    assert found.count("⋯") == 9
    assert sum(part.startswith("w[") for part in found) == circuit.n_weights == 54


def test_compact_figure_becomes_one_box_in_little_space():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    ax = figure.add_axes((0, 0, 1, 1))
    assert draw_figure(named_circuit("strongly_entangling", 9), compact=True, ax=ax) is figure
    found = texts(figure)
    assert {"RY(x8)", "72 gates,", "18 on two qubits,", "54 weights"} <= set(found)
    assert not any("w[" in part for part in found)


def test_figures_leave_pyplot_alone(odd):
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_figure(odd)
        draw_text(odd)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": {"w": np.zeros(3)}}, r"names \['w'\], the circuit has \['weights'\]"),
        ({"weights": {"weights": np.zeros((2, 2))}}, r"shape \(2, 2\), the circuit's own is \(1, 2\)"),
        ({"scale": [1.0]}, r"`scale` has 1 numbers, the circuit has 2 inputs"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    circuit = named_circuit("basic_entangler", 2, n_layers=1)
    for draw in (draw_text, draw_figure):
        with pytest.raises(QuanvolveError, match=message):
            draw(circuit, **options)


def test_wrong_number_of_output_names_is_refused():
    with pytest.raises(QuanvolveError, match="has 1 names, the circuit measures 2"):
        draw_figure(named_circuit("random", 2), output_names=["a"])


def test_axes_that_are_on_no_figure_are_refused() -> None:
    ax = Figure().add_subplot()
    ax.remove()
    with pytest.raises(QuanvolveError, match="`ax` is on no figure"):
        draw_figure(named_circuit("random", 2), ax=ax)
