"""What contenders in torch share: all cores, and the training step."""

import torch
from _driver import Contender, cores

torch.set_num_threads(cores())


class Layer(torch.nn.Module):
    """A layer from a function of windows and weights; it gives the maps flattened: channel, row, column."""

    def __init__(self, problem, function):
        super().__init__()
        self.images = len(problem.images)
        self.function = function
        self.weights = torch.nn.Parameter(torch.tensor(problem.weights, dtype=torch.float32))

    def forward(self, windows):
        return maps(self.function(windows, self.weights), self.images)


def maps(values, images):
    """Values (windows, channels) as flattened maps (images, channels * places)."""
    return values.float().reshape(images, -1, values.shape[-1]).transpose(1, 2).flatten(1)


def windows_of(problem):
    """All windows of the images, for a layer that reads windows."""
    return torch.from_numpy(problem.windows(problem.images))


def builder(problem, make_layer, inputs):
    """A function that starts anew, and returns one that makes a step of SGD with a linear head on a layer."""
    labels = torch.from_numpy(problem.labels)

    def build():
        layer = make_layer()
        head = torch.nn.Linear(problem.head_weight.shape[1], len(problem.head_weight))
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(problem.head_weight))
            head.bias.copy_(torch.from_numpy(problem.head_bias))
        trained = next(iter(layer.parameters()))
        optimizer = torch.optim.SGD([*layer.parameters(), *head.parameters()], lr=problem.rate)

        def run():
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(layer(inputs).flatten(1)), labels)
            loss.backward()
            optimizer.step()
            return loss.item(), trained.grad.clone()

        return run

    return build


class Batch(Contender):
    """A contender that takes all windows in one batch, forward and in a training step."""

    def function(self, problem):
        """A function of windows (N, pixels) and weights that gives the channels (N, outputs)."""
        raise TypeError(f"{type(self).__name__} has no function")

    def forward(self, problem):
        values = self.function(problem)
        weights = torch.tensor(problem.weights, dtype=torch.float32)

        def run(windows):
            with torch.no_grad():
                return values(windows, weights)

        return [("", torch.from_numpy, run)]

    def step(self, problem):
        return [("", builder(problem, lambda: Layer(problem, self.function(problem)), windows_of(problem)))]
