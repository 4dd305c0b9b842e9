"""Whatever is killed while it writes goes on to the very same result: every writer, at every change of a file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kills import RENAMES, Ended, Server

# Times, and what is made of them.
_VARIES = ("seconds", "started", "finished", "alive", "worker", "attempts", "config_sha256", "created", "id", "run")
AGAIN = {"train": "train --resume", "compare": "compare --resume"}
NOTHING_YET = ("leave out --resume", "is not the folder of a")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def server(source: Path) -> Iterator[Server]:
    with Server(source) as server:
        yield server


def same(value: Any) -> Any:
    """A value of JSON without what differs between two runs."""
    if isinstance(value, dict):
        return {name: same(item) for name, item in value.items() if name not in _VARIES}
    return [same(item) for item in value] if isinstance(value, list) else value


def content(folder: Path) -> dict[str, Any]:
    """What files say, by name; of pictures, pages (which state times) and QPY (random names), that they are there."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.endswith(("-wal", "-shm")):
            continue
        if path.suffix == ".json":
            found[name] = same(json.loads(path.read_bytes()))
        elif path.suffix == ".jsonl":
            found[name] = [same(json.loads(line)) for line in path.read_text().splitlines()]
        elif path.suffix == ".sqlite":
            found[name] = rows(path)
        else:
            found[name] = None if path.suffix in (".html", ".png", ".md", ".db", ".qpy") else path.read_bytes()
    return found


def rows(path: Path) -> list[Any]:
    """Results in a database."""
    connection = sqlite3.connect(path)
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        queries = {
            "results": "SELECT key, setting, measured FROM results ORDER BY 1, 2",
            "trial_values": "SELECT value FROM trial_values ORDER BY 1",
            "study": "SELECT contender, seed, status, result FROM trials ORDER BY 1, 2",
        }
        (table,) = tables & set(queries)
        found = [list(row) for row in connection.execute(queries[table])]
    finally:
        connection.close()
    return [[same(json.loads(cell)) if str(cell).startswith("{") else cell for cell in row] for row in found]


def recover(server: Server, writer: str, folder: Path) -> Ended:
    """Do what the messages say, until the work is done."""
    ended = server.run(AGAIN.get(writer, writer), folder)
    if ended.code == 2 and any(text in ended.said for text in NOTHING_YET):
        ended = server.run(writer, folder)
    return ended


def moments(events: tuple[str, ...], every: bool) -> list[int]:
    """Before each event; in short, before the first and right after each file that takes its name."""
    if every:
        return list(range(len(events)))
    return [0, *(number + 1 for number, event in enumerate(events[:-1]) if event in RENAMES)]


def sweep(server: Server, writer: str, tmp_path: Path, *, every: bool) -> None:
    whole = server.run(writer, tmp_path / "whole" / "out")
    assert whole.code == 0, whole.said
    expected = content(tmp_path / "whole")
    assert expected
    for moment in moments(whole.events, every):
        folder = tmp_path / str(moment) / "out"
        killed = server.run(writer, folder, moment)
        assert killed.code == -9, (moment, killed.said)
        assert killed.events == whole.events[:moment]
        after = recover(server, writer, folder)
        assert after.code == 0, (moment, whole.events, after.said)
        assert content(folder.parent) == expected, (moment, whole.events)


WRITERS = ("train", "compare", "search", "calibrate", "export", "reproduce", "maps as npy", "maps as zarr")


@pytest.mark.parametrize("writer", WRITERS)
def test_it_goes_on_after_each_file_that_takes_its_name(writer: str, server: Server, tmp_path: Path) -> None:
    sweep(server, writer, tmp_path, every=False)


@pytest.mark.slow
@pytest.mark.parametrize("writer", [*WRITERS, "explain"])
def test_it_goes_on_from_every_moment(writer: str, server: Server, tmp_path: Path) -> None:
    sweep(server, writer, tmp_path, every=True)


def test_a_model_that_is_saved_over_another_is_the_old_or_the_new(server: Server, source: Path, tmp_path: Path) -> None:
    import quanvolve

    def weights(folder: Path) -> dict[str, Any]:
        model = quanvolve.load(folder)
        return {name: tensor.tolist() for name, tensor in model.module_.state_dict().items()}

    writer = "save over another model"
    shutil.copytree(source / "other", tmp_path / "whole")
    whole = server.run(writer, tmp_path / "whole")
    assert whole.code == 0, whole.said
    old, new = weights(source / "other"), weights(source / "run")
    assert old != new
    assert weights(tmp_path / "whole") == new
    seen = []
    for moment in range(len(whole.events)):
        folder = tmp_path / str(moment)
        shutil.copytree(source / "other", folder)
        assert server.run(writer, folder, moment).code == -9
        seen.append(weights(folder) == new)
        assert seen[-1] or weights(folder) == old
        assert recover(server, writer, folder).code == 0
        assert weights(folder) == new
        assert content(folder) == content(tmp_path / "whole")
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


def test_a_studio_takes_a_model_in_whole_or_not_at_all(server: Server, tmp_path: Path) -> None:
    def models(folder: Path) -> list[dict[str, Any]]:
        return [content(path) for path in (folder / "models").iterdir()]

    writer = "studio --model"
    whole = server.run(writer, tmp_path / "whole")
    assert whole.code == 0, whole.said
    (expected,) = models(tmp_path / "whole")
    for moment in moments(whole.events, every=False):
        folder = tmp_path / str(moment)
        assert server.run(writer, folder, moment).code == -9
        after = recover(server, writer, folder)
        assert after.code == 0, after.said
        assert models(folder) == [expected]


def test_a_run_that_has_lost_its_tensors_goes_on_from_its_checkpoint(server: Server, tmp_path: Path) -> None:
    """As older versions leave it, which renamed config.json first."""
    whole = server.run("train", tmp_path / "whole")
    last = max(n for n, event in enumerate(whole.events) if event == "os.remove")
    killed = server.run("train", tmp_path / "run", last)
    assert killed.code == -9
    assert (tmp_path / "run" / "checkpoint.safetensors").is_file()
    (tmp_path / "run" / "model.safetensors").unlink()
    assert recover(server, "train", tmp_path / "run").code == 0
    assert content(tmp_path / "run") == content(tmp_path / "whole")
