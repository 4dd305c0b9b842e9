"""TorchQuantum: all windows in one batch of states, forward and a training step."""

import torch
import torchquantum as tq
from _driver import serve


class Contender:
    quantum = True
    batches = (1, 8, 32)

    def versions(self):
        from importlib.metadata import version

        return f"torchquantum {version('torchquantum')}, torch {torch.__version__}"

    def _values(self, problem, windows, weights):
        device = tq.QuantumDevice(n_wires=problem.n_wires, bsz=len(windows), device="cpu")
        functional = tq.functional
        for (name, wires, _), angle in zip(problem.gates, problem.angles(windows.T, weights), strict=True):
            gate = {"CNOT": functional.cnot, "H": functional.hadamard}.get(name) or getattr(functional, name.lower())
            if angle is None:
                gate(device, wires=wires)
            else:
                given = torch.as_tensor(angle, dtype=torch.float32)
                gate(device, wires=wires, params=given.reshape(-1, 1).expand(len(windows), 1))
        return tq.MeasureAll(tq.PauliZ)(device)

    def forward(self, problem):
        weights = torch.tensor(problem.weights, dtype=torch.float32)

        def run(images):
            with torch.no_grad():
                return self._values(problem, torch.from_numpy(problem.windows(images)), weights)

        return run

    def step(self, problem):
        contender = self

        class Layer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weights = torch.nn.Parameter(torch.tensor(problem.weights, dtype=torch.float32))

            def forward(self, images):
                values = contender._values(problem, torch.from_numpy(problem.windows(images.numpy())), self.weights)
                places = int((len(values) // len(images)) ** 0.5)
                return values.reshape(len(images), places, places, -1).permute(0, 3, 1, 2)

        from _steps import make_step

        return make_step(Layer(), problem)


if __name__ == "__main__":
    serve(Contender())
