"""The section of a coherent tree in the page about a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from quanvolve.figures import purity_figure, tree_figure, tree_reading_figure
from quanvolve.report._page import inline_svg
from quanvolve.report._parts import LayerPart, Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tree_part(name: str, tree: Any, images: Tensor, salt: str) -> LayerPart:
    """What the page says of a tree.

    Args:
        name: of the layer.
        tree: a :class:`quanvolve.CoherentTree`.
        images: that it reads.
        salt: for the names of what pictures are made of.
    """
    part = LayerPart(name, repr(tree), tree.plan[:1].upper() + tree.plan[1:] + ".")

    def add(title: str, caption: str, figure: Figure) -> None:
        svg = inline_svg(figure, f"{name}, {title}: {caption}", f"{salt}f{len(part.pictures)}")
        part.pictures.append(Picture(title, caption, svg))

    caption = "The circuits of its blocks, with the weights of the first block of tree 0."
    add("blocks", caption, tree_figure(tree))
    if len(tree.input_size) < 3:
        caption = (
            "What the roots read: root mean squares, over test images, of derivatives with respect to a pixel, and of "
            "changes when a pixel is replaced by its mean."
        )
        add("reads", caption, tree_reading_figure(tree, images))
    caption = (
        "How mixed the kept qubits are, level by level: entanglement with qubits that are traced out, and noise, take "
        "them from pure to completely mixed, where no signal is left."
    )
    add("purity", caption, purity_figure(tree, images))
    return part


def seen_by(module: nn.Module, layer: nn.Module, images: Tensor) -> Tensor:
    """What a layer of a module reads when the module is given images."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    training = module.training
    like = next(iter((*module.parameters(), *module.buffers())), images)
    try:
        with torch.no_grad():
            module.eval()(images.to(like))
    finally:
        hook.remove()
        module.train(training)
    return seen[0]
