"""`.npz` data sets: the key names, the split, and everything that is refused."""

import io
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_npz

DataError = _errors.DataError
RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (20, 5, 6)).astype(np.uint8)
LABELS = np.arange(20) % 4


def save(folder: Path, **arrays: object) -> Path:
    path = folder / "things.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "keys",
    [
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
    ],
)
def test_split_in_the_file(tmp_path: Path, keys: tuple[str, ...]) -> None:
    arrays = dict(zip(keys, (IMAGES[:15], LABELS[:15], IMAGES[15:], LABELS[15:]), strict=True))
    data = load_npz(save(tmp_path, **arrays, val_images=IMAGES))
    np.testing.assert_array_equal(data.train_images, IMAGES[:15])
    np.testing.assert_array_equal(data.test_labels, LABELS[15:])
    assert data.train_images.dtype == np.uint8
    assert (data.name, data.class_names) == ("things", ("0", "1", "2", "3"))


@pytest.mark.parametrize("keys", [("images", "labels"), ("X", "y"), ("x", "y"), ("data", "target")])
def test_split_made_here(tmp_path: Path, keys: tuple[str, str]) -> None:
    data = load_npz(save(tmp_path, **dict(zip(keys, (IMAGES, LABELS), strict=True))))
    assert np.bincount(data.test_labels).tolist() == [1, 1, 1, 1]
    assert np.bincount(data.train_labels).tolist() == [4, 4, 4, 4]
    together = np.concatenate([data.train_images, data.test_images])
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in IMAGES)
    of_image = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    for image, label in zip(data.test_images, data.test_labels, strict=True):
        assert of_image[image.tobytes()] == label


def test_seed_fixes_the_split(tmp_path: Path) -> None:
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    first, same, other = load_npz(path), load_npz(path, seed=0), load_npz(path, seed=1)
    np.testing.assert_array_equal(first.test_images, same.test_images)
    assert not np.array_equal(first.test_images, other.test_images)


@pytest.mark.parametrize(
    ("labels", "n_test"),
    [
        ([0, 0], 1),  # The smallest.
        ([0, 1], 1),  # No class can be in both parts.
        ([0] * 9 + [1], 2),  # The single image of class 1 is trained with.
        ([0, 0, 0, 1, 1, 1, 2, 2, 2, 3], 2),
        (list(range(10)), 2),
        ([0] + [1] * 6 + [2, 3, 4], 2),  # The four single images have the largest remainders.
        ([0] * 50 + [1] * 3 + [2] * 7, 12),
    ],
)
def test_small_classes(tmp_path: Path, labels: list[int], n_test: int) -> None:
    images = np.arange(len(labels) * 4).reshape(-1, 2, 2)
    data = load_npz(save(tmp_path, images=images, labels=labels))
    assert len(data.test_labels) == n_test
    assert len(data.train_labels) == len(labels) - n_test
    if max(np.bincount(labels)) > 1:
        assert set(data.train_labels.tolist()) == set(labels)
    assert data.class_names == tuple(str(c) for c in sorted(set(labels)))


@pytest.mark.parametrize(
    ("shape", "loaded"),
    [
        ((10, 8, 8, 3), (3, 8, 8)),
        ((10, 8, 8, 1), (1, 8, 8)),
        ((10, 8, 9, 4), (4, 8, 9)),
        ((10, 3, 8, 8), (3, 8, 8)),
        ((10, 3, 8, 3), (3, 8, 3)),  # Both readings are possible: left alone.
        ((10, 2, 8, 8), (2, 8, 8)),
        ((10, 8, 8), (8, 8)),
        ((10, 64), (64,)),
    ],
)
def test_axes(tmp_path: Path, shape: tuple[int, ...], loaded: tuple[int, ...]) -> None:
    images = RNG.random_sample(shape)
    data = load_npz(save(tmp_path, X_train=images, y_train=np.arange(10), X_test=images, y_test=np.arange(10)))
    assert data.train_images.shape == (10, *loaded)
    if shape[1:] != loaded:
        np.testing.assert_array_equal(data.train_images[2, 0], images[2, :, :, 0])


@pytest.mark.parametrize(
    ("labels", "kind", "names"),
    [
        (["b", "a"] * 10, "U", ("a", "b")),
        (np.array([b"b", b"a"] * 10), "U", ("a", "b")),
        (np.array([2.0, 1.0] * 10), "i", ("1", "2")),
        (np.array([True, False] * 10), "i", ("0", "1")),
        (np.array([[3], [-1]] * 10), "i", ("-1", "3")),
    ],
)
def test_kinds_of_labels(tmp_path: Path, labels: object, kind: str, names: tuple[str, ...]) -> None:
    data = load_npz(save(tmp_path, images=IMAGES, labels=labels))
    assert data.train_labels.dtype.kind == kind
    assert data.class_names == names


def test_truth_values_become_numbers(tmp_path: Path) -> None:
    data = load_npz(save(tmp_path, images=IMAGES > 100, labels=LABELS))
    assert data.train_images.dtype == np.float32
    assert sorted(set(data.train_images.ravel().tolist())) == [0.0, 1.0]


NAN = np.where(np.arange(20 * 30).reshape(20, 5, 6) < 3, np.nan, 1.0)
NAN[5, 0, 0] = np.inf

REFUSED = {
    "NaN": (
        {"images": NAN, "labels": LABELS},
        "`images` in PATH holds 4 NaN or infinite pixels out of 600, expected finite",
    ),
    "text": (
        {"images": np.full((20, 2, 2), "x"), "labels": LABELS},
        "`images` in PATH has the type <U1, expected integer",
    ),
    "complex": (
        {"images": IMAGES * 1j, "labels": LABELS},
        "has the type complex128, expected integer or floating-point",
    ),
    "rank 1": (
        {"images": np.zeros(20), "labels": LABELS},
        "`images` in PATH has the shape (20,), expected (n, H, W)",
    ),
    "rank 5": (
        {"images": np.zeros((20, 1, 1, 1, 1)), "labels": LABELS},
        "has the shape (20, 1, 1, 1, 1), expected (n,",
    ),
    "empty": (
        {"images": IMAGES[:0], "labels": LABELS[:0]},
        "has the shape (0, 5, 6) and so no pixel, expected at least",
    ),
    "one image": ({"images": IMAGES[:1], "labels": LABELS[:1]}, "holds 1 image, expected at least 2"),
    "lengths": (
        {"X": IMAGES, "y": LABELS[:19]},
        "`y` in PATH has the shape (19,), expected (20,), one label for each",
    ),
    "one-hot": (
        {"X": IMAGES, "y": np.eye(20)},
        "`y` in PATH has the shape (20, 20), expected (20,), one label for",
    ),
    "fractions": (
        {"X": IMAGES, "y": LABELS / 2},
        "`y` in PATH has the type float64, expected classes as whole numbers",
    ),
    "NaN label": (
        {"X": IMAGES, "y": np.where(LABELS, 1, np.nan)},
        "`y` in PATH has the type float64, expected classes",
    ),
    "bytes": (
        {"X": IMAGES, "y": np.array([b"\xff", b"a"] * 10)},
        "`y` in PATH holds bytes that are no UTF-8 text",
    ),
    "objects": (
        {"X": IMAGES, "y": np.array([1, "a"] * 10, object)},
        "`y` in PATH holds pickled Python objects, which are never loaded: save an array of plain numbers or text",
    ),
    "sizes": (
        {"X_train": IMAGES, "y_train": LABELS, "X_test": IMAGES[:, 1:], "y_test": LABELS},
        "`X_test` in PATH holds images of shape (4, 6), expected (5, 6) as in `X_train`: make both equal",
    ),
    "label kinds": (
        {"X_train": IMAGES, "y_train": LABELS, "X_test": IMAGES, "y_test": np.array(["a", "b"] * 10)},
        "`y_test` in PATH holds text, expected whole numbers as in `y_train`: make both equal",
    ),
    "keys": (
        {"pictures": IMAGES, "classes": LABELS},
        "PATH has the keys: pictures, classes; expected one of: train_images, train_labels, test_images, test_labels; ",
    ),
    "case of keys": ({"X": IMAGES, "Y": LABELS}, "has the keys: X, Y; expected one of: "),
    "no keys": ({}, "PATH has the keys: none; expected one of: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    arrays, message = REFUSED[case]
    path = save(tmp_path, **arrays)
    with pytest.raises(DataError) as caught:
        load_npz(path)
    assert message.replace("PATH", repr(str(path))) in str(caught.value)
    assert "\n" not in str(caught.value)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text: str, version: int = 1) -> bytes:
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text.encode()


ARRAY = "{'descr': '|u1', 'fortran_order': False, 'shape': %s}"

DAMAGED = {
    "truncated": (
        npy(IMAGES)[:-1],
        r"is truncated: it holds 599 bytes of data, expected 600 for the shape \(20, 5, 6\)",
    ),
    "overlong": (npy(IMAGES) + b"\0", "is overlong: it holds 601 bytes of data, expected 600"),
    "absurd": (
        header(ARRAY % "(1000000000000, 1000)"),
        "is truncated: it holds 0 bytes of data, expected 1000000000000",
    ),
    "negative": (header(ARRAY % "(-1, 4)"), "is overlong: it holds 0 bytes of data, expected -4"),
    "not npy": (b"hello, here is no array", "cannot be read as an .npz file .*magic string is not correct"),
    "nothing": (b"", "cannot be read as an .npz file"),
    "half a header": (npy(IMAGES)[:40], "cannot be read as an .npz file"),
    "no header": (header("{'descr': (("), "cannot be read as an .npz file"),
    "huge header": (
        header(ARRAY % "(1,)" + " " * 20000, 2),
        "cannot be read as an .npz file .*it is damaged or",
    ),
    "version 3": (
        header("{}", 3),
        r"is in version \(3, 0\) of the .npy format, expected an array of plain numbers",
    ),
    "version 9": (header("{}", 9), r"is in version \(9, 0\) of the .npy format"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_member(tmp_path: Path, case: str) -> None:
    content, message = DAMAGED[case]
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", content)
        archive.writestr("labels.npy", npy(LABELS))
    with pytest.raises(DataError, match=message) as caught:
        load_npz(path)
    assert repr(str(path)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_zip_file(tmp_path: Path) -> None:
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    content = path.read_bytes()
    for broken in (b"", b"PK\x03\x04", content[:-30], npy(IMAGES)):
        path.write_bytes(broken)
        with pytest.raises(
            DataError, match=r"cannot be read as an .npz file \(File is not a zip file\): it is damaged"
        ):
            load_npz(path)
    damaged = bytearray(content)
    damaged[content.index(IMAGES.tobytes()) + 3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="Bad CRC-32"):
        load_npz(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'.*absent.npz' does not exist, expected an .npz file: check the path"):
        load_npz(tmp_path / "absent.npz")
    with pytest.raises(DataError, match=r"is a folder, expected an .npz file"):
        load_npz(tmp_path)


def test_memory_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*args: object, **kwargs: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np.lib.format, "read_array", exhausted)
    with pytest.raises(DataError, match=r"things\.npz' does not fit into the memory of this machine"):
        load_npz(save(tmp_path, images=IMAGES, labels=LABELS))


def test_compressed_file(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "z.npz", images=np.zeros((2, 300, 300)), labels=[0, 1])
    assert load_npz(tmp_path / "z.npz").train_images.shape == (1, 300, 300)


def test_claimed_size_is_not_believed(tmp_path: Path) -> None:
    """The directory of the zip file says that a few compressed bytes become 4 gigabytes."""
    path = tmp_path / "z.npz"
    np.savez_compressed(path, images=IMAGES, labels=LABELS)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"`images` in .* claims 4294967280 bytes but has .* too few for that"):
        load_npz(path)


def test_foreign_compression(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("images.npy", npy(IMAGES))
        archive.writestr("labels.npy", npy(LABELS))
    with pytest.raises(DataError, match=re.escape("is compressed in a way that NumPy does not write: save the file")):
        load_npz(tmp_path / "z.npz")
