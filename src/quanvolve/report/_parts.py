"""Parts of the page about a model: pictures, and the section of a quantum layer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from quanvolve.analysis import Reading


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        title: of its section.
        caption: what to see in it.
        svg: the figure.
    """

    title: str
    caption: str
    svg: str

    @property
    def anchor(self) -> str:
        """The name of its section in links."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


@dataclass
class LayerPart:
    """A quantum layer's section."""

    name: str
    repr: str
    plan: str
    pictures: list[Picture] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    reading_note: str = ""
    formulas: list[dict[str, Any]] = field(default_factory=list)
    formula_note: str = ""

    @property
    def anchor(self) -> str:
        """The name of its section in links."""
        return "layer-" + re.sub(r"\W+", "-", self.name.lower())
