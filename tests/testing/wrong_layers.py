"""A right quantum convolution, and one wrong one for each defect that was found in published code.

The circuit is written out with a few lines of a state-vector simulator: RY of each pixel, RY of a weight, a ring of
CNOTs, Z on every qubit.
"""

import math

import torch
from torch import Tensor, nn


def ry(angle: Tensor) -> Tensor:
    c, s = torch.cos(angle / 2), torch.sin(angle / 2)
    return torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)


def run_circuit(pixels: Tensor, weights: Tensor, entangle: bool = True, kicks: float = 0.0) -> Tensor:
    """<Z> on every qubit for windows (..., n) and weights (n,); `kicks` are added to the amplitudes."""
    n = pixels.shape[-1]
    state = torch.zeros(*pixels.shape[:-1], 2**n, dtype=pixels.dtype)
    state[..., 0] = 1
    for angles in (math.pi * pixels, weights.expand_as(pixels)):
        for q in range(n):
            split = state.reshape(*pixels.shape[:-1], 2**q, 2, -1)
            state = torch.einsum("...ij,...ajb->...aib", ry(angles[..., q]), split).flatten(-3)
    if entangle:
        for q in range(n):
            bits = torch.arange(2**n)
            control, target = n - 1 - q, n - 1 - (q + 1) % n
            state = state[..., torch.where((bits >> control) & 1 == 1, bits ^ (1 << target), bits)]
    probabilities = (state + kicks) ** 2
    signs = torch.tensor([[1.0 - 2 * ((b >> (n - 1 - q)) & 1) for b in range(2**n)] for q in range(n)])
    return probabilities @ signs.T.to(pixels.dtype)


class Right(nn.Module):
    """2x2 windows with stride 2; four channels from each of two filters; input channels are summed over."""

    kernel_size, stride, in_channels = (2, 2), (2, 2), 1

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(6 * torch.rand(2, 4))

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, self.weights[f])

    def windows(self, images: Tensor) -> Tensor:
        """(N, C, rows, columns, 4)."""
        return images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)

    def forward(self, images: Tensor) -> Tensor:
        windows = self.windows(images)
        maps = [self.values(windows, f).sum(1) for f in range(2)]
        return torch.cat(maps, dim=-1).movedim(-1, 1)


class TwoChannels(Right):
    in_channels = 2


# -- 1. places and axes ------------------------------------------------------------------------------------------------


class Overwritten(Right):
    """Loops step by 1 and divide the index by the kernel size: the last window of each place wins."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        out = images.new_zeros(len(images), 8, height // 2, width // 2)
        for i in range(height - 1):
            for j in range(width - 1):
                if i // 2 < height // 2 and j // 2 < width // 2:
                    window = images[:, 0, i : i + 2, j : j + 2].flatten(1)
                    out[:, :, i // 2, j // 2] = torch.cat([self.values(window, f) for f in range(2)], dim=-1)
        return out


class ChannelsOverwritten(TwoChannels):
    """The loop over input channels writes to the same place."""

    def forward(self, images: Tensor) -> Tensor:
        for channel in range(2):
            out = super().forward(images[:, channel : channel + 1])
        return out


class CornerOnly(Right):
    """The loop ends at the number of places of another image size."""

    def forward(self, images: Tensor) -> Tensor:
        out = super().forward(images)
        mask = torch.zeros(out.shape[2:], dtype=out.dtype)
        mask[:1, :2] = 1
        return out * mask


class Runs(Right):
    """Four pixels in a row in place of two times two."""

    def windows(self, images: Tensor) -> Tensor:
        width = images.shape[3]
        flat = images.flatten(2)
        places = super().windows(images).shape[2:4]
        rows = []
        for i in range(places[0]):
            for j in range(places[1]):
                start = 2 * i * width + 2 * j
                index = torch.arange(start, start + 4).clamp(max=flat.shape[-1] - 1)
                rows.append(flat[:, :, index])
        return torch.stack(rows, 2).unflatten(2, places)


class Scrambled(Right):
    """A reshape where a permutation was meant."""

    def forward(self, images: Tensor) -> Tensor:
        out = super().forward(images)
        return out.movedim(1, -1).reshape(out.shape)


class Transposed(Right):
    """Rows and columns of the map are exchanged."""

    def forward(self, images: Tensor) -> Tensor:
        out = super().forward(images)
        return out.transpose(2, 3).reshape(out.shape)


class TransposedShape(Right):
    """The same, so that the shape gives it away."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).transpose(2, 3)


# -- 2. state and drawn angles -----------------------------------------------------------------------------------------


class Carried(Right):
    """The qubits are not reset: a window's values depend on the window before it."""

    def forward(self, images: Tensor) -> Tensor:
        out = super().forward(images)
        return out + 0.1 * torch.roll(out.flatten(2), 1, -1).reshape(out.shape)


class CarriedCalls(Right):
    """Something of the last call is left."""

    last = 0.0

    def forward(self, images: Tensor) -> Tensor:
        out = super().forward(images) + self.last
        self.last = float(out.detach().mean()) / 100
        return out


class DrawnForWindows(Right):
    """New angles for every window."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        noise = 6 * torch.rand(windows.shape[2:], generator=torch.Generator().manual_seed(f), dtype=windows.dtype)
        return run_circuit(windows + noise, self.weights[f])


class DrawnForImages(Right):
    """New angles for every image."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        noise = torch.rand(len(windows), 1, 1, 1, 4, generator=torch.Generator().manual_seed(f), dtype=windows.dtype)
        return run_circuit(windows + noise, self.weights[f])


class DrawnForCalls(Right):
    """New angles whenever it is called."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, 6 * torch.rand(4, dtype=windows.dtype))


# -- 3. filters --------------------------------------------------------------------------------------------------------


class LateBinding(Right):
    """The closures share the loop variable, so that all filters are the last one."""

    def forward(self, images: Tensor) -> Tensor:
        circuits = [lambda windows: self.values(windows, f) for f in range(2)]  # noqa: B023
        windows = self.windows(images)
        return torch.cat([circuit(windows).sum(1) for circuit in circuits], dim=-1).movedim(-1, 1)


class DefaultSeed(Right):
    """Every filter draws its weights with the same seed."""

    def __init__(self) -> None:
        super().__init__()
        row = 6 * torch.rand(4, generator=torch.Generator().manual_seed(42))
        self.weights = nn.Parameter(torch.stack([row, row]))


# -- 4. saving ---------------------------------------------------------------------------------------------------------


class NotSaved(Right):
    """Random weights as a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        del self.weights
        self.weights = 6 * torch.rand(2, 4)

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, self.weights[f].to(windows.dtype))


class NotSavedList(NotSaved):
    """The same as a list of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = (6 * torch.rand(2, 4)).tolist()

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, torch.tensor(self.weights[f], dtype=windows.dtype))


# -- 5. what is read ---------------------------------------------------------------------------------------------------


class NotEntangled(Right):
    """No entangling gate anywhere."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, self.weights[f], entangle=False)


class UnusedPixels(Right):
    """The last pixel of a window is never encoded."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows * torch.tensor([1, 1, 1, 0]), self.weights[f])


# -- 6. gradients ------------------------------------------------------------------------------------------------------


class Detached(Right):
    """Values travel through numpy."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.tensor(super().forward(images).detach().numpy())


class DetachedWeights(Right):
    """Only the weights lose their gradient."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, self.weights[f].detach())


class ArgMax(Right):
    """The most probable bit of each qubit: no gradient, although the weights are trained."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        found = run_circuit(windows, self.weights[f])
        return torch.sign(found) + 0 * found


# -- 7. physics --------------------------------------------------------------------------------------------------------

STRENGTH = 0.1


class NoisyRight(Right):
    """Depolarizing noise after every rotation: each shrinks the Bloch vector of its qubit."""

    gates = 2

    def values(self, windows: Tensor, f: int) -> Tensor:
        shrink = (1 - 4 * STRENGTH / 3) ** self.gates
        angles = math.pi * windows + self.weights[f]
        z = shrink * torch.cos(angles)
        chained = [z[..., :2].prod(-1)]
        chained = [z[..., 1:].prod(-1)] + [z[..., : q + 1].prod(-1) for q in range(1, 4)]
        return torch.stack(chained, -1)


class NoiseSkipsEncoding(NoisyRight):
    """The noise starts after the encoding."""

    gates = 1


class NoiseOnAmplitudes(Right):
    """Noise is added to the amplitudes, which are then not normalised."""

    def values(self, windows: Tensor, f: int) -> Tensor:
        return run_circuit(windows, self.weights[f], kicks=0.4)
