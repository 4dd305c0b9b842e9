"""One option: what is known of an argument of the layer."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

_PLAIN = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str": "str",
    "IntOrTuple": "int",
    "CircuitLike": "str",
    "InitLike": "str",
    "NoiseLike": "noise",
}
"""What can be typed or chosen in a form, by the names in annotations; a `noise` is a text such as bit_flip=0.01."""

USUAL = ("circuit", "encoding", "readout", "n_layers", "kernel_size", "stride", "trainable")
"""The options that come first in forms and help texts; the others stand together, further down."""


@dataclass(frozen=True)
class Option:
    """An argument of the layer.

    Args:
        name: of the argument.
        default: its value if it is not given.
        annotation: its type, as the signature has it.
        help: what it is, in a line.
        needs: the option without which it has no meaning.
    """

    name: str
    default: Any
    annotation: str
    help: str
    needs: str | None = None
    kinds: tuple[str, ...] = field(init=False)
    choices: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        choices = re.search(r"Literal\[([^\]]*)\]", self.annotation)
        text = re.sub(r"Literal\[[^\]]*\]", "str", self.annotation)
        kinds = [_PLAIN[part.strip()] for part in text.split("|") if part.strip() in _PLAIN]
        object.__setattr__(self, "kinds", tuple(dict.fromkeys(kinds)))
        object.__setattr__(self, "choices", ast.literal_eval(f"({choices[1]},)") if choices else ())

    @property
    def plain(self) -> bool:
        """Whether it can be typed: a number, a word, a switch or noise."""
        return bool(self.kinds)

    @property
    def optional(self) -> bool:
        """Whether it may be None, which then is its default."""
        return self.default is None

    @property
    def usual(self) -> bool:
        """Whether it comes first in forms and help texts."""
        return self.name in USUAL

    @property
    def place(self) -> int:
        """Where it stands in forms and help texts: a number that sorts them."""
        return USUAL.index(self.name) if self.usual else len(USUAL)

    @property
    def least(self) -> int | None:
        """The least whole number that it can be: 1, or 0 where that is the default."""
        return None if "int" not in self.kinds else int(self.default != 0)

    @property
    def word(self) -> str:
        """Its name on the command line and in forms."""
        return word_of(self.name)


def word_of(argument: str) -> str:
    """The name on the command line, and in forms, of what sets an argument.

    Examples:
        >>> word_of("n_qubits"), word_of("max_epochs"), word_of("kernel_size")
        ('qubits', 'epochs', 'kernel_size')
    """
    return {"random_state": "seed"}.get(argument, re.sub("^(n|max)_", "", argument))


def words_in(docstring: str) -> dict[str, tuple[str, str | None]]:
    """What the section Args of a docstring says of each argument, on one line, and which other one it needs.

    Examples:
        >>> words_in('''About it.
        ...
        ... Args:
        ...     size: How large it is,
        ...         in pixels.
        ...     seed (with size): Of the numbers.
        ... ''')
        {'size': ('How large it is, in pixels.', None), 'seed': ('Of the numbers.', 'size')}
    """
    section = docstring.partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+)(?: \(with (\w+)\))?: (.*(?:\n {5,}.*)*)", section, re.MULTILINE)
    return {name: (" ".join(text.split()), needs or None) for name, needs, text in entries}
