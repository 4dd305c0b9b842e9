"""Requests made to take the memory, the time or the connections of a studio: none of them gets far."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from PIL import Image

from quanvolve.studio import Limits, Settings, _uploads, create_app
from quanvolve.studio._protocol import StudioProtocol
from quanvolve.studio._wanted import GivenUp, still_wanted
from tests.postgres import free_port
from tests.studio.conftest import Make
from tests.waiting import PATIENCE

MOST = 16 * 2**20
ROOM = 512  # MiB above idle that any request may take
SERVER = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from quanvolve.studio import Settings, serve
serve(Settings(Path(sys.argv[1]), port=int(sys.argv[2]), workers=0, first_model=False), models=[Path(sys.argv[3])])
"""


class Target:
    """A server with few descriptors, whose memory is watched."""

    def __init__(self, folder: Path, run: Path) -> None:
        self.port = free_port()
        self._log = (folder / "log").open("wb")
        command = [sys.executable, "-c", SERVER, str(folder / "store"), str(self.port), str(run)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300)
        while True:
            assert self.process.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(httpx2.HTTPError):
                (model,) = self.http.get("/api/v1/models").json()
                break
            time.sleep(0.1)
        self.model = f"/api/v1/models/{model['id']}"
        image = [[0.0] * 8] * 8
        assert self.http.post(f"{self.model}/predict", json={"images": [image]}).status_code == 200
        assert self.http.post(f"{self.model}/predict/files", files={"files": png(64, 64)}).status_code == 200

    def memory(self, name: str) -> float:
        """MiB: VmRSS now, VmHWM at most since `forget`."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+)", text)
        assert found is not None
        return int(found[1]) / 1024

    def forget(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait()
        self._log.close()


def png(wide: int, tall: int, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (wide, tall), 200).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Target]:
    with contextlib.closing(Target(tmp_path_factory.mktemp("target"), trained)) as made:
        yield made


def filled(start: bytes, piece: bytes, end: bytes, size: int = MOST) -> bytes:
    """As many pieces as there is room for."""
    return start + piece * ((size - len(start) - len(end)) // len(piece)) + end


def keys(size: int) -> bytes:
    names = (b'"key%d":1,' % number for number in range(size // 14))
    return b'{"images": [[0]],' + b"".join(names) + b'"z":1}'


JSON: dict[str, Callable[[], bytes]] = {
    "strings": lambda: filled(b'{"images":[[', b'"ab",', b'"ab"]]}'),
    "a long string among short ones": lambda: b'{"images":[["' + b"x" * 60_000 + b'"' + b',"a"' * 17_000 + b"]]}",
    "one string": lambda: filled(b'{"images":"', b"x", b'"}'),
    "wide characters": lambda: filled(b'{"images":"\xf0\x9f\x98\x80', b"x", b'"}'),
    "lists": lambda: filled(b'{"images":[', b"[],", b"[]]}"),
    "lists in a value": lambda: filled(b'{"other":[', b"[],", b"[]]}"),
    "objects": lambda: filled(b'{"images":[', b"{},", b"{}]}"),
    "unknown names": lambda: keys(12 * 2**20),
    "few unknown names": lambda: keys(60_000),
    "numbers": lambda: filled(b'{"images":[[', b"0,", b"0]]}"),
    "floats": lambda: filled(b'{"images":[[', b"1e1,", b"0]]}"),
    "rows": lambda: filled(b'{"images":[[', b"[1],", b"[1]]]}"),
    "fewer rows": lambda: filled(b'{"images":[[', b"[1],", b"[1]]]}", 2**20),
    "images": lambda: filled(b'{"images":[', b"[[1]],", b"[[1]]]}"),
    "depth": lambda: b'{"images":' + b"[" * (MOST - 100),
    "objects within each other": lambda: filled(b"", b'{"a":', b""),
    "digits": lambda: filled(b'{"images":[[', b"1", b"]]}"),
    "spaces": lambda: filled(b'{"images":', b" ", b"[[1]]}"),
    "a drawing": lambda: filled(b'{"drawing":true,"images":[[[', b"0,", b"0]]]}", 4_000_000),
    "a long drawing": lambda: filled(b'{"drawing":true,"images":[[', b"[0],", b"[0]]]}", 2**20),
    "another coding": lambda: ("\ufeff" + '{"images":[["ab"]]}').encode("utf-16"),
}


@pytest.mark.parametrize("path", ["predict", "feature-maps"])
@pytest.mark.parametrize("attack", JSON)
def test_json_takes_little(target: Target, attack: str, path: str) -> None:
    body = JSON[attack]()
    if path == "feature-maps":
        body = body.replace(b'"images":[[', b'"image":[', 1).replace(b"]]}", b"]}")
    survives(target, f"{target.model}/{path}", body, "application/json", allowed={200, 400, 413, 422})


def survives(target: Target, path: str, body: bytes, kind: str, allowed: set[int], method: str = "POST") -> Any:
    """Send a request, while others are answered; it is refused, and has not taken more than its room."""
    assert len(body) <= MOST
    idle = target.memory("VmRSS")
    target.forget()
    found: list[Any] = []

    def send() -> None:
        with contextlib.suppress(httpx2.TransportError):  # the answer may come before the request is sent
            found.append(target.http.request(method, path, content=body, headers={"content-type": kind}))

    thread = threading.Thread(target=send)
    thread.start()
    while thread.is_alive():
        assert httpx2.get(f"http://127.0.0.1:{target.port}/healthz", timeout=PATIENCE).status_code == 200
        thread.join(0.2)
    taken = target.memory("VmHWM") - idle
    assert taken < ROOM, f"{taken:.0f} MiB"
    if found:
        assert found[0].status_code in allowed, found[0].text[:300]
        return found[0]
    return None


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end


def file(content: bytes, more: bytes = b"", name: bytes = b"a") -> bytes:
    return b'Content-Disposition: form-data; name="files"; filename="' + name + b'"\r\n' + more + b"\r\n" + content


def animated(kind: str) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("L", (1000, 1000), shade) for shade in range(100)]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def wide_webp() -> bytes:
    """A WebP whose head says 16,383 x 16,383 pixels."""
    content = bytearray(png(16, 16, "WEBP", lossless=True))
    at = content.index(b"VP8L") + 9
    bits = int.from_bytes(content[at : at + 4], "little") >> 28 << 28
    content[at : at + 4] = (bits | 16382 | 16382 << 14).to_bytes(4, "little")
    return bytes(content)


def scans() -> bytes:
    """A progressive JPEG of 4 megapixels with its last scan again and again."""
    buffer = io.BytesIO()
    Image.new("L", (2000, 2000), 90).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * (2**20 // len(last)) + content[-2:]


def large_npy() -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 8, 8)})
    return buffer.getvalue() + bytes(1000)


def small_npy(pixels: bytes = bytes(15 * 2**20)) -> bytes:
    """As many images as fit into a request."""
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(pixels, np.uint8).reshape(-1, 8, 8))
    return buffer.getvalue()


def packed(pixels: bytes) -> bytes:
    """An archive that unpacks to a thousand times its size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", small_npy(pixels))
    return buffer.getvalue()


def long_text_npy() -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<U120000000", "fortran_order": False, "shape": ()})
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "pictures": lambda: form(*[file(png(2000, 2000, "WEBP"))] * 700),
    "small pictures": lambda: form(*[file(png(250, 250))] * 1000),
    "too many files": lambda: form(*[file(b"")] * 1500),
    "many parts": lambda: filled(b"", b"--x\r\n" + file(b"") + b"\r\n", b"--x--\r\n"),
    "many values": lambda: filled(b"", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n', b"--x--\r\n"),
    "headers": lambda: filled(b"--x\r\n", b"a:b\r\n", b"\r\n--x--\r\n"),
    "a header": lambda: filled(b"--x\r\nContent-Disposition: ", b"a", b"\r\n\r\n--x--\r\n"),
    "a value": lambda: filled(b'--x\r\nContent-Disposition: form-data; name="drawing"\r\n\r\n', b"1", b"\r\n--x--\r\n"),
    "no boundary": lambda: filled(b"", b"a", b""),
    "nearly boundaries": lambda: filled(b"--x\r\n" + file(b""), b"\r\n--", b"\r\n--x--\r\n"),
    "line ends": lambda: filled(b"", b"\r\n", b""),
    "zeros": lambda: form(file(bytes(MOST - 1000))),
    "an animated GIF": lambda: form(file(animated("GIF"))),
    "an animated WebP": lambda: form(file(animated("WEBP"))),
    "a wide WebP": lambda: form(file(wide_webp())),
    "many wide WebPs": lambda: form(*[file(wide_webp())] * 900),
    "scans": lambda: form(file(scans())),
    "a large BMP": lambda: form(file(b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0,
                                                         1, 1, 0, 0) + bytes(1000))),
    "a large TIFF": lambda: form(file(png(2000, 2000, "TIFF", compression="tiff_deflate"))),
    "an array that is not there": lambda: form(file(large_npy())),
    "a text": lambda: form(file(long_text_npy())),
    "small images": lambda: form(file(small_npy())),
    "an archive of zeros": lambda: form(file(packed(bytes(15 * 2**20)))),
    "a table of many rows": lambda: form(file(b"1\n" * (2 * 2**20), name=b"a.csv")),
    "a table of many columns": lambda: form(file(b"1," * (2 * 2**20 - 1) + b"1", name=b"a.csv")),
}  # fmt: skip


@pytest.mark.parametrize("attack", FILES)
def test_files_take_little(target: Target, attack: str) -> None:
    kind = "multipart/form-data; boundary=x"
    survives(target, f"{target.model}/predict/files", FILES[attack](), kind, allowed={200, 413, 415, 422})


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream",
                                  "multipart/form-data", "application/json; charset=utf-16"])  # fmt: skip
@pytest.mark.parametrize("path", ["predict", "predict/files", "feature-maps"])
def test_other_kinds_of_bodies_take_little(target: Target, path: str, kind: str) -> None:
    body = filled(b"", b"a=1&", b"")
    survives(target, f"{target.model}/{path}", body, kind, allowed={400, 413, 415, 422})


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/api/v1/jobs"), ("PATCH", "/api/v1/models/0123456789ab"), ("POST", "/login"),
    ("POST", "/api/v1/jobs/0123456789ab/stop"), ("GET", "/api/v1/models"), ("DELETE", "/api/v1/models/0123456789ab"),
])  # fmt: skip
def test_only_images_may_be_large(target: Target, method: str, path: str) -> None:
    body = filled(b'{"a":[', b"[],", b"[]]}")
    said = survives(target, path, body, "application/json", {413}, method)
    assert said is None or "a request may have 65,536 bytes: images go to other paths" in said.text
    survives(target, path, keys(60_000), "application/json", {200, 404, 422, 401, 405}, method)


def test_silent_connections_keep_nobody_out(target: Target) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(300):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE))
            with contextlib.suppress(ConnectionError):
                silent.sendall((b"", b"GET / HTTP/1.1\r\nHost: lo", b"POST /login HTTP/1.1\r\n")[number % 3])
            if number % 50 == 49:
                assert httpx2.get(f"http://127.0.0.1:{target.port}/healthz", timeout=PATIENCE).status_code == 200
        for _ in range(20):
            assert httpx2.get(f"http://127.0.0.1:{target.port}/healthz", timeout=PATIENCE).status_code == 200
    assert len(os.listdir(f"/proc/{target.process.pid}/fd")) < 250


def test_a_head_without_end_takes_little(target: Target) -> None:
    target.forget()
    idle = target.memory("VmRSS")
    with socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100 * 2**20:
                sent += connection.send(bytes([97]) * 2**20)
        assert httpx2.get(f"http://127.0.0.1:{target.port}/healthz", timeout=PATIENCE).status_code == 200
    assert target.memory("VmHWM") - idle < 64


def test_large_requests_at_a_time_share_what_is_held(make: Make) -> None:
    client = make(limits=Limits(held_bytes=5000))
    path = f"/api/v1/models/{client.model}/predict"
    body = json.dumps({"images": [[[0.0] * 8] * 8] * 20})
    assert len(body) > 5000
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs#busy")
    assert "the studio is reading as much as it can hold" in answer.json()["detail"]
    for _ in range(10):  # nothing of it stays held
        assert client.post(path, json={"images": [[[0.0] * 8] * 8]}).status_code == 200


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Pictures whose decoding never ends by itself: events of its beginning and its end."""
    began, ended = threading.Event(), threading.Event()

    def decoded(*_: Any, **__: Any) -> Any:
        began.set()
        try:
            while True:
                still_wanted()
                time.sleep(0.01)
        except GivenUp:
            ended.set()
            raise

    monkeypatch.setattr(_uploads, "decoded", decoded)
    return began, ended


def test_work_ends_with_its_time(make: Make, endless: tuple[threading.Event, threading.Event]) -> None:
    client = make(limits=Limits(seconds=1.0))
    answer = client.post(f"/api/v1/models/{client.model}/predict/files", files={"files": png(9, 9)})
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs#slow")
    assert "this took longer than 1 s and was given up" in answer.json()["detail"]
    assert endless[1].wait(PATIENCE)


def test_work_ends_with_its_client(
    tmp_path: Path, trained: Path, endless: tuple[threading.Event, threading.Event]
) -> None:
    app = create_app(Settings(tmp_path / "store", first_model=False, workers=0))
    model = app.state.studio.store.adopt(trained).id
    listening = socket.create_server(("127.0.0.1", 0))
    options: Any = {"http": StudioProtocol, "ws": "none", "log_level": "critical"}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        body = form(file(png(9, 9)))
        head = (
            f"POST /api/v1/models/{model}/predict/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            f"multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(listening.getsockname(), timeout=PATIENCE) as connection:
            connection.sendall(head.encode() + body)
            assert endless[0].wait(PATIENCE)
            assert not endless[1].is_set()
        assert endless[1].wait(PATIENCE)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
