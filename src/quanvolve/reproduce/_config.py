"""What is reproduced, and how: one folder each, with a config and our result."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError


@dataclass(frozen=True)
class Arm:
    """One kind of model that is trained.

    Args:
        name: unique.
        params: arguments of :class:`quanvolve.QuanvClassifier`, which those for all arms precede.
        data: changes to the data, such as another `side`.
        features: a way of its own to make feature maps, see `_features`.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    features: str | None = None


@dataclass(frozen=True)
class Expected:
    """An interval that a number should be in.

    Args:
        arm: whose mean test accuracy.
        minus: another arm, whose accuracy is taken off; the difference is meant then.
        interval: least and largest value.
        source: where that is from.
    """

    arm: str
    interval: tuple[float, float]
    source: str
    minus: str | None = None

    @property
    def name(self) -> str:
        """What it is about."""
        return self.arm if self.minus is None else f"{self.arm} minus {self.minus}"


@dataclass(frozen=True)
class Reproduction:
    """A published result.

    Args:
        name: of its folder.
        title: in a line.
        source: paper and place.
        claim: what was claimed, in a sentence.
        differs: what is done otherwise here, in sentences.
        data: data set and how it is cut: `dataset`, `classes`, `side`, `train`, `test`, `draw`.
        params: arguments of the classifier for all arms.
        arms: what is trained; the first is the claim's own.
        control: name of the arm that is its matched control.
        expected: intervals.
        seeds: how many.
        checks: names of exact checks, see `_checks`.
        remark: what there is to say about our result.
        quick: changes for the quick form.
        folder: where it is.
    """

    name: str
    title: str
    source: str
    claim: str
    differs: str
    data: dict[str, Any]
    params: dict[str, Any]
    arms: tuple[Arm, ...]
    control: str
    expected: tuple[Expected, ...]
    seeds: int
    checks: tuple[str, ...]
    remark: str
    quick: dict[str, Any]
    folder: Path

    def quickened(self) -> Reproduction:
        """The quick form: fewer images, epochs, seeds or arms; its numbers are not those of the claim."""
        from dataclasses import replace

        wanted = self.quick.get("arms")
        arms = tuple(arm for arm in self.arms if wanted is None or arm.name in wanted)
        return replace(
            self, data=self.data | self.quick.get("data", {}), params=self.params | self.quick.get("params", {}),
            arms=arms, seeds=self.quick.get("seeds", 1), expected=(),
        )  # fmt: skip


def _folder() -> Path:
    here = Path(__file__).parent
    # In an installed package they lie in the room itself, in a checkout beside the sources.
    for folder in (here / "reproductions", here.parents[2] / "reproductions"):
        if folder.is_dir():
            return folder
    raise QuanvolveError(f"the reproductions are not in {here}: install quanvolve again")


def names() -> tuple[str, ...]:
    """What can be reproduced.

    Examples:
        >>> "pennylane-demo" in names()
        True
    """
    return tuple(sorted(path.parent.name for path in _folder().glob("*/config.json")))


def find(name: str) -> Reproduction:
    """A reproduction by its name.

    Raises:
        QuanvolveError: if there is none.

    Examples:
        >>> find("pennylane-demo").title
        "Mari's demo of PennyLane (2020)"
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise QuanvolveError(f"there is no reproduction {name!r}: {hint}known are {', '.join(known)}")
    folder = _folder() / name
    content = json.loads((folder / "config.json").read_text("utf-8"))
    arms = tuple(Arm(**arm) for arm in content.pop("arms"))
    expected = tuple(Expected(**{**entry, "interval": tuple(entry["interval"])}) for entry in content.pop("expected"))
    checks = tuple(content.pop("checks", ()))
    return Reproduction(name, arms=arms, expected=expected, checks=checks, folder=folder, **content)
