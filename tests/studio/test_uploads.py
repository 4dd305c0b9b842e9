"""Files for models of every shape: colour, series and volumes as well as drawings."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from quanvolve import QuanvClassifier
from quanvolve.studio import Limits
from tests.studio.conftest import Make

SHAPES = {"colour": (3, 8, 6), "series": (1, 24), "channels": (2, 24), "volumes": (1, 4, 4, 4)}


def drawn(shape: tuple[int, ...], count: int = 12) -> Any:
    return np.random.default_rng(0).random((count, *shape)).astype(np.float32)


@pytest.fixture(scope="module", params=SHAPES)
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[int, ...], Any, Path]:
    """A model of another shape: its shape, the classifier, and its folder."""
    shape = SHAPES[request.param]
    rank = len(shape) - 1
    clf = QuanvClassifier(
        kernel_size=(2,) * rank, stride=(2,) * rank, n_filters=1, max_epochs=1, random_state=0, image_shape=shape
    )  # fmt: skip
    clf.fit(drawn(shape), np.arange(12) % 2)
    folder = tmp_path_factory.mktemp("other") / "model"
    clf.save(folder)
    return shape, clf, folder


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def opened(make: Make, folder: Path, **options: Any) -> tuple[Any, str]:
    client: Any = make(model=False, **options)
    return client, f"/api/v1/models/{client.studio.store.adopt(folder).id}/predict"


def test_arrays_in_files_are_those_of_json(make: Make, other: tuple[tuple[int, ...], Any, Path]) -> None:
    shape, clf, folder = other
    client, path = opened(make, folder)
    items = drawn(shape, 5)
    expected = clf.predict_proba(items)
    several = client.post(f"{path}/files", files={"files": npy(items)})
    assert several.status_code == 200, several.text
    np.testing.assert_allclose(several.json()["probabilities"], expected, atol=1e-5)
    alone = [("files", ("a.npy", npy(item))) for item in items]
    for data in ({}, {"drawing": "false"}):
        answer = client.post(f"{path}/files", files=alone, data=data)
        np.testing.assert_allclose(answer.json()["probabilities"], expected, atol=1e-5)
    array = client.post(path, json={"images": items.tolist()})
    np.testing.assert_allclose(array.json()["probabilities"], expected, atol=1e-5)


def test_files_of_other_shapes_are_refused(make: Make, other: tuple[tuple[int, ...], Any, Path]) -> None:
    shape, _, folder = other
    client, path = opened(make, folder, limits=Limits(batch=5))
    for content, status, words in (
        (npy(np.zeros((5, 5, 5, 5, 5))), 415, "'upload' holds an array of shape (5, 5, 5, 5, 5), "),
        (npy(np.array(["a"])), 415, "files: number 1: "),
        (npy(np.full(shape, np.nan)), 415, "NaN or infinite"),
        (npy(np.full(shape, 1e9)), 422, "this model has learned from"),
        (npy(drawn(shape, 6)), 413, "more than 5 images, at most 5 are taken"),
        (npy(drawn(shape))[:-4], 415, "is truncated"),
        (b"\x93NUMPY", 415, "cannot be read as a .npy file"),
        (b"nothing", 415, "files: number 1: "),
    ):
        answer = client.post(f"{path}/files", files={"files": content})
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
        assert "/tmp" not in answer.text
    if shape == SHAPES["colour"]:
        return
    asked = client.post(f"{path}/files", files={"files": npy(drawn(shape))}, data={"drawing": "true"})
    assert asked.status_code == 409
    assert "cannot be drawn: leave `drawing` out, or say drawing=false" in asked.json()["detail"]
    array = client.post(path, json={"images": drawn(shape, 1).tolist(), "drawing": True})
    assert (array.status_code, "cannot be drawn" in array.json()["detail"]) == (409, True)


def picture(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_are_for_models_of_pictures(make: Make, other: tuple[tuple[int, ...], Any, Path]) -> None:
    shape, clf, folder = other
    client, path = opened(make, folder)
    pixels = np.random.default_rng(1).integers(0, 256, (8, 6, 3)).astype(np.uint8)
    answer = client.post(f"{path}/files", files={"files": picture(pixels)})
    if shape != SHAPES["colour"]:
        assert answer.status_code == 415
        assert "which no picture holds: send an array of that shape, or of several, as a .npy file" in answer.text
        return
    low, high = clf.input_range_
    expected = clf.predict_proba((pixels.transpose(2, 0, 1) / 255 * (high - low) + low)[None].astype(np.float32))
    np.testing.assert_allclose(answer.json()["probabilities"], expected, atol=1e-5)
    # Larger ones of the same proportions are the same; of others the middle counts.
    large = pixels.repeat(4, axis=0).repeat(4, axis=1)
    wide = np.concatenate([np.zeros((32, 40, 3), np.uint8), large, np.full((32, 40, 3), 255, np.uint8)], axis=1)
    tall = np.concatenate([np.zeros((40, 24, 3), np.uint8), large, np.full((40, 24, 3), 255, np.uint8)], axis=0)
    for one in (large, wide, tall):
        fitted = client.post(f"{path}/files", files={"files": picture(one)})
        np.testing.assert_allclose(fitted.json()["probabilities"], expected, atol=1e-4)
        exact = client.post(f"{path}/files", files={"files": picture(one)}, data={"drawing": "false"})
        assert exact.status_code == 422
        assert f"a picture is {one.shape[0]}x{one.shape[1]}, this model takes 8x6: make it that large" in exact.text
    grey = client.post(f"{path}/files", files={"files": picture(pixels[:, :, 0])})
    assert grey.status_code == 200
    maps = client.post(path.replace("predict", "feature-maps"), json={"image": drawn(shape, 1)[0].tolist()})
    assert np.asarray(maps.json()["image"]).shape == shape


def test_pixels_of_all_files_count(make: Make) -> None:
    client = make(limits=Limits(pixels=30_000))
    path = f"/api/v1/models/{client.model}/predict"
    one = picture(np.zeros((100, 100), np.uint8))
    assert client.post(f"{path}/files", files=[("files", one)] * 3).status_code == 200
    answer = client.post(f"{path}/files", files=[("files", one)] * 4)
    assert answer.status_code == 413
    assert "files: number 4: more than 30,000 pixels in all: send fewer or smaller pictures" in answer.json()["detail"]
    drawings = [np.eye(100).tolist()] * 4
    asked = client.post(path, json={"images": drawings[:3], "drawing": True})
    assert asked.status_code == 200
    asked = client.post(path, json={"images": drawings, "drawing": True})
    assert asked.status_code == 413
    assert "and all of a request 30,000: make them smaller" in asked.json()["detail"]


@pytest.mark.parametrize("kind", ["colour", "series"])
def test_the_page_takes_files_for_models_of_other_shapes(serve: Any, browser: Any, tmp_path: Path, kind: str) -> None:
    shape = SHAPES[kind]
    rank = len(shape) - 1
    clf = QuanvClassifier(
        kernel_size=(2,) * rank, stride=(2,) * rank, n_filters=1, max_epochs=1, random_state=0, image_shape=shape
    ).fit(drawn(shape), np.arange(12) % 2)  # fmt: skip
    clf.save(tmp_path / "model")
    item = drawn(shape, 1)
    (tmp_path / "item.npy").write_bytes(npy(item))
    (tmp_path / "item.txt").write_text("nothing")
    server = serve("--no-first-model", "--jobs", "0", "--model", str(tmp_path / "model"))
    (model,) = [one["id"] for one in server.http.get("/api/v1/models").json()]
    page = browser.new_page()
    page.goto(f"{server.url}/#draw/{model}")
    page.wait_for_selector("#files-open:enabled")
    can_be_drawn = page.locator("#pad").is_visible()
    assert can_be_drawn == (kind == "colour")
    if not can_be_drawn:
        assert "does not take drawings: open an array" in page.locator("#pad-note").inner_text()
    page.set_input_files("#file", str(tmp_path / "item.npy"))
    page.wait_for_selector("#answer strong")
    assert page.locator("#answer strong").inner_text() == str(clf.predict(item)[0])
    assert page.locator("#maps-error").is_hidden()
    page.set_input_files("#file", str(tmp_path / "item.txt"))
    page.wait_for_selector("#maps-error:not([hidden])")
    assert "files: number 1: " in page.locator("#maps-error").inner_text()
    page.close()
