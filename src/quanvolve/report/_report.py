"""One page that explains a trained model: findings, filters, formulas and pictures, in a single file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from quanvolve._cite import cite
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve._version import __version__
from quanvolve.analysis import Audit, Reading, audit, coherent_trees, quantum_layers, reading
from quanvolve.figures import (
    bloch_figure,
    filters_figure,
    gallery_figure,
    reading_figure,
    response_figure,
    spectrum_figure,
)
from quanvolve.report._page import inline_svg, rendered
from quanvolve.report._parts import LayerPart, Picture
from quanvolve.report._tree_part import seen_by, tree_part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CHANNELS, _MOST_PIXELS, _MOST_IMAGES = 16, 36, 256
_PRUNED, _LATEX_TERMS = 0.02, 24


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain` found.

    Attributes:
        audit: of all quantum layers.
        readings: of the channels of the layer that reads the images; none where its windows have more than 36 pixels.
        page: the HTML page.
    """

    audit: Audit
    readings: tuple[Reading, ...]
    page: str


def explain(
    model: Any,
    X: Any,
    *,
    title: str = "Quantum model",
    facts: Sequence[tuple[str, str]] = (),
    figures: Sequence[tuple[str, str, Figure]] = (),
    command: str = "",
    progress: Callable[[str], None] | None = None,
) -> Explanation:
    """Explain a fitted model in one self-contained page.

    Args:
        model: a fitted :class:`quanvolve.QuanvClassifier` or :class:`quanvolve.QuanvRegressor` with a quantum layer.
        X: images as in `fit`; at most 256 are looked at.
        title: of the page.
        facts: names and values for its head, such as ("test accuracy", "0.96").
        figures: further pictures, each with a title and a caption.
        command: which made the page.
        progress: told what is being done.

    Returns:
        The page, which loads nothing from anywhere, and what it says.

    Raises:
        QuanvolveError: if the model has no quantum layer, or cannot take the images.

    Examples:
        >>> from quanvolve import QuanvClassifier, load_dataset
        >>> data = load_dataset("digits")
        >>> clf = QuanvClassifier(n_filters=1, max_epochs=1, random_state=0)
        >>> clf = clf.fit(data.train_images[:100], data.train_labels[:100])
        >>> found = explain(clf, data.test_images, title="One filter")
        >>> found.page.startswith("<!DOCTYPE html>"), len(found.readings)
        (True, 4)
    """
    tell = progress or (lambda text: None)
    layers, trees = quantum_layers(model), coherent_trees(model)
    if not layers and not trees:
        raise QuanvolveError("the model has no quantum layer: there is nothing to explain")
    tell("auditing")
    images = torch.from_numpy(model.prepared(X[:_MOST_IMAGES]))
    audited = audit(model, X[:_MOST_IMAGES])
    parts: list[LayerPart] = []
    readings: tuple[Reading, ...] = ()
    for number, (name, layer) in enumerate(layers):
        tell(f"explaining {name}")
        part, layer_readings = _layer_part(name, layer, images if _reads_images(layer, model) else None, f"l{number}")
        parts.append(part)
        readings = readings or layer_readings
    for number, (name, tree) in enumerate(trees, len(layers)):
        tell(f"explaining {name}")
        parts.append(tree_part(name, tree, seen_by(model.module_, tree, images), f"l{number}"))
    pictures = [
        Picture(name, caption, inline_svg(figure, f"{name}: {caption}", f"p{number}"))
        for number, (name, caption, figure) in enumerate(figures)
    ]
    tell("writing")
    count = len(layers) + len(trees)
    quantum = "one quantum layer" if count == 1 else f"{count} quantum layers"
    about = "what its filters compute" if layers else "what its trees of qubits compute"
    page = rendered(
        "explanation.html",
        title=title,
        lead=f"A {_kind(model)} with {quantum}, taken apart: {about}, what they read of the image, and whether there "
        "was anything in them to train.",
        facts=[*facts, *_counts(audited)],
        findings=audited.sentences(),
        layers=parts,
        pictures=pictures,
        bibtex=cite(model),
        command=command,
        version=__version__,
    )
    return Explanation(audited, readings, page)


def _kind(model: Any) -> str:
    from sklearn.base import is_regressor  # the model has loaded it

    return "regressor" if is_regressor(model) else "classifier"


def _counts(audited: Audit) -> list[tuple[str, str]]:
    return [
        ("parameters", f"{audited.n_parameters:,}"),
        ("quantum", f"{audited.n_quantum:,}"),
        ("with an effect of their own", f"{audited.n_effective:,}"),
    ]


def _reads_images(layer: Any, model: Any) -> bool:
    """Whether a layer's pixels are those of the images: it is the backbone, or the first in it."""
    in_backbone = quantum_layers(model.module_.backbone)
    return (
        bool(in_backbone)
        and layer is in_backbone[0][1]
        and layer.in_channels == model.image_shape_[0]
        and not layer.dense
    )


def _layer_part(name: str, layer: Any, images: torch.Tensor | None, salt: str) -> tuple[LayerPart, tuple[Reading, ...]]:
    part = LayerPart(name, repr(layer), layer.plan[:1].upper() + layer.plan[1:] + ".")

    def add(title: str, caption: str, make: Callable[[], Figure]) -> None:
        try:
            figure = make()
        except PlanError:  # such as amplitudes, which have no spectrum
            return
        label = f"{name}, {title}: {caption}"
        part.pictures.append(Picture(title, caption, inline_svg(figure, label, f"{salt}f{len(part.pictures)}")))

    few = layer.in_channels * layer.geometry.window_size <= _MOST_PIXELS and layer.circuits[0].counts != "sampled"
    add(
        "circuit",
        "The circuit of its filters, with the values of their weights: blue gates read a pixel, yellow ones have a "
        "weight.",
        lambda: filters_figure(layer),
    )
    if images is None or not few:
        return part, ()
    some = layer.out_channels
    readings = reading(layer, images.numpy())
    part.readings = readings[:_MOST_CHANNELS]
    part.reading_note = (
        f"Shares of the variance of a channel's value, {readings[0].method}; each pixel has the values that it has in "
        f"{len(images)} test images, independently of the others."
    )
    add(
        "reads",
        "How much of each channel's variance a pixel of the window takes part in (percent). Orange lines join pixels "
        "that are multiplied.",
        lambda: reading_figure(layer, readings),
    )
    if layer.dims == 2:
        contrast = images[int(images.flatten(1).var(dim=1).argmax())].clamp(0, 1).numpy()
        add(
            "gallery",
            "Each channel in a row: what it reads, the linear filter that comes closest to it, its response to the two "
            "pixels that it multiplies or reads most, and its map of one image.",
            lambda: gallery_figure(layer, contrast, readings),
        )
    elif layer.in_channels * layer.geometry.window_size > 1:
        add(
            "response",
            "The value of each channel over the two pixels that it multiplies or reads most, the others being 0.5.",
            lambda: response_figure(layer, readings),
        )
    add(
        "encoding",
        "Where the encoding takes each qubit as a pixel goes from 0 (dark) to 1 (bright).",
        lambda: bloch_figure(layer),
    )
    add(
        "spectrum",
        "The strongest waves that channels are made of.",
        lambda: spectrum_figure(layer, [k for k in range(min(4, some)) if readings[k].variance > 1e-9] or None),
    )
    _add_formulas(part, layer)
    return part, tuple(readings)


def _add_formulas(part: LayerPart, layer: Any) -> None:
    for channel in range(min(layer.out_channels, _MOST_CHANNELS)):
        try:
            whole = layer.formula(channel)
        except (PlanError, QuanvolveError) as error:
            part.formula_note = f"There is no closed form: {error}."
            return
        short = whole.pruned(max(_PRUNED, whole.error))
        left = len(whole.terms) - len(short.terms)
        count = f"{len(whole.terms)} term{'s' * (len(whole.terms) != 1)} of degree {whole.degree}"
        if left:
            count += f", the {len(short.terms)} shown are right to {short.error:.3f}"
        latex = short.latex() if len(short.terms) <= _LATEX_TERMS else ""
        text = re.sub(r"\bpi\b", "π", str(short))
        part.formulas.append({"channel": channel, "count": count, "text": text, "latex": latex})
    part.formula_note = "x0, x1, ... are the pixels of the window, in [0, 1], row by row."
