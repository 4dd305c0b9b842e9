"""PennyLane as its quanvolution demo does it: a QNode call for each window."""

import numpy as np
import pennylane as qp
from _driver import serve
from _pennylane import apply


class Contender:
    quantum = True
    batches = (1 / 8,)
    device = "default.qubit"

    def versions(self):
        return f"pennylane {qp.__version__}"

    def forward(self, problem):
        @qp.qnode(qp.device(self.device, wires=problem.n_wires), diff_method=None)
        def node(window):
            apply(problem, window, problem.weights)
            return [qp.expval(qp.PauliZ(wire)) for wire in range(problem.n_wires)]

        def run(images, count=None):
            return np.array([node(window) for window in problem.windows(images)[:count]])

        return run


if __name__ == "__main__":
    serve(Contender())
