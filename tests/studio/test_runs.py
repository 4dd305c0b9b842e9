"""Jobs of the real command, and what happens when processes are killed, disks are full and folders read-only."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.studio.conftest import Make, Server, answers
from tests.waiting import PATIENCE, alive, children, until

Serve = Callable[..., Server]
GOOD = [[0.0] * 8] * 8
LONG: dict[str, Any] = {"kind": "train", "dataset": "digits", "trainable": True, "filters": 8, "epochs": 12}


def test_a_new_studio_comes_to_life_by_itself(serve: Serve) -> None:
    server = serve()
    (job,) = server.http.get("/api/v1/jobs").json()
    server.wait(job["id"], "done")
    (model,) = server.http.get("/api/v1/models").json()
    assert (model["name"], model["state"]) == ("First digits", "ready")
    assert model["metrics"]["test_accuracy"] > 0.9
    answer = server.http.post(f"/api/v1/models/{model['id']}/predict", json={"images": [GOOD]})
    assert answer.status_code == 200
    events = server.http.get(f"/api/v1/jobs/{job['id']}/events", headers={"last-event-id": "10"}).text
    assert re.findall(r"^id: (\d+)", events, re.M) == ["11", "12"]
    assert '"state":"done"' in events.replace(" ", "")
    assert server.close() == 130
    assert "Traceback" not in server.said()


@pytest.mark.slow
def test_kill_9_of_the_server_loses_no_epoch(serve: Serve, tmp_path: Path) -> None:
    server = serve("--no-first-model")
    job = server.job(**LONG)
    model = server.wait(job, "running", epochs=3)["model"]
    (worker,) = children(server.process.pid)
    server.kill()
    until(lambda: not alive(worker), "the worker has ended like its server")
    history = tmp_path / "store" / "models" / model / "history.jsonl"
    before = history.read_text().splitlines()
    assert len(before) >= 3

    again = serve("--no-first-model")
    done = again.wait(job, "done", epochs=12)
    assert done["attempts"] == 2
    after = history.read_text().splitlines()
    assert after[: len(before) - 1] == before[:-1]  # the last line may have been torn, or its checkpoint be the older
    assert [json.loads(line)["epoch"] for line in after] == list(range(1, 13))
    found = again.http.get(f"/api/v1/models/{model}").json()
    # The same as without the kill, to the last digit.
    alone = tmp_path / "alone"
    command = [sys.executable, "-m", "quanvolve", "train", "digits", "--trainable", "--filters", "8", "--epochs", "12"]
    subprocess.run([*command, "--quiet", "--output", alone], check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    expected = json.loads((alone / "metrics.json").read_text())
    assert found["metrics"]["confusion"] == expected["confusion"]


def test_a_killed_worker_is_a_failed_job_with_its_reason(serve: Serve) -> None:
    server = serve("--no-first-model")
    job = server.job(**LONG)
    server.wait(job, "running", epochs=2)
    (worker,) = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    failed = server.wait(job, "failed")
    assert failed["error"] == (
        "the process was killed (SIGKILL), by the system or by somebody; resume to go on from the last epoch"
    )
    assert server.http.post(f"/api/v1/jobs/{job}/resume").json()["state"] == "queued"
    server.wait(job, "running", epochs=3)
    # Stopping and going on keeps what is finished, too.
    server.http.post(f"/api/v1/jobs/{job}/stop")
    stopped = server.wait(job, "stopped", "done")
    assert stopped["state"] == "stopped"
    model = server.http.get(f"/api/v1/models/{stopped['model']}").json()
    assert (model["state"], model["metrics"]) == ("stopped", None)
    assert server.http.post(f"/api/v1/models/{model['id']}/predict", json={"images": [GOOD]}).status_code == 404
    # A clean end of the server puts its job back, and the next one goes on with it at once.
    server.http.post(f"/api/v1/jobs/{job}/resume")
    server.wait(job, "running", epochs=3)
    assert server.close() == 130
    again = serve("--no-first-model")
    assert again.wait(job, "done", epochs=12)["error"] is None
    assert again.http.delete(f"/api/v1/models/{model['id']}").status_code == 204
    assert again.http.get("/api/v1/jobs").json() == []
    assert list((again.folder / "models").iterdir()) == []


def test_damaged_data_is_a_failed_job_with_its_reason(serve: Serve, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (data / f"{part}-ubyte.gz").write_bytes(b"\x1f\x8b not gzip")
    server = serve("--no-first-model", "--data-dir", str(data))
    available = {one["name"]: one["available"] for one in server.http.get("/api/v1/datasets").json()}
    assert available["mnist"]
    job = server.job(kind="train", dataset="mnist", epochs=1)
    failed = server.wait(job, "failed")
    assert "ubyte.gz" in failed["error"]
    assert "Traceback" not in failed["error"]
    assert failed["error"] in server.http.get(f"/api/v1/jobs/{job}/log").text
    assert server.http.get("/api/v1/datasets/mnist/samples").status_code == 422
    assert server.http.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert server.http.get("/api/v1/models").json() == []


@pytest.mark.slow
def test_several_servers_share_a_database(serve: Serve, postgres: str, trained: Path) -> None:
    from sqlalchemy import create_engine, text

    name = f"studio_{os.urandom(4).hex()}"
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = postgres.rpartition("/")[0] + f"/{name}"
    server = serve("--processes", "2", "--no-first-model", "--database", url, "--model", str(trained))
    (model,) = server.http.get("/api/v1/models").json()
    jobs = [server.job(kind="train", epochs=1, seed=seed) for seed in range(2)]
    for _ in range(20):  # connections of their own, so that both processes answer
        answer = httpx2.post(
            f"{server.url}/api/v1/models/{model['id']}/predict", json={"images": [GOOD]}, timeout=PATIENCE
        )
        assert answer.status_code == 200
    for job in jobs:
        assert server.wait(job, "done")["attempts"] == 1
    assert len(server.http.get("/api/v1/models").json()) == 3
    server.close()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_a_full_disk_gives_errors_and_no_damage(serve: Serve, trained: Path, tmp_path: Path) -> None:
    server = serve("--no-first-model", "--jobs", "0", "--model", str(trained))
    (model,) = server.http.get("/api/v1/models").json()
    assert server.close() == 130
    before = {path.name: path.read_bytes() for path in (server.folder / "models" / model["id"]).iterdir()}
    code = "import sys; from quanvolve.cli import main; sys.exit(main(sys.argv[1:]))"
    full = subprocess.Popen(
        [sys.executable, "-c", code, "studio", "--output", str(server.folder), "--port", str(server.port),
         "--no-browser", "--jobs", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        # No file can grow beyond this: as on a disk that is soon full. SQLite's index of its log alone takes 32 KiB.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    http = httpx2.Client(base_url=server.url, timeout=PATIENCE)
    created = []
    try:
        until(lambda: answers(http), "the studio answers", full)
        for _ in range(100):
            answer = http.post("/api/v1/jobs", json={"kind": "train"})
            if answer.status_code != 201:
                break
            created.append(answer.json()["id"])
        assert answer.status_code in (503, 507)
        assert answer.json()["type"] == "/docs#storage"
        assert answer.json()["detail"].endswith("nothing was changed")
        # What needs no room goes on.
        assert http.post(f"/api/v1/models/{model['id']}/predict", json={"images": [GOOD]}).status_code == 200
    finally:
        http.close()
        full.kill()
        full.wait()
    again = serve("--no-first-model", "--jobs", "0")
    assert [one["id"] for one in again.http.get("/api/v1/jobs?limit=200").json()] == created[::-1]
    assert next(one for one in again.http.get("/api/v1/models").json() if one["id"] == model["id"]) == model
    assert {path.name: path.read_bytes() for path in (server.folder / "models" / model["id"]).iterdir()} == before


def command_line(*arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
    done = subprocess.run(
        [*before, sys.executable, "-m", "quanvolve", "studio", "--no-browser", *arguments],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_read_only_folder_is_refused_in_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(0o555)
    # Root may write everywhere unless it gives that right up.
    before = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.geteuid() == 0 else ()
    code, said = command_line("--output", str(folder), before=before)
    folder.chmod(0o755)
    assert code == 2
    assert said.count("\n") == 1
    assert f"--output {folder} cannot be written to: Permission denied; choose another folder" in said
    assert list(folder.iterdir()) == []


def test_mistakes_are_told_in_a_line(tmp_path: Path) -> None:
    for arguments, words in (
        (("--port", "0"), "invalid value '0' for '--port'"),
        (("--port", "1", "--host", "999.1.1.1"), "--host 999.1.1.1 --port 1 cannot be listened on"),
    ):
        code, said = command_line("--output", str(tmp_path / "store"), *arguments)
        assert code == 2
        assert said.count("\n") == 1
        assert words in said


def test_a_port_in_use_is_told(served: Server, tmp_path: Path) -> None:
    code, said = command_line("--output", str(tmp_path / "store"), "--port", str(served.port))
    assert code == 2
    assert f"--port {served.port} cannot be listened on (Address already in use): try another --port" in said
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_a_token_is_shown_once(serve: Serve) -> None:
    options = ("--no-first-model", "--jobs", "0", "--allow-host", "lab.example.org")
    server = serve(*options)
    (token,) = re.findall(r"^token: (\S{43})$", server.said(), re.M)
    assert server.http.get("/api/v1/models").status_code == 401
    allowed = {"authorization": f"Bearer {token}", "host": "lab.example.org"}
    assert server.http.get("/api/v1/models", headers=allowed).status_code == 200
    server.close()
    again = serve(*options)
    assert "token" not in again.said()
    assert again.http.get("/api/v1/models", headers=allowed).status_code == 200
    again.close()
    third = serve(*options, "--new-token")
    assert third.http.get("/api/v1/models", headers=allowed).status_code == 401


def test_mistakes_in_requests_for_jobs_are_answered_at_once(make: Make) -> None:
    client = make()
    for request, status, words in (
        ({"kind": "train", "circuit": "nonsense"}, 422, "`circuit` (='nonsense') must be one of"),
        ({"kind": "train", "readout": "popcount", "trainable": True}, 422, "has no gradient"),
        ({"kind": "train", "kernel_size": 4}, 422, "its circuit has 16 qubits, this studio trains up to 10"),
        ({"kind": "train", "kernel_size": 9}, 422, "body/train/kernel_size"),
        ({"kind": "train", "dataset": "moons"}, 404, "there is no data set of images 'moons' here"),
        ({"kind": "train", "dataset": "../../etc/passwd"}, 422, "body/train/dataset"),
        ({"kind": "train", "name": "a\nb"}, 422, "body/train/name"),
        ({"kind": "train", "filters": 64, "kernel_size": 3, "readout": "probs"}, 422, "filters"),
        ({"kind": "explain", "model": "0123456789ab"}, 404, "there is no trained model '0123456789ab' here"),
        ({"kind": "bake"}, 422, "kind"),
        ({"kind": "compare", "controls": []}, 422, "body/compare/controls"),
    ):
        answer = client.post("/api/v1/jobs", json=request)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert client.get("/api/v1/jobs").json() == []


@pytest.mark.slow
def test_explanations_exports_and_comparisons_are_made(serve: Serve, trained: Path, tmp_path: Path) -> None:
    server = serve("--no-first-model", "--jobs", "2", "--model", str(trained))
    (model,) = [one["id"] for one in server.http.get("/api/v1/models").json()]
    jobs = [server.job(kind=kind, model=model) for kind in ("explain", "onnx")]
    assert server.job(kind="onnx", model=model) == jobs[1]  # it is not made twice at the same time
    comparison = server.job(kind="compare", controls=["pixels", "conv"], seeds=2, epochs=2, train_size=100, filters=1)
    for job in (*jobs, comparison):
        done = server.wait(job, "done", "failed")
        assert done["error"] is None
    assert (done["progress"]["done"], done["progress"]["total"]) == (6, 6)
    page = server.http.get(f"/api/v1/models/{model}/explanation")
    assert "<svg" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    report = server.http.get(f"/api/v1/jobs/{comparison}/report").text
    assert "does the quantum part help?" in report
    import onnxruntime

    content = server.http.get(f"/api/v1/models/{model}/onnx").content
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images = [[[0.1 * ((r * c) % 7) for c in range(8)] for r in range(8)]]
    import numpy as np

    (name,) = [one.name for one in session.get_inputs()]
    found = session.run(None, {name: np.asarray(images, np.float32).reshape(1, *session.get_inputs()[0].shape[1:])})
    answer = server.http.post(f"/api/v1/models/{model}/predict", json={"images": images}).json()
    assert any(np.allclose(one, answer["probabilities"], atol=1e-5) for one in found if np.ndim(one) == 2)
    assert server.http.delete(f"/api/v1/jobs/{comparison}").status_code == 204
    assert list((server.folder / "studies").iterdir()) == []


def test_without_its_extra_there_is_a_hint(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; from quanvolve.cli import main; "
        f"sys.exit(main(['studio', '--output', {str(tmp_path / 'store')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr == (
        "quanvolve: error: the studio needs fastapi, which is not installed: pip install 'quanvolve[studio]'\n"
    )
