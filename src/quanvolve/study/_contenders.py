"""Who is compared: a model, and the controls that match it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.nn import CONTROLS as BACKBONE_CONTROLS

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
PRIMARY = "conv"
"""The control that the verdict names first, chosen before anything is run."""


def contenders_for(params: dict[str, Any], controls: Sequence[str] | None = None) -> list[Contender]:
    """A model and its matched controls.

    Args:
        params: arguments of :class:`quanvolve.QuanvClassifier` that make the model.
        controls: names from :data:`CONTROLS`; all if not given.

    Returns:
        The model first. Controls that would be the model itself are left out.

    Raises:
        QuanvolveError: for an unknown control, or a model without quantum filters.

    Examples:
        >>> found = contenders_for({"n_filters": 1, "trainable": True}, ["conv", "other-training"])
        >>> [(one.name, one.params.get("backbone"), one.params["trainable"]) for one in found]
        [('model', None, True), ('conv', 'classical', True), ('other-training', None, False)]
    """
    names = list(CONTROLS) if controls is None else list(controls)
    for name in names:
        if name not in _CONTROLS:
            raise QuanvolveError(f"`controls` has {name!r}, which is none of {', '.join(CONTROLS)}")
    if params.get("backbone", "quantum") != "quantum" or params.get("preset") is not None:
        raise QuanvolveError("the model of a comparison has quantum filters: leave `backbone` and `preset` out")
    contenders = [Contender(MODEL, _summary(params), dict(params))]
    seen = [_identity(params)]
    for name in dict.fromkeys(names):
        kind = _CONTROLS[name]
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


def _identity(params: dict[str, Any]) -> dict[str, Any]:
    return {"backbone": "quantum", "trainable": False, "head": "linear", **params}


def _summary(params: dict[str, Any]) -> str:
    circuit = params.get("circuit", "strongly_entangling")
    name = circuit if isinstance(circuit, str) else getattr(circuit, "__name__", "a circuit")
    state = "trained" if params.get("trainable", False) else "fixed at random"
    count = params.get("n_filters", 4)
    return f"{count} quantum filter{'s' * (count != 1)} ({name}), {state}, {params.get('head', 'linear')} head"
