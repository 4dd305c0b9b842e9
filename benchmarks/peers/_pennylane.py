"""What contenders with PennyLane share: the circuit of a problem as a QNode."""

import pennylane as qp

_NAMES = {"ROT": "Rot", "H": "Hadamard", "X": "PauliX", "Y": "PauliY", "Z": "PauliZ"}


def make_node(problem, device="default.qubit", seed=None, **options):
    """A QNode of (inputs, weights); `inputs[..., i]` may be a batch."""
    if problem.noise:
        device = "default.mixed"
    made = qp.device(device, wires=problem.n_wires, **({} if seed is None else {"seed": seed}))

    @qp.qnode(made, shots=problem.shots or None, **options)
    def node(inputs, weights):
        pixels = [inputs[..., k] for k in range(problem.kernel**2)]
        for name, wires, angles in problem.bound(pixels, weights):
            getattr(qp, _NAMES.get(name, name))(*angles, wires=wires)
            if problem.noise:
                for wire in wires:
                    qp.DepolarizingChannel(problem.noise, wires=wire)
        return [qp.expval(qp.PauliZ(wire)) for wire in range(problem.n_wires)]

    return node
