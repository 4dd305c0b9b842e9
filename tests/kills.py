"""A process that has imported everything once and forks writers, which kill themselves at a chosen moment.

Before a writer renames, links, removes or opens a file to write in its folder, or makes a folder there, the interpreter
tells an audit hook. The hook counts, and sends SIGKILL to its own process before the event of a given number. Requests
and answers are lines of JSON; `Server` is the side of the tests.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RENAMES = ("os.rename", "os.link")
_EVENTS = (*RENAMES, "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")


@dataclass(frozen=True)
class Ended:
    """How a writer ended.

    Args:
        code: its exit code; -9 where it was killed.
        said: what it printed, or its error.
        events: what it did to files, in this order.
    """

    code: int
    said: str
    events: tuple[str, ...]


class Server:
    """Starts the process; to be used with `with`."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def __enter__(self) -> Server:
        # Of the ways in which numba runs its threads, this one goes on after a fork.
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
            "QUANVOLVE_OFFLINE": "1",
            "NUMBA_THREADING_LAYER": "workqueue",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills", str(self._source)],
            cwd=Path(__file__).parents[1], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, writer: str, folder: Path, kill: int | None = None) -> Ended:
        """Let a writer of `WRITERS` do its work in a folder; kill it before its event of this number, from 0."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([writer, str(folder), kill]), file=self._process.stdin, flush=True)
        code, said, events = json.loads(self._process.stdout.readline())
        return Ended(code, said, tuple(events))


def _command(*arguments: object) -> None:
    from quanvolve.cli import main

    code = main([str(argument) for argument in arguments])
    if code:
        sys.exit(code)


_SMALL = ("--epochs", 2, "--batch-size", 16, "--seed", 3)


def _train(source: Path, folder: Path, *more: object) -> None:
    _command("train", *more, "--output", folder, "--quiet")


def _begin_training(source: Path, folder: Path) -> None:
    _train(source, folder, source / "sides.npz", "--filters", 1, *_SMALL)


def _compare(source: Path, folder: Path, *more: object) -> None:
    _command("compare", *more, "--output", folder, "--json")


def _begin_comparing(source: Path, folder: Path) -> None:
    _compare(
        source, folder, source / "sides.npz", "--controls", "pixels", "--seeds", 2, "--epochs", 1, "--lr", "0.01",
        "--filters", 1,
    )  # fmt: skip


def _search(source: Path, folder: Path) -> None:
    _command(
        "search", source / "sides.npz", "--output", folder, "--sampler", "grid", "--space", "n_layers=1,2",
        "--epochs", 1, "--json",
    )  # fmt: skip


def _calibrate(source: Path, folder: Path) -> None:
    _command(
        "calibrate", source / "pixel", "--backend", "default.qubit", "--shots", 50, "--held-out", 2, "--mitigate",
        "readout", "--output", folder, "--json",
    )  # fmt: skip


def _export(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _command("export", source / "run", "--to", "openqasm3", "--output", folder / "circuit.qasm")
    _command("export", source / "run", "--to", "qiskit", "--output", folder / "circuits.qpy")


def _explain(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _command("explain", source / "run", "--output", folder / "page.html")


def _reproduce(source: Path, folder: Path) -> None:
    from quanvolve.reproduce import reproduce
    from quanvolve.reproduce._config import Arm, Reproduction

    data, params = {"dataset": str(source / "sides.npz")}, {"max_epochs": 1, "n_filters": 1, "n_layers": 1}
    arms = (Arm("quantum"), Arm("pixels", {"backbone": "none"}))
    one = Reproduction("small", "t", "s", "c", "d", data, params, arms, "pixels", (), 2, (), "", {}, folder)
    reproduce(one, folder)


def _maps(kind: str) -> Callable[[Path, Path], None]:
    def write(source: Path, folder: Path) -> None:
        import quanvolve
        from quanvolve.estimators import transform_on_disk

        folder.mkdir(parents=True, exist_ok=True)
        made = folder / f"maps.{kind}"
        if not made.exists() or Path(f"{made}.part.json").exists():
            transform_on_disk(quanvolve.load(source / "filters"), source / "images.npy", made, block=8)

    return write


def _save_over(source: Path, folder: Path) -> None:
    import quanvolve

    quanvolve.load(source / "run").save(folder)


def _adopt(source: Path, folder: Path) -> None:
    from sqlmodel import SQLModel, create_engine

    from quanvolve.studio import Settings
    from quanvolve.studio._store import Store

    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{folder}/studio.db")
    SQLModel.metadata.create_all(engine)
    store = Store(Settings(folder=folder), engine)
    store.open()
    if not store.all():
        store.adopt(source / "run")


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "train": _begin_training,
    "train --resume": lambda source, folder: _train(source, folder, "--resume"),
    "compare": _begin_comparing,
    "compare --resume": lambda source, folder: _compare(source, folder, "--resume"),
    "search": _search,
    "calibrate": _calibrate,
    "export": _export,
    "explain": _explain,
    "reproduce": _reproduce,
    "maps as npy": _maps("npy"),
    "maps as zarr": _maps("zarr"),
    "save over another model": _save_over,
    "studio --model": _adopt,
}


def _prepare(source: Path) -> None:
    """What writers read: images in two classes, a run, one whose circuit reads a pixel, and filters."""
    import numpy as np

    from quanvolve import QuanvTransformer

    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = generator.integers(0, 60, (60, 4, 4)).astype(np.uint8)
    images[labels == 0, :, :2] += 150
    images[labels == 1, :, 2:] += 150
    np.savez(source / "sides.npz", images=images, labels=labels)
    np.save(source / "images.npy", images[:30])
    QuanvTransformer(n_filters=1, random_state=0).fit(images).save(source / "filters")
    _train(source, source / "run", source / "sides.npz", "--filters", 2, "--circuit", "random", *_SMALL)
    _train(source, source / "other", source / "sides.npz", "--filters", 1, "--epochs", 1, "--seed", 4)
    _train(source, source / "pixel", source / "sides.npz", "--filters", 1, "--kernel-size", 1, *_SMALL)


def _forked(run: Callable[[], None], folder: Path, kill: int | None) -> list[Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _child(run, folder, kill, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().decode().splitlines()
    _, status = os.waitpid(child, 0)
    said = json.loads(lines.pop()[1:]) if lines and lines[-1].startswith("=") else ""
    return [os.waitstatus_to_exitcode(status), said, lines]


def _child(run: Callable[[], None], folder: Path, kill: int | None, writing: int) -> None:
    count, below = 0, str(folder)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event in _EVENTS:
            path = arguments[0]
        else:
            return
        if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(below):
            return
        if count == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writing, f"{event}\n".encode())
        count += 1

    sys.addaudithook(watch)
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            run()
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException as error:
            code = 1
            print(f"{type(error).__name__}: {error}", file=out)
    os.write(writing, f"={json.dumps(out.getvalue())}\n".encode())
    os._exit(code)


def _import() -> None:
    """What children need; nothing is computed."""
    import jinja2  # noqa: F401
    import skorch  # noqa: F401
    import torch._dynamo  # noqa: F401  (which the first optimizer imports)

    from quanvolve.circuits import named_circuit
    from quanvolve.runs import _results  # noqa: F401
    from quanvolve.studio._store import Store  # noqa: F401

    for name in ("strongly_entangling", "random"):
        named_circuit(name, 4)


def _warm(source: Path) -> None:
    """Compile what the children need. Nothing is trained: torch cannot go on with gradients after a fork."""
    import quanvolve
    from quanvolve.figures import save_figure
    from quanvolve.runs import feature_maps, load_data, read_run

    run = read_run(source / "run")
    clf, data = quanvolve.load(source / "run"), load_data(run.dataset, None)
    save_figure(feature_maps(clf, data), source / "maps.png")
    for name in ("filters", "pixel"):
        model = quanvolve.load(source / name)
        getattr(model, "predict", getattr(model, "transform", None))(data.test_images)


def _serve(source: Path) -> None:
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _import()
    code, said, _ = _forked(lambda: _prepare(source), source, None)
    assert code == 0, said
    _warm(source)
    for line in sys.stdin:
        writer, folder, kill = json.loads(line)
        answer = _forked(lambda w=writer, f=folder: WRITERS[w](source, Path(f)), Path(folder), kill)  # type: ignore[misc]
        print(json.dumps(answer), file=talk, flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
