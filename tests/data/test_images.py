"""Single images: what each kind of picture and array becomes, and what is refused."""

import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quanvolve import _errors
from quanvolve.data import read_images

DataError = _errors.DataError
RNG = np.random.RandomState(0)
GREY = RNG.randint(0, 256, (5, 7)).astype(np.uint8)
COLOUR = RNG.randint(0, 256, (5, 7, 3)).astype(np.uint8)


def one(path: Path) -> np.ndarray:
    (image,) = read_images([path])
    assert image.name == str(path)
    return image.pixels


@pytest.mark.parametrize("kind", ["png", "PNG", "bmp", "tif", "tiff", "pgm", "gif"])
def test_grey(tmp_path: Path, kind: str) -> None:
    Image.fromarray(GREY).save(tmp_path / f"a.{kind}")
    pixels = one(tmp_path / f"a.{kind}")
    assert pixels.dtype == np.uint8
    if kind == "gif":  # Its pixels are indices into a table of colours.
        assert pixels.shape == (3, 5, 7)
        pixels = pixels[0]
    np.testing.assert_array_equal(pixels, GREY)
    pixels[0, 0] = 1  # Writable.


@pytest.mark.parametrize("kind", ["png", "bmp", "tif", "ppm", "webp"])
def test_colour(tmp_path: Path, kind: str) -> None:
    Image.fromarray(COLOUR).save(tmp_path / f"a.{kind}", **({"lossless": True} if kind == "webp" else {}))
    pixels = one(tmp_path / f"a.{kind}")
    assert pixels.shape == (3, 5, 7)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.moveaxis(COLOUR, 2, 0))


@pytest.mark.parametrize("kind", ["jpg", "jpeg"])
def test_jpeg(tmp_path: Path, kind: str) -> None:
    smooth = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (16, 1))
    Image.fromarray(smooth).save(tmp_path / f"a.{kind}", quality=95)
    assert np.abs(one(tmp_path / f"a.{kind}").astype(int) - smooth).max() <= 5
    Image.fromarray(smooth).convert("CMYK").save(tmp_path / f"b.{kind}")
    assert one(tmp_path / f"b.{kind}").shape == (3, 16, 16)


def test_extension_may_name_another_kind(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(one(tmp_path / "a.jpg"), GREY)


def test_transparency_is_laid_on_black(tmp_path: Path) -> None:
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 51, 128]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert one(tmp_path / "a.png")[:, 0].T.tolist() == [[200, 100, 50], [0, 0, 0], [100, 50, 26]]
    Image.fromarray(rgba[..., [0, 3]]).save(tmp_path / "b.png")
    assert one(tmp_path / "b.png").tolist() == [[200, 0, 100]]


def test_palette_and_bits(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).quantize(16).save(tmp_path / "p.png")
    expected = np.asarray(Image.fromarray(COLOUR).quantize(16).convert("RGB"))
    np.testing.assert_array_equal(one(tmp_path / "p.png"), np.moveaxis(expected, 2, 0))
    Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P").save(tmp_path / "t.png", transparency=0)
    assert one(tmp_path / "t.png").shape == (3, 2, 2)
    Image.fromarray(GREY > 100).save(tmp_path / "b.png")
    np.testing.assert_array_equal(one(tmp_path / "b.png"), np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bits(tmp_path: Path, kind: str) -> None:
    deep = np.array([[0, 1, 256], [32768, 65534, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / f"a.{kind}")
    pixels = one(tmp_path / f"a.{kind}")
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, deep / 65535, rtol=1e-6)
    assert pixels.max() == 1


def test_deeper_pictures(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 70000]], np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif' holds grey values from 0 to 70000, expected 0 to 65535"):
        read_images(tmp_path / "a.tif")
    Image.fromarray(np.array([[0.5, -3]], np.float32)).save(tmp_path / "b.tif")
    assert one(tmp_path / "b.tif").tolist() == [[0.5, -3]]
    Image.fromarray(np.array([[0.5, np.nan]], np.float32)).save(tmp_path / "c.tif")
    with pytest.raises(DataError, match=r"c\.tif' holds 1 NaN or infinite pixel out of 2, expected finite"):
        read_images(tmp_path / "c.tif")


@pytest.mark.parametrize(
    ("shape", "each"),
    [
        ((4, 8), None),
        ((2, 4, 8), (4, 8)),
        ((2, 3, 4, 8), (3, 4, 8)),
        ((2, 4, 8, 3), (3, 4, 8)),
        ((2, 5, 8, 1), (1, 5, 8)),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_arrays(tmp_path: Path, shape: tuple[int, ...], each: tuple[int, ...] | None, kind: str) -> None:
    array, path = RNG.random_sample(shape), tmp_path / f"a.{kind}"
    if shape == (2, 4, 8, 3):
        array = np.moveaxis(RNG.random_sample((2, 3, 5, 8)), 1, 3)
        each = (3, 5, 8)
    np.save(path, array) if kind == "npy" else np.savez(path, whatever=array)
    images = read_images(path)
    assert [image.name for image in images] == ([str(path)] if each is None else [f"{path}[0]", f"{path}[1]"])
    assert [image.pixels.shape for image in images] == ([shape] if each is None else [each] * 2)
    np.testing.assert_array_equal(np.sort(images[-1].pixels, None), np.sort(array if each is None else array[1], None))


@pytest.mark.parametrize("key", ["images", "X", "x"])
def test_key_of_npz(tmp_path: Path, key: str) -> None:
    np.savez(tmp_path / "a.npz", **{"labels": np.arange(3), key: np.zeros((3, 2, 2))})
    assert len(read_images(tmp_path / "a.npz")) == 3


def test_several_files_in_order(tmp_path: Path) -> None:
    np.save(tmp_path / "n.npy", np.zeros((2, 3, 3)))
    Image.fromarray(GREY).save(tmp_path / "a.png")
    images = read_images([str(tmp_path / "n.npy"), tmp_path / "a.png"])
    assert [Path(image.name).name for image in images] == ["n.npy[0]", "n.npy[1]", "a.png"]
    assert read_images([]) == []


def test_damaged_pictures(tmp_path: Path) -> None:
    noise = Image.fromarray(RNG.randint(0, 256, (64, 64, 3)).astype(np.uint8))
    for kind in ("png", "jpg", "bmp", "gif", "tif", "webp", "ppm"):
        path = tmp_path / f"a.{kind}"
        noise.save(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(
            DataError, match=rf"^'.*a\.{kind}' is (a damaged image \(.+\): get|not an image of a known)"
        ):
            read_images([path])
        path.write_bytes(b"hello" + content)
        with pytest.raises(DataError, match=rf"a\.{kind}' is not an image of a known kind \(BMP, GIF, JPEG, PNG,"):
            read_images([path])
        path.write_bytes(b"")
        with pytest.raises(DataError, match="is not an image of a known kind"):
            read_images([path])


def test_no_program_is_started_for_exotic_formats(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(DataError, match="is not an image of a known kind"):
        read_images(tmp_path / "a.png")


def flat_png(width: int, height: int) -> bytes:
    """A PNG file that claims a size without having the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "claimed"),
    [((4001, 4000), "4001x4000"), ((10000, 10000), "10000x10000"), ((60000, 60000), "over 178956970")],
)
def test_too_many_pixels(tmp_path: Path, size: tuple[int, int], claimed: str) -> None:
    (tmp_path / "a.png").write_bytes(flat_png(*size))
    with pytest.raises(DataError, match=rf"a\.png' has {claimed} pixels, expected at most 16 megapixels: make it"):
        read_images(tmp_path / "a.png")


def test_another_size_than_the_model_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 5, 7)))
    for name in ("a.png", "a.npy"):
        assert read_images(tmp_path / name, size=(5, 7))[0].pixels.shape == (3, 5, 7)
    with pytest.raises(DataError, match=r"a\.npy\[0\]' is 3x5x7, but the model takes images of 7x5: resize it$"):
        read_images(tmp_path / "a.npy", size=(7, 5))

    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with pytest.raises(DataError, match=r"a\.png' is 5x7, but the model takes images of 7x5: resize it$"):
        read_images(tmp_path / "a.png", size=(7, 5))


def test_transparency_in_full(tmp_path: Path) -> None:
    """Every colour with every opacity, rounded as exact arithmetic does, and without much memory for it."""
    colour, opacity = (part.astype(np.uint8) for part in np.mgrid[:256, :256])
    expected = ((colour.astype(int) * opacity + 127) // 255).astype(np.uint8)
    Image.fromarray(np.stack([colour, 255 - colour, colour, opacity], axis=2)).save(tmp_path / "c.png")
    Image.fromarray(np.stack([colour, opacity], axis=2)).save(tmp_path / "g.png")
    assert one(tmp_path / "c.png").shape == (3, 256, 256)
    np.testing.assert_array_equal(one(tmp_path / "c.png")[0], expected)
    np.testing.assert_array_equal(one(tmp_path / "c.png")[1], expected[::-1])
    np.testing.assert_array_equal(one(tmp_path / "g.png"), expected)
    tracemalloc.start()
    try:
        one(tmp_path / "c.png")
        assert tracemalloc.get_traced_memory()[1] < 16 * colour.size
    finally:
        tracemalloc.stop()


def test_too_large_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quanvolve.data._images.MAX_ARRAY_BYTES", 100)
    np.save(tmp_path / "a.npy", np.zeros((4, 4)))
    np.savez(tmp_path / "a.npz", np.zeros((4, 4)))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match="holds 128 bytes, expected at most 100: split it into smaller files"):
            read_images(tmp_path / name)


def test_refused_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for array, message in (
        (np.array([1, "a"], object), "holds pickled Python objects, which are never loaded"),
        (np.zeros(3), r"holds an array of shape \(3,\), expected \(H, W\), \(n, H, W\)"),
        (np.zeros((0, 3, 3)), r"has the shape \(0, 3, 3\) and so no pixel"),
        (np.full((2, 2), np.inf), "holds 4 NaN or infinite pixels out of 4"),
        (np.full((2, 2), "a"), "has the type <U1, expected integer or floating-point pixels"),
    ):
        np.save(path, array)
        with pytest.raises(DataError, match=rf"^'.*a\.npy' {message}"):
            read_images(path)
    path.write_bytes(b"hello")
    with pytest.raises(DataError, match=r"cannot be read as a .npy file"):
        read_images(path)
    np.savez(tmp_path / "b.npz", a=np.zeros((2, 2)), b=np.zeros((2, 2)))
    with pytest.raises(
        DataError,
        match=r"b\.npz' has the keys: a, b; expected one such as images, X, data, test_images, x_test, or one array",
    ):
        read_images(tmp_path / "b.npz")


def test_no_such_file(tmp_path: Path) -> None:
    for name, expected in (("a.png", "an image"), ("a.npy", "a .npy file"), ("a.npz", "an .npz file")):
        with pytest.raises(DataError, match=rf"{name}' does not exist, expected {expected}: check the path"):
            read_images(tmp_path / name)
    with pytest.raises(
        DataError, match=r"a\.svg' has the extension '\.svg', expected a file with one of: \.png, \.jpg"
    ):
        read_images(tmp_path / "a.svg")
    with pytest.raises(DataError, match="is a folder, expected a file with one of"):
        read_images(tmp_path)
    (tmp_path / "d.png").mkdir()
    with pytest.raises(DataError, match="is a folder, expected an image: name the files inside it"):
        read_images(tmp_path / "d.png")
