"""Amplitude encoding of the window itself, recognised in what was recorded."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.circuits.capture._linear import AFFINE
from quanvolve.circuits.capture._recorder import Recorder

_SAME_NAMES = (
    "clone contiguous flatten reshape view ravel squeeze unsqueeze to type double float cdouble real atleast_1d"
)
_SAME = frozenset(_SAME_NAMES.split())
_DIVISIONS = {"div", "divide", "true_divide", "truediv"}


def plain_amplitudes(state: Tensor, inputs: Tensor, recorder: Recorder) -> list[int] | None:
    """Which input is the amplitude of each basis state, where the state is proportional to inputs.

    A description normalises, so that a division by one number (the norm) does not matter.

    Args:
        state: a recorded vector.
        inputs: of the recorded run.
        recorder: what recorded it.

    Returns:
        Numbers of inputs, for the first basis states; the rest have amplitude zero. None for any other state.
    """
    tensor = _undivided(state, recorder)
    if recorder.depends(tensor) != AFFINE or recorder.reads(tensor)[1] or tensor.numel() != state.numel():
        return None
    entries = tensor.reshape(-1)
    zero = recorder.program([(tensor, k, "an amplitude") for k in range(entries.numel())])
    with torch.no_grad():
        offsets = zero.run(torch.zeros_like(inputs), {}, tuple(range(entries.numel())))
    if bool(offsets.any()):
        return None
    amplitudes: list[int] = []
    factor, ended = None, False
    for entry in entries:
        gradient = torch.autograd.grad(entry, inputs, retain_graph=True, allow_unused=True)[0]
        places = [] if gradient is None else gradient.nonzero().reshape(-1).tolist()
        if not places:
            ended = True
            continue
        if ended or len(places) > 1 or gradient is None:
            return None
        coefficient = float(gradient[places[0]])
        factor = coefficient if factor is None else factor
        if coefficient != factor:
            return None
        amplitudes.append(places[0])
    return amplitudes or None


def _undivided(tensor: Tensor, recorder: Recorder) -> Tensor:
    while recorder.depends(tensor) != AFFINE:
        source = recorder.sources(tensor)
        if source is None:
            return tensor
        function, tensors = source
        name = function.rsplit(".", 1)[-1].strip("_")
        by_a_number = name in _DIVISIONS and len(tensors) == 2 and tensors[1].numel() == 1
        if not tensors or not (by_a_number or name in _SAME):
            return tensor
        tensor = tensors[0]
    return tensor
