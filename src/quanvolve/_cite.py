"""What to cite for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanvolve._bibliography import BIBLIOGRAPHY, bibtex_of
from quanvolve._errors import QuanvolveError
from quanvolve._version import __version__
from quanvolve.analysis import coherent_trees, quantum_layers
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS

if TYPE_CHECKING:
    from quanvolve.analysis import LayerView

_OWN = f"""@software{{quanvolve,
  author = {{{{The quanvolve developers}}}},
  title = {{quanvolve: quantum convolution for {{PyTorch}} and scikit-learn}},
  version = {{{__version__}}}, year = {{2026}}
}}"""

_OF_PLANS = {
    "polynomial": "schuld2021effect",
    "tensor_train": "markov2008simulating",
    "density": "nielsen2010quantum",
    "trajectories": "dalibard1992wave",
}


def cite(model: Any) -> str:
    """BibTeX for what a model uses: encodings, ansatze, readouts, and the methods behind its values and gradients.

    Args:
        model: a quantum layer, a module with some, or a fitted :class:`quanvolve.QuanvClassifier`.

    Returns:
        Entries with the package first and nothing twice. A circuit of your own has nothing to cite but its window.

    Raises:
        QuanvolveError: if there is no quantum layer.

    Examples:
        >>> from quanvolve import Quanv2d, cite
        >>> text = cite(Quanv2d(1, 4, 2, encoding="reupload", circuit="hardware_efficient"))
        >>> [line for line in text.splitlines() if line.startswith("@")]
        ['@software{quanvolve,', '@article{henderson2020quanvolutional,', '@article{perezsalinas2020data,',
         '@article{kandala2017hardware,', '@misc{mari2020demo,']
    """
    layers = [layer for _, layer in quantum_layers(model)]
    trees = [tree for _, tree in coherent_trees(model)]
    if not layers and not trees:
        raise QuanvolveError(f"`model` is a {type(model).__name__} without a quantum layer: nothing to cite")
    entries = [_OWN]
    if any(not layer.dense for layer in layers):
        entries.append(BIBLIOGRAPHY["henderson2020quanvolutional"])
    if any(layer.dense for layer in layers):
        entries.append(BIBLIOGRAPHY["mari2020transfer"])
    for layer in layers:
        entries += _of_layer(layer)
    for tree in trees:
        entries += [BIBLIOGRAPHY[key] for key in ("cong2019quantum", "huggins2019towards", "schuld2021effect")]
        if tree.encoding_name in ENCODINGS:
            entries.append(bibtex_of(ENCODINGS[tree.encoding_name].reference))
    return "\n\n".join(dict.fromkeys(entries)) + "\n"


def _of_layer(layer: LayerView) -> list[str]:
    tables: tuple[tuple[Any, str | None], ...] = (
        (ENCODINGS, layer.encoding_name),
        (ANSATZE, layer.circuit_name),
        (READOUTS, layer.readout_name),
    )
    references = [table[name].reference for table, name in tables if name in table]
    entries = [bibtex_of(part) for reference in references for part in reference.split("; block of ")]
    plan = layer.plan.split(":")[0]
    keys = [_OF_PLANS[plan]] if plan in _OF_PLANS else []
    if any(circuit.noisy for circuit in layer.circuits):
        keys.append("nielsen2010quantum")
    if layer.diff_method == "parameter-shift":
        keys.append("mitarai2018quantum")
    if layer.init == "small":
        keys.append("zhang2022escaping")
    return entries + [BIBLIOGRAPHY[key] for key in keys]
