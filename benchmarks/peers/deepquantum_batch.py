"""DeepQuantum: all windows as one batch, forward and a training step."""

import deepquantum as dq
import torch
from _driver import serve


class Contender:
    quantum = True
    batches = (1, 8, 32)

    def versions(self):
        from importlib.metadata import version

        return f"deepquantum {version('deepquantum')}, torch {torch.__version__}"

    def _circuit(self, problem, weights):
        circuit = dq.QubitCircuit(problem.n_wires)
        reads = []
        for name, wires, angle in problem.gates:
            if angle is None:
                getattr(circuit, {"CNOT": "cnot"}.get(name, name.lower()))(*wires)
                continue
            offset, inputs, uses = angle
            gate = getattr(circuit, name.lower())
            if inputs:
                reads.append((inputs, uses, offset))
                gate(wires[0], encode=True)
            else:
                gate(wires[0], inputs=sum(weights[k] * factor for k, factor in uses) + offset)
        for wire in range(problem.n_wires):
            circuit.observable(wires=wire, basis="z")

        def run(windows):
            columns = [
                sum(windows[:, k] * factor for k, factor in inputs) + sum(weights[k] * f for k, f in uses) + offset
                for inputs, uses, offset in reads
            ]
            circuit(data=torch.stack(columns, dim=1))
            return circuit.expectation()

        return run

    def forward(self, problem):
        run_windows = self._circuit(problem, torch.tensor(problem.weights, dtype=torch.float32))

        def run(images):
            with torch.no_grad():
                return run_windows(torch.from_numpy(problem.windows(images)))

        return run

    def step(self, problem):
        contender = self

        class Layer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weights = torch.nn.Parameter(torch.tensor(problem.weights, dtype=torch.float32))

            def forward(self, images):
                values = contender._circuit(problem, self.weights)(torch.from_numpy(problem.windows(images.numpy())))
                places = int((len(values) // len(images)) ** 0.5)
                return values.reshape(len(images), places, places, -1).permute(0, 3, 1, 2)

        from _steps import make_step

        return make_step(Layer(), problem)


if __name__ == "__main__":
    serve(Contender())
