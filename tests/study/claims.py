"""What the sentences of a report claim, read from their words alone, and which of them contradict each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quanvolve.study import Results, header_of, markdown
from quanvolve.study._report import protocol_in_words
from quanvolve.study._unit import SPLITS_UNIT

NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?"
_OF = "points of accuracy|of R2|of mean average precision"
_INTERVAL = re.compile(rf"({NUMBER})(?: (?:{_OF}))? \(({NUMBER}) % interval ({NUMBER}) to ({NUMBER})\)")
DECIDED = ("better", "worse")
TESTED = (*DECIDED, "no difference seen")
TOO_FEW = ("too few seeds", "too few splits")


def number(text: str) -> float:
    return float(text.replace(",", ""))


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    n: int
    difference: str
    interval: str
    p: str
    verdict: str


def table(text: str, header: tuple[str, ...]) -> dict[str, Row]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == list(header)
    judged = header.index("model minus it")
    return {row[0]: Row(int(row[1]), *row[judged : judged + 4]) for row in rows[2:] if row[0] != "model"}


def contradictions(results: Results) -> list[str]:
    """Everything in the report of these results that contradicts itself or its numbers, in words."""
    text = markdown(results)
    sentences = results.verdict()
    assert text.startswith("\n".join(sentences))
    if results.plan.unit is SPLITS_UNIT:
        assert sentences.pop().startswith("The unit of comparison is the split, ")
    items = [str(one) for one in results.comparisons]
    rows = table(text, header_of(results))
    found: list[str] = []

    def claim(fine: bool, what: str) -> None:
        if not fine:
            found.append(f"{what}\n{text}\n" + "\n".join(items))

    for sentence in (*sentences, *items):
        _look_at_intervals(sentence, claim)
    _look_at_rows(rows, claim)
    _look_at_groups(sentences, rows, claim)
    first = next((s for s in sentences if "% interval" in s), None)
    if first is not None:
        _look_at_first(first, rows, claim)
    for item in items:
        _look_at_item(item, rows, claim)
    _look_at_what_cannot_be_shown(sentences, items, rows, claim, results.plan.unit)
    for sentence in sentences:
        if "shows a need for" in sentence:
            _look_at_needs(sentence, rows, claim)
    _look_at_numbers(results, rows, claim)
    words = " ".join((*sentences, *items, *protocol_in_words(results)))
    claim(("split by split" in words) == (results.plan.unit.word == "split"), "another unit of comparison")
    claim("bootstrap" not in " ".join(protocol_in_words(results)), "the protocol speaks of another interval")
    return found


def _look_at_intervals(sentence, claim):  # type: ignore[no-untyped-def]
    for middle, level, low, high in _INTERVAL.findall(sentence):
        ends = number(low), number(high)
        claim(ends[0] <= number(middle) <= ends[1], "an interval does not hold its difference")
        claim(number(level) >= 95, "an interval below 95 %")
        outside = ends[0] > 0 or ends[1] < 0
        decided = re.search(r"\b(better|worse)\b", sentence)
        claim(outside == bool(decided), "an interval and its verdict")
        if decided:
            claim((decided[0] == "better") == (number(middle) > 0), "a direction and its difference")
        if (p := re.search(r"p ([<=]) (0\.\d+)", sentence)) is not None:
            claim((p[1] == "<" or number(p[2]) < 0.05) == bool(decided), "a p and its verdict")


def _look_at_rows(rows, claim):  # type: ignore[no-untyped-def]
    for row in rows.values():
        claim((row.verdict in TESTED) == bool(row.interval) == bool(row.p), "a row that is half tested")
        if row.interval:
            low, high = map(number, row.interval.split(" to "))
            claim((low > 0 or high < 0) == (row.verdict in DECIDED), "a row's interval and its verdict")
            claim((row.p.startswith("<") or number(row.p) < 0.05) == (row.verdict in DECIDED), "a row's p and verdict")
        if row.verdict in DECIDED:
            claim((number(row.difference) > 0) == (row.verdict == "better"), "a row's direction")


def _look_at_groups(sentences, rows, claim):  # type: ignore[no-untyped-def]
    groups = {"better than": "better", "worse than": "worse", "no difference seen to": "no difference seen"}
    said: dict[str, str] = {}
    for sentence in sentences:
        if (match := re.fullmatch(r"Of (\d+) controls?, with Holm's correction: (.*)\.", sentence)) is not None:
            for part in match[2].split("; "):
                words = next(words for words in groups if part.startswith(words))
                names = re.split(r", | and ", part.removeprefix(words).strip())
                said |= dict.fromkeys(names, groups[words])
            claim(len(said) == int(match[1]), "a number of controls")
        elif (
            match := re.fullmatch(r"Collapsed to (?:chance|the mean predictor) and left out: (.*)\.", sentence)
        ) is not None:
            said |= dict.fromkeys(re.split(r", | and ", match[1]), "collapsed")
        elif (
            match := re.fullmatch(r"Too few (?:seed|split)s to show anything, however large: (.*); .*", sentence)
        ) is not None:
            few = next(words for words in TOO_FEW if words in sentence.lower())
            said |= {name.split(" (")[0]: few for name in re.split(r", | and ", match[1])}
        elif " cannot show any difference among " in sentence:
            said |= {name: row.verdict for name, row in rows.items() if row.verdict in TOO_FEW}
    down = sentences[0].startswith("The model collapsed")
    if down:
        claim(len(sentences) == 1, "more than that there is nothing to compare")
        claim({row.verdict for row in rows.values()} <= {"collapsed"}, "comparisons with a model at chance")
    else:
        claim(said == {name: row.verdict for name, row in rows.items()}, "groups and the table")


def _look_at_first(first, rows, claim):  # type: ignore[no-untyped-def]
    name = re.search(r"the control '([\w-]+)'", first)
    row = rows["conv" if name is None else name[1]]
    (said,) = _INTERVAL.findall(first)
    claim((said[0], f"{said[2]} to {said[3]}") == (row.difference, row.interval), "the first sentence and its row")
    verdict = "no difference seen" if first.startswith("No difference seen") else re.search("better|worse", first)[0]  # type: ignore[index]
    claim(verdict == row.verdict, "the first sentence and its row's verdict")
    over = re.search(r"over (\d+) (?:seed|split)s", first)
    claim(over is not None and int(over[1]) <= row.n, "the first sentence's seeds")
    shown = re.search(rf"a difference of ({NUMBER}) would have shown", first)
    needed = re.search(rf"would need (?:about )?({NUMBER}) (?:seed|image)s", first)
    claim(shown is None or not first.startswith("The quantum model is"), "power of what was seen")
    claim(needed is None or shown is not None, "seeds needed without a power")
    if shown is not None:
        claim(number(shown[1]) > 0, "a power for no difference")
        claim(number(shown[1]) >= abs(number(said[0])), "what was seen would have shown")
    if needed is not None and over is not None:
        claim(number(needed[1]) > int(over[1]), "no more seeds are needed than there were")


def _look_at_item(item, rows, claim):  # type: ignore[no-untyped-def]
    name = item.split(":")[0]
    row = rows[name]
    word = next((w for w in ("better", "worse", "no difference seen", "collapsed") if w in item), "too few")
    claim(row.verdict.startswith(word), "the list and the table")
    for said in _INTERVAL.findall(item):
        claim(
            (said[0], f"{said[2]} to {said[3]}") == (row.difference, row.interval),
            "the list's interval and the table's",
        )


def _look_at_what_cannot_be_shown(sentences, items, rows, claim, unit):  # type: ignore[no-untyped-def]
    nothing = [s for s in sentences if " cannot show any difference among " in s]
    tested = [row for row in rows.values() if row.verdict in TESTED]
    text = " ".join((*sentences, *items))
    if nothing:
        claim(not tested, "something was tested that cannot be shown")
        for words in ("interval", "power", "No difference", "would need", "a need for", "better", "worse", "p ="):
            claim(words not in text, f"nothing can be shown, and yet: {words}")
        match = re.fullmatch(
            r"(\d+) (?:seed|split)s? cannot show any difference among (\d+) controls?, however large: "
            r"at least (\d+) can.",
            nothing[0],
        )
        claim(match is not None, "how many seeds can")
        if match is not None:
            claim(int(match[1]) < int(match[3]) == unit.least(int(match[2])), "how many seeds can show something")
    elif any(row.verdict in TOO_FEW for row in rows.values()):
        claim(f"Too few {unit.word}s to show anything" in text, "too few seeds, and no word on it")
    for match in re.findall(r"\((\d+)\)[^;]*; at least (\d+) can", text):
        claim(int(match[0]) < int(match[1]), "enough seeds are called too few")


def _look_at_needs(sentence, rows, claim):  # type: ignore[no-untyped-def]
    names = re.split(r" and ", re.search(r"better than (.*)\.$", sentence)[1])  # type: ignore[index]
    for name in names:
        claim(rows[name].verdict in ("worse", "no difference seen"), "no need is claimed without a test")
    claim(("entanglement" in sentence) == ("unentangled" in names), "entanglement without its control")
    claim(("quantum circuit" in sentence) == ("random-features" in names), "circuits without their control")


def _look_at_numbers(results, rows, claim):  # type: ignore[no-untyped-def]
    for one in results.comparisons:
        row = rows[one.control]
        claim(one.outcome == row.verdict, "a number's outcome")
        if one.outcome in TESTED:
            claim((one.p_corrected < 0.05) == (one.outcome in DECIDED), "p and outcome")
            claim((one.low > 0 or one.high < 0) == (one.outcome in DECIDED), "interval and outcome")
            claim(one.p <= one.p_corrected + 1e-9, "a correction that makes p smaller")
            claim(0.95 <= one.confidence < 1, "a confidence")
