"""DeepQuantum: all windows as one batch, forward and a training step."""

from importlib.metadata import version

import deepquantum as dq
import torch
from _driver import serve
from _torch import Batch


class DeepQuantum(Batch):
    def versions(self):
        return f"deepquantum {version('deepquantum')}, torch {torch.__version__}"

    def function(self, problem):
        def values(windows, weights):
            circuit, data = dq.QubitCircuit(problem.n_wires), []
            for (name, wires, angles), (_, _, given) in zip(
                problem.bound(windows.T, weights), problem.gates, strict=True
            ):
                gate = getattr(circuit, {"ROT": "u3"}.get(name, name.lower()))
                order = (1, 2, 0) if name == "ROT" else range(len(angles))
                if not angles:
                    gate(*wires)
                elif any(reads for _, reads, _ in given):
                    data += [angles[k].expand(len(windows)) for k in order]
                    gate(wires[0], encode=True)
                else:
                    own = [angles[k] for k in order]
                    gate(wires[0], inputs=own if len(own) > 1 else own[0])
            for wire in range(problem.n_wires):
                circuit.observable(wires=wire, basis="z")
            circuit(data=torch.stack(data, dim=1))
            return circuit.expectation()

        return values


if __name__ == "__main__":
    serve(DeepQuantum())
