"""`quanvolve predict`: the same image in any form is given the same label."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

import quanvolve
from quanvolve import QuanvClassifier, load_dataset
from quanvolve.cli import _predict
from tests.cli.conftest import Result, cli, ok, refused


@pytest.fixture
def digit() -> np.ndarray:
    """An image of a digit with 8 bits."""
    return np.round(load_dataset("digits").test_images[0] * 255).astype(np.uint8)


def predictions(run: Path, *files: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = ok("predict", run, *files, "--json").json["predictions"]
    return found


def test_every_form_of_an_image(trained: tuple[Path, Result], digit: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(digit).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([digit] * 3, axis=2)).save(tmp_path / "colour.png")
    Image.fromarray(digit.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    np.save(tmp_path / "bytes.npy", digit)
    np.save(tmp_path / "floats.npy", digit / 255)
    np.savez(tmp_path / "several.npz", images=np.stack([digit, digit]))
    names = ["grey.png", "colour.png", "deep.png", "bytes.npy", "floats.npy", "several.npz"]
    clf = quanvolve.load(trained[0])
    expected = clf.predict_proba(digit[None] / 255)[0]
    found = predictions(trained[0], *(tmp_path / name for name in names))
    assert [Path(str(one["name"])).name for one in found] == [*names[:-1], "several.npz[0]", "several.npz[1]"]
    for one in found:
        assert list(one["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
        assert one["label"] == clf.classes_[expected.argmax()]
        assert one["label_name"] == str(one["label"])
        assert one["probability"] == max(one["probabilities"].values())


def test_the_table(trained: tuple[Path, Result], digit: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "digit.npy", np.stack([digit, digit]))
    (first, *_) = predictions(trained[0], tmp_path / "digit.npy")
    lines = ok("predict", trained[0], tmp_path / "digit.npy").out.splitlines()
    assert lines[0].split() == ["image", "label", "probability"]
    assert lines[1].split() == [f"{tmp_path}/digit.npy[0]", str(first["label"]), f"{first['probability']:.4f}"]
    assert len(lines) == 3


def test_the_range_of_the_training_images(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    """A model of 8-bit images, one of floats in [0, 1] and one of any floats answer alike."""
    path = write_npz()
    with np.load(path) as file:
        images, labels = file["images"], file["labels"]
    assert (images.min(), images.max()) != (0, 255)
    images[0, 0, 0], images[1, 0, 0] = 0, 255
    forms = {"bytes": images, "fractions": images / 255, "other": images / 255 * 7.0 - 3.0}
    Image.fromarray(images[2]).save(tmp_path / "image.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "dark.png")
    answers = []
    for name, form in forms.items():
        np.savez(tmp_path / f"{name}.npz", train_images=form, train_labels=labels, test_images=form, test_labels=labels)
        ok("train", tmp_path / f"{name}.npz", "--backbone", "none", "--epochs", 2, "--output", tmp_path / name)
        found = predictions(tmp_path / name, tmp_path / "image.png", tmp_path / "dark.png")
        answers.append([list(one["probabilities"].values()) for one in found])
    assert np.allclose(answers[0], answers[1], atol=1e-5)
    assert np.allclose(answers[0], answers[2], atol=1e-5)


def test_arrays_on_another_scale_are_warned_of(
    trained: tuple[Path, Result], write_npz: Callable[..., Path], tmp_path: Path
) -> None:
    ok("train", write_npz(), "--backbone", "none", "--epochs", 1, "--output", tmp_path / "bytes")
    np.save(tmp_path / "floats.npy", np.full((4, 4), 0.5))
    result = cli("predict", tmp_path / "bytes", tmp_path / "floats.npy")
    assert result.code == 0
    assert result.err.startswith("quanvolve: warning: X is in [0, 1], but the model was fitted on values in [0, 255]")
    assert result.err.count("\n") == 1


def test_a_colour_model(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    ok("train", write_npz(shape=(3, 4, 4)), "--filters", 1, "--epochs", 1, "--output", tmp_path / "run")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "colour.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "grey.png")
    assert len(predictions(tmp_path / "run", tmp_path / "colour.png")) == 1
    assert "has 1 channel(s), but the model takes 3: give a picture in RGB" in refused(
        "predict", tmp_path / "run", tmp_path / "grey.png"
    )


def test_files_that_cannot_be_used(trained: tuple[Path, Result], digit: np.ndarray, tmp_path: Path) -> None:
    run = trained[0]
    Image.fromarray(np.zeros((28, 30), np.uint8)).save(tmp_path / "big.png")
    message = refused("predict", run, tmp_path / "big.png")
    assert "big.png' is 28x30, but the model takes images of 8x8" in message
    assert "'missing.png' does not exist" in refused("predict", run, "missing.png")
    Image.fromarray(digit).save(tmp_path / "good.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    assert "torn.png" in refused("predict", run, tmp_path / "good.png", tmp_path / "torn.png", "--strict")
    (tmp_path / "text.png").write_text("no picture")
    assert "text.png' is not an image" in refused("predict", run, tmp_path / "text.png")
    (tmp_path / "notes.txt").write_text("")
    assert "'.txt'" in refused("predict", run, tmp_path / "notes.txt")
    np.save(tmp_path / "nan.npy", np.full((8, 8), np.nan))
    assert "NaN" in refused("predict", run, tmp_path / "nan.npy")
    Image.fromarray(np.full((8, 8), 7.5, np.float32)).save(tmp_path / "loud.tif")
    assert "from 7.5 to 7.5" in refused("predict", run, tmp_path / "loud.tif")
    np.save(tmp_path / "line.npy", np.zeros(64))
    assert "(64,)" in refused("predict", run, tmp_path / "line.npy")


def test_a_picture_of_the_wrong_size_is_not_decoded(
    trained: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGBA", (5000, 4000)).save(tmp_path / "bomb.png")

    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    message = refused("predict", trained[0], tmp_path / "bomb.png")
    assert message == (
        f"'{tmp_path}/bomb.png' is 4000x5000, but the model takes images of 8x8: resize it, or say how with "
        "--fit crop, pad or stretch"
    )


def test_values_that_overflow_are_refused(
    trained: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuanvClassifier, "predict_proba", lambda _, X: np.full((len(X), 10), np.nan))
    np.save(tmp_path / "huge.npy", np.full((8, 8), 1e300))
    for form in ([], ["--json"]):
        message = refused("predict", trained[0], tmp_path / "huge.npy", *form)
        assert "huge.npy' has values from 1e+300 to 1e+300" in message
        assert message.endswith("bring it to the range of the training images, [0, 1]")


def test_labels_without_a_name_each_stand_for_themselves() -> None:
    model = SimpleNamespace(classes_=np.array([3, 5]), label_names_=["three"], multilabel_=False)
    assert _predict._answers(model, ["a.png"], [np.array([[0.25, 0.75]])]).labels == ["3", "5"]


def test_the_channels_that_a_colour_model_needs_are_named(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    ok("train", write_npz(shape=(3, 4, 4)), "--epochs", 1, "--filters", 1, "--output", run)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "grey.png")
    message = (
        "grey.png' has 1 channel(s), but the model takes 3: give a picture in RGB, or an array of shape (n, 3, 4, 4)"
    )
    assert message in refused("predict", run, tmp_path / "grey.png")


def test_the_test_images_of_a_data_set_file_are_predicted(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", test_images=np.zeros((3, 4, 4), np.uint8), test_labels=np.zeros(3))
    run = tmp_path / "run"
    ok("train", write_npz(), "--epochs", 1, "--filters", 1, "--output", run)
    assert len(predictions(run, tmp_path / "set.npz")) == 3


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with pictures of ten digits in two folders."""
    folder = tmp_path / "pictures"
    for k, image in enumerate(load_dataset("digits").test_images[:10]):
        place = folder / ("odd" if k % 2 else "even")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(place / f"{k}.png")
    return folder


def table_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_folders_and_patterns(trained: tuple[Path, Result], pictures: Path, tmp_path: Path) -> None:
    for given in ([pictures], [pictures / "*" / "*.png"], [pictures / "even", pictures / "odd" / "*"]):
        ok("predict", trained[0], *given, "--output", tmp_path / "all.csv")
        rows = table_of(tmp_path / "all.csv")
        assert rows[0] == ["image", "label", "probability"]
        assert sorted(Path(row[0]).stem for row in rows[1:]) == [str(k) for k in range(10)]
    clf = quanvolve.load(trained[0])
    data = load_dataset("digits")
    expected = clf.predict(np.round(data.test_images[:10] * 255) / 255)
    assert {Path(row[0]).stem: row[1] for row in rows[1:]} == {str(k): str(label) for k, label in enumerate(expected)}
    (tmp_path / "empty").mkdir()
    assert "empty' is a folder without an image (.png, .jpg," in refused("predict", trained[0], tmp_path / "empty")
    assert "no file matches 'none*.png': check the pattern" in refused("predict", trained[0], "none*.png")


def test_a_wrong_file_is_named_and_the_rest_goes_on(
    trained: tuple[Path, Result], pictures: Path, tmp_path: Path
) -> None:
    (pictures / "torn.png").write_bytes((pictures / "even" / "0.png").read_bytes()[:60])
    (pictures / "empty.jpg").write_bytes(b"")
    Image.new("L", (30, 40)).save(pictures / "large.png")
    result = cli("predict", trained[0], pictures, "--output", tmp_path / "out" / "all.csv")
    assert (result.code, len(table_of(tmp_path / "out" / "all.csv"))) == (1, 11)
    lines = result.err.splitlines()
    for name, line in zip(("empty.jpg", "large.png", "torn.png"), lines, strict=False):
        assert name in line
    assert "resize it, or say how with --fit crop, pad or stretch" in lines[1]
    assert lines[3:] == ["quanvolve: 3 of 13 files could not be used, as the lines above say"]
    assert "empty.jpg" in refused("predict", trained[0], pictures, "--strict")
    result = cli("predict", trained[0], pictures / "torn.png", pictures / "empty.jpg")
    assert (result.code, len(result.err.splitlines())) == (2, 3)
    assert "none of the 2 files can be used: the lines above say why" in result.err


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_answers_are_written_to_files(trained: tuple[Path, Result], pictures: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"answers.{kind}"
    said = ok("predict", trained[0], pictures, "--output", path, "--top", 3, "--probabilities").out
    assert said == f"10 images -> {path}\n"
    found = predictions(trained[0], pictures)
    if kind == "json":
        assert json.loads(path.read_text())["predictions"] == found
        return
    names = ["label", "probability", "label_2", "probability_2", "label_3", "probability_3"]
    header = ["image", *names, *(f"p_{k}" for k in range(10))]
    if kind == "csv":
        rows = table_of(path)
        assert rows[0] == header
        cells = [dict(zip(header, row, strict=True)) for row in rows[1:]]
    else:
        cells = pyarrow.parquet.read_table(path).to_pylist()
        assert list(cells[0]) == header
    for row, one in zip(cells, found, strict=True):
        order = sorted(one["probabilities"].items(), key=lambda item: -item[1])
        assert (row["image"], row["label"]) == (one["name"], one["label_name"])
        assert [row["label"], row["label_2"], row["label_3"]] == [label for label, _ in order[:3]]
        assert [float(row[f"p_{label}"]) for label, _ in order] == [p for _, p in order]


def test_what_cannot_be_written_is_refused_before_any_work(trained: tuple[Path, Result], pictures: Path) -> None:
    message = refused("predict", "no run", pictures, "--output", "answers.xlsx")
    assert message == "'answers.xlsx' must end with one of .csv, .parquet, .json, which says what is written"
    assert "--fit (='ccc') must be one of" in refused("predict", trained[0], pictures, "--fit", "ccc")


def test_pictures_of_any_size_and_ink_on_paper(trained: tuple[Path, Result], tmp_path: Path) -> None:
    digit = np.round(load_dataset("digits").test_images[0] * 255).astype(np.uint8)
    large = Image.fromarray(digit).resize((80, 80), Image.Resampling.NEAREST)
    large.save(tmp_path / "large.png")
    Image.fromarray(255 - digit).save(tmp_path / "ink.png")
    Image.fromarray(digit).save(tmp_path / "digit.png")
    expected = predictions(trained[0], tmp_path / "digit.png")[0]
    for fit in ("crop", "pad", "stretch"):
        (found,) = ok("predict", trained[0], tmp_path / "large.png", "--fit", fit, "--json").json["predictions"]
        assert found["label"] == expected["label"]
    inverted = ok("predict", trained[0], tmp_path / "ink.png", "--invert", "--json").json["predictions"][0]
    assert inverted["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
    result = cli("predict", trained[0], tmp_path / "ink.png")
    assert result.code == 0
    assert result.err == (
        "quanvolve: warning: the pictures are dark on bright, but the model was fitted on images that are bright on "
        "dark: give --invert\n"
    )


def test_thousands_of_files_are_read_in_blocks(
    trained: tuple[Path, Result], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quanvolve.runs._predictions.BLOCK", 4)
    monkeypatch.setattr(_predict, "_MANY", 10)
    result = ok("predict", trained[0], pictures, "--output", tmp_path / "all.csv")
    assert result.out.splitlines()[:3] == ["4 of 10 files done", "8 of 10 files done", "10 of 10 files done"]
    assert len(table_of(tmp_path / "all.csv")) == 11


def test_rows_of_features(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    X, y = random.random((60, 5)), random.random(60)
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    np.save(tmp_path / "new.npy", X[:3])
    ok("train", tmp_path / "rows.npz", "--epochs", 1, "--output", tmp_path / "run", "--quiet")
    found = predictions(tmp_path / "run", tmp_path / "new.npy")
    expected = quanvolve.load(tmp_path / "run").predict(X[:3])
    assert [one["prediction"] for one in found] == pytest.approx(expected)
    lines = ok("predict", tmp_path / "run", tmp_path / "new.npy").out.splitlines()
    assert (lines[0].split(), len(lines)) == (["image", "prediction"], 4)
    several = np.random.default_rng(0).integers(0, 2, (60, 3))
    np.savez(tmp_path / "labels.npz", X=X.reshape(60, 1, 5), y=several)
    ok("train", tmp_path / "labels.npz", "--kernel-size", 1, "--epochs", 1, "--output", tmp_path / "many", "--quiet")
    ok("predict", tmp_path / "many", tmp_path / "new.npy", "--output", tmp_path / "labels.csv")
    rows = table_of(tmp_path / "labels.csv")
    assert rows[0] == ["image", "labels", "p_0", "p_1", "p_2"]
    chosen = [";".join(str(k) for k in range(3) if float(row[2 + k]) > 0.5) or "none" for row in rows[1:]]
    assert [row[1].replace(" ", "") for row in rows[1:]] == chosen
