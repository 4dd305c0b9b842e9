"""The quantum convolutions by number of dimensions, each with the arguments of torch's own."""

from __future__ import annotations

from quanvolve._options import explains, model_options
from quanvolve.nn._quanv import QuanvNd

_OPTIONS = tuple(model_options().values())


@explains(_OPTIONS)
class Quanv1d(QuanvNd):
    """A quantum convolution over sequences such as time series, with the arguments of `torch.nn.Conv1d`.

    A window slides along the sequence; its values are encoded on qubits, one circuit runs, and each measured value is
    an output channel. All windows share the circuit, which is compiled once, so there is no circuit to run per window.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output. Channel ``f * m + j`` is measurement j of filter f, where a circuit
            measures m values; the last filter's surplus measurements are left out.
        kernel_size, stride, padding, dilation, groups, padding_mode: as in `torch.nn.Conv1d`.
        bias, device, dtype, circuit, encoding, readout, n_qubits, n_layers, scale, channel_mixing, trainable, engine,
            noise, shots, seed, weight_shapes, weights, init, diff_method: as in :class:`Quanv2d`. A window arrives
            flattened: channel, then position. A tensor as `scale` broadcasts to (in_channels, kL).

    Shape:
        - Input: (N, C_in, L) or (C_in, L), float32 or float64.
        - Output: (N, C_out, L') or (C_out, L'), with `nn.Conv1d`'s L'.
        - Weights: (filters, C_in / groups or 1, *shape), drawn as `init` says, under their own names.

    Raises:
        QuanvolveError: if arguments do not fit each other (at construction), or sequences do not fit the layer or
            contain values that are not finite (when called).

    References:
        Henderson et al., "Quanvolutional Neural Networks", arXiv:1904.04767 (2019), section 2, for images.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv1d
        >>> layer = Quanv1d(1, 6, 3, padding="same", seed=0)
        >>> layer
        Quanv1d(1, 6, kernel_size=(3,), stride=(1,), padding='same', bias=False, circuit='strongly_entangling',
            n_qubits=3)
        >>> layer(torch.rand(8, 1, 250)).shape
        torch.Size([8, 6, 250])
    """

    dims = 1


@explains(_OPTIONS)
class Quanv2d(QuanvNd):
    """A quantum convolution over images, with the arguments of `torch.nn.Conv2d`.

    A window slides over the image; its pixels are encoded on qubits, one circuit runs, and each measured value is an
    output channel. All windows share the circuit, which is compiled once, so there is no circuit to run per
    window.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output. Channel ``f * m + j`` is measurement j of filter f, where a circuit
            measures m values; the last filter's surplus measurements are left out.
        kernel_size, stride, padding, dilation, groups, padding_mode: as in `torch.nn.Conv2d`. A padded pixel is 0.
            With groups, each group has its own filters.
        bias: adds a learnable bias to each channel, zero at first. Unlike in `nn.Conv2d` the default is False.
        device, dtype: of weights and bias; the images must have the same.
        circuit: a name from :func:`quanvolve.circuits.list_circuits`; a PennyLane function with the contract of
            `qp.qnn.TorchLayer` (then give `weight_shapes`), or a `TorchLayer` itself, whose weights the filters begin
            with; a `QuantumCircuit` of Qiskit or a program in OpenQASM 2 or 3, or what
            :func:`quanvolve.circuits.from_qiskit`, `from_openqasm` or `from_script` make of one; or a
            :class:`quanvolve.circuits.Circuit`. A window arrives flattened as by `unfold`: channel, then row, then
            column.
        encoding, readout, n_layers: of a named circuit.
        n_qubits: number of qubits; further ones than the window has values are ancillas. Default: one a value.
        scale: what pixels are multiplied with to become angles in radians. Default: pi for a named circuit, 1 for
            any other. A tensor that broadcasts to (in_channels, kH, kW), or an `nn.Parameter` that is then trained.
        channel_mixing: "sum" runs a circuit on each input channel of the group and adds the values, as `nn.Conv2d`
            does; "joint" runs one circuit on the window across all input channels of the group.
        trainable: weights are parameters; otherwise they are buffers.
        engine: "auto" (the cheapest plan, see :attr:`plan`), "polynomial", "tensor_train", "table" or "statevector";
            or "truncated_train" for fixed filters on many qubits, with its error as in "truncated_train:1e-5". With
            noise also "density", on up to 8 qubits, and "trajectories", whose number is as in "trajectories:1000".
        noise: channels after every gate, encoding gates included, as ``{"depolarizing": 0.01, "readout": 0.02}``; or a
            PennyLane or Qiskit Aer `NoiseModel` (see :func:`quanvolve.circuits.with_noise`). Values are exact
            expectation values of the noisy circuit, for product encodings at the same speed; other encodings on more
            than 8 qubits are estimated by trajectories.
        shots: None for exact expectation values; or the number of shots a window and measurement basis. Outputs are
            then means over bit strings drawn from the joint distribution of all measured qubits, of at most 12, noise
            included; random numbers come from torch's global generator (`torch.manual_seed`).
        seed: fixes random structures and weights; without it they come from torch's global generator.
        weight_shapes: shapes of a circuit function's weights, by name.
        weights: weights by hand instead of drawn ones: by name, or a single array; each of shape
            (filters, input channels that a filter reads, *shape), or just the circuit's shape if there is one filter.
        init: of weights that are drawn: "uniform" in [0, 2 pi); "small", normal around zero with standard deviation
            1 / (2 sqrt(layers + 2)), which keeps values and gradients of many qubits alive; "auto": uniform up to 9
            qubits, small beyond; or a function, such as those of `torch.nn.init`, that fills the tensor of one filter,
            of the circuit's own shape, in place. A mapping gives some weights by name one of these, a number, or a
            tensor of the circuit's own shape; the others are drawn as "auto" says.
        diff_method: with `shots`, "exact" gives the gradients of the exact expectation values, "parameter-shift"
            estimates of them from as many shots, two circuits a rotation and window.

    Shape:
        - Input: (N, C_in, H, W) or (C_in, H, W), float32 or float64.
        - Output: (N, C_out, H', W') or (C_out, H', W'), with `nn.Conv2d`'s H' and W'; values in [-1, 1] for each
          circuit that is summed over.
        - Weights: (filters, C_in / groups or 1, *shape), drawn as `init` says, under their own names.

    Raises:
        QuanvolveError: if arguments do not fit each other (at construction), or images do not fit the layer or
            contain values that are not finite (when called).

    References:
        Henderson et al., "Quanvolutional Neural Networks", arXiv:1904.04767 (2019), section 2.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 4, 2, stride=2, seed=0)
        >>> layer
        Quanv2d(1, 4, kernel_size=(2, 2), stride=(2, 2), bias=False, circuit='strongly_entangling', n_qubits=4)
        >>> layer(torch.rand(8, 1, 28, 28)).shape
        torch.Size([8, 4, 14, 14])
        >>> layer.weights.shape
        torch.Size([1, 1, 2, 4, 3])
    """

    dims = 2


@explains(_OPTIONS)
class Quanv3d(QuanvNd):
    """A quantum convolution over volumes or videos, with the arguments of `torch.nn.Conv3d`.

    A window slides through the volume; its voxels are encoded on qubits, one circuit runs, and each measured value is
    an output channel. All windows share the circuit, which is compiled once, so there is no circuit to run per window.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output. Channel ``f * m + j`` is measurement j of filter f, where a circuit
            measures m values; the last filter's surplus measurements are left out.
        kernel_size, stride, padding, dilation, groups, padding_mode: as in `torch.nn.Conv3d`.
        bias, device, dtype, circuit, encoding, readout, n_qubits, n_layers, scale, channel_mixing, trainable, engine,
            noise, shots, seed, weight_shapes, weights, init, diff_method: as in :class:`Quanv2d`. A window arrives
            flattened: channel, then depth, then row, then column. A tensor as `scale` broadcasts to (in_channels, kD,
            kH, kW).

    Shape:
        - Input: (N, C_in, D, H, W) or (C_in, D, H, W), float32 or float64.
        - Output: (N, C_out, D', H', W') or (C_out, D', H', W'), with `nn.Conv3d`'s D', H' and W'.
        - Weights: (filters, C_in / groups or 1, *shape), drawn as `init` says, under their own names.

    Raises:
        QuanvolveError: if arguments do not fit each other (at construction), or volumes do not fit the layer or
            contain values that are not finite (when called).

    References:
        Henderson et al., "Quanvolutional Neural Networks", arXiv:1904.04767 (2019), section 2, for images.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv3d
        >>> layer = Quanv3d(1, 8, 2, stride=2, seed=0)
        >>> layer
        Quanv3d(1, 8, kernel_size=(2, 2, 2), stride=(2, 2, 2), bias=False, circuit='strongly_entangling', n_qubits=8)
        >>> layer(torch.rand(2, 1, 8, 12, 12)).shape
        torch.Size([2, 8, 4, 6, 6])
    """

    dims = 3
