"""`nn.Conv2d` of the same shape: not the same function, but what a layer may cost."""

import torch
from _driver import serve
from _steps import make_step


class Contender:
    quantum = False
    batches = (32, 128, 512, 2000)

    def versions(self):
        return f"torch {torch.__version__}"

    def forward(self, problem):
        layer = torch.nn.Conv2d(1, problem.n_wires, problem.kernel, stride=problem.stride)

        def run(images):
            with torch.no_grad():
                return layer(torch.from_numpy(images))

        return run

    def step(self, problem):
        return make_step(torch.nn.Conv2d(1, problem.n_wires, problem.kernel, stride=problem.stride), problem)


if __name__ == "__main__":
    serve(Contender())
