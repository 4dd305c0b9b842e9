"""Products of Pauli words."""

from __future__ import annotations

from collections.abc import Mapping

Word = tuple[tuple[int, str], ...]
"""Wires in ascending order, and their letters."""

_CYCLE = {"XY": "Z", "YZ": "X", "ZX": "Y"}
_ROUNDING = 1e-14


def product(left: Word, right: Word) -> tuple[complex, Word]:
    """The product of two words: a word, and the power of i in front of it.

    Examples:
        >>> product(((0, "X"), (1, "Z")), ((0, "Y"), (2, "X")))
        (1j, ((0, 'Z'), (1, 'Z'), (2, 'X')))
    """
    letters, phase = dict(left), 1 + 0j
    for wire, letter in right:
        before = letters.pop(wire, None)
        if before is None:
            letters[wire] = letter
        elif before != letter:
            ahead = before + letter in _CYCLE
            letters[wire] = _CYCLE[before + letter if ahead else letter + before]
            phase *= 1j if ahead else -1j
    return phase, tuple(sorted(letters.items()))


def squared(terms: Mapping[Word, float]) -> dict[Word, float]:
    """The square of a real sum of words.

    Examples:
        >>> squared({((0, "X"),): 1.0, ((0, "Z"),): 2.0, ((1, "Z"),): 1.0})
        {(): 6.0, ((0, 'X'), (1, 'Z')): 2.0, ((0, 'Z'), (1, 'Z')): 4.0}
    """
    entries, total = list(terms.items()), dict[Word, float]()
    for place, (left, factor) in enumerate(entries):
        for right, second in entries[place:]:
            phase, word = product(left, right)
            if not phase.imag:  # two words that anticommute cancel with their exchange
                twice = 1 if left == right else 2
                total[word] = total.get(word, 0.0) + twice * phase.real * factor * second
    return {word: c for word, c in total.items() if abs(c) > _ROUNDING}
