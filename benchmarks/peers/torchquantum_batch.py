"""TorchQuantum: all windows in one batch of states, forward and a training step."""

import sys
from importlib.metadata import version
from unittest.mock import MagicMock

import torch
from _driver import serve
from _torch import Batch

# It needs torchvision for its data sets alone; without this its environment would be of gigabytes.
for name in ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.datasets.utils"):
    sys.modules[name] = MagicMock()
import torchquantum as tq  # noqa: E402

_NAMES = {"H": "hadamard", "X": "paulix", "Y": "pauliy", "Z": "pauliz"}


class TorchQuantum(Batch):
    def versions(self):
        return f"torchquantum {version('torchquantum')}, torch {torch.__version__}"

    def function(self, problem):
        def values(windows, weights):
            device = tq.QuantumDevice(n_wires=problem.n_wires, bsz=len(windows), device="cpu")
            for name, wires, angles in problem.bound(windows.T, weights):
                gate = getattr(tq.functional, _NAMES.get(name, name.lower()))
                if angles:
                    columns = [torch.as_tensor(angle, dtype=torch.float32).reshape(-1) for angle in angles]
                    gate(device, wires=wires, params=torch.stack(columns, dim=-1))
                else:
                    gate(device, wires=wires)
            return tq.MeasureAll(tq.PauliZ)(device)

        return values


if __name__ == "__main__":
    serve(TorchQuantum())
