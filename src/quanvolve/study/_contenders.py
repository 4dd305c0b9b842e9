"""Who is compared: a model, and the controls that match it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.nn import CONTROLS as BACKBONE_CONTROLS
from quanvolve.nn import PRESETS, TreePreset

MODEL = "model"


@dataclass(frozen=True)
class Contender:
    """One of those who are compared.

    Attributes:
        name: short, unique in a study; that of the model is "model".
        summary: what it is, in a line.
        params: arguments of :class:`quanvolve.QuanvClassifier`, without seeds and learning rate.
    """

    name: str
    summary: str
    params: dict[str, Any]


@dataclass(frozen=True)
class _Kind:
    summary: str
    changes: dict[str, Any]


_WINDOW = "with the same windows and channels"
_CONTROLS: dict[str, _Kind] = {
    "conv": _Kind(f"nn.Conv2d {_WINDOW}, then ReLU, trained", {"backbone": "classical", "trainable": True}),
    "conv-fixed": _Kind("the same convolution, fixed at random", {"backbone": "classical", "trainable": False}),
    "unentangled": _Kind("the same circuit without gates on two qubits", {"backbone": "unentangled"}),
    "other-training": _Kind("the same circuit, fixed where the model's is trained and trained where it is fixed", {}),
    **{
        control.contender or backbone: _Kind(
            control.summary, {"backbone": backbone} | ({"trainable": False} if control.trains else {})
        )
        for backbone, control in BACKBONE_CONTROLS.items()
    },
    "pixels": _Kind("the head on all pixels", {"backbone": "none"}),
    "quantum-quantum": _Kind("the model's backbone, a quantum head", {"head": "quantum"}),
    "quantum-classical": _Kind("the model's backbone, the quantum head's classical twin", {"head": "mlp"}),
    "classical-quantum": _Kind(
        "a trained convolution, a quantum head", {"backbone": "classical", "trainable": True, "head": "quantum"}
    ),
    "classical-classical": _Kind(
        "a trained convolution, the quantum head's classical twin",
        {"backbone": "classical", "trainable": True, "head": "mlp"},
    ),
}

CONTROLS: tuple[str, ...] = tuple(_CONTROLS)
"""Names of the controls, in the order of reports."""
_OF_TREES: dict[str, _Kind] = {
    "bilinear": _Kind(
        "trees of free bilinear maps: with a linear head fewer of them, to have as many parameters",
        {"backbone": "classical"},
    ),
    "bilinear-wide": _Kind(
        "as many trees of free bilinear maps, with more parameters each", {"backbone": "classical-wide"}
    ),
    "unentangled": _Kind(
        "the same trees, whose blocks keep one of their qubits at random", {"backbone": "unentangled"}
    ),
    "cnn": _Kind("convolutions with the trees' windows, and as many parameters", {"backbone": "cnn"}),
    "quanvolution": _Kind('the preset "quantum": quantum convolutions, one linear layer', {"preset": "quantum"}),
}
TREE_CONTROLS: tuple[str, ...] = tuple(_OF_TREES)
"""Names of the controls of presets that are coherent trees."""
PRIMARY = "conv"
"""The control that the verdict names first, chosen before anything is run."""


def contenders_for(params: dict[str, Any], controls: Sequence[str] | None = None) -> list[Contender]:
    """A model and its matched controls.

    Args:
        params: arguments of :class:`quanvolve.QuanvClassifier` that make the model.
        controls: names from :data:`CONTROLS`, or where the model is a preset of trees from :data:`TREE_CONTROLS`; all
            that the model can have if not given.

    Returns:
        The model first. Controls that would be the model itself are left out.

    Raises:
        QuanvolveError: for an unknown control, or a model that has neither quantum filters nor trees.

    Examples:
        >>> found = contenders_for({"n_filters": 1, "trainable": True}, ["conv", "other-training"])
        >>> [(one.name, one.params.get("backbone"), one.params["trainable"]) for one in found]
        [('model', None, True), ('conv', 'classical', True), ('other-training', None, False)]
    """
    preset = params.get("preset")
    trees = preset is not None and isinstance(PRESETS.get(preset), TreePreset)
    kinds = _kinds_of(str(preset)) if trees else _CONTROLS
    names = list(kinds) if controls is None else list(controls)
    for name in names:
        if name not in kinds:
            raise QuanvolveError(f"`controls` has {name!r}, which is none of {', '.join(kinds)}")
    if params.get("backbone", "quantum") != "quantum" or (preset is not None and not trees):
        raise QuanvolveError(
            "the model of a comparison has quantum filters, or is a preset of trees ('tree', 'tree-headless'): leave "
            "`backbone` and any other `preset` out"
        )
    contenders = [Contender(MODEL, _summary(params), dict(params))]
    seen = [_identity(params)]
    for name in dict.fromkeys(names):
        kind = kinds[name]
        changed = {**params, **kind.changes}
        if name == "other-training":
            changed["trainable"] = not params.get("trainable", False)
        if changed.get("backbone") == "none":
            changed["trainable"] = False
        if changed.get("backbone", "quantum") not in ("quantum", "unentangled"):
            changed |= {key: None for key in ("noise", "shots") if changed.get(key) is not None}
        if _identity(changed) not in seen:
            seen.append(_identity(changed))
            contenders.append(Contender(name, kind.summary, changed))
    return contenders


def _kinds_of(preset: str) -> dict[str, _Kind]:
    """The controls of a preset of trees: those whose networks it has."""
    known = PRESETS[preset].training
    return {name: kind for name, kind in _OF_TREES.items() if kind.changes.get("backbone", "quantum") in known}


def _identity(params: dict[str, Any]) -> dict[str, Any]:
    return {"backbone": "quantum", "trainable": False, "head": "linear", **params}


def _summary(params: dict[str, Any]) -> str:
    if params.get("preset") is not None:
        return f"the preset {params['preset']!r}: {PRESETS[params['preset']].summary}"
    circuit = params.get("circuit", "strongly_entangling")
    name = circuit if isinstance(circuit, str) else getattr(circuit, "__name__", "a circuit")
    state = "trained" if params.get("trainable", False) else "fixed at random"
    count = params.get("n_filters", 4)
    return f"{count} quantum filter{'s' * (count != 1)} ({name}), {state}, {params.get('head', 'linear')} head"
