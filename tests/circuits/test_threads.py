"""Several threads that build, draw and run circuits: PennyLane's stack of queues is one for all of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pennylane as qp
import pytest

from quanvolve.backends import PennyLaneBackend
from quanvolve.circuits import (
    ANSATZE,
    ENCODINGS,
    READOUTS,
    Circuit,
    capture,
    draw_text,
    named_circuit,
    simulate,
    with_noise,
)
from quanvolve.circuits.catalogue._catalogue import _build
from tests.circuits.pennylane_catalogue import CROSSED

LOCK = qp.queuing.AnnotatedQueue._lock


def small() -> Circuit:
    return named_circuit("strongly_entangling", 2, n_layers=1)


def _function(inputs: Any, weights: Any) -> Any:
    qp.AngleEmbedding(inputs, wires=range(2))
    qp.StronglyEntanglingLayers(weights, wires=range(2))
    return qp.expval(qp.Z(0) @ qp.X(1))


def _captured() -> Any:
    return capture(_function, 2, {"weights": (1, 2, 3)})


def _drawn() -> Any:
    return draw_text(small())


def _simulated() -> Any:
    return simulate(with_noise(small(), {"depolarizing": 0.1}), [0.1, 0.2], {"weights": np.ones((1, 2, 3))}).tolist()


def _noisy() -> Any:
    rules = {qp.noise.op_in(["RZ", "CNOT"]): qp.noise.partial_wires(qp.DepolarizingChannel, 0.1)}
    reads = {qp.noise.meas_eq(qp.expval): qp.noise.partial_wires(qp.BitFlip, 0.2)}
    return with_noise(small(), qp.NoiseModel(rules, meas_map=reads))


def _run(shots: int | None) -> Any:
    backend = PennyLaneBackend("default.qubit", shots=shots, seed=1)
    return backend.run(small(), {"weights": np.ones((1, 2, 3))}, np.full((2, 2), 0.3)).values.tolist()


WORK: dict[str, Callable[[], Any]] = {
    "capture": _captured, "draw_text": _drawn, "simulate": _simulated, "noise": _noisy,
    "backend": lambda: _run(None), "shots": lambda: _run(20),
}  # fmt: skip


@pytest.mark.parametrize("name", WORK)
def test_operations_are_made_by_one_thread_at_a_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owned: list[bool] = []
    before = qp.operation.Operator.__init__

    def watched(self: Any, *arguments: Any, **more: Any) -> None:
        owned.append(LOCK._is_owned())
        before(self, *arguments, **more)

    monkeypatch.setattr(qp.operation.Operator, "__init__", watched)
    WORK[name]()
    assert owned
    assert all(owned)
    assert not LOCK._is_owned()


def test_a_queue_of_the_users_records_nothing_of_a_circuit_that_is_built_inside() -> None:
    alone = {name: work() for name, work in WORK.items()}
    with qp.tape.QuantumTape() as tape:
        qp.RX(0.5, wires=0)
        inside = {name: work() for name, work in WORK.items()}
        qp.expval(qp.Z(0))
    assert inside == alone
    assert [operation.name for operation in tape.operations] == ["RX"]
    assert len(tape.measurements) == 1


def test_an_error_gives_the_lock_back() -> None:
    def wrong(inputs: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(Exception, match="the circuit function failed on a window of 2 inputs: ValueError: no"):
        capture(wrong, 2)
    assert not LOCK._is_owned()


def _combinations() -> list[dict[str, Any]]:
    found = []
    for circuit, encoding, readout in itertools.product(CROSSED, ENCODINGS, READOUTS):
        if ENCODINGS[encoding].repeats and not ANSATZE[circuit].layered:
            continue
        if READOUTS[readout].counts and ANSATZE[circuit].remaining:
            continue
        found.append({"circuit": circuit, "encoding": encoding, "readout": readout, "n_layers": 1})
    return found


def test_eight_threads_build_draw_and_run_the_same_circuits_as_one() -> None:
    wanted = _combinations()[::4]
    assert len(wanted) > 80
    _build.cache_clear()
    serial = [named_circuit(n_inputs=3, **one) for one in wanted]
    others = {name: work() for name, work in WORK.items()}
    _build.cache_clear()
    ready = threading.Barrier(8)

    def work(number: int) -> tuple[list[Circuit], dict[str, Any]]:
        ready.wait()
        # Each begins elsewhere: at any time they build different circuits.
        turn = len(wanted) * number // 8
        built = [named_circuit(n_inputs=3, **one) for one in wanted[turn:] + wanted[:turn]]
        return built[len(wanted) - turn :] + built[: len(wanted) - turn], {name: one() for name, one in WORK.items()}

    with ThreadPoolExecutor(8) as pool:
        for built, found in pool.map(work, range(8)):
            assert built == serial
            assert found == others
