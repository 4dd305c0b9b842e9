"""Trees of qubits that are not measured between layers."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Proxy

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit, with_noise
from quanvolve.compile import TreePlan, TreeStep, keep_graph, recorded, switched, traced, use_kernels
from quanvolve.nn._apply import (
    check_angles,
    check_dtype,
    check_images,
    check_plain,
    check_same_measurements,
    check_shots,
)
from quanvolve.nn._as_conv import leaf, one_of
from quanvolve.nn._filters import NoiseLike
from quanvolve.nn._first_weights import InitLike
from quanvolve.nn._frozen_tree import FrozenTree
from quanvolve.nn._kept import Kept, kept_or_made
from quanvolve.nn._limits import check_seed, check_whole, whole
from quanvolve.nn._memory_format import WithFormat, own_tensor
from quanvolve.nn._tree_blocks import MOST_KEPT, BlockLike, check_width, encoded, encoding_gates, make_block
from quanvolve.nn._tree_level import TreeLevel, levels_of
from quanvolve.nn._tree_readout import read_observables
from quanvolve.nn._tree_shape import TreeShape, Windows
from quanvolve.nn._tree_state import WithTreeState
from quanvolve.nn._tree_values import TreeStatic, tree_values


class CoherentTree(WithTreeState, WithFormat):
    """A tree of qubits that are not measured between its levels: blocks join windows and keep some qubits of each.

    Each pixel is encoded on qubits of its own. A level puts the same kind of block on all windows, which do not
    overlap; of each block the first `keep` qubits go on to the next level, the others are traced out. Because blocks
    share no qubit, the kept ones of a block are a multilinear map of the states of its inputs, and the tree is exact
    for any number of qubits: 1,024 of them, one a pixel, cost 1,023 bilinear maps of three numbers.

    Args:
        in_channels: channels of an image. Those of one pixel are encoded on qubits next to each other, all of which the
            pixel's block of the first level reads.
        input_size: places along each axis of an image: a number for a series, or a tuple of one to three. Where the
            windows do not divide it, pixels of value 0 are added on all sides (:attr:`padding` says how many).
        window: places that a block joins: a number, one for each axis, or several windows that the levels take by
            turns. Default: halves along one axis after the other, (1, 2) and (2, 1) in two dimensions. A window never
            exceeds what is left.
        block: what a block runs: "su4", any two-qubit unitary in Cartan's form (on more qubits from one to the next,
            the first at last); the name of a circuit; or any circuit that :class:`Quanv2d` takes, which reads no
            inputs; or several that the levels take by turns.
        keep: how many qubits of each block go on, 1 to 3.
        shared: whether all blocks of a level have the same weights, as a convolution has, or each its own.
        n_trees: trees on the same qubits, with weights of their own.
        encoding: how the values of a pixel become qubits: "ry", "rx", "rz", "dense", "threshold", or a function or
            Circuit without weights that reads the channels of a pixel and rotates single qubits.
        scale: what pixels are multiplied with to become angles in radians. Default: pi for a named encoding, 1 for any
            other. A tensor that broadcasts to (in_channels, *input_size), or an `nn.Parameter` that is then trained.
        readout: what is measured of the qubits that are kept at last: "xyz" (X, Y and Z of each), "x", "y", "z", "zz",
            "paulis" (all words of a block's kept qubits) or "probs".
        n_levels: how many levels; by default as many as it takes until one window is left.
        n_layers: of a block that is a named circuit other than "su4".
        weight_shapes: of a block that is a function.
        noise: as in :class:`Quanv2d`: channels after every gate of encoding and blocks, and errors of the last
            measurement. It is exact.
        shots: of each measured basis; exact values if not given. Gradients are those of exact values.
        trainable: whether the weights are parameters, or buffers.
        init: first weights: "auto" (for "su4" such that signals survive many levels), or as in :class:`Quanv2d`.
        seed: of the first weights, and of shots' structure; torch's global generator if not given.
        device, dtype: of the weights; images must have the same.

    Attributes:
        levels: a :class:`TreeLevel` for each level, from the leaves.

    Shape:
        - Input: (N, in_channels, *input_size), or the same without N.
        - Output: (N, n_trees * m) with m measured values of a tree, those of tree t from ``t * m`` on; where several
          windows are left, (N, n_trees * m, *places).

    Raises:
        QuanvolveError: if arguments do not fit each other (at construction), or images do not fit (when called).

    References:
        Cong, Choi and Lukin, Nature Physics 15, 1273 (2019); Grant et al., npj Quantum Information 4, 65 (2018);
        Huggins et al., Quantum Science and Technology 4, 024001 (2019); Tucci, arXiv:quant-ph/0507171 (2005) for
        Cartan's form.

    Examples:
        >>> import torch
        >>> from quanvolve import CoherentTree
        >>> tree = CoherentTree(1, (32, 32), n_trees=8, seed=0)
        >>> tree.n_qubits, len(tree.levels), sum(weight.numel() for weight in tree.parameters())
        (1024, 10, 73680)
        >>> tree(torch.rand(5, 1, 32, 32)).shape
        torch.Size([5, 24])
    """

    kernels = True
    """As of :class:`Quanv2d`."""

    def __init__(
        self,
        in_channels: int,
        input_size: int | tuple[int, ...],
        *,
        window: Windows | None = None,
        block: BlockLike | Sequence[BlockLike] = "su4",
        keep: int = 1,
        shared: bool = False,
        n_trees: int = 1,
        encoding: Any = "ry",
        scale: float | Tensor | None = None,
        readout: str = "xyz",
        n_levels: int | None = None,
        n_layers: int = 1,
        weight_shapes: Mapping[str, Any] | None = None,
        noise: NoiseLike = None,
        shots: int | None = None,
        trainable: bool = True,
        init: InitLike = "auto",
        seed: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for argument, number in (("in_channels", in_channels), ("n_trees", n_trees), ("n_layers", n_layers)):
            check_whole(argument, number)
        if not whole(keep, 1, MOST_KEPT):
            raise QuanvolveError(f"`keep` (={keep!r}) must be a whole number from 1 to {MOST_KEPT}")
        check_dtype(dtype)
        check_shots(shots)
        check_seed(seed)
        self.in_channels, self.n_trees, self.keep, self.shared = in_channels, n_trees, keep, shared
        self.shape = TreeShape.parse(input_size, window, n_levels)
        self.readout, self.shots, self.init, self.trainable = readout, shots, init, trainable
        self.encoding_name = encoding if isinstance(encoding, str) else getattr(encoding, "__name__", "Circuit")
        self.dims = self.shape.dims
        generator = None if seed is None else torch.Generator("cpu").manual_seed(int(seed))
        site_qubits, _, encoding_circuit = encoding_gates(encoding, in_channels)
        self.encoding = encoding_circuit
        observables = read_observables(readout, keep)
        blocks: list[Any] = list(block) if isinstance(block, list | tuple) else [block]
        if not blocks:
            raise QuanvolveError("`block` is an empty sequence: give a block for the levels, or several by turns")
        self.levels = nn.ModuleList()
        steps = []
        count = len(self.shape.windows)
        for number, (size, window_) in enumerate(zip(self.shape.sizes, self.shape.windows, strict=False)):
            n_qubits = math.prod(window_) * (site_qubits if number == 0 else keep)
            check_width(n_qubits, n_qubits, keep, number)
            made = make_block(
                blocks[number % len(blocks)],
                n_qubits,
                keep,
                last=number == count - 1,
                n_layers=n_layers,
                weight_shapes=weight_shapes,
                structure=0 if seed is None else int(seed) + number,
            )
            check_width(n_qubits, made.circuit.n_wires, keep, number)
            level = TreeLevel(made, size, window_, n_trees, shared)
            level.register(init, trainable, generator, device, dtype)
            self.levels.append(level)
            circuit = made.circuit
            if number == 0:
                circuit = encoded(circuit, encoding_circuit, math.prod(window_))
            noisy = with_noise(circuit, noise, measured=number == count - 1)
            if shots is not None:
                check_same_measurements([circuit], [noisy])
            steps.append(TreeStep(noisy, size, window_, shared))
        self.observables = observables
        plan = TreePlan(n_trees, steps, Circuit(keep, 0, (), observables), shots)
        self._static = TreeStatic(plan, self.shape)
        self._compiled: Kept[Tensor] | None = None
        self._register_scale(scale, math.pi if isinstance(encoding, str) else 1.0, device, dtype)

    def _register_scale(self, scale: float | Tensor | None, usual: float, device: Any, dtype: Any) -> None:
        self.scale: float | Tensor
        if not isinstance(scale, Tensor):
            self.scale = usual if scale is None else float(scale)
            if not math.isfinite(self.scale):
                raise QuanvolveError(f"`scale` (={scale!r}) must be finite")
            return
        check_plain(scale, "`scale`")
        full = (self.in_channels, *self.shape.input_size)
        try:
            scale.expand(full)
        except RuntimeError:
            raise QuanvolveError(
                f"`scale` has shape {tuple(scale.shape)}, expected one that broadcasts to {full}: (in_channels, "
                "*input_size)"
            ) from None
        if isinstance(scale, nn.Parameter):
            self.register_parameter("scale", scale)
        else:
            self.register_buffer("scale", scale.to(device=device, dtype=dtype or torch.get_default_dtype()))

    @property
    def input_size(self) -> tuple[int, ...]:
        """Places along each axis of an image."""
        return self.shape.input_size

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Pixels of value 0 that are added before and after each axis."""
        return self.shape.sides

    @property
    def n_qubits(self) -> int:
        """On which an image is encoded, those of added pixels among them."""
        return math.prod(self.shape.padded) * self.encoding.n_wires

    @property
    def out_features(self) -> int:
        """Measured values of each place that is left: those of all trees."""
        return self.n_trees * len(self.observables)

    @property
    def places(self) -> tuple[int, ...]:
        """Windows along each axis that are left at last."""
        return self.shape.places

    @property
    def steps(self) -> tuple[TreeStep, ...]:
        """What runs at each level, from the leaves: with encoding and noise."""
        return self._static.plan.steps

    def without_shots(self) -> CoherentTree:
        """A copy with exact values."""
        made = copy.deepcopy(self)
        made.shots = None
        plan = TreePlan(self.n_trees, self.steps, Circuit(self.keep, 0, (), self.observables))
        made._static = TreeStatic(plan, self.shape)
        return made

    @property
    def plan(self) -> str:
        """How the tree is evaluated, in a sentence."""
        return str(self._static.plan)

    def frozen(self) -> nn.Module:
        """The tree as it is now, for use without training: the maps of its blocks made once for all.

        It is of torch's own operators, for `torch.export` and ONNX; within this package the tree itself is faster.
        Where it has shots, exact values take their place.

        Examples:
            >>> import torch
            >>> tree = CoherentTree(1, (4, 4), seed=0)
            >>> images = torch.rand(2, 1, 4, 4)
            >>> torch.allclose(tree.frozen()(images), tree(images), atol=1e-6)
            True
        """
        static = self.without_shots()._static
        with torch.no_grad(), use_kernels(False):
            weights = [level.circuit_weights() for level in levels_of(self.levels)]
            maps = static.plan.compile(weights, self._like(torch.empty(0)))
        return FrozenTree(static, maps, self.scale)

    def reset_parameters(self) -> None:
        """Begin anew with weights as `init` says, from torch's global generator."""
        for level in levels_of(self.levels):
            level.reset(self.init)

    def forward(self, input: Tensor | None = None, *, images: Tensor | None = None) -> Tensor:
        """Images (N, in_channels, *input_size) to measured values; both without N for a single image.

        Args:
            input: the images, by the name that torch's layers have for them.
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
            # Angles lose their meaning in half precision: compute in the tree's own.
            with torch.autocast(kind, enabled=False):
                return self._values(images.to(like.dtype))
        self._check(images, like)
        batch = images if images.dim() == self.dims + 2 else images.unsqueeze(0)
        if torch.compiler.is_compiling():
            from quanvolve.nn._traced import as_tensor, traced_tree  # loads torch._dynamo

            weights = [level.circuit_weights() for level in levels_of(self.levels)]
            out = traced_tree(self._static, batch, weights, like, as_tensor(self.scale, batch))
        else:
            out = tree_values(self._static, self._maps(like, batch), batch, self.scale)
        if torch.is_grad_enabled() and not out.requires_grad:
            # A tree may read nothing that wants a gradient; its zeros are then a gradient too.
            out = keep_graph(out, batch, *self.parameters())
        if self._memory_format is not None and out.dim() == self.dims + 2:
            out = out.contiguous(memory_format=self._memory_format)
        return own_tensor(out if images.dim() == self.dims + 2 else out.squeeze(0))

    def _maps(self, like: Tensor, batch: Tensor) -> Tensor:
        """The numbers of all blocks: computed anew when a gradient is wanted, else only when a weight has changed."""
        weights = [level.circuit_weights() for level in levels_of(self.levels)]
        flat = [weight for by_name in weights for weight in by_name.values()]
        wanted = torch.is_grad_enabled() and any(weight.requires_grad for weight in flat)
        if wanted or like.device.type == "meta" or traced(like, batch) or recorded(like):
            return self._static.plan.compile(weights, like)

        def make(tensors: list[Tensor]) -> Tensor:
            pending = iter(tensors[1:])
            by_level = [{name: next(pending) for name in by_name} for by_name in weights]
            return self._static.plan.compile(by_level, tensors[0])

        self._compiled = kept_or_made(self._compiled, [like.new_empty(0), *flat], make)
        return self._compiled.made

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()  # type: ignore[no-untyped-call]
        return {**state, "_compiled": None}

    def _like(self, otherwise: Tensor) -> Tensor:
        """A tensor with the tree's dtype and device; where it has none of its own it follows its images."""
        for level in levels_of(self.levels):
            for weight in level.circuit_weights().values():
                return weight
        return self.scale if isinstance(self.scale, Tensor) else otherwise

    def _check(self, images: Tensor, like: Tensor) -> None:
        check_images(images, self.in_channels, self.dims, like)
        if tuple(images.shape[-self.dims :]) != self.input_size:
            raise QuanvolveError(
                f"expected images of {self.input_size} places (`input_size`), got {tuple(images.shape[-self.dims :])} "
                f"in images of shape {tuple(images.shape)}: resize them, or make the tree for this size"
            )
        check_angles(images, self.scale, (self.encoding,))

    def extra_repr(self) -> str:
        """The arguments, and what they amount to."""
        parts = [f"{self.in_channels}, {self.input_size}, keep={self.keep}, shared={self.shared}"]
        parts += [f"n_trees={self.n_trees}, encoding={self.encoding_name!r}, readout={self.readout!r}"]
        parts += [f"n_qubits={self.n_qubits}"]
        if any(side != (0, 0) for side in self.padding):
            parts.append(f"padding={self.padding}")
        if self.shots is not None:
            parts.append(f"shots={self.shots}")
        if not self.trainable:
            parts.append("trainable=False")
        return ", ".join(parts)
