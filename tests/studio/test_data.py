"""Data of people's own: sent, looked at, trained on, renamed and taken away."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve import load_dataset
from quanvolve.data import understand
from quanvolve.studio import Limits, Settings
from quanvolve.studio._commands import command_of
from tests.data.made import zipped
from tests.studio.conftest import Make, Server
from tests.studio.own import API, bring, npz, parts, photographs, png, prices

SERIES = b"@timeSeries true\n@classLabel true a b\n@data\n" + b"".join(
    b"%d,%d,%d,3:%s\n" % (k, k + 1, 2 * k, (b"a", b"b")[k % 2]) for k in range(12)
)


def look(client: Any, data: str, **asked: Any) -> Any:
    return client.post(f"{API}/{data}/look", json=asked)


def test_a_folder_of_pictures_from_the_first_file_to_the_last_look(make: Make, database: str | None) -> None:
    client: Any = make(model=False, database=database)
    files = photographs()
    made = client.post(API, json={"name": "Garden", "files": len(files)}).json()
    assert (made["files"], made["awaited"]) == (0, 20)
    items = list(files.items())
    for some in (dict(items[:7]), dict(items[7:])):
        answer = client.post(f"{API}/{made['id']}/files", files=parts(some))
        assert answer.status_code == 200, answer.text
    row = answer.json()
    assert (row["files"], row["awaited"], row["bytes"]) == (20, 0, sum(map(len, files.values())))
    assert client.get(API).json() == [row]
    folder = client.studio.settings.data / made["id"] / "files"
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")} == files

    understood = look(client, made["id"])
    assert understood.status_code == 200, understood.text
    same = understand(load_dataset(folder / "garden"), "a folder of pictures in folders of classes").to_dict()
    told = understood.json()
    assert {name: told[name] for name in same if name not in ("name", "shape", "classes", "doubt")} == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in same.items()
        if name not in ("name", "shape", "classes", "doubt")
    }
    assert (told["name"], same["doubt"]) == ("Garden", None)
    assert (told["shape"], told["dims"], told["task"]) == ([8, 8], 2, "classification")
    assert [(one["name"], one["train"], one["test"]) for one in told["classes"]] == [("apple", 8, 2), ("pear", 8, 2)]
    pictures = [client.get(f"{API}/{made['id']}/pictures/{told['look']}?dark={dark}") for dark in ("false", "true")]
    assert all(one.content.startswith(b"\x89PNG") for one in pictures)
    assert pictures[0].content != pictures[1].content
    assert client.get(f"{API}/{made['id']}/pictures/{'0' * 16}").status_code == 404

    # How it was read is what a training begins with.
    assert look(client, made["id"], image_size="6x4", grayscale=True).json()["shape"] == [6, 4]
    assert client.get(f"{API}/{made['id']}").json()["asked"] == {"image_size": "6x4", "grayscale": True}

    renamed = client.patch(f"{API}/{made['id']}", json={"name": "Orchard"}).json()
    assert renamed["name"] == look(client, made["id"]).json()["name"] == "Orchard"
    assert client.delete(f"{API}/{made['id']}").status_code == 204
    assert list(client.studio.settings.data.iterdir()) == []
    for answer in (client.get(f"{API}/{made['id']}"), look(client, made["id"]), client.delete(f"{API}/{made['id']}")):
        assert answer.status_code == 404
        assert "there is no uploaded data set" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("files", "asked", "expected"),
    [
        ({"all.zip": zipped(photographs())}, {}, ("images", [8, 8], "classification")),
        ({"train.zip": zipped(photographs()), "test.zip": zipped(photographs(4))}, {},
         ("images", [8, 8], "classification")),
        ({"shapes.npz": npz(images=np.random.default_rng(0).random((12, 6, 6, 3)), labels=np.arange(12) % 2)}, {},
         ("images", [3, 6, 6], "classification")),
        ({"prices.csv": prices()}, {"label": "price"}, ("series", [2], "regression")),
        ({"prices.zip": zipped({"prices.csv": prices()})}, {"label": "price"}, ("series", [2], "regression")),
        ({"S_TRAIN.ts": SERIES, "S_TEST.ts": SERIES}, {}, ("series", [1, 4], "classification")),
        ({"m.npz": npz(images=np.random.default_rng(0).random((12, 5, 5)), labels=np.eye(12, 3, dtype=int))}, {},
         ("images", [5, 5], "multilabel")),
        ({"v.npz": npz(images=np.random.default_rng(0).random((12, 4, 4, 4)), labels=np.arange(12) % 2)},
         {"channels": "first"}, ("images", [4, 4, 4], "classification")),
    ],
    ids=["zip", "two zips", "colour", "table", "table in a zip", "series", "several labels", "channels"],
)  # fmt: skip
def test_whatever_load_dataset_reads(make: Make, files: dict[str, bytes], asked: dict[str, Any], expected: Any) -> None:
    client: Any = make(model=False)
    told = look(client, bring(client, files), **asked)
    assert told.status_code == 200, told.text
    told = told.json()
    assert (told["kind"], told["shape"], told["task"]) == expected


def test_what_is_not_understood_is_said_in_one_line(make: Make) -> None:
    client: Any = make(model=False)
    different = {f"g/{'ab'[k % 2]}/{k}.png": png(k, (8 + k, 8)) for k in range(6)}
    for files, asked, words in (
        (different, {}, "the pictures are of different sizes, and have to be of one ('g/a/0.png' is"),
        ({"prices.csv": prices()}, {}, "'prices.csv' has no column for the labels"),
        ({"prices.csv": prices()}, {"label": "rent"}, "'prices.csv' has no column 'rent'"),
        ({"a.txt": b"nothing", "b.bin": b"\0"}, {}, "a folder without data of a known kind"),
        ({"a.npz": b"PK\x03\x04 and no more"}, {}, "'a.npz'"),
        (photographs(), {"image_size": "0"}, "`image_size=0` is not a number of pixels"),
    ):
        answer = look(client, bring(client, files), **asked)
        detail = answer.json()["detail"]
        assert (answer.status_code, words in detail) == (422, True), detail
        assert "\n" not in detail
        assert str(client.studio.settings.folder) not in answer.text
    for asked in ({"fit": "bend"}, {"label": "a\0"}, {"image_size": -1}, {"seed": 1}, {"task": "dance"}):
        assert look(client, bring(client, {"a.csv": b"label,a\n0,1\n"}), **asked).status_code == 422


@pytest.mark.parametrize("path", ["{outside}", "../../../{outside.name}", "/etc/hostname.png"])
def test_a_table_names_no_picture_outside_of_the_data(make: Make, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "store" / "secret.png"
    client: Any = make(model=False)
    outside.write_bytes(png(1))
    named = path.format(outside=outside)
    table = "picture,label\n" + "".join(f"{named},{k % 2}\n" for k in range(6))
    answer = look(client, bring(client, {"t.csv": table.encode()}))
    assert answer.status_code == 422
    assert "is not among the data: name files by their paths inside of them" in answer.json()["detail"]
    # Inside they may be named.
    inside = {f"{k}.png": png(k) for k in range(6)}
    table = "picture,label\n" + "".join(f"{k}.png,{k % 2}\n" for k in range(6))
    assert look(client, bring(client, {**inside, "labels.csv": table.encode()})).status_code == 200


def train(client: Any, data: str, **chosen: Any) -> Any:
    return client.post("/api/v1/jobs", json={"kind": "train", "dataset": data, **chosen})


def test_a_training_asks_the_command_for_what_was_chosen(make: Make) -> None:
    client: Any = make(model=False)
    data = bring(client, photographs(mode="RGB"), "Garden")
    answer = train(client, data, image_size=6, fit="pad", class_weight="balanced", loss="focal", monitor="roc_auc")
    assert answer.status_code == 201, answer.text
    settings = answer.json()["settings"]
    assert (settings["dataset"], settings["own"], settings["image_size"], settings["fit"]) == (data, "Garden", 6, "pad")
    assert not {"label", "columns", "channels", "grayscale", "task"} & set(settings)
    command = command_of(client.studio.jobs.get(answer.json()["id"]), client.studio.settings)
    assert command[:2] == ["train", str(client.studio.settings.data / data / "files" / "garden")]
    text = " ".join(command)
    for part in ("--image-size 6", "--fit pad", "--class-weight balanced", "--loss focal", "--monitor roc_auc"):
        assert f"{part}" in text
    assert "--own" not in text
    (model,) = client.get("/api/v1/models").json()
    assert (model["dataset"], model["name"]) == ("Garden", "Garden: 4 x strongly entangling, linear")
    # Data that a job needs stay.
    refused = client.delete(f"{API}/{data}")
    assert (refused.status_code, "stop it first" in refused.json()["detail"]) == (409, True)
    client.post(f"/api/v1/jobs/{answer.json()['id']}/stop")
    assert client.delete(f"{API}/{data}").status_code == 204
    gone = train(client, data)
    assert (gone.status_code, "no uploaded data set" in gone.json()["detail"]) == (404, True)


def test_what_does_not_fit_the_data_is_answered_and_not_queued(make: Make) -> None:
    client: Any = make(model=False)
    pictures = bring(client, photographs(mode="RGB"))
    numbers = bring(client, {"prices.csv": prices()})
    for data, chosen, words in (
        (pictures, {"label": "kind"}, "`label=kind` names a column"),
        (pictures, {"kernel_size": 3, "channel_mixing": "joint", "stride": 1}, "27 qubits"),
        (pictures, {"groups": 2}, "must be divisible by `groups`"),
        (pictures, {"filters": 64, "image_size": 80, "stride": 1}, "values for each image"),
        (pictures, {"image_size": 1}, "kernel_size: 2 is larger than images of 1x1"),
        (pictures, {"loss": "huber"}, "loss: 'huber' is not for classification, expected cross_entropy, focal"),
        (pictures, {"task": "regression"}, "finite numbers for regression"),
        (numbers, {"label": "price", "monitor": "f1"}, "monitor: 'f1' is not for regression, expected r2, mae, rmse"),
        (numbers, {"label": "price", "class_weight": "balanced"}, "class_weight: it has no meaning for regression"),
        (numbers, {"label": "price", "kernel_size": 3}, "kernel_size: 3 is larger than series of 2"),
        ("digits", {"label": "kind"}, "label: this is for data of your own, not for 'digits'"),
    ):
        answer = train(client, data, **chosen)
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    compared = client.post("/api/v1/jobs", json={"kind": "compare", "dataset": numbers, "label": "price"})
    assert (compared.status_code, "these data are for regression" in compared.json()["detail"]) == (422, True)
    assert client.get("/api/v1/jobs").json() == []
    assert train(client, numbers, label="price", stride=1, loss="huber", monitor="mae").status_code == 201
    assert client.post("/api/v1/jobs", json={"kind": "compare", "dataset": pictures}).status_code == 201


def test_data_that_are_not_all_there_are_not_used(make: Make) -> None:
    client: Any = make(model=False)
    data = client.post(API, json={"name": "Half", "files": 3}).json()["id"]
    assert "'Half' is not complete: 0 files are there, 3 are still to come" in look(client, data).json()["detail"]
    client.post(f"{API}/{data}/files", files=parts({"g/a/1.png": png(1), "g/.DS_Store": b"x"}))
    row = client.get(f"{API}/{data}").json()
    assert (row["files"], row["awaited"]) == (1, 1)
    assert (look(client, data).status_code, train(client, data).status_code) == (409, 409)
    client.post(f"{API}/{data}/files", files=parts({"g/b/2.png": png(2)}))
    assert look(client, data).status_code == 200


def test_names_of_published_data_are_theirs(make: Make) -> None:
    client: Any = make(model=False)
    for name in ("digits", "MNIST"):
        answer = client.post(API, json={"name": name})
        assert (answer.status_code, "is a data set of its own" in answer.json()["detail"]) == (422, True)
    data = client.post(API, json={"name": "mine"}).json()["id"]
    assert client.patch(f"{API}/{data}", json={"name": "digits"}).status_code == 422
    for name in ("", "a" * 81, "a\nb"):
        assert client.post(API, json={"name": name}).status_code == 422


def test_a_lost_database_finds_data_again(make: Make, tmp_path: Path) -> None:
    client: Any = make(model=False, folder=tmp_path / "first")
    data = bring(client, photographs())
    client.studio.let_go()
    for path in (tmp_path / "first").glob("studio.sqlite*"):
        path.unlink()
    place = tmp_path / "first" / "data"
    for name, age in ((f".part-{data}-old", 1e6), (f".part-{data}-new", 0.0)):
        (place / name).mkdir()
        os.utime(place / name, (time.time() - age,) * 2)
    again: Any = make(model=False, folder=tmp_path / "first")
    (row,) = again.get(API).json()
    assert (row["id"], row["name"], row["files"]) == (data, "garden, found again", 20)
    assert sorted(path.name for path in place.iterdir()) == [f".part-{data}-new", data]
    assert look(again, data).status_code == 200


def test_a_look_can_be_given_up(make: Make) -> None:
    client: Any = make(model=False, limits=Limits(look_seconds=0.01))
    answer = look(client, bring(client, photographs()))
    assert (answer.status_code, "this took longer than 0.01 s and was given up" in answer.json()["detail"]) == (
        503,
        True,
    )


def test_data_that_take_too_much_memory_are_refused(make: Make) -> None:
    client: Any = make(model=False, limits=Limits(look_bytes=2**30, look_seconds=900.0))
    values = np.lib.stride_tricks.as_strided(np.zeros(1), (1000, 400, 400), (0, 0, 0))
    data = bring(client, {"large.npz": _deflated(images=values, labels=np.arange(1000) % 2)})
    answer = look(client, data)
    assert answer.status_code == 422
    assert "'large.npz' does not fit into the memory of this machine: use a smaller file" in answer.json()["detail"]


def _deflated(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["colour", "numbers", pytest.param("several", marks=pytest.mark.slow)])
def test_trainings_of_every_kind_run(serve: Any, kind: str) -> None:
    server: Server = serve("--no-first-model")
    random = np.random.default_rng(0)
    several = random.integers(0, 2, (24, 2))
    files, chosen = {
        "colour": (photographs(24, mode="RGB"), {}),
        "numbers": ({"prices.csv": prices()}, {"label": "price", "stride": 1}),
        "several": ({"m.npz": npz(images=random.random((24, 6, 6)), labels=several)}, {"monitor": "f1"}),
    }[kind]
    data = bring(server.http, files, "Own")
    job = server.job(kind="train", dataset=data, epochs=2, filters=1, **chosen)
    done = server.wait(job, "done")
    assert done["progress"]["done"] == 2
    model = server.http.get(f"/api/v1/models/{done['model']}").json()
    assert model["dataset"] == "Own"
    score = {"colour": "test_accuracy", "numbers": "test_r2", "several": "test_f1_macro"}[kind]
    assert np.isfinite(model["metrics"][score])
    said = {"colour": "test accuracy", "numbers": "test R2", "several": "F1"}[kind]
    assert said in done["progress"]["message"]


def test_settings_say_where_data_are(tmp_path: Path) -> None:
    settings = Settings(tmp_path, limits=Limits(data_bytes=5))
    assert Settings.from_json(settings.to_json()) == settings
    assert settings.data == tmp_path / "data"
