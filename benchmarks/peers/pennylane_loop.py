"""PennyLane as its quanvolution demo does it: a QNode call for each window."""

import numpy as np
import pennylane as qp
from _driver import Contender, serve
from _pennylane import make_node


class Loop(Contender):
    batches = (16,)
    device = "default.qubit"

    def versions(self):
        return f"pennylane {qp.__version__}"

    def forward(self, problem):
        node = make_node(problem, self.device, diff_method=None)
        return [("", np.float64, lambda windows: [node(window, problem.weights) for window in windows])]


if __name__ == "__main__":
    serve(Loop())
