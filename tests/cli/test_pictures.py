"""Folders of pictures on the command line: from files of any size to a model, and from other files to predictions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import quanvolve
from quanvolve import load_dataset
from quanvolve.data import Preparation
from quanvolve.runs import TrainOptions, read_run
from tests.cli.conftest import Result, ok, refused


def picture(kind: str, number: int, mode: str = "RGB") -> Image.Image:
    """Bright at the left or at the right, of another size each time."""
    rng = np.random.default_rng(number)
    size = (30 + number % 7, 40 + number % 5)
    array = rng.integers(0, 60, (*size, 3), dtype=np.uint8)
    half = slice(0, size[1] // 2) if kind == "left" else slice(size[1] // 2, None)
    array[:, half] += 150
    return Image.fromarray(array).convert(mode)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds of pictures. Not to be changed."""
    folder = tmp_path_factory.mktemp("photos") / "photos"
    for kind in ("left", "right"):
        (folder / kind).mkdir(parents=True)
        for number in range(20):
            picture(kind, number).save(folder / kind / f"{number}.{'png' if number % 2 else 'jpg'}", quality=95)
    return folder


@pytest.fixture(scope="session")
def of_photos(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run on them, and what its training printed. Not to be changed."""
    folder = tmp_path_factory.mktemp("of_photos") / "run"
    how = ("--image-size", "8x10", "--fit", "stretch", "--grayscale")
    return folder, ok("train", photos, *how, "--epochs", 8, "--lr", 0.05, "--output", folder)


def test_from_photographs_to_a_model(of_photos: tuple[Path, Result], photos: Path) -> None:
    folder, _ = of_photos
    options = json.loads((folder / "run.json").read_text())["options"]
    asked = {"image_size": "8x10", "fit": "stretch", "grayscale": True, "label": None}
    assert {name: options[name] for name in asked} == asked
    clf = quanvolve.load(folder)
    assert clf.preparation_ == Preparation((8, 10), "stretch", 1)
    assert clf.image_shape_ == (1, 8, 10)
    data = load_dataset(photos, image_size=(8, 10), fit="stretch", grayscale=True)
    assert json.loads((folder / "metrics.json").read_text())["n_test"] == len(data.test_labels) == 8
    assert clf.score(data.test_images, data.test_labels) == 1.0


def test_prediction_does_the_same_again(of_photos: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = of_photos
    files = []
    for number, mode in enumerate(("RGB", "L", "RGBA", "P", "CMYK")):
        for kind in ("left", "right"):
            files.append(tmp_path / f"{kind}-{mode}.{'tif' if mode == 'CMYK' else 'png'}")
            picture(kind, 100 + number, mode).resize((300, 211)).save(files[-1])
    predictions = ok("predict", folder, *files, "--json").json["predictions"]
    assert [one["label"] for one in predictions] == [path.name.partition("-")[0] for path in files]
    clf = quanvolve.load(folder)
    for one, path in zip(predictions, files, strict=True):
        with Image.open(path) as opened:
            expected = clf.predict_proba(clf.preparation_.array(opened)[None])[0]
        assert list(one["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    np.save(tmp_path / "array.npy", np.zeros((1, 9, 9)))
    assert "is 9x9, but the model takes images of 8x10" in refused("predict", folder, tmp_path / "array.npy")
    (tmp_path / "empty.png").write_bytes(b"")
    assert "empty.png' is not an image" in refused("predict", folder, tmp_path / "empty.png")


def test_evaluation_reads_the_folder_in_the_same_way(
    of_photos: tuple[Path, Result], photos: Path, tmp_path: Path
) -> None:
    folder, _ = of_photos
    assert ok("evaluate", folder).out.startswith("test accuracy 1.0000 (8 of 8)\n")
    # Also another folder, of another size.
    for kind in ("left", "right"):
        (tmp_path / "more" / kind).mkdir(parents=True)
        for number in range(10):
            picture(kind, 200 + number, "L").resize((90, 80)).save(tmp_path / "more" / kind / f"{number}.png")
    assert ok("evaluate", folder, tmp_path / "more", "--json").json["n_test"] == 4
    assert "wrote" in ok("explain", folder, "--output", tmp_path / "page.html").out


def test_a_model_of_colours_takes_grey_pictures(photos: Path, tmp_path: Path) -> None:
    ok("train", photos, "--image-size", 6, "--backbone", "none", "--epochs", 1, "--output", tmp_path / "run")
    assert quanvolve.load(tmp_path / "run").preparation_ == Preparation((6, 6), "crop", 3)
    for kind in ("left", "right"):
        (tmp_path / "grey" / kind).mkdir(parents=True)
        for number in range(5):
            picture(kind, number, "L").save(tmp_path / "grey" / kind / f"{number}.png")
    assert ok("evaluate", tmp_path / "run", tmp_path / "grey", "--json").json["n_test"] == 2
    file = tmp_path / "grey" / "left" / "0.png"
    assert len(ok("predict", tmp_path / "run", file, "--json").json["predictions"]) == 1


def test_a_run_is_continued_with_its_options(photos: Path, tmp_path: Path) -> None:
    ok("train", photos, "--image-size", 6, "--backbone", "none", "--epochs", 1, "--output", tmp_path / "run")
    for name in ("metrics.json", "config.json"):
        (tmp_path / "run" / name).unlink()
    ok("train", photos, "--image-size", 6, "--output", tmp_path / "run", "--resume")
    assert quanvolve.load(tmp_path / "run").preparation_ == Preparation((6, 6), "crop", 3)
    message = refused("train", "--image-size", 7, "--output", tmp_path / "run", "--resume")
    assert message.startswith("--image-size 7 was given, but the run in")
    assert "has --image-size 6: leave it out" in message


def test_runs_from_before_there_were_pictures(run: Path) -> None:
    path = run / "run.json"
    content = json.loads(path.read_text())
    for name in ("image_size", "fit", "grayscale", "label", "columns", "channels", "task"):
        del content["options"][name]
    path.write_text(json.dumps(content))
    assert read_run(run).options == TrainOptions(epochs=3)
    ok("evaluate", run)


def test_models_from_before_there_were_preparations(run: Path) -> None:
    from quanvolve.estimators._save import config_digest

    path = run / "config.json"
    config = json.loads(path.read_text())
    assert config.pop("preparation") is None
    path.write_text(json.dumps({**config, "config_sha256": config_digest(config)}))
    assert quanvolve.load(run).preparation_ is None


@pytest.mark.parametrize(
    ("preparation", "said"),
    [
        ({"size": [8, 10]}, "the preparation of pictures is {'size': [8, 10]}, expected size, fit and channels"),
        ({"size": [9, 9], "fit": "crop", "channels": 1}, "it prepares pictures as 9x9 (crop), grey, but takes images"),
        ({"size": [8, 10], "fit": "crop", "channels": 3}, "it prepares pictures as 8x10 (crop), colour, but takes"),
        ("crop", "the preparation of pictures is crop"),
    ],
)
def test_damaged_preparations(of_photos: tuple[Path, Result], tmp_path: Path, preparation: object, said: str) -> None:
    from quanvolve.estimators._save import config_digest

    run = Path(shutil.copytree(of_photos[0], tmp_path / "run"))
    config = {**json.loads((run / "config.json").read_text()), "preparation": preparation}
    (run / "config.json").write_text(json.dumps({**config, "config_sha256": config_digest(config)}))
    message = refused("evaluate", run)
    assert "run is not a valid model: " in message
    assert said in message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give the height and width that all are brought to, such as --image-size 28"),
        (
            ["--image-size", "large"],
            "--image-size large is not a number of pixels, or a height and a width, such as 28",
        ),
        (["--image-size", "0"], "--image-size 0 is not a number of pixels"),
        (["--image-size", "8x8x8"], "--image-size 8x8x8 is not a number of pixels"),
        (["--image-size", "8", "--fit", "zoom"], "--fit (='zoom') must be one of 'crop', 'pad', 'stretch'"),
        (["--image-size", "8", "--label", "kind"], "--label kind names a column, but"),
    ],
)
def test_what_is_refused_names_the_options(photos: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    assert said in refused("train", photos, *arguments, "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image-size", "8"], "--image-size has no meaning for 'digits', which does not consist of picture files"),
        (["--fit", "pad"], "--fit has no meaning for 'digits'"),
        (["--grayscale"], "--grayscale has no meaning for 'digits'"),
        (["--label", "kind"], "--label kind has no meaning for 'digits', whose labels are known"),
    ],
)
def test_what_has_no_meaning_is_refused(
    write_npz: Callable[..., Path], tmp_path: Path, arguments: list[str], said: str
) -> None:
    assert said in refused("train", "digits", *arguments, "--output", tmp_path / "run")
    if "--label" not in arguments:
        own = said.replace("digits", "sides")
        assert own in refused("train", write_npz(), *arguments, "--output", tmp_path / "run")


def test_a_damaged_file_is_named_while_the_others_are_trained_on(photos: Path, tmp_path: Path) -> None:
    from tests.cli.conftest import cli

    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    (folder / "left" / "cut.jpg").write_bytes((folder / "left" / "0.jpg").read_bytes()[:300])
    how = ("--image-size", 6, "--backbone", "none", "--epochs", 1, "--quiet")
    result = cli("train", folder, *how, "--output", tmp_path / "run")
    assert result.code == 0
    assert result.err.startswith("quanvolve: warning: 1 of 41 pictures in ")
    assert "cut.jpg' is a damaged image" in result.err
    assert result.err.count("\n") == 1
