"""Who may ask, from where, and for how much."""

from __future__ import annotations

import socket
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from quanvolve import load
from quanvolve._errors import QuanvolveError
from quanvolve.studio import Limits, Settings
from tests.studio.conftest import Make, Server
from tests.waiting import PATIENCE, until

GOOD = [[0.0] * 8] * 8


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1", "", "[::2]:80"]
)
def test_other_names_are_refused(make: Make, host: str) -> None:
    # A page whose name leads to 127.0.0.1 must not reach the studio (DNS rebinding).
    answer = make(model=False).get("/healthz", headers={"host": host})
    assert answer.status_code == 421
    assert "this studio is not" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost", "localhost:1", "[::1]:8642", "127.5.5.5"])
def test_names_of_loopback_are_taken(make: Make, host: str) -> None:
    assert make(model=False).get("/healthz", headers={"host": host}).status_code == 200


def test_pages_of_other_origins_are_refused(make: Make) -> None:
    client = make()
    path = f"/api/v1/models/{client.model}"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9", "file://127.0.0.1"):
        answer = client.delete(path, headers={"origin": origin})
        assert (answer.status_code, answer.json()["type"]) == (403, "/docs#origin")
        assert "access-control-allow-origin" not in answer.headers
    assert client.get(path, headers={"origin": "http://127.0.0.1"}).status_code == 200


def test_an_allowed_origin_is_told_so(make: Make) -> None:
    origin = "https://lab.example.org"
    client = make(allowed_origins=(origin,))
    before = client.options("/api/v1/models", headers={"origin": origin, "access-control-request-method": "POST"})
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == origin
    assert "DELETE" in before.headers["access-control-allow-methods"]
    answer = client.get("/api/v1/models", headers={"origin": origin})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert "Origin" in answer.headers["vary"]


def test_every_answer_carries_headers_of_safety(make: Make) -> None:
    client = make()
    for path in (
        "/",
        "/docs",
        "/static/app.js",
        "/api/v1/models",
        "/nothing",
        f"/api/v1/models/{client.model}/download",
    ):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_studio_for_others_needs_its_token(make: Make) -> None:
    client = make(allowed_hosts=("lab.example.org",), base="https://lab.example.org")
    token = client.studio.tokens.make()
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {token}"},
        {"cookie": "quanvolve_token=x"},
    ):
        answer = client.get("/api/v1/models", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/metrics").status_code == 401
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/v1/models", headers={"authorization": f"Bearer {token}"}).status_code == 200
    page = client.get("/", headers={"accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    wrong = client.post("/login", data={"token": "guess"})
    assert (wrong.status_code, "This token lets nobody in" in wrong.text) == (401, True)
    entered = client.post("/login", data={"token": token}, follow_redirects=False)
    cookie = entered.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Secure"):
        assert part in cookie
    assert client.get("/api/v1/models").status_code == 200
    client.studio.tokens.replace_all()
    assert client.get("/api/v1/models").status_code == 401
    assert client.app.openapi()["security"] == [{"token": []}]


def test_requests_that_are_too_large_are_refused_before_they_are_read(make: Make) -> None:
    client = make(limits=Limits(body_bytes=1000))
    path = f"/api/v1/models/{client.model}/predict"
    answer = client.post(path, json={"images": [GOOD] * 100})
    assert (answer.status_code, answer.json()["type"]) == (413, "/docs#large")
    assert "a request may have 1,000 bytes" in answer.json()["detail"]

    def pieces() -> Any:  # of unknown length
        for _ in range(100):
            yield b"[1, 2, 3, 4, 5, 6, 7, 8],"

    assert client.post(path, content=pieces(), headers={"content-type": "application/json"}).status_code == 413
    assert client.post(path, json={"images": [GOOD]}, headers={"content-length": "-5"}).status_code == 413


def test_a_request_that_never_ends_is_given_up(serve: Any, tmp_path: Path) -> None:
    from quanvolve.studio import _settings

    assert _settings.Limits().seconds == 30
    code = (
        "import uvicorn, pathlib; from quanvolve.studio import *;"
        f"uvicorn.run(create_app(Settings(pathlib.Path({str(tmp_path / 'slow')!r}), first_model=False, "
        "limits=Limits(seconds=0.5))), port={port}, log_level='error')"
    )
    import subprocess
    import sys

    from tests.postgres import free_port

    def connected() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except OSError:
            return None

    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", code.format(port=port)])
    try:
        connection = until(connected, "the studio listens", process)
        assert connection is not None
        with connection:
            head = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            assert b" 408 " in connection.recv(1000)
    finally:
        process.terminate()
        process.wait()


def test_no_path_leaves_the_folder(served: Server, model: str) -> None:
    for path in (
        "/static/../_app.py", "/static/%2e%2e/_app.py", "/static/..%2f..%2f..%2fetc/passwd", "//etc/passwd",
        f"/api/v1/models/{model}/../../etc", "/api/v1/models/..%2F..%2Fetc/download", "/api/v1/jobs/%2e%2e/log",
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.split()[1] in (b"404", b"422"), path
        assert b"root:" not in answer


def test_downloads_hold_the_model_and_nothing_else(make: Make, tmp_path: Path) -> None:
    client = make()
    (client.studio.settings.models / client.model / "secret.txt").write_text("mine")
    (client.studio.settings.models / client.model / "checkpoint.pickle").write_text("x")
    answer = client.get(f"/api/v1/models/{client.model}/download")
    assert answer.headers["content-disposition"] == 'attachment; filename="digits-run.zip"'
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = {Path(name).name for name in archive.namelist()}
        archive.extractall(tmp_path / "out")
    assert {"config.json", "model.safetensors", "run.json", "metrics.json"} <= names
    assert not {"secret.txt", "checkpoint.pickle"} & names
    (folder,) = (tmp_path / "out").iterdir()
    assert len(load(folder).classes_) == 10


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for settings, words in (
        (Settings(file), r"--output .*file is a file, expected a folder"),
        (Settings(tmp_path, database="mysql://u:secret@h/n"), r"--database h/n is not a database this studio knows"),
        (Settings(tmp_path, allowed_origins=("lab.example",)), r"--allow-origin lab.example is not the origin"),
        (Settings(tmp_path, allowed_origins=("https://lab.example/a",)), r"is not the origin of a web page"),
    ):
        with pytest.raises(QuanvolveError, match=words):
            settings.check()
