"""Operations that capture may refuse, and why that is right."""

from __future__ import annotations

import re
from typing import NamedTuple


class Excuse(NamedTuple):
    """A refusal that is right.

    Attributes:
        names: a pattern for the names of the circuits: operation, modifier, and where its numbers come from.
        says: part of the message.
        why: why no description can compute what `default.qubit` does.
    """

    names: str
    says: str
    why: str


EXCUSES: tuple[Excuse, ...] = (
    Excuse(r"QFT \| pow 0.5", "default.qubit gives", "the root of an eigenvalue of -1 is a matter of rounding"),
)


def excused(name: str, message: str) -> Excuse | None:
    """The excuse for a refusal, if there is one."""
    fitting = (e for e in EXCUSES if re.match(e.names, name) and e.says in message)
    return next(fitting, None)
