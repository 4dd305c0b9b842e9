"""PennyLane's default.qubit with all windows as one broadcast, in torch: forward, and a training step."""

import pennylane as qp
import torch
from _driver import serve
from _pennylane import apply


class Contender:
    quantum = True
    batches = (1, 8, 32)

    def versions(self):
        return f"pennylane {qp.__version__}, torch {torch.__version__}"

    def _node(self, problem):
        @qp.qnode(qp.device("default.qubit", wires=problem.n_wires), interface="torch", diff_method="backprop")
        def node(inputs, weights):
            apply(problem, inputs, weights)
            return [qp.expval(qp.PauliZ(wire)) for wire in range(problem.n_wires)]

        return node

    def forward(self, problem):
        node = self._node(problem)
        weights = torch.tensor(problem.weights, dtype=torch.float32)

        def run(images):
            with torch.no_grad():
                return torch.stack(node(torch.from_numpy(problem.windows(images)).T, weights), dim=-1)

        return run

    def step(self, problem):
        node = self._node(problem)
        weights = torch.nn.Parameter(torch.tensor(problem.weights, dtype=torch.float32))

        class Layer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weights = weights

            def forward(self, images):
                windows = torch.from_numpy(problem.windows(images.numpy()))
                values = torch.stack(node(windows.T, self.weights), dim=-1)
                places = int((len(values) // len(images)) ** 0.5)
                return values.float().reshape(len(images), places, places, -1).permute(0, 3, 1, 2)

        from _steps import make_step

        return make_step(Layer(), problem)


if __name__ == "__main__":
    serve(Contender())
