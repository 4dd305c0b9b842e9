"""Uploads made to write elsewhere, to fill disk or memory, or to hold a place for ever: none of them gets far."""

from __future__ import annotations

import contextlib
import io
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanvolve.studio import Limits
from quanvolve.studio._filling import Filling
from quanvolve.studio._problems import Refused
from quanvolve.studio._safe_names import safe_path
from quanvolve.studio._unpacking import unpack
from tests.data.made import zipped
from tests.postgres import free_port
from tests.studio.conftest import Make
from tests.studio.own import API, bring, parts, photographs
from tests.waiting import PATIENCE, until

WRONG = [
    "../a.png", "a/../../b.png", "/etc/passwd", "\\windows\\a.png", "..\\a.png", "C:\\a.png", "c:a.png", "a\0b.png",
    "a\nb.png", "a/\x1f.png", "a//b.png", "a/", "", ".", "./", "a/b./c.png", "a /b.png", "a:stream", "x" * 201,
    "/".join(["d"] * 17), "/".join(["d" * 190] * 6), "\ud800.png", "a/..", "..",
]  # fmt: skip


@pytest.mark.parametrize("name", WRONG, ids=range(len(WRONG)))
def test_names_that_lead_elsewhere_or_are_none(name: str) -> None:
    with pytest.raises(Refused):
        safe_path(name)


@given(
    st.text(alphabet=st.sampled_from(["a", "b", ".", "/", "\\", ":", " ", "\0", "é", "\u202e", "~", "-"]), max_size=30)
)
def test_a_name_that_is_taken_stays_inside(name: str) -> None:
    try:
        path = safe_path(name)
    except Refused:
        return
    if path is None:
        assert "." in name
        return
    assert isinstance(path, PurePosixPath)
    assert not path.is_absolute()
    inside = os.path.normpath(os.path.join("/folder", *path.parts))
    assert inside == "/folder/" + str(path)
    assert all(part and not part.startswith(".") for part in path.parts)


def test_nothing_is_written_elsewhere(make: Make, tmp_path: Path) -> None:
    client: Any = make(model=False)
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    before = sorted(tmp_path.rglob("*"))
    for name in ("../a.png", "..%2fa.png/../../x", "a/../../../../b.png", "/tmp/a.png", ".."):
        answer = client.post(f"{API}/{data}/files", files=parts({"good.png": b"1", name: b"2"}))
        assert (answer.status_code, answer.json()["type"]) == (422, "/docs#name"), name
        assert sorted(tmp_path.rglob("*")) == before, name
    assert client.get(f"{API}/{data}").json()["files"] == 0


def entry(name: str, content: bytes = b"1", **changes: Any) -> Callable[[], bytes]:
    """An archive whose one entry is changed."""

    def made() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", changes.get("method", zipfile.ZIP_DEFLATED)) as archive:
            info = zipfile.ZipInfo(name)
            info.compress_type = changes.get("method", zipfile.ZIP_DEFLATED)
            info.external_attr = changes.get("mode", stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
        return buffer.getvalue()

    return made


def changed(archive: bytes, place: int, value: bytes) -> bytes:
    """An archive with other bytes in its table of contents."""
    at = archive.rindex(b"PK\x01\x02") + place
    return archive[:at] + value + archive[at + len(value) :]


PLAIN = entry("a.png", b"12345678" * 10)
ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a path upwards": (entry("../a.png"), "leads out of the data set"),
    "a path upwards in Windows": (entry("..\\a.png"), "leads out of the data set"),
    "an absolute path": (entry("/etc/a.png"), "leads out of the data set"),
    "a link": (entry("a.png", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "a link or a device"),
    "a device": (entry("a.png", mode=stat.S_IFCHR | 0o666), "a link or a device"),
    "a pipe": (entry("a.png", mode=stat.S_IFIFO | 0o666), "a link or a device"),
    "another packing": (entry("a.png", method=zipfile.ZIP_LZMA), "packed in an unusual way"),
    "a third packing": (entry("a.png", method=zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "zeros": (entry("a.bin", bytes(40 * 2**20)), "unpacks to more than 200 times its size"),
    "a password": (lambda: changed(PLAIN(), 8, b"\x01\x00"), "is encrypted"),
    "a wrong sum": (lambda: changed(PLAIN(), 16, b"\0\0\0\0"), "is a damaged archive"),
    "a wrong size": (lambda: changed(PLAIN(), 24, struct.pack("<I", 2**32 - 2)), "unpacks to more than 200 times"),
    "nothing": (lambda: b"", "is a damaged archive"),
    "something else": (lambda: b"PK\x03\x04" + bytes(100), "is a damaged archive"),
    "half": (lambda: PLAIN()[: len(PLAIN()) // 2], "is a damaged archive"),
    "twice the same": (lambda: twice(), "is there twice"),
    "a file in a file": (lambda: zipped({"a": b"1", "a/b": b"2"}), "is there twice"),
    "a huge table of contents": (
        lambda: PLAIN()[:-22] + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 2**31, 0, 0), "is a damaged archive",
    ),
}  # fmt: skip


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", b"2")
    return buffer.getvalue()


@pytest.mark.parametrize("attack", ARCHIVES)
def test_archives_of_every_wrong_kind(make: Make, tmp_path: Path, attack: str) -> None:
    build, words = ARCHIVES[attack]
    client: Any = make(model=False)
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    before = sorted(tmp_path.rglob("*"))
    answer = client.post(f"{API}/{data}/files", files=parts({"x.zip": build()}))
    assert answer.status_code in (409, 413, 422), answer.text
    assert words in answer.json()["detail"], answer.text
    assert sorted(tmp_path.rglob("*")) == before
    assert client.get(f"{API}/{data}").json()["bytes"] == 0


@given(st.binary(max_size=300), st.integers(0, 400), st.booleans())
def test_damaged_archives_are_refused_and_not_more(noise: bytes, place: int, end: bool) -> None:
    content = zipped(photographs(2))
    content = content[: -place or None] + noise if end else content[:place] + noise + content[place + len(noise) :]
    with tempfile.TemporaryDirectory() as folder:
        archive, target = Path(folder, "x.zip"), Path(folder, "inside", "files")
        archive.write_bytes(content)
        target.mkdir(parents=True)
        with contextlib.suppress(Refused):  # any other error would be the studio's own
            unpack(archive, PurePosixPath("x"), Filling(target, Limits(), 0, 0, 2**30))
        assert {path.name for path in Path(folder).iterdir()} == {"x.zip", "inside"}
        assert not [path for path in Path(folder).rglob("*") if path.is_symlink()]


def test_a_table_of_contents_beyond_all_measure_is_not_read(make: Make) -> None:
    client: Any = make(model=False, limits=Limits(set_bytes=64 * 2**20))
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    row = zipfile.ZipInfo("a" * 40)
    record = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0)
    assert row.filename
    table = (record + b"a" * 40) * (20 * 2**20 // (len(record) + 40))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFE, 0xFFFE, len(table), 0, 0)
    answer = client.post(f"{API}/{data}/files", files=parts({"x.zip": table + end}))
    assert (answer.status_code, "has too many files: send several archives" in answer.json()["detail"]) == (413, True)


def form(*found: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in found) + end


FILE = b'content-disposition: form-data; name="files"; filename="a.png"\r\n\r\n1'
LONG = b"a: " + b"b" * 2500 + b"\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("multipart/form-data; boundary=x", form(FILE, end=b""), 422, "its last boundary is missing"),
        ("multipart/form-data; boundary=x", form(), 422, "there is none"),
        ("multipart/form-data; boundary=x", b"", 422, "its last boundary is missing"),
        ("multipart/form-data; boundary=x", b"nothing of the kind", 422, "no whole multipart/form-data"),
        ("multipart/form-data", form(FILE), 415, "with its boundary"),
        ("application/json", b"{}", 415, "expected a request of multipart/form-data"),
        ("multipart/form-data; boundary=x", form(FILE.replace(b'; filename="a.png"', b"")), 422, "'files' is no file"),
        ("multipart/form-data; boundary=x", form(FILE.replace(b'"files"', b'"other"')), 422, "'other' is no file"),
        ("multipart/form-data; boundary=x", form(FILE.replace(b"a.png", b"")), 422, "is no name of a file"),
        ("multipart/form-data; boundary=x", form(FILE, FILE), 409, "is there twice"),
        ("multipart/form-data; boundary=x", form(FILE, FILE.replace(b"a.png", b"a.png/b")), 409, "is there twice"),
        ("multipart/form-data; boundary=x", form(LONG * 2 + FILE), 413, "headers of a file"),
        ("multipart/form-data; boundary=x", form(*[FILE.replace(b"a.png", b"%d" % k) for k in range(6)]), 413,
         "more than 5 files"),
    ],
)  # fmt: skip
def test_forms_that_are_none(make: Make, kind: str, body: bytes, status: int, words: str) -> None:
    client: Any = make(model=False, limits=Limits(upload_files=5))
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    answer = client.post(f"{API}/{data}/files", content=body, headers={"content-type": kind})
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert [path.name for path in client.studio.settings.data.iterdir()] == [data]
    assert client.get(f"{API}/{data}").json()["files"] == 0


def test_limits_of_sets_files_and_bytes(make: Make) -> None:
    limits = Limits(data_sets=3, set_files=4, set_bytes=1000, data_bytes=1500)
    client: Any = make(model=False, limits=limits)
    first, second, third = (client.post(API, json={"name": f"set {k}"}).json()["id"] for k in range(3))
    answer = client.post(API, json={"name": "one more"})
    assert (answer.status_code, "there are 3 data sets already" in answer.json()["detail"]) == (413, True)

    def send(data: str, files: dict[str, bytes]) -> Any:
        return client.post(f"{API}/{data}/files", files=parts(files))

    assert send(first, {"a": bytes(900)}).status_code == 200
    for files, words in (
        ({"b": bytes(101)}, "a data set may have 1,000 bytes, unpacked"),
        ({"b.zip": zipped({"b": bytes(2000)})}, "a data set may have 1,000 bytes, unpacked"),
        ({str(k): b"" for k in range(4)}, "more than 4 files"),
    ):
        answer = send(first, files)
        assert (answer.status_code, words in answer.json()["detail"]) == (413, True), answer.text
    assert send(second, {"a": bytes(500)}).status_code == 200
    answer = send(third, {"a": bytes(101)})
    assert "all data sets together may have 1,500 bytes: delete some first" in answer.json()["detail"]
    assert client.delete(f"{API}/{first}").status_code == 204
    assert send(third, {"a": bytes(101)}).status_code == 200
    again = send(third, {"a": bytes(1), "b": bytes(1)})
    assert (again.status_code, "'a' is there already" in again.json()["detail"]) == (409, True)
    assert client.get(f"{API}/{third}").json()["files"] == 1
    # What would never fit is refused before it is read.
    answer = client.post(f"{API}/{third}/files", content=b"", headers={"content-length": str(2**30)})
    assert (answer.status_code, "use less data" in answer.json()["detail"]) == (413, True)


def test_only_so_many_send_at_the_same_time(make: Make) -> None:
    client: Any = make(model=False, limits=Limits(uploads=0))
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    answer = client.post(f"{API}/{data}/files", files=parts({"a": b"1"}))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_data_that_are_deleted_while_they_come(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = make(model=False)
    data = client.post(API, json={"name": "Mine"}).json()["id"]
    finished = type(client.studio.data)._finished

    def late(self: Any, *arguments: Any) -> Any:
        assert client.delete(f"{API}/{data}").status_code == 204
        return finished(self, *arguments)

    monkeypatch.setattr(type(client.studio.data), "_finished", late)
    answer = client.post(f"{API}/{data}/files", files=parts({"a": b"1"}))
    assert answer.status_code == 404
    assert list(client.studio.settings.data.iterdir()) == []


def test_a_disk_that_is_full(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = make(model=False)
    data = bring(client, {"a": b"1"})
    renamed = Path.rename

    def full(self: Path, target: Any) -> Any:
        if self.name == "c":
            raise OSError(28, "No space left on device")
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", full)
    answer = client.post(f"{API}/{data}/files", files=parts({"b": b"1", "c": b"2"}))
    assert (answer.status_code, "nothing was changed" in answer.json()["detail"]) == (507, True)
    assert sorted(path.name for path in (client.studio.settings.data / data / "files").iterdir()) == ["a"]
    assert client.get(f"{API}/{data}").json()["files"] == 1


class Sender:
    """A connection that sends a file as it likes."""

    def __init__(self, port: int, data: str, size: int) -> None:
        self._end = b"\r\n--x--\r\n"
        head = b"--x\r\n" + FILE[:-1]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        length = len(head) + size + len(self._end)
        self.socket.sendall(
            f"POST {API}/{data}/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n\r\n".encode()
            + head
        )

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def answer(self) -> str:
        """What is answered once the file ends."""
        found = b""
        while piece := self.socket.recv(2**16):
            found += piece
        self.socket.close()
        return found.decode()

    def end(self) -> str:
        self.send(self._end)
        return self.answer()


SLOW = """
import sys
from pathlib import Path
from quanvolve.studio import Limits, Settings, serve
limits = Limits(seconds=1.0, slowest=int(sys.argv[3]))
serve(Settings(Path(sys.argv[1]), port=int(sys.argv[2]), workers=0, first_model=False, limits=limits))
"""


@pytest.fixture
def slow(tmp_path: Path) -> Any:
    """Starts a server whose requests have a second, and data as long as so many bytes a second come."""
    with contextlib.ExitStack() as stack:

        def start(slowest: int) -> tuple[int, str, Any]:
            port = free_port()
            process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "slow"), str(port), str(slowest)])
            stack.callback(process.wait)
            stack.callback(process.terminate)
            http = stack.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE))

            def there() -> bool:
                with contextlib.suppress(httpx2.HTTPError):
                    return http.get("/healthz").status_code == 200
                return False

            until(there, "the studio answers", process, 0.1)
            return port, http.post(API, json={"name": "Mine"}).json()["id"], process

        yield start


def test_data_may_take_long_if_they_come(slow: Any) -> None:
    # The first bytes give it all the time that it takes, far beyond that of other requests.
    port, data, _ = slow(1)
    sender = Sender(port, data, 2**20)
    sender.send(bytes(2**19))
    time.sleep(8.0)  # longer than a request has, and its goodbye
    sender.send(bytes(2**19))
    said = sender.end()
    assert said.startswith("HTTP/1.1 200"), said


def test_data_that_trickle_are_given_up(slow: Any) -> None:
    port, data, _ = slow(10**9)
    sender = Sender(port, data, 2**20)
    sender.send(b"1" * 10)
    said = sender.answer()
    assert said.startswith("HTTP/1.1 408"), said
    assert "did not arrive within 1 s" in said


def test_data_take_no_memory(slow: Any) -> None:
    """A hundred and fifty megabytes go to the disk as they come."""
    port, data, process = slow(1)

    def memory(name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    assert Sender(port, data, 0).end().startswith("HTTP/1.1 200")
    idle = memory("VmRSS")
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    size, piece = 150, os.urandom(2**20)
    sender = Sender(port, data, size * 2**20)
    sender.socket.settimeout(PATIENCE)

    def send() -> None:
        for _ in range(size):
            sender.send(piece)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    said = sender.end()
    assert said.startswith("HTTP/1.1 409"), said  # the name is taken: all of it was read
    assert memory("VmHWM") - idle < 48
