"""Circuit descriptions: immutable values that travel as JSON without losing a bit."""

import copy
import dataclasses
import json
import pickle
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable

Z0 = Observable(((1.0, ((0, "Z"),)),))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def make(offset: float = 0.5, factor: float = 1.0, coefficient: float = 1.0, threshold: float | None = None) -> Circuit:
    gates = (
        Gate("RY", (0,), Angle(offset, ((1, factor),), (("w", 3, factor), ("v", 0, -factor)))),
        Gate("CNOT", (0, 1)),
        Gate("RX", (1,), Angle(0.0)),
    )
    observables = (Observable(((coefficient, ((0, "X"), (1, "Y"))), (1.0, ()))), Z0)
    return Circuit(2, 2, gates, observables, (("w", (2, 2)), ("v", ())), threshold)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (make(), "n_wires"),
        (make().gates[0], "wires"),
        (make().gates[0].angle, "offset"),
        (Z0, "terms"),
    ],
)
def test_nothing_can_be_changed(value: object, field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match=field):
        setattr(value, field, getattr(value, field))
    # a slotted class refuses new names in one of these two ways
    with pytest.raises((AttributeError, TypeError)):
        value.something_else = 1  # type: ignore[attr-defined]


def test_equal_descriptions_are_one_key() -> None:
    assert make() == make()
    assert hash(make()) == hash(make())
    assert len({make(), make(), make(offset=0.25)}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"n_wires": 3},
        {"n_inputs": 3},
        {"gates": make().gates[:-1]},
        {"observables": (Z0,)},
        {"weight_shapes": (("w", (4, 1)), ("v", ()))},
        {"weight_shapes": (("v", ()), ("w", (2, 2)))},
        {"threshold": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_counts(change: dict) -> None:
    assert dataclasses.replace(make(), **change) != make()


def test_sizes() -> None:
    assert make().n_outputs == 2
    assert make().n_weights == 5


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_are_equal(travel: object) -> None:
    assert travel(make(threshold=0.25)) == make(threshold=0.25)


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(offset=FINITE, factor=FINITE, coefficient=FINITE, threshold=st.none() | FINITE)
def test_json_keeps_every_bit(offset: float, factor: float, coefficient: float, threshold: float | None) -> None:
    circuit = make(offset, factor, coefficient, threshold)
    text = circuit.to_json()
    back = Circuit.from_json(text)
    assert back == circuit
    assert hash(back) == hash(circuit)
    assert back.to_json() == text
    angle = back.gates[0].angle
    assert _bits(angle.offset) == _bits(offset)
    assert _bits(angle.inputs[0][1]) == _bits(factor)
    assert _bits(angle.weights[1][2]) == _bits(-factor)
    assert _bits(back.observables[0].terms[0][0]) == _bits(coefficient)
    assert back.threshold is None or _bits(back.threshold) == _bits(threshold)


def test_json_is_one_line_of_plain_json() -> None:
    text = make().to_json()
    assert "\n" not in text
    assert json.loads(text) == make().to_dict()
    assert Circuit.from_dict(make().to_dict()) == make()


def build(**change: object) -> Circuit:
    arguments = {"n_wires": 2, "n_inputs": 2, "gates": (), "observables": (Z0,), "weight_shapes": (("w", (2,)),)}
    return Circuit(**{**arguments, **change})


def _gate(*arguments: object) -> dict:
    return {"gates": (Gate("H", (0,)), Gate(*arguments))}


def _observable(coefficient: float, *word: tuple[int, str]) -> dict:
    return {"observables": (Z0, Observable(((coefficient, word),)))}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_wires": 0}, r"at least one wire.*`n_wires` \(=0\)"),
        ({"n_inputs": -1}, r"`n_inputs` \(=-1\)"),
        ({"observables": ()}, "at least one observable, got none"),
        ({"threshold": float("nan")}, "`threshold` must be finite, got nan"),
        (_gate("CRX", (0, 1), Angle()), r"gate 1 \(CRX on wires \[0, 1\]\): unknown gate; the vocabulary is RX, RY"),
        (_gate("H", (2,)), r"gate 1 \(H on wires \[2\]\): wires must be in 0 to 1"),
        (_gate("H", (-1,)), r"gate 1 \(H on wires \[-1\]\): wires must be in 0 to 1"),
        (_gate("CNOT", (0,)), r"gate 1 \(CNOT on wires \[0\]\): it acts on 2 distinct wire"),
        (_gate("CNOT", (1, 1)), r"gate 1 \(CNOT on wires \[1, 1\]\): it acts on 2 distinct wire"),
        (_gate("RX", (0,)), r"gate 1 .*a rotation takes an angle"),
        (_gate("H", (0,), Angle()), r"gate 1 .*other gates take none"),
        (_gate("RX", (0,), Angle(float("inf"))), r"gate 1 .*its angle must be finite, got .*inf"),
        (_gate("RX", (0,), Angle(0.0, ((0, float("nan")),))), r"gate 1 .*its angle must be finite"),
        (_gate("RX", (0,), Angle(0.0, (), (("w", 0, float("-inf")),))), r"gate 1 .*its angle must be finite"),
        (_gate("RX", (0,), Angle(0.0, ((2, 1.0),))), r"gate 1 .*input indices must be in 0 to 1, got \[2\]"),
        (_gate("RX", (0,), Angle(0.0, ((-1, 1.0),))), r"gate 1 .*input indices must be in 0 to 1, got \[-1\]"),
        (_gate("RX", (0,), Angle(0.0, (), (("w", 2, 1.0),))), r"weight 'w' has 2 entries, index 2 is not one"),
        (_gate("RX", (0,), Angle(0.0, (), (("u", 0, 1.0),))), r"weight 'u' has 0 entries, index 0 is not one"),
        (_observable(float("nan"), (0, "Z")), r"observable 1: a term needs a finite coefficient"),
        (_observable(1.0, (0, "I")), r"observable 1: .*letters X, Y or Z"),
        (_observable(1.0, (0, "XY")), r"observable 1: .*letters X, Y or Z"),
        (_observable(1.0, (0, "")), r"observable 1: .*letters X, Y or Z"),
        (_observable(1.0, (2, "Z")), r"observable 1: its wires \[2\] must be distinct and in 0 to 1"),
        (_observable(1.0, (0, "Z"), (0, "X")), r"observable 1: its wires \[0, 0\] must be distinct"),
    ],
)
def test_refusals_name_what_is_wrong(change: dict, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        build(**change)


def _without(*keys: str) -> str:
    data = make().to_dict()
    for key in keys:
        del data[key]
    return json.dumps(data)


def _with(**entries: object) -> str:
    return json.dumps({**make().to_dict(), **entries})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "3",
        "[]",
        "{}",
        '"format"',
        '{"layers": [1, 2], "name": "something else"}',
        _without("gates"),
        _without("observables", "threshold"),
        _with(gates=[["RX"]]),
        _with(gates=[7]),
        _with(gates=[["RX", [0], [0.0, [[0]], []]]]),
        _with(n_wires="many"),
        _with(n_wires=None),
        _with(observables=[[["Z"]]]),
        _with(weight_shapes=[["w"]]),
        _with(n_wires=float("inf")),
        _with(threshold=10**400),
        "[" * 100_000,
    ],
    ids=lambda text: text[:50] or "empty",
)
def test_foreign_json_is_refused(text: str) -> None:
    with pytest.raises(QuanvolveError, match="not a circuit description"):
        Circuit.from_json(text)


@pytest.mark.parametrize("version", [0, 9, "1", None])
def test_another_format_is_named(version: object) -> None:
    message = re.escape(f"circuit description has format {version!r}, this version reads formats 1 and 2 and 3 and 4")
    with pytest.raises(QuanvolveError, match=message):
        Circuit.from_json(_with(format=version))


def test_json_with_a_bad_gate_names_it() -> None:
    with pytest.raises(QuanvolveError, match=r"gate 0 \(RX on wires \[9\]\): wires must be in 0 to 1"):
        Circuit.from_json(_with(gates=[["RX", [9], [0.0, [], []]]]))


def test_json_with_nan_is_refused() -> None:
    with pytest.raises(QuanvolveError, match=r"gate 0 .*its angle must be finite"):
        Circuit.from_json(_with(gates=[["RX", [0], [float("nan"), [], []]]]))


@pytest.mark.parametrize("shapes", [[["w", [-1, -4]], ["v", []]], [["w", [2, 2]], ["w", [2, 2]], ["v", []]]])
def test_weight_shapes_must_make_sense(shapes: list) -> None:
    with pytest.raises(QuanvolveError, match="w"):
        Circuit.from_json(_with(weight_shapes=shapes))
