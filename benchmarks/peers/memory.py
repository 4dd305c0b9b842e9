"""The machine's own limit: as many bytes copied as a forward pass must read and write."""

import torch
from _driver import Contender, serve
from _torch import builder  # noqa: F401  (sets the number of threads)


class Memory(Contender):
    quantum = False
    reads = "images"
    batches = (16384,)  # 100 MB: where the last cache is larger, this is its speed and not the memory's

    def versions(self):
        return f"torch {torch.__version__}"

    def forward(self, problem):
        def load(images):
            # A copy of n numbers reads n and writes n.
            numbers = images.size + len(images) * problem.places * problem.n_wires
            return torch.ones(numbers // 2), torch.empty(numbers // 2)

        return [("", load, lambda pair: pair[1].copy_(pair[0]))]


if __name__ == "__main__":
    serve(Memory())
