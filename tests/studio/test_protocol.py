"""Clients that do not behave, before any request of theirs is known: heads, connections, slow writers and readers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn

from quanvolve.studio import Limits
from quanvolve.studio._door import Door
from quanvolve.studio._protocol import StudioProtocol
from tests.waiting import PATIENCE

SOON = Limits(head_seconds=0.3, idle_seconds=0.3, seconds=0.3)
GET = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Running:
    """A server of a small app on a thread: it answers the length of the body, and `/large` with 64 MiB."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.door = limits, Door(limits)
        self.asked: list[dict[str, Any]] = []
        self.sent = threading.Event()  # all of a large answer, or as much as its client has let it
        self.hold = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        options: Any = {"http": StudioProtocol, "ws": "none", "interface": "asgi3", "log_level": "critical"}
        config = uvicorn.Config(
            self.app, timeout_keep_alive=limits.idle_seconds, timeout_graceful_shutdown=1, **options
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self._socket],))
        self.thread.start()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup":
                    scope["state"].update(limits=self.limits, door=self.door)
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        self.asked.append(scope)
        size, more = 0, scope["path"] != "/unread"
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/large":
            for _ in range(64):
                await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})
            self.sent.set()
        await send({"type": "http.response.body", "body": b"size %d" % size})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self._socket.close()


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    with contextlib.ExitStack() as stack:

        def made(limits: Limits | None = None) -> Running:
            return stack.enter_context(contextlib.closing(Running(limits or Limits())))

        yield made


def rest(connection: socket.socket) -> bytes:
    """All that a server says until it closes; a reset is an end too."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(2**20):
            found += piece
    return found


def answers(connection: socket.socket, count: int = 1) -> bytes:
    found = b""
    while found.count(b"\r\n0\r\n\r\n") < count:
        piece = connection.recv(2**16)
        assert piece, found
        found += piece
    return found


def pour(connection: socket.socket, piece: bytes) -> int:
    """Send the same again and again until the server has enough of it; returns how many times."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(piece)
            count += 1
    return count


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 66_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a" * 66_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"\r\n" * 40_000,
    ],
    ids=["path", "value", "name", "many", "nothing"],
)
def test_heads_have_a_size(run: Any, head: bytes) -> None:
    server = run()
    with server.connect() as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        said = rest(connection)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"the head of a request may have 65,536 bytes and 256 headers: send fewer or shorter ones" in said
    assert b"application/problem+json" in said
    with server.connect() as connection:
        connection.sendall(GET)
        assert b"size 0" in answers(connection)


def test_heads_may_be_as_large_as_is_said_and_come_in_any_pieces(run: Any) -> None:
    server = run()
    fixed = b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \r\n\r\n"
    head = fixed.replace(b"A: ", b"A: " + b"a" * (65_536 - len(fixed)))
    assert len(head) == 65_536
    body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
    with server.connect() as connection:
        connection.sendall(head + body + GET)
        assert answers(connection, 3).count(b"size 200000") == 1
        for byte in GET:
            connection.sendall(bytes([byte]))
        answers(connection)
    assert len(server.asked) == 4


def test_an_endless_head_is_not_kept(run: Any) -> None:
    server = run()
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nA: ")
        pour(connection, bytes([97]) * 2**20)  # until the door is shut
    assert server.asked == []


@pytest.mark.parametrize("piece", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"\r\n", GET + b"GET /"], ids=repr)
def test_half_sent_heads_are_given_up(run: Any, piece: bytes) -> None:
    server = run(SOON)
    with server.connect() as connection:
        connection.sendall(piece)
        said = rest(connection)
    # After an answer a connection that is idle is closed; one that has begun to ask is told why.
    assert b"HTTP/1.1 408 " in said
    assert b"the head of a request did not arrive within 0.3 s" in said


@pytest.mark.parametrize("piece", [b"\r\n", b"A: b\r\n", b"a"], ids=repr)
def test_heads_that_drip_are_given_up(run: Any, piece: bytes) -> None:
    server = run(SOON)
    dripping = threading.Event()
    with server.connect() as connection:
        connection.sendall(b"" if piece == b"\r\n" else b"GET / HTTP/1.1\r\n")

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not dripping.wait(0.05):
                    connection.sendall(piece)

        thread = threading.Thread(target=drip)
        thread.start()
        said = rest(connection)
        dripping.set()
        thread.join()
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")
    assert server.asked == []


def test_idle_connections_end(run: Any) -> None:
    server = run(SOON)
    with server.connect() as connection:
        connection.sendall(GET)
        said = rest(connection)
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"size 0" in said


def test_a_body_that_the_app_leaves_ends_the_connection(run: Any) -> None:
    server = run(SOON)
    with server.connect() as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
        assert b"size 0" in answers(connection)
        pour(connection, bytes(2**16))


@pytest.mark.parametrize("left", [b"5\r\nabc", b"5\r\nabcde\r\n0\r\nA: "], ids=["chunk", "trailer"])
def test_a_body_that_never_ends_ends_the_connection(run: Any, left: bytes) -> None:
    server = run(SOON)
    with server.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + left)
        assert rest(connection) == b""


@pytest.mark.parametrize(
    "piece", [b"A: b\r\n", b"a" * 1000], ids=["trailers", "one trailer"]
)  # fmt: skip
def test_trailers_have_a_size_and_are_no_headers(run: Any, piece: bytes) -> None:
    server = run()
    with server.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n0\r\nHost: evil\r\nB: "
        )
        pour(connection, piece)
    assert [value for name, value in server.asked[0]["headers"] if name == b"host"] == [b"localhost"]


def test_a_client_that_reads_nothing_is_left(run: Any) -> None:
    server = run(SOON)
    with server.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert server.sent.wait(PATIENCE)
        assert len(rest(connection)) < 2**26


def test_requests_ahead_of_their_answers_are_bounded(run: Any) -> None:
    server = run()
    with server.connect() as connection:
        connection.sendall(GET * 15)
        assert answers(connection, 15).count(b"size 0") == 15
    with server.connect() as connection:
        connection.sendall(GET * 1000)
        rest(connection)
    assert len(server.asked) < 1000


def test_new_clients_take_the_places_of_those_that_say_nothing(run: Any) -> None:
    server = run(Limits(connections=10))
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(40)]
        for connection in silent:
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"GET / HTTP")
        for _ in range(20):
            busy = stack.enter_context(server.connect())
            busy.sendall(GET)
            assert b"size 0" in answers(busy)
        assert rest(silent[0]) == b""


def test_a_server_full_of_requests_says_so(run: Any) -> None:
    server = run(Limits(connections=8))
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            one = stack.enter_context(server.connect())
            one.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            assert one.recv(1000).startswith(b"HTTP/1.1 100 ")  # it is being answered
        said = rest(stack.enter_context(server.connect()))
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"the studio has as many connections as it takes: try again later" in said
        one.sendall(bytes(9))
        assert b"size 9" in answers(one)
        more = stack.enter_context(server.connect())
        more.sendall(GET)
        assert b"size 0" in answers(more)


class Guest:
    def __init__(self, address: str) -> None:
        self.address, self.gone = address, False

    def leave(self) -> None:
        self.gone = True


def test_one_address_has_its_share() -> None:
    door = Door(Limits(connections=20, connections_of_one=3))
    first = [Guest("192.0.2.1") for _ in range(3)]
    assert all(door.enter(one) for one in first)
    door.works(first[0])
    late = Guest("192.0.2.1")
    assert door.enter(late)
    assert [one.gone for one in first] == [False, True, False]
    door.works(first[2])
    door.works(late)
    assert not door.enter(Guest("192.0.2.1"))
    assert door.enter(Guest("192.0.2.2"))
    door.left(late)
    assert door.enter(Guest("192.0.2.1"))
    network = [Guest(f"2001:db8::{number}") for number in range(9)]
    assert all(door.enter(one) for one in network)
    assert sum(one.gone for one in network) == 6
    local = [Guest("127.0.0.1") for _ in range(30)]
    assert all(door.enter(one) for one in local)
    assert sum(one.gone for one in local) >= 12
