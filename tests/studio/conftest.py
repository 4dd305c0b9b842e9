"""Studios: as an app in this process on either database, and as the real command in a process of its own."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import create_engine, text

from quanvolve import QuanvClassifier, load_dataset
from quanvolve.studio import Limits, Settings, create_app
from quanvolve.studio._studio import Studio
from tests.cli.conftest import cli
from tests.postgres import free_port
from tests.waiting import PATIENCE, hears_ctrl_c, until


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run on the digits."""
    folder = tmp_path_factory.mktemp("trained") / "digits-run"
    command = [sys.executable, "-m", "quanvolve", "train", "digits", "--epochs", "12", "--quiet", "--output", folder]
    subprocess.run(command, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was saved from Python: it has no run, no metrics and no history on disk."""
    digits = load_dataset("digits")
    clf = QuanvClassifier(n_filters=1, max_epochs=1, random_state=0)
    clf.fit(digits.train_images[:100], digits.train_labels[:100])
    folder = tmp_path_factory.mktemp("saved") / "saved"
    clf.save(folder)
    return folder


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs on data of a person's own, by what they learn: "means" (two numbers), "halves" (several labels), "photos"
    (pictures in colour of any size) and "table" (rows of features). The data stand beside them. Not to be changed."""
    folder = tmp_path_factory.mktemp("kinds")
    rng = np.random.default_rng(0)
    images = rng.random((80, 8, 8))
    images[:, :4] *= rng.random((80, 1, 1))
    upper, lower = images[:, :4].mean(axis=(1, 2)), images[:, 4:].mean(axis=(1, 2))
    np.savez(folder / "means.npz", X=images, y=np.stack([upper, 50 * lower], axis=1))
    np.savez(folder / "halves.npz", X=images, y=np.stack([upper > 0.25, lower > 0.5, upper > lower], axis=1) * 1)
    for number in range(40):
        kind = ("blue", "red")[number % 2]
        place = folder / "photos" / kind
        place.mkdir(parents=True, exist_ok=True)
        coloured(kind, number).save(place / f"{number}.png")
    rows = [f"{a:.3f},{b:.3f},{c:.3f},{'high' if a > 0.5 else 'low'}" for a, b, c in rng.random((80, 3))]
    (folder / "table.csv").write_text("\n".join(["a,b,c,label", *rows]))
    asked = {
        "means": ("means.npz", "--lr", 0.03), "halves": ("halves.npz", "--task", "multilabel"),
        "photos": ("photos", "--image-size", 8), "table": ("table.csv",),
    }  # fmt: skip
    for name, (data, *options) in asked.items():
        result = cli(
            "train",
            folder / data,
            *options,
            "--epochs",
            4,
            "--filters",
            1,
            "--quiet",
            "--output",
            folder / f"{name}-run",
        )
        assert result.code == 0, result.err
    return {name: folder / f"{name}-run" for name in asked}


def coloured(kind: str, number: int) -> Image.Image:
    """A patch of colour on black, of another size each time."""
    array = np.zeros((40 + number, 50, 3), np.uint8)
    array[12:30, 10:40, 0 if kind == "red" else 2] = 150 + 2 * number
    return Image.fromarray(array)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Connections that a test has left are closed in it, and not in a later one."""
    yield
    gc.collect()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of an empty database; None for that of the folder."""
    if request.param == "sqlite":
        yield None
        return
    admin = request.getfixturevalue("postgres")
    name = f"studio_{os.urandom(4).hex()}"
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.rpartition("/")[0] + f"/{name}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


Make = Callable[..., TestClient]


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes apps; that of a client is `client.studio`, its trained model `client.model`."""
    with contextlib.ExitStack() as stack:

        def made(
            *, model: bool = True, folder: Path | None = None, base: str = "http://127.0.0.1", **options: Any
        ) -> Any:
            limits = patient(options.pop("limits", Limits()))
            settings = Settings(
                folder or tmp_path / "store", **{"first_model": False, "workers": 0, "limits": limits, **options}
            )
            app = create_app(settings)
            studio: Studio = app.state.studio
            client: Any = stack.enter_context(TestClient(app, base_url=base, raise_server_exceptions=False))
            client.studio = studio
            client.model = studio.store.adopt(request.getfixturevalue("trained")).id if model else None
            return client

        yield made


def patient(limits: Limits) -> Limits:
    """Limits without those on time that the test did not set: an answer may take long on a machine with much to do."""
    usual = Limits()
    return replace(
        limits,
        **{name: PATIENCE for name in ("seconds", "look_seconds") if getattr(limits, name) == getattr(usual, name)},
    )


def answers(http: httpx2.Client) -> bool:
    """Whether there is a studio."""
    with contextlib.suppress(httpx2.HTTPError):
        return http.get("/healthz").status_code in (200, 401)
    return False


class Server:
    """The real command."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._log = (folder.parent / f"{folder.name}-{self.port}.log").open("ab")
        command = [
            sys.executable, "-m", "quanvolve", "studio", "--output", str(folder), "--port", str(self.port),
            "--no-browser", *options,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, **environment},
            preexec_fn=hears_ctrl_c,
        )  # fmt: skip
        self.http = httpx2.Client(base_url=self.url, timeout=PATIENCE)
        try:
            until(lambda: answers(self.http), "the studio answers", self.process, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it has said: {self.said()}") from None

    def said(self) -> str:
        """What it has printed."""
        return Path(self._log.name).read_text()

    def job(self, **request: Any) -> str:
        """Start a job."""
        answer = self.http.post("/api/v1/jobs", json=request)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def wait(self, job: str, *states: str, epochs: int = 0) -> dict[str, Any]:
        """Wait until a job has one of these states, and so many epochs; it must not end in another one."""

        def reached() -> dict[str, Any] | None:
            found: dict[str, Any] = self.http.get(f"/api/v1/jobs/{job}").json()
            if found["state"] in states and (found["progress"]["done"] or 0) >= epochs:
                return found
            assert found["state"] not in {"done", "failed"} - set(states), f"{found}\n{self.said()}"
            return None

        found = until(reached, f"job {job} is {' or '.join(states)}", self.process, 0.1)
        assert found is not None
        return found

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.kill()
        self.process.wait()

    def close(self) -> int:
        """As Ctrl-C."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()
        return self.process.returncode


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them at the end."""
    made: list[Server] = []

    def start(*options: str, folder: Path | None = None, **more: Any) -> Server:
        made.append(Server(folder or tmp_path / "store", *options, **more))
        return made[-1]

    yield start
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Server]:
    """One server with a trained model, for tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("served") / "store"
    server = Server(folder, "--no-first-model", "--jobs", "2", "--model", str(trained))
    yield server
    server.close()


@pytest.fixture
def model(served: Server) -> str:
    """Its model."""
    models = served.http.get("/api/v1/models").json()
    return str(next(one["id"] for one in models if one["name"] == "digits-run"))


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A seven, as a PNG of black strokes on white."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (200, 260), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(50, 60), (140, 60), (95, 220)], fill=0, width=20, joint="curve")
    path = tmp_path / "drawing.png"
    image.save(path)
    assert shutil.which("curl")
    return path
