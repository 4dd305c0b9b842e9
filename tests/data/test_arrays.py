"""`.npz` data sets: the key names, the split, and everything that is refused."""

import io
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_dataset, load_npz

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
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("train_data", "train_labels", "test_data", "test_labels"),
        ("training_images", "training_labels", "testing_images", "testing_labels"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("train_features", "train_targets", "test_features", "test_targets"),
        ("trainImages", "trainLabels", "testImages", "testLabels"),
        ("train-images", "train-labels", "test-images", "test-labels"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("Xtr", "ytr", "Xte", "yte"),
        ("train_imgs", "train_lbls", "test_imgs", "test_lbls"),
    ],
)
def test_split_in_the_file(tmp_path: Path, keys: tuple[str, ...]) -> None:
    arrays = dict(zip(keys, (IMAGES[:15], LABELS[:15], IMAGES[15:], LABELS[15:]), strict=True))
    data = load_npz(save(tmp_path, **arrays, val_images=IMAGES))
    assert data.notes == ("left alone: `val_images` (20, 5, 6)",)
    assert data.valid_images is None
    np.testing.assert_array_equal(data.train_images, IMAGES[:15])
    np.testing.assert_array_equal(data.test_labels, LABELS[15:])
    assert data.train_images.dtype == np.uint8
    assert (data.name, data.class_names) == ("things", ("0", "1", "2", "3"))


@pytest.mark.parametrize(
    "keys",
    [
        ("images", "labels"),
        ("X", "y"),
        ("x", "y"),
        ("X", "Y"),
        ("data", "target"),
        ("features", "label"),
        ("image", "label"),
        ("imgs", "labels"),
    ],
)
def test_split_made_here(tmp_path: Path, keys: tuple[str, str]) -> None:
    data = load_npz(save(tmp_path, **dict(zip(keys, (IMAGES, LABELS), strict=True))))
    assert np.bincount(data.test_labels).tolist() == [1, 1, 1, 1]
    assert np.bincount(data.train_labels).tolist() == [4, 4, 4, 4]
    together = np.concatenate([data.train_images, data.test_images])
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in IMAGES)
    of_image = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    for image, label in zip(data.test_images, data.test_labels, strict=True):
        assert of_image[image.tobytes()] == label


@pytest.mark.parametrize(
    "keys",
    [
        ("val_images", "val_labels"),
        ("x_val", "y_val"),
        ("X_valid", "y_valid"),
        ("validation_data", "validation_targets"),
        ("dev_images", "dev_labels"),
    ],
)
def test_arrays_for_validation(tmp_path: Path, keys: tuple[str, str]) -> None:
    given = {"train_images": IMAGES[:9], "train_labels": LABELS[:9], keys[0]: IMAGES[9:15], keys[1]: LABELS[9:15, None]}
    data = load_npz(save(tmp_path, **given, test_images=IMAGES[15:], test_labels=LABELS[15:]))
    np.testing.assert_array_equal(data.valid_images, IMAGES[9:15])
    np.testing.assert_array_equal(data.valid_labels, LABELS[9:15])
    assert (len(data.train_labels), len(data.test_labels)) == (9, 5)
    assert data.notes == (f"`{keys[0]}` (6 images) choose the best epoch",)
    data = load_npz(save(tmp_path, **given))
    assert (len(data.train_labels), len(data.valid_labels), len(data.test_labels)) == (7, 6, 2)
    assert data.notes[0] == "2 of 9 images became the test set (the same share of each class, seed 0)"
    assert len(load_npz(save(tmp_path, **given), test_fraction=0.5).test_labels) == 4


def test_what_is_left_alone_is_said(tmp_path: Path) -> None:
    others = {"x": IMAGES, "mean": 0.5, "people": np.array([{"name": "Ada"}]), "two\nlines": np.zeros((2, 3))}
    path = save(tmp_path, images=IMAGES, labels=LABELS, **others)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("packed.npy", npy(IMAGES), zipfile.ZIP_LZMA)
    assert load_npz(path).notes[-1] == (
        "left alone: `x` (20, 5, 6), `mean` (), `people` (pickled objects), `two lines` (2, 3), "
        "`readme.txt` (no array), `packed` (no array)"
    )
    assert len(load_npz(path).notes) == 2


@pytest.mark.parametrize(
    ("shape", "note"),
    [
        ((12, 8, 8, 3), "read with the channels last, 3 channels of 8x8"),
        ((12, 4, 4, 1), "read with the channels last, 1 channel of 4x4"),
        ((12, 28, 28, 2), 'read as 28 channels of 28x2; `channels="last"` if the channels come last'),
        (
            (12, 8, 8, 8),
            'read as 8 channels of 8x8; `channels="last"` if the channels come last; under the word `volumes`, as in '
            "`train_volumes`, they are read as volumes",
        ),
        ((12, 3, 8, 8), None),
        ((12, 8, 8), None),
        ((12, 64), None),
    ],
)
def test_the_order_of_axes_is_said(tmp_path: Path, shape: tuple[int, ...], note: str | None) -> None:
    images = RNG.random_sample(shape)
    found = load_npz(save(tmp_path, X_train=images, y_train=LABELS[:12], X_test=images, y_test=LABELS[:12]))
    assert found.notes == ((f"`X_train` {shape}: {note}",) if note else ())


@pytest.mark.parametrize("shape", [(12, 3, 32, 3), (12, 4, 4, 4), (12, 1, 28, 1), (12, 1, 3, 4)])
def test_axes_that_fit_both_orders_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    images = RNG.random_sample(shape)
    path = save(tmp_path, images=images, labels=LABELS[:12])
    with pytest.raises(
        DataError, match=r'which may be .* or .*: say `channels="first"` or `channels="last"`$'
    ) as caught:
        load_npz(path)
    assert str(shape) in str(caught.value)
    assert load_npz(path, channels="first").train_images.shape[1:] == shape[1:]
    for last in (load_npz(path, channels="last"), load_dataset(path, channels="last")):
        assert last.train_images.shape[1:] == (shape[3], shape[1], shape[2])
        assert last.train_images.flags.c_contiguous
    assert load_npz(save(tmp_path, images=images[:, 0], labels=LABELS[:12]), channels="last").notes[1:] == ()


def test_channels_of_series_and_volumes(tmp_path: Path) -> None:
    def read(key: str, shape: tuple[int, ...], channels: str = "auto") -> tuple[tuple[int, ...], str]:
        path = save(tmp_path, **{f"train_{key}": np.zeros(shape), "train_labels": LABELS[: len(shape) * 4]})
        data = load_npz(path, channels=channels)
        return data.train_images.shape[1:], data.notes[0]

    split = "2 of 12 images became the test set (the same share of each class, seed 0)"
    assert read("series", (12, 6, 100)) == ((6, 100), split)
    assert read("series", (12, 100, 1))[0] == (1, 100)
    shape, note = read("series", (12, 100, 6))
    assert shape == (100, 6)
    assert note.endswith('read as 100 channels of 6; `channels="last"` if the channels come last')
    assert read("series", (12, 100, 6), "last")[0] == (6, 100)
    split = split.replace("2 of 12", "4 of 20")
    assert read("volumes", (20, 3, 8, 8, 8)) == ((3, 8, 8, 8), split)
    assert read("volumes", (20, 8, 8, 8, 1))[0] == (1, 8, 8, 8)


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
        ((10, 1, 4, 4), (1, 4, 4)),  # 4 could be channels too, but then the images would be no squares.
        ((10, 4, 4, 3), (3, 4, 4)),
        ((10, 1, 1, 1), (1, 1, 1)),
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
    "several labels": (
        {"X": IMAGES, "y": np.zeros((20, 3))},
        "expected (20,), one label for each image of `X` in PATH: where each row has a single 1, keep labels.argmax(",
    ),
    "sizes for validation": (
        {"X_train": IMAGES, "y_train": LABELS, "X_val": IMAGES[:, 1:], "y_val": LABELS},
        "`X_val` in PATH holds images of shape (4, 6), expected (5, 6) as in `X_train`: make both equal",
    ),
    "labels for validation": (
        {"X_train": IMAGES, "y_train": LABELS, "X_val": IMAGES, "y_val": np.array(["a", "b"] * 10)},
        "`y_val` in PATH holds text, expected whole numbers as in `y_train`: make both equal",
    ),
    "no labels": (
        {"X_train": IMAGES, "X_test": IMAGES, "y_test": LABELS},
        "has the keys: X_train, X_test, y_test; exp",
    ),
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
