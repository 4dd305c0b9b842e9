"""The layer. One implementation for every number of spatial dimensions."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self, overload

import torch
from torch import Tensor, nn
from torch.fx import Proxy

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis import Formula, layer_formula
from quanvolve.circuits import ANSATZE, Circuit, with_noise
from quanvolve.compile import (
    Layout,
    Plan,
    Planner,
    PolynomialPlan,
    Recipe,
    Windows,
    is_trainable,
    keep_graph,
    needs_fixed,
    recorded,
    runs_by,
    switched,
    traced,
    use_kernels,
)
from quanvolve.nn._apply import (
    Static,
    apply,
    apply_at_once,
    check_angles,
    check_channels,
    check_drawing,
    check_dtype,
    check_images,
    check_same_measurements,
    check_scale,
    check_shots,
    compile_rows,
    layout_of,
    rows_of,
    windows_for,
)
from quanvolve.nn._as_conv import AsConv, leaf, one_of
from quanvolve.nn._brought import brought
from quanvolve.nn._elsewhere import WithOtherPrograms
from quanvolve.nn._filters import CircuitLike, NoiseLike, given_weights, make_circuits
from quanvolve.nn._first_weights import InitLike, check_init, first_weights
from quanvolve.nn._frozen import Frozen
from quanvolve.nn._geometry import Geometry, IntOrTuple
from quanvolve.nn._kept import Kept, kept_or_made
from quanvolve.nn._limits import advised, check_seed, shown
from quanvolve.nn._memory_format import WithFormat, own_tensor
from quanvolve.nn._ranks import WithRanks
from quanvolve.nn._state import WithState


class QuanvNd(WithOtherPrograms, WithState, WithFormat, WithRanks, AsConv):
    """What `Quanv1d`, `Quanv2d`, `Quanv3d` and `QuantumLinear` share.

    Attributes:
        dims: number of spatial axes.
        dense: whether it takes features, without spatial axes.
        circuits: what the filters run: one description for all, or one for each filter and channel it reads.
        filter_shape: number of filters, and how many circuits each of them sums over.
    """

    dims: int
    dense = False
    kernels = True
    """Whether compiled kernels may compute it; False for plain torch, unless :func:`quanvolve.compile.use_kernels` or
    the environment say otherwise."""
    _items = "images"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrTuple,
        stride: IntOrTuple = 1,
        padding: IntOrTuple | str = 0,
        dilation: IntOrTuple = 1,
        groups: int = 1,
        bias: bool = False,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        circuit: CircuitLike = "strongly_entangling",
        encoding: str = "ry",
        readout: str = "z",
        n_qubits: int | None = None,
        n_layers: int = 2,
        scale: float | Tensor | None = None,
        channel_mixing: str = "sum",
        trainable: bool = True,
        engine: str = "auto",
        noise: NoiseLike = None,
        shots: int | None = None,
        seed: int | None = None,
        weight_shapes: Mapping[str, Any] | None = None,
        weights: Any = None,
        init: InitLike = "auto",
        diff_method: str = "exact",
    ) -> None:
        """This is the one list of options: estimators, command line, forms and searches derive theirs from it.

        Args:
            kernel_size: Rows and columns of a window, or its length.
            stride: Pixels from one window to the next.
            padding: Pixels added at every edge: a number, same or valid.
            dilation: Steps from one pixel of a window to the next.
            groups: Groups of channels, each with filters of its own.
            bias: Add a number to each channel, which is trained.
            padding_mode: What is added: zeros, reflect, replicate or circular.
            circuit: What the filters run; see `quanvolve circuits`.
            encoding: How pixels become qubit states; see `quanvolve circuits`.
            readout: What is measured; see `quanvolve circuits`.
            n_qubits: Qubits of a filter; else one for each pixel.
            n_layers: Layers of the circuit.
            scale: Angle of a pixel of 1, in radians; else pi.
            channel_mixing: For colour images: sum (a circuit for each channel) or joint (one circuit reads all).
            trainable: Train the filters too, or leave them as drawn.
            engine: What computes the filters, such as statevector; auto is the cheapest.
            noise: Noise after every gate, as in depolarizing=0.01,readout=0.02.
            shots: Shots a window, in place of exact expectation values.
            weight_shapes: Shapes of a circuit function's weights, by name.
            init: First weights: auto, uniform or small.
            diff_method (with shots): Gradients: exact, or parameter-shift from as many shots.
        """
        super().__init__()
        check_channels(in_channels, out_channels, groups, channel_mixing)
        check_dtype(dtype)
        check_shots(shots)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.geometry = Geometry.parse(self.dims, kernel_size, stride, padding, dilation, padding_mode)
        self.channel_mixing = channel_mixing
        self.trainable = trainable
        circuit, weight_shapes, self.circuit_name, values = brought(circuit, weight_shapes)
        named = isinstance(circuit, str)
        self.encoding_name: str | None = encoding if named else None
        self.readout_name: str | None = readout if named else None
        self.random_structure = named and circuit in ANSATZE and ANSATZE[circuit].random_structure
        check_seed(seed)
        generator = None if seed is None else torch.Generator("cpu").manual_seed(int(seed))

        def rows(n_outputs: int) -> tuple[int, int]:
            return rows_of(in_channels, out_channels, groups, channel_mixing, n_outputs)

        n_inputs = self.geometry.window_size * (in_channels // groups if channel_mixing == "joint" else 1)
        try:
            made = make_circuits(
                circuit,
                n_inputs,
                rows,
                encoding=encoding,
                readout=readout,
                n_qubits=n_qubits,
                n_layers=n_layers,
                weight_shapes=weight_shapes,
                generator=generator,
                columns=self.geometry.kernel_size[-1],
            )
        except PlanError as error:
            raise advised(error, circuit, readout, n_inputs, n_qubits, n_layers, noise, shots) from error
        circuits, self._brought = made.circuits, {**made.brought, **values}
        shots = made.shots if shots is None else shots
        noisy = tuple(with_noise(plain, noise) for plain in circuits)
        check_drawing(shots, diff_method)
        if shots is not None:
            check_same_measurements(circuits, noisy)
        circuits = noisy
        if trainable and circuits[0].counts is not None and circuits[0].n_weights:
            raise QuanvolveError(
                f"the number of ones in a bit string ({circuits[0].counts}) has no gradient, so the weights cannot be "
                "trained: use `trainable=False`, or readout='popcount_expected', which is differentiable"
            )
        if trainable and not is_trainable(engine):
            raise needs_fixed()
        self.filter_shape = rows(circuits[0].n_outputs)
        self.engine = engine
        self.shots, self.diff_method = None if shots is None else int(shots), diff_method
        self.init = init
        try:
            self._set_circuits(circuits)
        except PlanError as error:
            raise advised(error, circuit, readout, n_inputs, n_qubits, n_layers, noise, shots) from error
        self._register_weights(weights, generator, device, dtype)
        self._register_scale(math.pi if scale is None and isinstance(circuit, str) else scale, device, dtype)
        self.bias = nn.Parameter(torch.zeros(out_channels, device=device, dtype=dtype)) if bias else None
        if self.random_structure and seed is None:
            self._register_structure(self.circuits)

    # -- construction ----------------------------------------------------------------------------------------------

    def _set_circuits(self, circuits: tuple[Circuit, ...]) -> None:
        self.circuits = circuits
        self._layout = layout_of(self.filter_shape, self.out_channels, self.groups)
        self._planner = Planner(circuits, self._layout, self.engine, self.shots, self.diff_method)
        self._static = Static(
            circuits, (self.engine, self.shots, self.diff_method), self._layout, self.geometry, self.channel_mixing,
            self._planner,
        )  # fmt: skip
        self._compiled: Kept[tuple[Plan, tuple[Tensor, ...]]] | None = None

    def _register_weights(
        self, weights: Any, generator: torch.Generator | None, device: Any, dtype: torch.dtype | None
    ) -> None:
        shapes = dict(self.circuits[0].weight_shapes)
        check_init(self.init, self.circuits[0])  # refuses an unknown one even where nothing is drawn
        for name in shapes:
            if hasattr(self, name) or name in ("bias", "scale"):
                raise QuanvolveError(
                    f"the weight name {name!r} is taken by the layer itself: rename the argument of the function"
                )
        by_hand = {} if weights is None else given_weights(weights, shapes, self.filter_shape)
        for name in shapes:
            if name in by_hand:
                value = by_hand[name].to(device=device, dtype=dtype or torch.get_default_dtype())
            elif name in self._brought:
                value = self._brought_value(name, device, dtype or torch.get_default_dtype())
            else:
                value = self._drawn(name, generator, device, dtype)
            if self.trainable:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def _brought_value(self, name: str, device: Any, dtype: torch.dtype) -> Tensor:
        """A weight that the circuit function brings along: the same for every filter and channel at first."""
        value = self._brought[name]
        return value.expand(*self.filter_shape, *value.shape).to(device=device, dtype=dtype).clone()

    def _drawn(self, name: str, generator: torch.Generator | None, device: Any, dtype: torch.dtype | None) -> Tensor:
        return first_weights(self.init, self.circuits[0], name, self.filter_shape, generator, device, dtype)

    def _register_scale(self, scale: float | Tensor | None, device: Any, dtype: torch.dtype | None) -> None:
        self.scale: float | Tensor
        if isinstance(scale, Tensor):
            check_scale(scale, self.in_channels, self.geometry)
            wanted = dtype or torch.get_default_dtype()
            if not isinstance(scale, nn.Parameter):
                self.register_buffer("scale", scale.to(device=device, dtype=wanted))
            elif scale.dtype != wanted:
                # A copy would no longer be the parameter that the user's optimizer holds.
                raise QuanvolveError(f"`scale` is {scale.dtype} and the layer is {wanted}: give both the same dtype")
            else:
                self.register_parameter("scale", scale)
            return
        try:
            value = 1.0 if scale is None else float(scale)
        except (TypeError, ValueError):
            raise QuanvolveError(f"`scale` (={scale!r}) must be a number, a torch.Tensor or an nn.Parameter") from None
        except OverflowError:
            raise QuanvolveError(f"`scale` (={shown(scale)}) must be finite: as a float it is not") from None
        wanted = dtype or torch.get_default_dtype()
        if not math.isfinite(value):
            raise QuanvolveError(f"`scale` (={value}) must be finite")
        if abs(value) > torch.finfo(wanted).max:  # a gradient has it as a factor
            raise QuanvolveError(f"`scale` (={value}) must be finite in the layer's precision, {wanted}")
        self.scale = value

    def reset_parameters(self) -> None:
        """Begin anew with weights as `init` says, from torch's global generator; the bias becomes zero.

        Weights that a circuit brings along become what they were when the layer was built.
        """
        with torch.no_grad():
            for name, weight in self.circuit_weights().items():
                if name in self._brought:
                    weight.copy_(self._brought_value(name, weight.device, weight.dtype))
                else:
                    weight.copy_(self._drawn(name, None, weight.device, weight.dtype))
            if self.bias is not None:
                self.bias.zero_()

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """As in `nn.Conv2d`, like the four properties that follow."""
        return self.geometry.kernel_size

    @property
    def stride(self) -> tuple[int, ...]:
        """Steps between windows."""
        return self.geometry.stride

    @property
    def padding(self) -> tuple[int, ...] | str:
        """Padding on both sides, or 'same' or 'valid'."""
        return self.geometry.padding

    @property
    def dilation(self) -> tuple[int, ...]:
        """Distances between the pixels of a window."""
        return self.geometry.dilation

    @property
    def padding_mode(self) -> str:
        """What is padded with."""
        return self.geometry.padding_mode

    # -- use -------------------------------------------------------------------------------------------------------

    def forward(self, input: Tensor | None = None, *, images: Tensor | None = None) -> Tensor:
        """Images (N, C, *size) to measured values (N, out_channels, *places); both without N for a single image.

        Args:
            input: the images, by the name that `nn.Conv2d` has for them.
            images: the same by another name.
        """
        batch: Any = input if isinstance(input, Proxy) else one_of(input, images, "images")
        return leaf(self, batch) if isinstance(batch, Proxy) else self._values(batch)

    def _values(self, images: Tensor) -> Tensor:
        if not self.kernels and switched() is None and not torch.compiler.is_compiling():
            with use_kernels(False):
                return self._values(images)
        like = self._like(images)
        kind = images.device.type if isinstance(images, Tensor) else "meta"
        if kind != "meta" and torch.is_autocast_enabled(kind):
            # Angles lose their meaning in half precision: compute in the layer's own.
            with torch.autocast(kind, enabled=False):
                return self._values(images.to(like.dtype))
        batch = self._checked(images, like)
        self._check_structure(self.circuits)
        if torch.compiler.is_compiling():
            from quanvolve.nn._traced import as_tensor  # loads torch._dynamo
            from quanvolve.nn._traced import traced as compiled  # loads torch._dynamo

            bias: dict[str, Tensor] = {} if self.bias is None else {"bias": self.bias}
            out = compiled(self._static, batch, self.circuit_weights(), like, as_tensor(self.scale, batch), bias)
        else:
            out = self._applied(batch, like)
        if torch.is_grad_enabled() and not out.requires_grad:
            # A circuit may read nothing that wants a gradient; its zeros are then a gradient too.
            out = keep_graph(out, batch, *self.parameters())
        if self._memory_format is not None:
            out = out.contiguous(memory_format=self._memory_format)
        return own_tensor(out if images.dim() == self.dims + 2 else out.squeeze(0))

    def _applied(self, batch: Tensor, like: Tensor) -> Tensor:
        if self._in_training(like, batch):
            plan = self._planner.choose(self._count(batch), batch.device.type)
            out = apply_at_once(
                batch, plan, self.circuit_weights(), self._layout, self.geometry, self.scale, self.channel_mixing,
                self.bias,
            )  # fmt: skip
            if out is not None:
                return out
        return apply(
            batch, *self._compiled_filters(like, batch), self._layout, self.geometry, self.scale, self.channel_mixing,
            self.bias,
        )  # fmt: skip

    def batched(self, images: Tensor) -> Tensor:
        """The batch (N, in_channels, *size) that the filters slide over, checked as a call of the layer does.

        Raises:
            QuanvolveError: if the images do not fit the layer, or have values that are not finite.
        """
        return self._checked(images, self._like(images))

    def _checked(self, images: Tensor, like: Tensor) -> Tensor:
        check_images(images, self.in_channels, self.dims, like, self._items)
        check_angles(images, self.scale, self.circuits, self._items)
        return images if images.dim() == self.dims + 2 else images.unsqueeze(0)

    def with_circuits(self, circuits: Sequence[Circuit], *, shots: int | None = None) -> Self:
        """A fixed copy whose rows run other circuits, such as noisy or calibrated ones.

        Args:
            circuits: one for each row (filters, and circuits that each sums over), or one for all; with the inputs and
                the number of outputs of the layer's own, and with its weights or with none.
            shots: of each window; exact values if not given.

        Raises:
            QuanvolveError: if their number, inputs, outputs or weights do not fit.
        """
        check_shots(shots)
        first, count = self.circuits[0], math.prod(self.filter_shape)
        shapes = circuits[0].weight_shapes if circuits else None
        fits = shapes in ((), first.weight_shapes) and all(
            (c.n_inputs, c.n_outputs, c.weight_shapes) == (first.n_inputs, first.n_outputs, shapes) for c in circuits
        )
        if len(circuits) not in (1, count) or not fits:
            raise QuanvolveError(
                f"`circuits` must be 1 or {count} circuits that read {first.n_inputs} inputs and measure "
                f"{first.n_outputs} values, with the weights of the layer or without any"
            )
        if shots is not None:
            exact = self.circuits if len(self.circuits) == len(circuits) else [first] * len(circuits)
            check_same_measurements(exact, circuits)
        with torch.no_grad():
            copied = copy.deepcopy(self)
        for name, _ in first.weight_shapes:
            weight = getattr(copied, name).detach()
            delattr(copied, name)
            if shapes:
                copied.register_buffer(name, weight)
        copied.trainable, copied.random_structure, copied.engine, copied.shots = False, False, "auto", shots
        copied._set_circuits(tuple(circuits))
        return copied

    def unentangled(self) -> Self:
        """The same layer, with the same weights, without gates on two qubits.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, weights=[[[[0.0, 0.0]]]])
            >>> print(layer.unentangled().formula())
            ch0 = cos(pi x0)
            ch1 = cos(pi x1)
        """
        copied = copy.deepcopy(self)
        copied.random_structure = False
        copied.circuit_name = f"{self.circuit_name}, unentangled"
        copied._set_circuits(tuple(circuit.unentangled() for circuit in self.circuits))
        return copied

    def frozen(self) -> nn.Module:
        """The layer as it is now, for use without training: its filters compiled once for all.

        What it needs of them are coefficients, so `torch.export` and ONNX get no circuits. It has no kernels of its
        own: within this package the layer itself is faster. Where it has shots, exact values take their place.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 4, 2, seed=0)
            >>> images = torch.rand(2, 1, 4, 4)
            >>> torch.allclose(layer.frozen()(images), layer(images), atol=1e-6)
            True
        """
        plain = self if self.shots is None else self.with_circuits(self.circuits)
        return Frozen(plain, plain._static)

    @property
    def layout(self) -> Layout:
        """How the rows of the weights make up the output channels."""
        return self._layout

    def windows(self, images: Tensor) -> Windows:
        """The windows of images (N, C, *size), padded as the layer does, and the scale of their pixels."""
        return windows_for(images, self._layout, self.geometry, self.scale, self.channel_mixing)

    def _like(self, otherwise: Tensor) -> Tensor:
        """A tensor with the layer's dtype and device; where the layer has none of its own it follows its images."""
        for parameter in self._parameters.values():
            if parameter is not None:
                return parameter
        tensors = [*self.parameters(), *self.buffers()]  # no next(iter()): torch.compile of torch 2.8 does not know it
        return tensors[0] if tensors else otherwise

    def _compiled_filters(self, like: Tensor, batch: Tensor) -> tuple[Plan, tuple[Tensor, ...]]:
        """Compiled anew when a gradient is wanted, else only when a weight has changed (compared by value)."""
        weights = self.circuit_weights()
        if self._in_training(like, batch):
            n_windows = self._count(batch)
            plan = self._planner.choose(n_windows, like.device.type)
            return plan, compile_rows(plan, weights, like, self._layout, n_windows)

        def make(tensors: list[Tensor]) -> tuple[Plan, tuple[Tensor, ...]]:
            plan = self._planner.choose(None, like.device.type)
            by_name = dict(zip(weights, tensors[1:], strict=True))
            return plan, compile_rows(plan, by_name, tensors[0], self._layout, None)

        self._compiled = kept_or_made(self._compiled, [like.new_empty(0), *weights.values()], make)
        return self._compiled.made

    def _in_training(self, like: Tensor, batch: Tensor) -> bool:
        """Whether the weights are compiled for this call alone: for a gradient, or where no number can be looked at."""
        wanted = torch.is_grad_enabled() and any(weight.requires_grad for weight in self.circuit_weights().values())
        return wanted or like.device.type == "meta" or traced(like, batch) or recorded(like)

    def _count(self, batch: Tensor) -> int:
        """How many windows there are."""
        return len(batch) * math.prod(self.geometry.output_size(tuple(batch.shape[2:])))

    @property
    def recipe(self) -> Recipe:
        """The compiled circuit; its encoding is that of all filters.

        Raises:
            PlanError: if the circuit is not a product encoding, and so not a trigonometric polynomial of this kind.
        """
        return PolynomialPlan(self.circuits).recipe

    @property
    def plan(self) -> str:
        """How the layer is evaluated and why, in one sentence; on a GPU also by which kernels."""
        unread, device = self._unread(), self._like(torch.empty(0)).device
        text = self._planner.describe(device.type)
        if device.type not in ("cpu", "meta"):
            text += f"; on {device} {runs_by(self._planner.choose(None, device.type), device)}"
        return text + (f"; it reads {unread[1] - unread[0]} of {unread[1]} values of its window" if unread[0] else "")

    @overload
    def formula(self, channel: int, *, digits: int = 4, tolerance: float = 1e-6) -> Formula: ...

    @overload
    def formula(self, channel: None = None, *, digits: int = 4, tolerance: float = 1e-6) -> str: ...

    def formula(self, channel: int | None = None, *, digits: int = 4, tolerance: float = 1e-6) -> Formula | str:
        """The closed form of a channel: a trigonometric polynomial of the pixels x0, x1, ... of the window.

        Product encodings give products of cosines and sines, other circuits with angles that are multiples of pixels
        (data re-uploading) their Fourier series.

        Args:
            channel: the output channel; all of them, one a line, if not given.
            digits: decimals of the coefficients; terms that would print as zero are left out.
            tolerance: terms with a smaller coefficient are left out too.

        Returns:
            Text such as ``ch3 = -0.9533 cos(pi x1) cos(pi x3) + 0.3019 sin(pi x1) cos(pi x3)``. Pixels are numbered
            as `torch.nn.functional.unfold` does: channel, then row, then column. That of a channel knows its terms,
            frequencies, LaTeX and SymPy, see :class:`quanvolve.analysis.Formula`.

        Raises:
            QuanvolveError: if there is no such channel, or the circuit is no such polynomial, or one of too many terms.

        References:
            Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), equation 6, for circuits as Fourier series.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, weights=[[[[0.0, 0.0]]]])
            >>> layer.formula(1)
            'ch1 = cos(pi x0) cos(pi x1)'
        """
        return layer_formula(self, channel, digits=digits, tolerance=tolerance)

    def polynomial(self) -> Tensor:
        """The coefficients of all filters in float64: shape (groups, channels, input channels, features)."""
        with torch.no_grad():
            weights = {name: weight.to(torch.float64) for name, weight in self.circuit_weights().items()}
            like = self._like(torch.empty(0)).to(torch.float64)
            return compile_rows(PolynomialPlan(self.circuits), weights, like, self._layout, None)[0]

    # -- torch's protocol --------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()  # type: ignore[no-untyped-call]
        return {**state, "_compiled": None}

    def extra_repr(self) -> str:
        """The arguments in `nn.Conv2d`'s form, and what the filters measure."""
        g = self.geometry
        parts = [
            f"{self.in_channels}",
            f"{self.out_channels}",
            f"kernel_size={g.kernel_size}",
            f"stride={g.stride}",
        ]
        if isinstance(g.padding, str) or any(g.padding):
            parts.append(f"padding={g.padding!r}")
        if max(g.dilation) > 1:
            parts.append(f"dilation={g.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if g.padding_mode != "zeros":
            parts.append(f"padding_mode={g.padding_mode}")
        return ", ".join(parts + self._circuit_repr("filter"))

    def _unread(self) -> tuple[int, int]:
        """How many values of its window no filter reads, and how many there are."""
        read = {i for circuit in self.circuits for i in circuit.inputs_read()}
        return self.circuits[0].n_inputs - len(read), self.circuits[0].n_inputs

    def _circuit_repr(self, unit: str) -> list[str]:
        first = self.circuits[0]
        parts = [f"circuit={self.circuit_name!r}", f"n_qubits={first.n_wires}"]
        if self.channel_mixing != "sum":
            parts.append(f"channel_mixing={self.channel_mixing!r}")
        channels = sum(gate.transfer is not None for gate in first.gates)
        if channels:
            parts.append(f"{channels} noise channels")
        if self.shots is not None:
            parts.append(f"shots={self.shots}")
        if not self.trainable:
            parts.append("trainable=False")
        unread, values = self._unread()
        if unread:
            parts.append(f"{unread} of {values} values of the window unread")
        surplus = self.filter_shape[0] * first.n_outputs - self.out_channels
        if surplus:
            where = f"the last {unit}" if self.groups == 1 else f"the groups' last {unit}s"
            parts.append(f"{surplus} measured value{'s' * (surplus > 1)} of {where} left out")
        return parts
