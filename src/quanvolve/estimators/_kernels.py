"""Whether a training is worth compiled kernels.

To compile the kernels of a training takes longer than a small one, such as that of scikit-learn's digits. Such a
training, and all that its model then computes, runs in plain torch. The choice is kept with the model, and is made by
the work, which is counted: neither the clock nor what is already compiled has a say in it, so that a training gives
the same bits wherever and whenever it is run again or continued.
"""

from __future__ import annotations

import copy
import math

import torch

from quanvolve.compile import PlainWork, plain_work, switched
from quanvolve.estimators._threads import one_thread
from quanvolve.nn import CoherentTree, HybridModel, QuanvNd

WORTH = 4.0
"""Seconds in plain torch that are worth kernels, which take longer than that to compile."""
ALONE = 0.5
"""Seconds in plain torch that are worth several threads."""
LATER = 10_000
"""Images that the model should be able to look at afterwards without taking too long."""
_BACKWARD = 2.0
"""Gradients, in units of the work of the values."""
_OPERATION, _NUMBER = 8e-6, 0.7e-9
"""Seconds on one core that an operation of torch takes, and a number that it writes."""
_BLOCK = 512


def choose_kernels(module: HybridModel, shape: tuple[int, ...], *, images: int, steps: int, epochs: int) -> bool:
    """Tell the quantum layers of a model whether kernels compute them.

    Args:
        module: the model, on its device.
        shape: of an image, (C, *size).
        images: to be trained on.
        steps: of the training that run the layers and differentiate them; 0 where feature maps are kept.
        epochs: in which the layers see all images; 0 where feature maps are kept.

    Returns:
        Whether the quantum layers have so little to do that one thread does it best.
    """
    seconds = _seconds(module, shape, images, steps, epochs)
    set_kernels(module, seconds > WORTH if switched() is None else bool(switched()))
    return seconds < ALONE


def set_kernels(module: torch.nn.Module, kernels: bool) -> None:
    """Tell the quantum layers of a model whether kernels compute them."""
    for layer in module.modules():
        if isinstance(layer, QuanvNd | CoherentTree):
            layer.kernels = kernels


def has_kernels(module: torch.nn.Module) -> bool:
    """Whether kernels compute the quantum layers of a model."""
    return all(layer.kernels for layer in module.modules() if isinstance(layer, QuanvNd | CoherentTree))


def _seconds(module: HybridModel, shape: tuple[int, ...], images: int, steps: int, epochs: int) -> float:
    """How long the quantum layers would take in plain torch on one core of a CPU; infinity for too long to be counted.

    On other devices, and without such layers, nothing is to be decided: infinity, too.
    """
    if any(tensor.device.type != "cpu" for tensor in module.state_dict().values()):
        return math.inf
    if not any(isinstance(layer, QuanvNd | CoherentTree) for layer in module.modules()):
        return math.inf
    times = 1 + _BACKWARD
    seen = LATER + (times * epochs * images if epochs else images)
    calls = math.ceil(LATER / _BLOCK) + (times * steps if epochs else math.ceil(images / _BLOCK))
    one, two = (_counted(module.backbone, (size, *shape), WORTH / _NUMBER / calls) for size in (1, 2))
    if one is None or two is None:
        return math.inf
    image = max(0.0, two.numbers - one.numbers)
    call = one.operations * _OPERATION + max(0.0, one.numbers - image) * _NUMBER
    return calls * call + seen * image * _NUMBER


def _counted(backbone: torch.nn.Module, shape: tuple[int, ...], most: float) -> PlainWork | None:
    """The work of a batch of images."""
    # A copy: what layers keep of their weights is a kernel's, or it is not.
    copied, images = copy.deepcopy(backbone).eval(), torch.full(shape, 0.5, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]), one_thread():
        return plain_work(lambda: copied(images), most)
