"""What is done to one picture: turned, laid on black, brought to 8 bits, to grey and to a size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quanvolve._errors import DataError
from quanvolve.data import Preparation, read_images
from quanvolve.data._preparation import FITS
from tests.data.pictures import claimed_png, damaged, painted


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_turned_as_the_camera_says(tmp_path: Path, orientation: int, ending: str) -> None:
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :15] = 255  # bright at the upper left
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.transpose(1, 0, 2),
        6: np.rot90(upright), 7: upright[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(upright, 3),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(ending, {})
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"a.{ending}", exif=exif, **how)
    with Image.open(tmp_path / f"a.{ending}") as picture:
        made = Preparation(None).array(picture)
    assert made.shape == (3, 20, 30)
    assert np.abs(made.astype(int) - upright.transpose(2, 0, 1)).mean() < 8
    with Image.open(tmp_path / f"a.{ending}") as picture:
        assert Preparation((10, 15)).array(picture)[:, 1, 1].min() > 240


def test_transparent_pixels_are_black_before_they_are_resized() -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, :4, 3] = 255
    made = Preparation((8, 8)).array(Image.fromarray(rgba))
    assert made[0, :, :4].min() == 200
    assert made[:, :, 4:].max() == 0
    grey = Image.fromarray(np.array([[7, 9]], np.uint8))
    grey.info["transparency"] = 9
    assert Preparation(None, "crop", 1).array(grey).tolist() == [[7, 0]]


@given(st.lists(st.integers(0, 65535), min_size=4, max_size=4))
def test_16_bits_become_the_nearest_of_8(values: list[int]) -> None:
    deep = np.array(values, np.uint16).reshape(2, 2)
    made = Preparation(None, "crop", 1).array(Image.fromarray(deep))
    np.testing.assert_array_equal(made, np.round(deep / 257).astype(np.uint8))
    assert (Preparation(None, "crop", 3).array(Image.fromarray(deep)) == made).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "I;16", "I"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fit", FITS)
def test_every_mode(mode: str, channels: int, fit: str) -> None:
    if mode.startswith("I"):
        picture = Image.fromarray((np.asarray(painted(1)).astype(np.int32) * 257).astype(np.uint16)).convert(mode)
    else:
        picture = painted(1, (8, 8), "RGB").convert(mode)
    made = Preparation((5, 4), fit, channels).array(picture)
    assert made.dtype == np.uint8
    assert made.shape == ((5, 4) if channels == 1 else (3, 5, 4))
    assert made.max() > 100


def test_fits() -> None:
    """A wide picture: its ends are cut off, there are bars above and below, or it is squeezed."""
    wide = np.full((10, 30), 200, np.uint8)
    wide[:, :10], wide[:, 20:] = 0, 0
    made = {fit: Preparation((10, 10), fit, 1).array(Image.fromarray(wide)) for fit in FITS}
    assert made["crop"].min() == 200
    assert made["pad"][0].max() == made["pad"][-1].max() == 0
    assert made["pad"][5, 5] == 200
    assert made["stretch"][:, 5].min() == 200
    assert made["stretch"][:, 0].max() == 0


@pytest.mark.parametrize("size", [(1100, 1500), (1500, 1100)])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wanted", [(28, 28), (64, 100), (500, 20)])
def test_large_jpegs_are_decoded_smaller_to_the_same_picture(
    tmp_path: Path, size: tuple[int, int], fit: str, wanted: tuple[int, int]
) -> None:
    blocks = painted(0, (9, 12), "RGB").resize(size[::-1], Image.Resampling.BICUBIC)
    blocks.save(tmp_path / "a.jpg", quality=95)
    preparation = Preparation(wanted, fit)
    with Image.open(tmp_path / "a.jpg") as picture:
        made = preparation.array(picture)
    with Image.open(tmp_path / "a.jpg") as picture:
        picture.load()  # whole
        whole = preparation.array(picture)
    assert np.abs(made.astype(int) - whole).max() <= 4
    assert np.abs(made.astype(int) - whole).mean() < 0.6


def test_what_phones_write(tmp_path: Path) -> None:
    """Two pictures in one JPEG file, and an orientation that cannot be read."""
    photo = painted(0, (9, 12), "RGB").resize((900, 700), Image.Resampling.BICUBIC)
    photo.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[painted(1, (700, 900), "RGB")])
    photo.save(tmp_path / "b.jpg", exif=b"Exif\x00\x00MM\x00*garbage of all kinds" + b"\xff" * 20)
    photo.save(tmp_path / "c.jpg", exif=b"Exif\x00\x00")
    images = read_images([tmp_path / f"{name}.jpg" for name in "abc"], preparation=Preparation((28, 36)))
    for image in images[1:]:
        np.testing.assert_array_equal(image.pixels, images[0].pixels)


def test_a_large_jpeg_takes_little_memory(tmp_path: Path) -> None:
    Image.new("RGB", (9000, 8000), (200, 100, 50)).save(tmp_path / "a.jpg")
    (image,) = read_images(tmp_path / "a.jpg", preparation=Preparation((28, 28)))
    assert np.abs(image.pixels.mean((1, 2)) - (200, 100, 50)).max() < 3


def test_files_of_any_size_are_prepared(tmp_path: Path) -> None:
    painted(0, (30, 40), "RGB").save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", np.zeros((2, 8, 8)))
    images = read_images(
        [tmp_path / "a.png", tmp_path / "a.npy"], size=(8, 8), preparation=Preparation((8, 8), "pad", 1)
    )
    assert [image.pixels.shape for image in images] == [(8, 8)] * 3
    assert images[0].pixels.dtype == np.uint8


@pytest.mark.parametrize("fault", sorted(damaged()))
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, fault: str) -> None:
    name, content, said = damaged()[fault]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"^'.*{name}'.* ?{said}") as caught:
        read_images(tmp_path / name, preparation=Preparation((8, 8)))
    assert "\n" not in str(caught.value)


def test_pictures_without_a_file_are_refused_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(claimed_png(9000, 9000))
    with (
        Image.open(tmp_path / "a.png") as picture,
        pytest.raises(DataError, match=r"^the picture has 9000x9000 pixels"),
    ):
        Preparation((8, 8)).array(picture)


@pytest.mark.parametrize(
    "preparation", [Preparation(None), Preparation((28, 30), "pad", 1), Preparation((1, 1), "stretch")]
)
def test_json(preparation: Preparation) -> None:
    assert Preparation.from_dict(json.loads(json.dumps(preparation.to_dict()))) == preparation


@pytest.mark.parametrize(
    "change",
    [
        {"size": 28}, {"size": [28]}, {"size": [28, 0]}, {"size": [28, 28.0]}, {"size": [True, 28]}, {"size": "28"},
        {"size": [10**6, 10**6]}, {"fit": "zoom"}, {"fit": None}, {"fit": []}, {"channels": 2}, {"channels": True},
        {"channels": 3.0}, {"more": 1},
    ],
)  # fmt: skip
def test_damaged_json(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"the preparation of pictures is .* it is damaged"):
        Preparation.from_dict({"size": [28, 28], "fit": "crop", "channels": 1, **change})
    for other in (None, [], "crop", {}):
        with pytest.raises(DataError, match="it is damaged"):
            Preparation.from_dict(other)
