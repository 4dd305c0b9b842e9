"""`nn.Conv2d` of the same shape: not the same function, but what a layer may cost."""

import torch
from _driver import Contender, serve
from _torch import builder


class Conv2d(Contender):
    quantum = False
    reads = "images"
    batches = (8, 32, 128, 512, 2048)

    def versions(self):
        return f"torch {torch.__version__}"

    def _layer(self, problem):
        return torch.nn.Conv2d(1, problem.n_wires, problem.kernel, stride=problem.stride)

    def forward(self, problem):
        layer = self._layer(problem)

        def run(images):
            with torch.no_grad():
                return layer(images)

        return [("", torch.from_numpy, run)]

    def step(self, problem):
        return [("", builder(problem, lambda: self._layer(problem), torch.from_numpy(problem.images)))]


if __name__ == "__main__":
    serve(Conv2d())
