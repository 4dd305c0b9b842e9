"""What models say: the same as in Python, for arrays, pictures, noise and shots; and every way to ask wrongly."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from PIL import Image

from quanvolve import load
from quanvolve.data import load_dataset
from quanvolve.studio import Limits
from tests.studio.conftest import Make

DIGITS = load_dataset("digits")


def test_predictions_are_those_of_the_classifier(make: Make, trained: Path) -> None:
    client = make()
    images = DIGITS.test_images[:50]
    answer = client.post(f"/api/v1/models/{client.model}/predict", json={"images": images.tolist()})
    assert answer.status_code == 200
    clf = load(trained)
    np.testing.assert_allclose(answer.json()["probabilities"], clf.predict_proba(images), atol=1e-6)
    assert answer.json()["labels"] == [str(label) for label in clf.predict(images)]
    assert answer.json()["classes"] == [str(digit) for digit in range(10)]


def test_pictures_are_read_in_the_units_of_the_training_data(make: Make, trained: Path) -> None:
    client, files = make(), []
    for image in DIGITS.test_images[:5]:
        buffer = io.BytesIO()
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(buffer, "PNG")
        files.append(("files", ("digit.png", buffer.getvalue())))
    answer = client.post(f"/api/v1/models/{client.model}/predict/files", files=files, data={"drawing": "false"})
    expected = load(trained).predict_proba(DIGITS.test_images[:5])
    np.testing.assert_allclose(answer.json()["probabilities"], expected, atol=0.02)


def test_a_drawing_is_recognised_wherever_and_however_large_it_is(make: Make, drawing: Path) -> None:
    client = make()
    path = f"/api/v1/models/{client.model}/predict"
    answer = client.post(f"{path}/files", files={"files": drawing.read_bytes()})
    assert answer.json()["labels"] == ["7"]
    strokes = 255 - np.asarray(Image.open(drawing))
    for array in (strokes, np.pad(strokes, ((300, 0), (0, 150))), strokes[::3, ::3]):
        found = client.post(path, json={"images": [array.tolist()], "drawing": True}).json()
        assert found["labels"] == ["7"]


def test_feature_maps_are_those_of_the_layer(make: Make, trained: Path) -> None:
    client, clf = make(), load(trained)
    image = DIGITS.test_images[3]
    answer = client.post(f"/api/v1/models/{client.model}/feature-maps", json={"image": image.tolist()}).json()
    import torch

    with torch.no_grad():
        expected = clf.module_.backbone(torch.from_numpy(clf.prepared(image[None])))[0].numpy()
    np.testing.assert_allclose(answer["maps"], expected, atol=1e-4)
    np.testing.assert_allclose(answer["image"][0], image, atol=1e-4)
    np.testing.assert_allclose(answer["probabilities"], clf.predict_proba(image[None])[0], atol=1e-6)


def test_noise_is_that_of_pennylane(make: Make, trained: Path) -> None:
    client, noise = make(), 0.05
    image = DIGITS.test_images[7]
    request = {"image": image.tolist(), "noise": noise}
    answer = client.post(f"/api/v1/models/{client.model}/feature-maps", json=request).json()
    layer: Any = load(trained).module_.backbone
    weights = layer.circuit_weights()["weights"][1, 0].detach().numpy()

    @qp.qnode(qp.device("default.mixed", wires=4))
    def circuit(window: Any) -> Any:
        def noisy(*wires: int) -> None:
            for wire in wires:
                qp.DepolarizingChannel(noise, wires=wire)

        for wire in range(4):
            qp.RY(window[wire] * math.pi, wires=wire)
            noisy(wire)
        for block in range(2):
            for wire in range(4):
                phi, theta, omega = weights[block, wire]
                for gate, angle in ((qp.RZ, phi), (qp.RY, theta), (qp.RZ, omega)):
                    gate(angle, wires=wire)
                    noisy(wire)
            for wire in range(4):
                pair = (wire, (wire + 1 + block) % 4)
                qp.CNOT(pair)
                noisy(*pair)
        return [qp.expval(qp.PauliZ(wire)) for wire in range(4)]

    window = image[2:4, 4:6].reshape(-1)
    np.testing.assert_allclose(np.asarray(answer["maps"])[4:8, 1, 2], circuit(window), atol=1e-4)


def test_shots_scatter_around_the_exact_values(make: Make) -> None:
    client, shots = make(), 2000
    path, image = f"/api/v1/models/{client.model}/feature-maps", DIGITS.test_images[1].tolist()
    exact = np.asarray(client.post(path, json={"image": image}).json()["maps"])
    drawn = [
        np.asarray(client.post(path, json={"image": image, "shots": shots, "seed": s}).json()["maps"]) for s in range(6)
    ]
    error = np.stack(drawn) - exact
    expected = np.sqrt((1 - exact**2) / shots)
    assert np.allclose(np.sqrt((error**2).mean()), np.sqrt((expected**2).mean()), rtol=0.1)
    same = client.post(path, json={"image": image, "shots": shots, "seed": 5}).json()["maps"]
    np.testing.assert_array_equal(same, drawn[5])


def test_the_layer_is_explained(make: Make, trained: Path) -> None:
    client, clf = make(), load(trained)
    answer = client.get(f"/api/v1/models/{client.model}/layer").json()
    assert (answer["kernel_size"], answer["stride"], answer["corner"]) == ([2, 2], [2, 2], [0, 0])
    assert answer["scales"] == [math.pi] * 4
    assert [one["filter"] for one in answer["channels"]] == [k // 4 for k in range(16)]
    assert answer["channels"][5]["formula"] == str(clf.module_.backbone.formula(5))
    assert answer["channels"][5]["main"].count("pi") < answer["channels"][5]["formula"].count("pi")
    picture = client.get(f"/api/v1/models/{client.model}/circuits/0/picture")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.count("<svg") == 1
    missing = client.get(f"/api/v1/models/{client.model}/circuits/4/picture")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no circuit '4' here")


GOOD = DIGITS.test_images[0].tolist()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"images": []}, 422, "images: expected a list of at least one image"),
        ({"images": 5}, 422, "images: expected a list"),
        ({"images": "x"}, 422, "images: expected a list"),
        ({"images": [[[1, 2], [3, 4]]]}, 422, "images: each is 2x2, this model takes 1x8x8 or 8x8"),
        ({"images": [GOOD, GOOD[:4]]}, 422, "images: expected arrays of numbers, all of the same shape"),
        ({"images": [[["1"] * 8] * 8]}, 422, "images: expected finite numbers"),
        ({"images": [[[True] * 8] * 8]}, 422, "images: expected finite numbers"),
        ({"images": [[[None] * 8] * 8]}, 422, "images: expected finite numbers"),
        ({"images": [[[1e300] * 8] * 8]}, 422, "none beyond 1e30"),
        ({"images": [[[10**400] * 8] * 8]}, 422, "images: expected"),
        ({"images": [[[255] * 8] * 8]}, 422, "values from 0 to 255, this model has learned from 0 to 1"),
        ({"images": [GOOD] * 11}, 413, "more than 10 images, at most 10 are taken at a time"),
        ({"pictures": [GOOD]}, 422, "body/images: Field required"),
        ({"images": [GOOD], "model": "x"}, 422, "body/model: Extra inputs are not permitted"),
        ({"images": [7], "drawing": True}, 422, "a drawing is an array of rows and columns"),
        ({"images": [[]], "drawing": True}, 422, "a drawing is an array of rows and columns"),
    ],
)
def test_wrong_images_are_refused(make: Make, body: Any, status: int, words: str) -> None:
    client = make(limits=Limits(batch=10))
    answer = client.post(f"/api/v1/models/{client.model}/predict", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert words in problem["detail"]
    assert problem["status"] == status
    assert problem["type"].startswith("/docs#")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"images": [[[NaN]]]}', '{"images": [[[1e999]]]}', "{", "", "\xff", "1" * 5000]
)
def test_wrong_json_is_refused(make: Make, text: str) -> None:
    client = make()
    answer = client.post(
        f"/api/v1/models/{client.model}/predict",
        content=text.encode("latin-1"),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_noise_beyond_its_range_is_refused(make: Make) -> None:
    client = make()
    path = f"/api/v1/models/{client.model}/feature-maps"
    for name, value in (("noise", 0.6), ("noise", -1), ("shots", 0), ("shots", 10**9), ("seed", -1)):
        answer = client.post(path, json={"image": GOOD, name: value})
        assert answer.status_code == 422
        assert f"body/{name}" in answer.json()["detail"]


def picture(size: tuple[int, int], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, size[::-1]).astype(np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 40,000 x 40,000 pixels."""
    content = bytearray(picture((1, 1)))
    content[16:24] = (40_000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 415, "not a picture that can be read"),
        (b"GIF89a" + bytes(50), 415, "not a picture that can be read"),
        (picture((8, 8))[:-60], 415, "not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not a picture that can be read"),
        (picture((9, 9), "TIFF"), 415, "not a picture that can be read"),
        (bomb(), 413, "far more pixels than the 4,000,000 that are taken"),
        (picture((2100, 2000)), 413, "2100 x 2000 pixels, at most 4,000,000"),
        (picture((9, 9)), 422, "files: number 1: a picture is 9x9, this model takes 8x8: make it that large, or"),
    ],
)
def test_wrong_files_are_refused(make: Make, content: bytes, status: int, words: str) -> None:
    client = make()
    answer = client.post(
        f"/api/v1/models/{client.model}/predict/files", files={"files": ("a.png", content)}, data={"drawing": "false"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_all_formats_and_an_empty_drawing_are_read(make: Make) -> None:
    client = make()
    path = f"/api/v1/models/{client.model}/predict/files"
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP"):
        answer = client.post(path, files={"files": ("a", picture((50, 40), kind))})
        assert answer.status_code == 200, kind
        assert math.isclose(sum(answer.json()["probabilities"][0]), 1, abs_tol=1e-9)


def test_a_model_that_is_not_there(make: Make) -> None:
    client = make()
    answer = client.post("/api/v1/models/0123456789ab/predict", json={"images": [GOOD]})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no trained model '0123456789ab' here"
    for name in ("..", "0123456789AB", "%2e%2e%2fjobs", "a" * 500, "0123456789ab%00"):
        assert client.post(f"/api/v1/models/{name}/predict", json={"images": [GOOD]}).status_code in (404, 405, 422)


def test_a_deleted_model_is_forgotten_at_once(make: Make) -> None:
    client = make()
    path = f"/api/v1/models/{client.model}"
    assert client.post(f"{path}/predict", json={"images": [GOOD]}).status_code == 200
    assert client.delete(path).status_code == 204
    assert client.post(f"{path}/predict", json={"images": [GOOD]}).status_code == 404
    assert list(client.studio.settings.models.iterdir()) == []


def test_a_damaged_model_is_a_problem_and_no_crash(make: Make) -> None:
    client = make()
    config = client.studio.settings.models / client.model / "config.json"
    config.write_text(config.read_text()[:200])
    answer = client.post(f"/api/v1/models/{client.model}/predict", json={"images": [GOOD]})
    assert answer.status_code == 422
    assert "config.json" in answer.json()["detail"]
    assert client.get(f"/api/v1/models/{client.model}").status_code == 200
    assert json.dumps(client.get("/api/v1/models").json())
