"""A circuit description as text, by PennyLane's drawer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quanvolve.circuits.capture import PENNYLANE_NAMES, pennylane_alone
from quanvolve.circuits.description import Circuit
from quanvolve.circuits.draw._labels import AngleWriter, measures_z_in_order, output_lines, single_pauli


@pennylane_alone()
def draw_text(
    circuit: Circuit,
    *,
    decimals: int = 2,
    weights: Mapping[str, Any] | None = None,
    scale: float | Sequence[float] = 1.0,
    width: int = 100,
) -> str:
    """The circuit as text, drawn by PennyLane.

    Args:
        circuit: what to draw.
        decimals: of the numbers in angles.
        weights: values by weight name, each of the circuit's own shape, to be shown in place of the weights' names.
        scale: what pixels are multiplied with before they reach the circuit, one number or one for each input.
        width: longest line, in characters, before the circuit continues below.

    Returns:
        One line for each wire, and below it how each output is measured wherever this is not <Z> on the wire of its
        number. Inputs are x0, x1, ...; ``w[0,1]`` is an entry of the weight named "weights" (others show their own
        name).

    Raises:
        QuanvolveError: if weights or scale do not fit the circuit.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> print(draw_text(named_circuit("basic_entangler", 2, n_layers=1)))
        0: ──RY(x0)──RX(w[0,0])─╭●─┤  <Z>
        1: ──RY(x1)──RX(w[0,1])─╰X─┤  <Z>
    """
    import pennylane as qp

    class Labelled(qp.operation.Operation):  # type: ignore[misc]
        """A rotation that is drawn with the names of what its angle comes from."""

        num_params = 0

        def __init__(self, text: str, wires: Sequence[int]) -> None:
            self.text = text
            super().__init__(wires=wires)

        def label(self, decimals: Any = None, base_label: Any = None, cache: Any = None) -> str:
            return self.text

    write = AngleWriter(circuit, decimals, weights, scale, pi="pi")
    operations: list[Any] = []
    if circuit.preparation is not None:
        operations.append(Labelled("|x>", circuit.preparation.wires))
    for gate in circuit.gates:
        if gate.angle is not None:
            operations.append(Labelled(f"{gate.name}({write.angle(gate.angle)})", gate.wires))
        else:
            operations.append(getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))(wires=gate.wires))
    direct = circuit.counts is None and circuit.postprocessing is None
    plain = direct and all(single_pauli(o) is not None for o in circuit.observables)
    measured = []
    if plain:
        measured = [
            qp.expval(getattr(qp, PENNYLANE_NAMES[letter])(wire))
            for wire, letter in filter(None, map(single_pauli, circuit.observables))
        ]
    tape = qp.tape.QuantumScript(operations, measured)
    wires = list(range(circuit.n_wires))
    text = qp.drawer.tape_text(tape, wire_order=wires, show_all_wires=True, decimals=decimals, max_length=width)
    lines = [line.rstrip() for line in text.splitlines()]
    if not measures_z_in_order(circuit):
        lines += ["", *output_lines(circuit, decimals)]
    return "\n".join(lines)
