"""In which order a tree runs on few qubits: inputs of a block one after the other, and what is done with is reset.

While one input of a block is made, what the block holds of the others waits. A block of L levels with w inputs of k
qubits so takes at most ``max(qubits of an input + (w - 1) k, w k)``; a binary tree of 2^L leaves takes L + 1 qubits.
Gates run as soon as their qubits are there, which sets qubits free before the last input is made, and the order of the
inputs is the one that takes the fewest qubits.

References:
    Huggins et al., Quantum Science and Technology 4, 024001 (2019), section 3.3, for trees on few qubits; Sethi and
    Ullman, J. ACM 17, 715 (1970), for the order in which to evaluate one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanvolve.circuits import Circuit


@dataclass(frozen=True)
class Step:
    """One input of a block, and what can be done once it is there.

    Args:
        group: the wires of the block that the input is.
        gates: numbers of the gates of the block that run then.
        done: wires of the block that nothing needs any more.
    """

    group: tuple[int, ...]
    gates: tuple[int, ...]
    done: tuple[int, ...]


@dataclass(frozen=True)
class Order:
    """How the blocks of a level run.

    Args:
        steps: in this order.
        n_qubits: that a block takes, with all that its inputs take.
        reads: wires of the block that something kept depends on.
    """

    steps: tuple[Step, ...]
    n_qubits: int
    reads: frozenset[int]


def cone(circuit: Circuit, kept: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
    """The gates that something kept can depend on, and the wires that it can depend on.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)  # RY, RY, RX, RX, CNOT
        >>> [sorted(numbers) for numbers in cone(circuit, [0])]
        [[0, 1, 2, 3, 4], [0, 1]]
        >>> from dataclasses import replace
        >>> [sorted(numbers) for numbers in cone(replace(circuit, gates=circuit.gates[:4]), [0])]
        [[0, 2], [0]]
    """
    wires, numbers = set(kept), set()
    for number in reversed(range(len(circuit.gates))):
        gate = circuit.gates[number]
        if not wires.isdisjoint(gate.wires):
            numbers.add(number)
            wires.update(gate.wires)
    return frozenset(numbers), frozenset(wires)


def order_of(circuit: Circuit, groups: Sequence[tuple[int, ...]], costs: Sequence[int], kept: Sequence[int]) -> Order:
    """The order of a block's inputs that takes the fewest qubits.

    Args:
        circuit: of the block.
        groups: the wires that come together, as one input or one ancilla.
        costs: qubits that it takes to make each of them.
        kept: wires that are needed afterwards.

    Examples:
        >>> from quanvolve.circuits import named_block
        >>> order = order_of(named_block("su4"), [(0,), (1,)], [3, 3], [0])
        >>> order.n_qubits, [step.group for step in order.steps]
        (4, [(0,), (1,)])
    """
    numbers, reads = cone(circuit, kept)
    wanted = [k for k, group in enumerate(groups) if not reads.isdisjoint(group)]
    ran: dict[int, tuple[frozenset[int], frozenset[int]]] = {}

    def after(some: int) -> tuple[frozenset[int], frozenset[int]]:
        """Gates that have run, and wires that are held, once some inputs are there."""
        if some not in ran:
            there = {wire for bit, k in enumerate(wanted) if some >> bit & 1 for wire in groups[k]}
            done, open_wires = set(), set(kept)
            blocked: set[int] = set()
            for number in sorted(numbers):
                wires = circuit.gates[number].wires
                if blocked.isdisjoint(wires) and there.issuperset(wires):
                    done.add(number)
                else:
                    blocked.update(wires)
                    open_wires.update(wires)
            ran[some] = frozenset(done), frozenset(there & open_wires)
        return ran[some]

    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for some in range(2 ** len(wanted)):
        peak, path = best[some]
        for bit, k in enumerate(wanted):
            if not some >> bit & 1:
                found = (max(peak, len(after(some)[1]) + costs[k]), (*path, bit))
                more = some | 1 << bit
                best[more] = min(best.get(more, found), found)
    peak, path = best[2 ** len(wanted) - 1]
    steps, some = [], 0
    for bit in path:
        before, held = after(some)
        some |= 1 << bit
        then, left = after(some)
        group = groups[wanted[bit]]
        steps.append(Step(group, tuple(sorted(then - before)), tuple(sorted((held | set(group)) - left))))
    return Order(tuple(steps), peak, reads)
