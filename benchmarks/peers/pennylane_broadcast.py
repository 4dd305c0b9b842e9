"""PennyLane's default.qubit with all windows as one broadcast: forward, and trained as a `TorchLayer`."""

import numpy as np
import pennylane as qp
import torch
from _driver import Contender, serve
from _pennylane import make_node
from _torch import Layer, builder, maps, windows_of


class Broadcast(Contender):
    def versions(self):
        return f"pennylane {qp.__version__}, torch {torch.__version__}"

    def forward(self, problem):
        plain = make_node(problem, diff_method=None)
        node = make_node(problem, interface="torch", diff_method=None)
        weights = torch.tensor(problem.weights, dtype=torch.float32)

        def run(windows):
            with torch.no_grad():
                return torch.stack(node(windows, weights), dim=-1)

        return [
            ("torch", torch.from_numpy, run),
            ("numpy", np.asarray, lambda windows: np.stack(plain(windows, problem.weights), axis=-1)),
        ]

    def step(self, problem):
        node = make_node(problem, interface="torch", diff_method="backprop")
        torch_layer = qp.qnn.TorchLayer(node, {"weights": (len(problem.weights),)})

        class Trained(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = torch_layer
                with torch.no_grad():
                    self.layer.weights.copy_(torch.from_numpy(problem.weights))

            def forward(self, windows):
                return maps(self.layer(windows), len(problem.images))

        def broadcast(windows, weights):
            return torch.stack(node(windows, weights), dim=-1)

        inputs = windows_of(problem)
        return [
            ("TorchLayer", builder(problem, Trained, inputs)),
            ("QNode", builder(problem, lambda: Layer(problem, broadcast), inputs)),
        ]


if __name__ == "__main__":
    serve(Broadcast())
