"""Models of every kind, on data of a person's own: what they say of arrays and files, and what is known of them."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from quanvolve import QuanvClassifier, load, load_dataset
from quanvolve.runs import predictions
from quanvolve.studio import Limits
from quanvolve.studio._pictures import as_drawn
from tests.studio.conftest import Make, coloured
from tests.studio.test_uploads import npy


def opened(make: Make, run: Path, **options: Any) -> tuple[Any, str]:
    client: Any = make(model=False, **options)
    return client, f"/api/v1/models/{client.studio.store.adopt(run).id}"


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_regressor_gives_numbers(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["means"])
    model = load(kinds["means"])
    images = np.random.default_rng(1).random((5, 8, 8))
    expected = model.predict(images)
    answer = client.post(f"{path}/predict", json={"images": images.tolist()}).json()
    np.testing.assert_allclose(answer["numbers"], expected, rtol=1e-5)
    assert (answer["task"], answer["targets"]) == ("regression", ["target_1", "target_2"])
    assert answer["classes"] == answer["labels"] == answer["probabilities"] == []
    files = client.post(f"{path}/predict/files", files={"files": ("five.npy", npy(images))}).json()
    np.testing.assert_allclose(files["numbers"], expected, rtol=1e-5)
    assert files["names"] == [f"five.npy[{k}]" for k in range(5)]
    seen = client.post(f"{path}/feature-maps", json={"image": images[0].tolist()}).json()
    np.testing.assert_allclose(seen["numbers"], expected[0], rtol=1e-5)
    assert (seen["classes"], seen["probabilities"], len(seen["maps"])) == ([], [], 4)


def test_several_labels_are_a_list_each(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["halves"])
    model = load(kinds["halves"])
    images = np.random.default_rng(1).random((20, 8, 8))
    images[:10] *= 0.4
    expected = model.predict_proba(images)
    answer = client.post(f"{path}/predict", json={"images": images.tolist()}).json()
    assert answer["task"] == "multilabel"
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    assert answer["labels"] == [[name for name, p in zip("012", row, strict=True) if p > 0.5] for row in expected]
    assert not np.allclose(expected.sum(axis=1), 1)
    seen = client.post(f"{path}/feature-maps", json={"image": images[0].tolist()}).json()
    np.testing.assert_allclose(seen["probabilities"], expected[0], atol=1e-6)


def test_pictures_are_prepared_as_in_training(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    client, path = opened(make, kinds["photos"])
    model = load(kinds["photos"])
    files = []
    for number, kind in enumerate(("red", "blue", "red")):
        files.append(tmp_path / f"{kind}-{number}.jpg")
        coloured(kind, 5 * number).resize((90 + number, 70)).save(files[-1], quality=95)
    (block,) = predictions(model, files)
    sent = [("files", (file.name, file.read_bytes())) for file in files]
    bad = [
        ("files", ("broken.png", b"nothing")),
        ("files", ("notes.txt", b"text")),
        ("files", ("three.npy", npy(np.ones(3)))),
    ]
    answer = client.post(f"{path}/predict/files", files=[*bad[:1], *sent, *bad[1:]], data={"images": "true"}).json()
    np.testing.assert_allclose(answer["probabilities"], block.outputs, atol=1e-6)
    assert answer["labels"] == ["red", "blue", "red"]
    assert answer["names"] == [file.name for file in files]
    assert np.asarray(answer["images"]).shape == (3, 3, 8, 8)
    assert [fault["name"] for fault in answer["faults"]] == ["broken.png", "notes.txt", "three.npy"]
    assert answer["faults"][0]["detail"].startswith("this is not a picture that can be read")
    assert answer["faults"][2]["detail"].startswith("'three.npy' holds an array of shape (3,)")
    none = client.post(f"{path}/predict/files", files=bad)
    assert none.status_code == 415
    assert none.json()["detail"].endswith("; none of the 3 files can be used")
    assert [one["where"] for one in none.json()["errors"]] == ["broken.png", "notes.txt", "three.npy"]


def test_a_photograph_may_be_large_where_it_is_unpacked_small(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["photos"], limits=Limits(image_pixels=10_000, pixels=100_000))
    large = coloured("red", 3).resize((400, 200))

    def asked(*files: bytes) -> Any:
        return client.post(f"{path}/predict/files", files=[("files", (f"{k}.jpg", f)) for k, f in enumerate(files)])

    assert asked(encoded(large, "JPEG")).json()["labels"] == ["red"]
    for content in (encoded(large), encoded(large, "JPEG", progressive=True)):
        assert (asked(content).status_code, "at most 10,000 are taken" in asked(content).text) == (413, True)
    together = asked(encoded(large, "JPEG"), encoded(large, "JPEG"))
    assert (together.status_code, "more than 100,000 pixels in all" in together.text) == (413, True)


def test_what_is_dark_on_bright_is_said_and_inverted(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["photos"])
    picture = coloured("red", 8)
    ink = Image.fromarray(255 - np.asarray(picture))
    files = [("files", ("right.png", encoded(picture))), ("files", ("ink.png", encoded(ink)))]
    answer = client.post(f"{path}/predict/files", files=files).json()
    assert answer["inverted"] == [1]
    assert answer["warning"] == (
        "1 of 2 images is dark on bright, but the model was fitted on images that are bright on dark"
    )
    again = client.post(f"{path}/predict/files", files=files[1:], data={"invert": "true"}).json()
    assert (again["inverted"], again["warning"], again["labels"]) == ([], None, ["red"])
    np.testing.assert_allclose(again["probabilities"][0], answer["probabilities"][0], atol=1e-6)
    low, high = load(kinds["photos"]).input_range_
    image = np.full((3, 8, 8), high)
    said = client.post(f"{path}/predict", json={"images": [image.tolist()]}).json()["warning"]
    assert said.startswith("the image is dark on bright")
    turned = client.post(f"{path}/predict", json={"images": [image.tolist()], "invert": True}).json()
    plain = client.post(f"{path}/predict", json={"images": [(low + high - image).tolist()]}).json()
    assert turned["probabilities"] == plain["probabilities"]


def test_drawings_are_dark_on_bright_for_a_model_of_ink(make: Make, tmp_path: Path, drawing: Path) -> None:
    digits = load_dataset("digits")
    ink = QuanvClassifier(n_filters=1, max_epochs=1, random_state=0)
    ink.fit(1 - digits.train_images[:100], digits.train_labels[:100]).save(tmp_path / "ink")
    client, path = opened(make, tmp_path / "ink")
    paper = np.asarray(Image.open(drawing))
    expected = 1 - as_drawn(paper, (8, 8), "unknown")
    assert np.median(expected[0]) == 1
    answer = client.post(f"{path}/predict/files", files={"files": drawing.read_bytes()}, data={"images": "true"}).json()
    np.testing.assert_allclose(answer["images"][0][0], expected, atol=1e-6)
    assert answer["warning"] is None
    seen = client.post(f"{path}/feature-maps", json={"image": (255 - paper).tolist(), "drawing": True}).json()
    np.testing.assert_allclose(seen["image"][0], expected, atol=1e-4)


def test_fit_is_that_of_the_command_line(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    client, path = opened(make, kinds["means"])
    wide = Image.fromarray(np.random.default_rng(2).integers(0, 256, (30, 50)).astype(np.uint8))
    wide.save(tmp_path / "wide.png")
    for fit in ("crop", "pad", "stretch"):
        (block,) = predictions(load(kinds["means"]), [tmp_path / "wide.png"], fit=fit)
        files = {"files": ("wide.png", encoded(wide))}
        answer = client.post(f"{path}/predict/files", files=files, data={"fit": fit})
        np.testing.assert_allclose(answer.json()["numbers"], block.outputs, rtol=1e-5)
    assert client.post(f"{path}/predict/files", files=files, data={"fit": "bend"}).status_code == 422


def test_rows_of_tables_are_predicted(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["table"])
    model = load(kinds["table"])
    rows = np.random.default_rng(3).random((4, 3)).round(3)
    expected = model.predict_proba(rows)
    body = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    labelled = "a,b,c,label\n" + "\n".join(f"{line},low" for line in body.splitlines())
    archive = io.BytesIO()
    np.savez(archive, X=rows)
    for name, content in (
        ("new.csv", f"a,b,c\n{body}".encode()), ("bare.csv", body.encode()),
        ("new.tsv", body.replace(",", "\t").encode()), ("labelled.csv", labelled.encode()),
        ("new.npy", npy(rows)), ("new.npz", archive.getvalue()),
    ):  # fmt: skip
        answer = client.post(f"{path}/predict/files", files={"files": (name, content)})
        assert answer.status_code == 200, answer.text
        np.testing.assert_allclose(answer.json()["probabilities"], expected, atol=1e-6)
    array = client.post(f"{path}/predict", json={"images": rows.tolist()})
    np.testing.assert_allclose(array.json()["probabilities"], expected, atol=1e-6)
    for content, words in (
        (b"a,b\n1,2\n", "'new.csv' holds 2 values in a row (1x2), but the model takes 3 (1x3): give the columns"),
        (b"a,b,c\n1,2,\n", "the model takes 3 (1x3), and c without a value: give the columns"),
        (b"a,b,c\n1,2\n", "row 2 of 'new.csv' has 2 values, expected 3 as in the first row"),
        (b"a,b,c\n", "'new.csv' has names of columns and no row of values: it is cut short"),
        (b"a,b,c\n1,2,3\n1,2,x\n", "row 3 of 'new.csv', column 'c' holds 'x', expected a number as in the rows"),
        (b"", "'new.csv' is empty, expected a row with the names of columns and rows of values below it"),
    ):  # fmt: skip
        answer = client.post(f"{path}/predict/files", files={"files": ("new.csv", content)})
        assert (answer.status_code, words in answer.json()["detail"]) == (415, True), answer.text
        assert "/tmp" not in answer.text


def test_archives_that_unpack_to_far_more_are_refused(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["table"], limits=Limits(body_bytes=100_000))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", npy(np.zeros((20_000, 3))))
    answer = client.post(f"{path}/predict/files", files={"files": ("zeros.npz", buffer.getvalue())})
    assert (answer.status_code, "bytes when they are unpacked, at most 100,000" in answer.text) == (413, True)
    table = b"a,b,c\n" + b"1,2,3\n" * 5000
    answer = client.post(f"{path}/predict/files", files={"files": ("long.csv", table)})
    assert (answer.status_code, "a table may have 25,000 bytes" in answer.text) == (413, True)
    answer = client.post(f"{path}/predict/files", files={"files": ("many.csv", table[:12_000])})
    assert (answer.status_code, "more than 1000 images, at most 1000 are taken" in answer.text) == (413, True)
    damaged = client.post(f"{path}/predict/files", files={"files": ("cut.npz", buffer.getvalue()[:200])})
    assert (damaged.status_code, "/tmp" in damaged.text) == (415, False)


def test_a_model_of_colour_is_drawn_for(make: Make, kinds: dict[str, Path]) -> None:
    client, path = opened(make, kinds["photos"])
    grey, red = np.zeros((40, 40)), np.zeros((3, 40, 40))
    grey[10:30, 10:30] = 255
    red[0, 10:30, 10:30] = 255
    found = client.post(f"{path}/predict", json={"images": [red.tolist(), grey.tolist()], "drawing": True})
    assert found.status_code == 200, found.text
    assert found.json()["labels"][0] == "red"
    seen = client.post(f"{path}/feature-maps", json={"image": grey.tolist(), "drawing": True}).json()
    image = np.asarray(seen["image"])
    assert image.shape == (3, 8, 8)
    np.testing.assert_array_equal(image[0], image[2])
    assert image.max() == 1
    two = client.post(f"{path}/predict", json={"images": [red[:2].tolist()], "drawing": True})
    assert two.status_code == 422
    layer = client.get(f"{path}/layer").json()
    assert (layer["in_channels"], len(layer["scales"]), len(layer["circuits"])) == (3, 12, 3)
    assert [(one["inputs"], one["circuits"]) for one in layer["channels"]] == [([0, 1, 2], [0, 1, 2])] * 4
    assert client.get(f"{path}/circuits/2/picture").status_code == 200


def test_what_is_known_of_each_kind(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    client: Any = make(model=False)
    for name, folder in kinds.items():
        client.studio.store.rename(client.studio.store.adopt(folder).id, name)
    bare = tmp_path / "bare"
    load(kinds["halves"]).save(bare)
    client.studio.store.adopt(bare)
    found = {one["name"]: one for one in client.get("/api/v1/models").json()}
    assert {name: one["task"] for name, one in found.items()} == {
        "means": "regression", "halves": "multilabel", "photos": "classification", "table": "classification",
        "bare": "multilabel",
    }  # fmt: skip
    detail = {name: client.get(f"/api/v1/models/{one['id']}").json() for name, one in found.items()}
    assert {name: (one["drawable"], one["residuals"], one["explainable"]) for name, one in detail.items()} == {
        "means": (True, True, False), "halves": (True, False, False), "photos": (True, False, True),
        "table": (False, False, True), "bare": (True, False, False),
    }  # fmt: skip
    assert detail["photos"]["preparation"] == {"size": [8, 8], "fit": "crop", "channels": 3}
    assert detail["means"]["metrics"]["each_target"][1].keys() == {"r2", "mae", "rmse"}
    picture = client.get(f"/api/v1/models/{found['means']['id']}/residuals")
    assert picture.content == (kinds["means"] / "residuals.png").read_bytes()
    assert picture.headers["content-type"] == "image/png"
    missing = client.get(f"/api/v1/models/{found['halves']['id']}/residuals")
    assert (missing.status_code, missing.json()["type"]) == (404, "/docs#missing")


def test_results_that_are_no_numbers_are_null(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    run = shutil.copytree(kinds["means"], tmp_path / "run")
    (run / "metrics.json").write_text('{"task": "regression", "test_r2": NaN}')
    (run / "history.jsonl").write_text('{"epoch": 1, "train_loss": NaN, "valid_r2": -Infinity}\n')
    client, path = opened(make, run)
    assert client.get("/api/v1/models").json()[0]["metrics"] == {"task": "regression", "test_r2": None}
    assert client.get(path).json()["history"] == [{"epoch": 1, "train_loss": None, "valid_r2": None}]


def test_samples_are_those_of_the_models_data(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    wanted = {"photos": {"red", "blue"}, "table": {"high", "low"}}
    for name in kinds:
        client, path = opened(make, kinds[name], folder=tmp_path / name)
        answer = client.get(f"{path}/samples?count=6").json()
        assert answer["why_not"] is None
        assert len(answer["samples"]) == 6
        labels = {one["label"] for one in answer["samples"]}
        assert labels == wanted.get(name, labels)
        model = load(kinds[name])
        assert {np.shape(one["image"]) for one in answer["samples"]} == {model.image_shape_}
        images = [one["image"] for one in answer["samples"]]
        assert client.post(f"{path}/predict", json={"images": images}).status_code == 200
    # A file that has the name of a bundled data set is not that.
    images, labels = np.random.default_rng(0).random((30, 8, 8)), np.arange(30) % 2
    run = shutil.copytree(kinds["means"], tmp_path / "run")
    data = load_dataset(kinds["means"].parent / "means.npz", task="regression")
    np.savez(tmp_path / "digits.npz", train_images=data.train_images, train_labels=data.train_labels,
             test_images=images, test_labels=np.stack([labels, labels + 0.5], axis=1))  # fmt: skip
    stored = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**stored, "dataset": str(tmp_path / "digits.npz")}))
    client, path = opened(make, run, folder=tmp_path / "named")
    assert client.get(f"{path}/samples?count=2").json()["samples"][1]["label"] == "1, 1.5"


@pytest.mark.parametrize("name", ["means", "halves", "photos", "table"])
def test_data_that_are_gone_are_named_and_nothing_fails(
    make: Make, kinds: dict[str, Path], tmp_path: Path, name: str
) -> None:
    run = shutil.copytree(kinds[name], tmp_path / "run")
    stored = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**stored, "dataset": str(tmp_path / "no" / "animals.npz")}))
    client, path = opened(make, run)
    answer = client.get(f"{path}/samples")
    assert (answer.status_code, answer.json()) == (200, {
        "samples": [], "why_not": "the data set 'animals', on which this model was trained, is not on this server any "
        "longer, or has changed: there are no test images to show",
    })  # fmt: skip
    for part in ("", "/layer", "/circuits/0/picture", "/download"):
        assert client.get(path + part).status_code == 200, part
    assert client.get(f"{path}/explanation").status_code == 404
    (client.studio.settings.models / path.rpartition("/")[2] / "run.json").unlink()
    said = client.get(f"{path}/samples").json()["why_not"]
    assert said.startswith("this model was saved from Python and does not say on which data it was trained")


def test_published_data_that_are_not_here_are_named(make: Make, kinds: dict[str, Path], tmp_path: Path) -> None:
    run = shutil.copytree(kinds["means"], tmp_path / "run")
    stored = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**stored, "dataset": "kmnist", "data_dir": None}))
    client, path = opened(make, run, data_dir=tmp_path)
    assert client.get(f"{path}/samples").json()["why_not"].startswith("the files of data set 'kmnist', on which")
