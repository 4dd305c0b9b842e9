"""Downloads against a real server on this machine: mirrors, resuming, damage, several at once, offline."""

import hashlib
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from quanvolve import _errors
from quanvolve.data import download
from tests.data.conftest import Answer, Web, good, status, whole
from tests.waiting import PATIENCE

DataError = _errors.DataError
CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "set" / "file.gz"


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def put_part(path: Path, content: bytes, name: str = "file.gz.part", age: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(name)
    part.write_bytes(content)
    os.utime(part, (time.time() - age,) * 2)
    return part


def test_good_file(web: Web, path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    url = web.serve("/file.gz", good(CONTENT))
    assert download([url], path, MD5.upper(), progress=lambda *step: seen.append(step)) == path
    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.gz"]
    assert {(name, total) for name, _, total in seen} == {("file.gz", len(CONTENT))}
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    assert seen[-1][1] == len(CONTENT)


def test_file_that_is_there_is_not_loaded_again(web: Web, path: Path) -> None:
    url = web.serve("/file.gz", good(CONTENT))
    download([url], path, MD5)
    download([url], path, MD5)
    assert len(web.requests) == 1


def test_truncated_answer_is_resumed(web: Web, path: Path) -> None:
    url = web.serve("/file.gz", good(CONTENT, upto=HALF), good(CONTENT))
    download([url], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [(r.range, r.sent) for r in web.requests] == [
        (None, HALF),
        (f"bytes={HALF}-", len(CONTENT) - HALF),
    ]


def test_progress_counts_the_bytes_that_were_there(web: Web, path: Path) -> None:
    put_part(path, CONTENT[:HALF])
    seen: list[tuple[str, int, int | None]] = []
    download([web.serve("/f", good(CONTENT))], path, MD5, progress=lambda *step: seen.append(step))
    assert seen[0][1] > HALF
    assert {total for *_, total in seen} == {len(CONTENT)}


def test_twice_truncated_goes_on_at_the_next_mirror(web: Web, path: Path) -> None:
    first = web.serve("/a", good(CONTENT, upto=1000), good(CONTENT, upto=3000))
    second = web.serve("/b", good(CONTENT))
    download([first, second], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [(r.path, r.range, r.sent) for r in web.requests] == [
        ("/a", None, 1000),
        ("/a", "bytes=1000-", 2000),
        ("/b", "bytes=3000-", len(CONTENT) - 3000),
    ]


def test_truncated_everywhere_leaves_a_part_for_the_next_call(web: Web, path: Path) -> None:
    url = web.serve("/a", good(CONTENT, upto=1000))
    with pytest.raises(DataError, match=r"last: only 1000 of 256000 bytes from http://127.0.0.1:\d+/a\)"):
        download([url], path, MD5)
    assert names(path) == ["file.gz.part"]
    web.serve("/a", good(CONTENT))
    download([url], path, MD5)
    assert web.requests[-1].range == "bytes=1000-"
    assert web.requests[-1].sent == len(CONTENT) - 1000
    assert names(path) == ["file.gz"]


@pytest.mark.parametrize("total", [None, "*"])
def test_part_of_an_earlier_call_is_resumed(web: Web, path: Path, total: object) -> None:
    put_part(path, CONTENT[:HALF])
    download([web.serve("/a", good(CONTENT, total=total))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [(r.range, r.sent) for r in web.requests] == [(f"bytes={HALF}-", HALF)]


def test_truncated_range_of_unknown_total_is_noticed(web: Web, path: Path) -> None:
    put_part(path, CONTENT[:HALF])
    url = web.serve("/a", good(CONTENT, upto=HALF + 5, total="*"), good(CONTENT))
    download([url], path, MD5)
    assert [r.range for r in web.requests] == [f"bytes={HALF}-", f"bytes={HALF + 5}-"]


@pytest.mark.parametrize("length", [True, False])
def test_server_that_ignores_range_starts_over(web: Web, path: Path, length: bool) -> None:
    put_part(path, CONTENT[:HALF])
    download([web.serve("/a", whole(CONTENT, length))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [(r.range, r.sent) for r in web.requests] == [(f"bytes={HALF}-", len(CONTENT))]


def test_complete_part_needs_no_request(web: Web, path: Path) -> None:
    put_part(path, CONTENT)
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert names(path) == ["file.gz"]
    assert web.requests == []


def test_part_too_long_is_started_over(web: Web, path: Path) -> None:
    put_part(path, CONTENT + b"more")
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [r.range for r in web.requests] == [f"bytes={len(CONTENT) + 4}-", None]


def test_part_of_another_file_is_started_over(web: Web, path: Path) -> None:
    put_part(path, b"x" * HALF)
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [r.range for r in web.requests] == [f"bytes={HALF}-", None]


def test_other_bytes_than_asked_for_are_not_appended(web: Web, path: Path) -> None:
    put_part(path, CONTENT[:HALF])
    download([web.serve("/a", good(CONTENT, shift=7))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [r.range for r in web.requests] == [f"bytes={HALF}-", None]


@pytest.mark.parametrize("bad", [status(404), status(500), whole(b"<html></html>"), good(CONTENT[::-1])])
def test_second_mirror_takes_over(web: Web, path: Path, bad: Answer) -> None:
    download([web.serve("/a", bad), web.serve("/b", good(CONTENT))], path, MD5)
    assert path.read_bytes() == CONTENT
    assert [r.path for r in web.requests] == ["/a", "/b"]
    assert web.requests[1].range is None


def test_wrong_checksum_leaves_nothing(web: Web, path: Path) -> None:
    found = hashlib.md5(CONTENT[::-1]).hexdigest()
    with pytest.raises(DataError, match=rf"last: wrong checksum \(MD5 {found}, expected {MD5}\) from"):
        download([web.serve("/a", good(CONTENT[::-1]))], path, MD5)
    assert names(path) == []


def test_all_mirrors_fail(web: Web, path: Path) -> None:
    urls = [web.serve("/a", status(500)), web.url + "/absent"]
    with pytest.raises(DataError) as caught:
        download(urls, path, MD5)
    assert str(caught.value) == (
        f"could not download file.gz (tried 2 mirrors; last: HTTP 404 from {web.url}/absent): put the four "
        f"files in a "
        f"folder and pass `data_dir=DIR`, or use the bundled 'digits'"
    )
    assert names(path) == []


def test_nobody_answers(path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound but not listening: every connection is refused.
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"
        with pytest.raises(DataError, match=f"tried 1 mirror; last: Connection refused from {url}"):
            download([url], path, MD5)


def test_server_that_never_answers(path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(DataError, match="last: timed out from"):
            download([f"http://127.0.0.1:{silent.getsockname()[1]}/a"], path, MD5, timeout=0.1)


def test_no_web_server(path: Path) -> None:
    with socket.socket() as odd:
        odd.bind(("127.0.0.1", 0))
        odd.listen()

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-server\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DataError, match=r"last: SSH-2\.0-server from"):
            download([f"http://127.0.0.1:{odd.getsockname()[1]}/a"], path, MD5)
        thread.join()


@pytest.mark.parametrize("urls", [["no url"], ["file:///etc/hostname"], ["http://exa mple/"], []])
def test_impossible_addresses(path: Path, urls: list[str]) -> None:
    with pytest.raises(DataError, match=r"could not download file.gz \(tried \d mirrors?; last: .+\): put"):
        download(urls, path, MD5)


def test_endless_answer_does_not_fill_the_disk(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanvolve.data._download._MAX_BYTES", 1000)
    with pytest.raises(DataError, match="last: more than 1000 bytes from"):
        download([web.serve("/a", whole(CONTENT, length=False))], path, MD5)
    assert names(path) == []


def test_interrupt_keeps_the_part(web: Web, path: Path) -> None:
    def interrupt(name: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    url = web.serve("/a", good(CONTENT))
    with pytest.raises(KeyboardInterrupt):
        download([url], path, MD5, progress=interrupt)
    assert names(path) == ["file.gz.part"]
    there = path.with_name("file.gz.part").read_bytes()
    assert there
    assert CONTENT.startswith(there)
    download([url], path, MD5)
    assert path.read_bytes() == CONTENT
    assert web.requests[-1].range == f"bytes={len(there)}-"


def test_part_of_a_killed_process_is_resumed(web: Web, path: Path) -> None:
    put_part(path, CONTENT[:10], "file.gz.part-1-aa", age=1000)
    put_part(path, CONTENT[:HALF], "file.gz.part-2-bb", age=1000)
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert web.requests[0].range == f"bytes={HALF}-"
    assert names(path) == ["file.gz"]


def test_part_of_a_running_process_is_left_alone(web: Web, path: Path) -> None:
    other = put_part(path, CONTENT[:HALF], "file.gz.part-1-aa", age=10)
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert web.requests[0].range is None
    assert other.read_bytes() == CONTENT[:HALF]


def test_process_that_slept_starts_again(web: Web, path: Path) -> None:
    """Another process has taken over the unfinished file of this one, and deleted it."""

    def sleep(name: str, done: int, total: int | None) -> None:
        if len(web.requests) == 1:
            for part in path.parent.glob("file.gz.part-*"):
                part.unlink()

    download([web.serve("/a", good(CONTENT))], path, MD5, progress=sleep)
    assert path.read_bytes() == CONTENT
    assert [r.range for r in web.requests] == [None, None]


def test_several_at_once(web: Web, path: Path) -> None:
    """All begin with the same old part; while each waits for the others, none sees another's bytes."""
    put_part(path, CONTENT[:HALF], age=1000)
    together = threading.Barrier(3, timeout=PATIENCE)
    failures: list[BaseException] = []

    def wait_once() -> Callable[[str, int, int | None], None]:
        waited = False

        def progress(name: str, done: int, total: int | None) -> None:
            nonlocal waited
            if not waited:
                waited = True
                together.wait()

        return progress

    def run() -> None:
        try:
            download([url], path, MD5, progress=wait_once())
        except BaseException as error:
            failures.append(error)

    url = web.serve("/a", good(CONTENT))
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.gz"]
    assert sorted(str(r.range) for r in web.requests) == ["None", "None", f"bytes={HALF}-"]


def test_offline_makes_no_connection(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    opened: list[object] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: opened.append(args))
    with pytest.raises(DataError, match=r"file.gz is not here and QUANVOLVE_OFFLINE forbids .* `data_dir=DIR`"):
        download([web.serve("/a", good(CONTENT))], path, MD5)
    assert opened == []
    assert web.requests == []
    assert not path.parent.exists()


def test_offline_zero_means_online(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "0")
    download([web.serve("/a", good(CONTENT))], path, MD5)
    assert len(web.requests) == 1


def test_folder_that_cannot_be_made(web: Web, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot write f in '.*' \((Not a directory|File exists)\): set"):
        download([web.serve("/a", good(CONTENT))], tmp_path / "taken" / "f", MD5)


def test_disk_full(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("quanvolve.data._download._stream", full)
    with pytest.raises(DataError, match=r"cannot write file.gz in .*\(No space left on device\): set"):
        download([web.serve("/a", good(CONTENT))], path, MD5)
