"""Time series in WEKA's ARFF, as the UCR and UEA archives write it.

References:
    Witten et al., "The WEKA Workbench" (2016), "Attribute-Relation File Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from quanvolve._errors import DataError

_ATTRIBUTE = re.compile(r"""@attribute\s+(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(\S.*)""", re.IGNORECASE)
# Possessive: a line that does not fit is found out at once, and not by trying all ways to divide its spaces.
_FIELD = re.compile(r"""\s*+(?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)"|([^,'"]*+))\s*+(?:,|$)""")
_NUMBERS = ("numeric", "real", "integer")


class Row(NamedTuple):
    """One series: its channels as texts of numbers, its label, and where it stands for messages."""

    channels: list[list[str]]
    label: str
    where: str


class _Header(NamedTuple):
    """The attributes from left to right, by kind, and which one is the label."""

    kinds: list[str]
    label: int


def rows(lines: list[str], what: str) -> Iterator[Row]:
    r"""The series of an ARFF file.

    With one channel, each value is an attribute, and the label is the one that is no number, or the last. With
    several, an attribute `relational` holds them in quotes, a line break, written as `\n`, after each channel.

    Args:
        lines: Of the file.
        what: How messages name it.

    Raises:
        DataError: The file is no ARFF file, or damaged; with the line.

    Examples:
        >>> header = ["@attribute a relational", "@attribute x numeric", "@end a", "@attribute y {u,d}", "@data"]
        >>> next(rows([*header, r"'1,2\n3,4',u"], "'a.arff'")).channels
        [['1', '2'], ['3', '4']]
    """
    numbered = ((number, line.strip()) for number, line in enumerate(lines, 1))
    content = ((number, line) for number, line in numbered if line and not line.startswith("%"))
    header = _header(content, what)
    for number, line in content:
        where = f"line {number} of {what}"
        if line.startswith("{"):
            raise DataError(f"{where} is in the sparse form of ARFF, expected all values: save it in the dense form")
        fields = _fields(line, where)
        if len(fields) != len(header.kinds):
            raise DataError(
                f"{where} has {len(fields)} values, expected {len(header.kinds)}, one for each @attribute: the file is "
                "cut short or damaged"
            )
        label = fields[header.label]
        values = [field for i, field in enumerate(fields) if i != header.label]
        if "relational" in header.kinds:
            yield Row([channel.split(",") for channel in values[0].replace("\\n", "\n").split("\n")], label, where)
        else:
            yield Row([values], label, where)


def _header(content: Iterable[tuple[int, str]], what: str) -> _Header:
    kinds: list[str] = []
    inside = False
    for number, line in content:
        word = line.split()[0].lower()
        if word == "@data":
            return _checked(kinds, what)
        if word == "@end":
            inside = False
        elif word == "@attribute":
            match = _ATTRIBUTE.match(line)
            if match is None:
                raise DataError(f"line {number} of {what} is no `@attribute NAME TYPE`: the file is damaged")
            if not inside:
                kinds.append(match[1].split()[0].lower())
            inside = inside or kinds[-1] == "relational"
        elif word != "@relation":
            raise DataError(
                f"line {number} of {what} is none of @relation, @attribute, @end and @data: it is no ARFF file, or "
                "damaged"
            )
    raise DataError(f"{what} has no line @data, expected one before the series: it is no ARFF file, or cut short")


def _checked(kinds: list[str], what: str) -> _Header:
    relational = kinds.count("relational")
    labels = [i for i, kind in enumerate(kinds) if kind not in (*_NUMBERS, "relational")]
    if relational > 1 or len(labels) > 1 or len(kinds) < 2 or (relational and len(kinds) != 2):
        raise DataError(
            f"{what} has {len(kinds)} attributes, {relational} of them relational and {len(labels)} no numbers; "
            "expected numbers or one relational attribute, and a label"
        )
    return _Header(kinds, labels[0] if labels else len(kinds) - 1)


def _fields(line: str, where: str) -> list[str]:
    fields: list[str] = []
    at = 0
    while True:
        match = _FIELD.match(line, at)
        if match is None:
            raise DataError(f"{where} has a quote that does not end: the file is cut short or damaged")
        single, double, bare = match.groups()
        fields.append(bare.strip() if bare is not None else single if single is not None else double)
        at = match.end()
        if at == len(line) and not match[0].endswith(","):
            return fields
