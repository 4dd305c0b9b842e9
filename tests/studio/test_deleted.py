"""Requests about a model that is deleted while they are answered: there is no such model, which is no fault."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from quanvolve.runs import config_of
from quanvolve.studio import _loaded
from quanvolve.studio._deletion import delete_model
from quanvolve.studio._store import Store
from tests.studio.conftest import Make
from tests.waiting import PATIENCE

IMAGE = [[0.0] * 8] * 8


def studio_with(make: Make, saved: Path, **options: Any) -> Any:
    client: Any = make(model=False, **options)
    client.model = client.studio.store.adopt(saved).id
    folder = client.studio.settings.models / client.model
    for name in ("explanation.html", "model.onnx", "run.json"):
        (folder / name).write_text("{}")
    return client


CALLS: dict[str, Callable[[Any, str], Any]] = {
    "predict": lambda client, path: client.post(f"{path}/predict", json={"images": [IMAGE]}),
    "drawn": lambda client, path: client.post(f"{path}/predict", json={"images": [IMAGE], "drawing": True}),
    "maps": lambda client, path: client.post(f"{path}/feature-maps", json={"image": IMAGE}),
    "layer": lambda client, path: client.get(f"{path}/layer"),
    "picture": lambda client, path: client.get(f"{path}/circuits/0/picture"),
    "explanation": lambda client, path: client.get(f"{path}/explanation"),
    "onnx": lambda client, path: client.get(f"{path}/onnx"),
    "download": lambda client, path: client.get(f"{path}/download"),
    "explain": lambda client, path: client.post("/api/v1/jobs", json={"kind": "onnx", "model": path[-12:]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_model_deleted_right_after_it_was_looked_up_is_missing(
    name: str, make: Make, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = studio_with(make, saved)
    ready, studio = Store.ready, client.studio

    def deleted(self: Store, model: str) -> Path:
        folder = ready(self, model)
        delete_model(model, studio.settings, studio.engine)
        return folder

    monkeypatch.setattr(Store, "ready", deleted)
    answer = CALLS[name](client, f"/api/v1/models/{client.model}")
    assert answer.status_code == 404, answer.text
    assert answer.json()["type"] == "/docs#missing"
    assert client.model in answer.json()["detail"]
    assert list(studio.settings.models.iterdir()) == []


def test_a_model_deleted_while_it_is_loaded_is_missing(
    make: Make, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = studio_with(make, saved)
    load, studio = _loaded.load_model, client.studio

    def deleted(folder: Path) -> Any:
        delete_model(client.model, studio.settings, studio.engine)
        return load(folder)

    monkeypatch.setattr(_loaded, "load_model", deleted)
    answer = CALLS["predict"](client, f"/api/v1/models/{client.model}")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no trained model '{client.model}' here")


def test_a_damaged_model_is_not_called_missing(make: Make, saved: Path) -> None:
    client = studio_with(make, saved)
    (client.studio.settings.models / client.model / "model.safetensors").write_bytes(b"damaged")
    answer = CALLS["predict"](client, f"/api/v1/models/{client.model}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "/docs#invalid"


def test_predictions_beside_a_deletion_are_answered_or_missing(make: Make, saved: Path) -> None:
    client = studio_with(make, saved)
    path = f"/api/v1/models/{client.model}"
    answered, gone = threading.Event(), threading.Event()

    def ask(_: int) -> set[int]:
        found = set()
        while not gone.is_set() or 404 not in found:
            found.add(CALLS["predict"](client, path).status_code)
            if 200 in found:
                answered.set()
        return found

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(4)]
        assert answered.wait(PATIENCE)
        assert client.delete(path).status_code == 204
        gone.set()
        assert set().union(*(one.result() for one in asked)) == {200, 404}
    assert client.studio.cache._models == {}  # the memory of a deleted model is given back


def test_a_download_that_has_begun_is_whole_whatever_happens(make: Make, saved: Path) -> None:
    import io
    import zipfile

    client = studio_with(make, saved)
    pieces = client.studio.store.zipped(client.model)
    first = next(pieces)
    delete_model(client.model, client.studio.settings, client.studio.engine)
    archive = zipfile.ZipFile(io.BytesIO(first + b"".join(pieces)))
    assert archive.testzip() is None
    names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert names == {"config.json", "model.safetensors", "run.json", "explanation.html", "model.onnx"}
    assert archive.read(f"model-{client.model}/model.safetensors") == (saved / "model.safetensors").read_bytes()


def test_what_is_not_known_of_a_model_from_python_is_null_and_not_zero(make: Make, saved: Path) -> None:
    client: Any = make(model=False)
    row = client.studio.store.adopt(saved)
    found = client.get(f"/api/v1/models/{row.id}").json()
    assert (found["state"], found["dataset"], found["settings"], found["metrics"]) == ("ready", "unknown", {}, None)
    assert found["history"] == []
    assert found["image_shape"] == [1, 8, 8]
    assert client.get("/api/v1/models").json()[0]["metrics"] is None
    answer = client.post("/api/v1/jobs", json={"kind": "explain", "model": row.id})
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs#data")


def test_runs_that_are_copied_while_they_change_are_whole(
    make: Make, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quanvolve._errors import QuanvolveError
    from quanvolve.studio import _store

    client: Any = make(model=False)
    copy = _store.shutil.copyfile

    def vanishes(source: Path, target: Path) -> Any:
        if source.name == "config.json":
            raise FileNotFoundError(2, "No such file or directory")
        return copy(source, target)

    monkeypatch.setattr(_store.shutil, "copyfile", vanishes)
    with pytest.raises(QuanvolveError, match=r"is not the folder of a trained model: its config\.json has gone"):
        client.studio.store.adopt(saved)
    assert list(client.studio.settings.models.iterdir()) == []
    assert client.studio.store.all() == []
    monkeypatch.undo()
    # The same run twice, at the same time: two models.
    with ThreadPoolExecutor(4) as pool:
        made = {row.id for row in pool.map(client.studio.store.adopt, [saved] * 8)}
    assert {row.id for row in client.studio.store.all()} == made
    assert len(made) == 8
    assert config_of(client.studio.settings.models / made.pop()) == config_of(saved)
