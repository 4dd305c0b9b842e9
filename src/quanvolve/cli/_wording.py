"""The library's words as the command line says them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quanvolve.cli._asked import spelling
from quanvolve.runs import OPTION_OF


def as_options(text: str, arguments: Sequence[str] = ()) -> str:
    """The library's words with the options in place of the arguments that they set.

    Args:
        text: in which names of arguments stand in backquotes.
        arguments: names that are options here in this text only.

    Examples:
        >>> as_options("`n_qubits` (=3) is too small; use `n_qubits=4` or `encoding='threshold'`")
        '--qubits (=3) is too small; use --qubits 4 or --encoding threshold'
        >>> as_options("continue it with `resume=True`, or give another `output`", ("resume", "output"))
        'continue it with --resume, or give another --output'
    """
    # Of what this message offers, a smaller window is what helps whoever has given nothing else.
    text = re.sub(
        r"larger than the padded image of (\S+): use a `kernel_size` \(=\S+\) or `dilation` \(=1(?:x1)*\).*",
        r"larger than the image of \1: use a smaller `kernel_size`",
        text,
    )

    def replaced(match: re.Match[str]) -> str:
        name, value = match.group(1), match.group(3)
        if name not in OPTION_OF and name not in arguments:
            return match.group()
        option = OPTION_OF.get(name, name)
        if value in ("True", "False"):
            return "--fixed" if (option, value) == ("trainable", "False") else spelling(option)
        return spelling(option) + (f" {value}" if value else "")

    return re.sub(r"`(\w+)(?:=(?P<quote>['\"]?)([^`]*)(?P=quote))?`", replaced, text)
