"""Many pictures of circuits at once: all are drawn, nothing else waits for them, and no fault leaves as a 500."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS
from quanvolve.circuits.catalogue._catalogue import _build
from quanvolve.studio import Limits
from quanvolve.studio._drawings import Drawings
from quanvolve.studio._problems import Missing, Refused
from quanvolve.studio.routes import _catalogue
from tests.studio.conftest import Make
from tests.waiting import PATIENCE


def _paths() -> list[str]:
    """Sixty pictures, twenty-four of them different."""
    combinations = [
        (circuit, encoding)
        for circuit, encoding in itertools.product(ANSATZE, ENCODINGS)
        if ANSATZE[circuit].layered or not ENCODINGS[encoding].repeats
    ]
    assert len(combinations) > 60
    chosen = combinations[:: len(combinations) // 24][:24]
    paths = [f"/api/v1/circuits/{circuit}/picture?encoding={encoding}&layers=1" for circuit, encoding in chosen]
    return [*paths, *paths, *paths[:12]]


def test_sixty_pictures_at_once_are_drawn_and_the_studio_answers_meanwhile(make: Make) -> None:
    client: Any = make(model=False)
    _build.cache_clear()
    paths = _paths()
    ready, drawing = threading.Barrier(len(paths)), threading.Event()
    make_one, held = _catalogue.svg_bytes, threading.Event()

    def drawn(*arguments: Any, **more: Any) -> bytes:
        drawing.set()
        assert held.wait(600)
        return make_one(*arguments, **more)

    def ask(path: str) -> Any:
        ready.wait()
        return client.get(path)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(paths)) as pool:
        patch.setattr(_catalogue, "svg_bytes", drawn)
        asked = [pool.submit(ask, path) for path in paths]
        assert drawing.wait(600)
        # Not one picture is done: everything else is answered.
        for path in ("/healthz", "/api/v1/about", "/api/v1/circuits", "/api/v1/models", "/metrics"):
            assert client.get(path).status_code == 200
        assert not any(one.done() for one in asked)
        held.set()
        answers = [one.result() for one in asked]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert all(answer.content.lstrip().startswith(b"<?xml") for answer in answers)
    for first, second in zip(answers[:36], answers[24:], strict=True):
        assert first.content == second.content
    assert len({answer.content for answer in answers[:24]}) > 20
    # What is kept is not drawn again.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_catalogue, "svg_bytes", None)
        assert client.get(paths[0]).content == answers[0].content


def test_an_error_of_a_library_is_a_problem_and_not_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = make(model=False)

    def fails(*_: Any, **__: Any) -> bytes:
        raise IndexError("pop from empty list")

    path = "/api/v1/circuits/random/picture"
    with monkeypatch.context() as patch:
        patch.setattr(_catalogue, "svg_bytes", fails)
        answer = client.get(path)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "this picture cannot be drawn (IndexError); the studio's log has more"
    assert client.get(path).status_code == 200


HOSTILE = [
    *(f"/api/v1/circuits/{name}/picture" for name in ("nothing", "__init__", "RANDOM", "-", "0" * 40, "%00", "ä")),
    *(f"/api/v1/circuits/{name}/picture?{query}"
      for name in ("qcnn", "random", "grid")
      for query in ("layers=8&kernel_size=1", "layers=0", "layers=1e3", "kernel_size=3&encoding=amplitude&layers=8",
                    "encoding=reupload", "readout=popcount", "readout=%F0%9F%92%A9", "encoding=", "dark=maybe",
                    "kernel_size=2&encoding=dense&layers=3", "layers=99999999999999999999")),
    "/api/v1/datasets/digits/samples?count=100&start=100000", "/api/v1/datasets/digits/samples?count=0",
    "/api/v1/datasets/mnist/samples", "/api/v1/datasets/..%2f/samples", "/api/v1/models/000000000000/layer",
    "/api/v1/models/0/layer", "/api/v1/models/000000000000/circuits/-1/picture",
    "/api/v1/models/000000000000/circuits/10000/picture", "/api/v1/models/000000000000/explanation",
    "/api/v1/models/000000000000/onnx", "/api/v1/models/000000000000/download", "/api/v1/jobs?limit=0",
    "/api/v1/jobs?kind=bake", "/api/v1/jobs/000000000000", "/api/v1/jobs/000000000000/log",
    "/api/v1/jobs/000000000000/report", "/api/v1/jobs/000000000000/events", "/api/v1/jobs/%0a/events",
]  # fmt: skip
BODIES = [
    {"kind": "train", **more}
    for more in (
        {"circuit": "qcnn", "kernel_size": 1, "layers": 8}, {"encoding": "reupload", "circuit": "qcnn"},
        {"kernel_size": 5, "encoding": "amplitude", "layers": 8}, {"kernel_size": 5, "encoding": "iqp"},
        {"circuit": "nothing"}, {"readout": "popcount", "trainable": True}, {"dataset": "nothing"},
        {"kernel_size": 5, "encoding": "dense", "filters": 64}, {"backbone": "nothing"}, {"lr": 0}, {"seed": -1},
        {"model": "0" * 12}, {"epochs": 10**9}, {"name": "\x00"},
    )
]  # fmt: skip


def test_no_request_however_odd_and_however_many_is_an_internal_error(make: Make) -> None:
    client: Any = make(model=False, limits=Limits(seconds=600, jobs=1000))
    _build.cache_clear()
    calls: list[Callable[[], Any]] = [lambda path=path: client.get(path) for path in HOSTILE]  # type: ignore[misc]
    calls += [lambda body=body: client.post("/api/v1/jobs", json=body) for body in BODIES]  # type: ignore[misc]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda call: call(), calls))
    for answer in answers:
        assert answer.status_code < 500, answer.text
    assert sum(answer.status_code >= 400 for answer in answers) > 40
    for answer in answers:
        if answer.status_code >= 400:
            assert set(answer.json()) >= {"type", "title", "status", "detail"}


# -- the drawings themselves, without a server -------------------------------------------------------------------------


class Pen:
    """Draws when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go, self.drawn = threading.Event(), threading.Event(), 0

    def __call__(self) -> bytes:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        self.drawn += 1
        return b"picture"


def test_a_picture_that_many_want_is_drawn_once_and_surplus_is_told_to_come_back() -> None:
    async def scene() -> None:
        drawings, pen = Drawings(60, pictures=2, waiting=3), Pen()
        asked = [asyncio.ensure_future(drawings.picture("one", pen)) for _ in range(20)]
        others = [asyncio.ensure_future(drawings.picture(key, lambda: b"other")) for key in ("two", "three")]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="3 pictures wait to be drawn: ask again later") as caught:
            await drawings.picture("four", lambda: b"four")
        assert (caught.value.status, caught.value.retry) == (503, 2)
        pen.go.set()
        assert await asyncio.gather(*asked) == [b"picture"] * 20
        assert await asyncio.gather(*others) == [b"other"] * 2
        assert pen.drawn == 1
        assert list(drawings._kept) == ["two", "three"]  # two of them, the last ones
        assert await drawings.picture("four", lambda: b"four") == b"four"
        assert drawings._work == {}
        drawings.close()

    asyncio.run(scene())


def test_what_nobody_waits_for_is_not_drawn() -> None:
    async def scene() -> None:
        drawings, pen, unwanted = Drawings(60), Pen(), Pen()
        first = asyncio.ensure_future(drawings.picture("first", pen))
        gone = [asyncio.ensure_future(drawings.picture("gone", unwanted)) for _ in range(2)]
        await asyncio.sleep(0)
        for one in gone:
            one.cancel()
        await asyncio.wait(gone)
        # Somebody else who comes right then gets it.
        again = asyncio.ensure_future(drawings.picture("gone", lambda: b"again"))
        await asyncio.sleep(0)
        pen.go.set()
        assert (await first, await again) == (b"picture", b"again")
        assert (unwanted.drawn, unwanted.begun.is_set()) == (0, False)
        drawings.close()

    asyncio.run(scene())


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    async def scene() -> None:
        drawings, pen = Drawings(0.05), Pen()
        with pytest.raises(Refused, match=r"took longer than 0\.05 s and was given up") as caught:
            await drawings.picture("slow", pen)
        assert (caught.value.status, caught.value.retry) == (503, 2)
        pen.go.set()
        drawings.close()

    asyncio.run(scene())


@pytest.mark.parametrize("error", [Missing("circuit", "7"), QuanvolveError("no such circuit")])
def test_what_is_wrong_with_a_request_is_told_to_all_who_made_it(error: Exception) -> None:
    def fails() -> bytes:
        raise error

    async def scene() -> None:
        drawings = Drawings(60)
        found = await asyncio.gather(*(drawings.picture("x", fails) for _ in range(3)), return_exceptions=True)
        assert [str(one) for one in found] == [str(error)] * 3
        assert (drawings._work, dict(drawings._kept)) == ({}, {})
        drawings.close()

    asyncio.run(scene())


def test_the_answer_to_surplus_says_when_to_come_back(make: Make) -> None:
    client: Any = make(model=False)
    client.studio.drawings._waiting = 0
    answer = client.get("/api/v1/circuits/random/picture")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
