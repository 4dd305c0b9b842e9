"""This package, through its public layer."""

import json

import numpy as np
import torch
from _driver import Contender, serve
from _torch import builder

import quanvolve
from quanvolve.circuits import Circuit


class Ours(Contender):
    reads = "images"
    batches = (8, 32, 128, 512, 2048)

    def versions(self):
        return f"quanvolve {quanvolve.__version__}, torch {torch.__version__}"

    def _layer(self, problem):
        circuit = Circuit.from_dict(json.loads(problem.circuit))
        weights, first = {}, 0
        for name, shape in circuit.weight_shapes:
            count = int(np.prod(shape))
            weights[name] = torch.tensor(problem.weights[first : first + count], dtype=torch.float32).reshape(shape)
            first += count
        return quanvolve.Quanv2d(
            1,
            problem.n_wires,
            problem.kernel,
            stride=problem.stride,
            circuit=circuit,
            scale=problem.scale,
            weights=weights,
            trainable=problem.training,
            noise={"depolarizing": problem.noise} if problem.noise else None,
            shots=problem.shots or None,
        )

    def forward(self, problem):
        layer = self._layer(problem)

        def run(images):
            with torch.no_grad():
                return layer(images)

        return [(_plan(layer), torch.from_numpy, run)]

    def values(self, output):
        return output.movedim(1, -1).flatten(0, -2).numpy()

    def step(self, problem):
        images = torch.from_numpy(problem.images)
        name = _plan(self._layer(problem))
        return [(name, builder(problem, lambda: self._layer(problem), images))]


def _plan(layer):
    return layer.plan.rpartition("expectation values by ")[2].split()[0].strip(":,")


if __name__ == "__main__":
    serve(Ours())
