"""A web server on this machine, and a small stand-in for the files of the MNIST family."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from quanvolve.data import write_idx
from quanvolve.data._four_idx import FILES

Answer = Callable[[BaseHTTPRequestHandler], bytes]


@dataclass
class Request:
    path: str
    range: str | None
    sent: int


@dataclass
class Web:
    """What the server answers at each path (in turn; the last answer stays), and what it was asked."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def serve(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.url + path


def _head(handler: BaseHTTPRequestHandler, status: int, **headers: object) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def good(content: bytes, upto: int | None = None, shift: int = 0, total: object = None) -> Answer:
    """Honours Range. `upto` breaks off early, `shift` sends bytes not asked for, `total` replaces size."""

    def answer(handler: BaseHTTPRequestHandler) -> bytes:
        asked = handler.headers["Range"]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if start >= len(content) and asked:
            _head(handler, 416, Content_Range=f"bytes */{len(content)}")
            return b""
        start += shift if asked else 0
        rest = content[start:]
        if asked:
            span = f"bytes {start}-{len(content) - 1}/{total or len(content)}"
            _head(handler, 206, Content_Length=len(rest), Content_Range=span)
        else:
            _head(handler, 200, Content_Length=len(rest))
        return rest if upto is None else rest[: max(0, upto - start)]

    return answer


def whole(content: bytes, length: bool = True) -> Answer:
    """Ignores Range; with or without saying how long the answer is."""

    def answer(handler: BaseHTTPRequestHandler) -> bytes:
        _head(handler, 200, **({"Content_Length": len(content)} if length else {}))
        return content

    return answer


def status(code: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> bytes:
        _head(handler, code, Content_Length=0)
        return b""

    return answer


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or fills the caches of this machine."""
    for name in ("QUANVOLVE_DATA", "QUANVOLVE_OFFLINE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUANVOLVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            queue = site.answers.get(self.path, [status(404)])
            answer = queue.pop(0) if len(queue) > 1 else queue[0]
            request = Request(self.path, self.headers["Range"], 0)
            site.requests.append(request)
            body = answer(self)
            request.sent = len(body)
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    site = Web(f"http://127.0.0.1:{server.server_address[1]}")
    # The pause between looks for the end of the server is what each test waits for.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Family:
    """Four small IDX files in `folder`, and what is in them."""

    folder: Path
    arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

    @property
    def md5(self) -> tuple[str, ...]:
        return tuple(hashlib.md5((self.folder / f"{stem}.gz").read_bytes()).hexdigest() for stem in FILES)


@pytest.fixture
def family(tmp_path: Path) -> Family:
    pixels, labels = datasets.load_digits(return_X_y=True)
    images, labels = (pixels.reshape(-1, 8, 8) * 15).astype(np.uint8), labels.astype(np.uint8)
    arrays = (images[:200], labels[:200], images[200:250], labels[200:250])
    folder = tmp_path / "files"
    folder.mkdir()
    for stem, array in zip(FILES, arrays, strict=True):
        write_idx(folder / f"{stem}.gz", array)
    return Family(folder, arrays)
