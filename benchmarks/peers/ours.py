"""This package, through its public layer."""

import numpy as np
import torch
from _driver import serve
from _steps import make_step

import quanvolve
from quanvolve.circuits import Circuit


class Contender:
    quantum = True
    batches = (32, 128, 512, 2000)

    def versions(self):
        return f"quanvolve {quanvolve.__version__}, torch {torch.__version__}"

    def _layer(self, problem):
        circuit = Circuit.from_json(problem.circuit)
        weights = {}
        for name, shape in circuit.weight_shapes:
            count = int(np.prod(shape))
            weights[name] = torch.tensor(problem.weights[:count], dtype=torch.float32).reshape(1, 1, *shape)
        return quanvolve.Quanv2d(
            1, problem.n_wires, problem.kernel, stride=problem.stride, circuit=circuit, scale=problem.scale,
            weights=weights or None,
        )  # fmt: skip

    def forward(self, problem):
        layer = self._layer(problem)

        def run(images):
            with torch.no_grad():
                return layer(torch.from_numpy(images)).permute(0, 2, 3, 1)

        return run

    def step(self, problem):
        return make_step(self._layer(problem), problem)


if __name__ == "__main__":
    serve(Contender())
