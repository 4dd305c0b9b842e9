"""CIFAR-10 and CIFAR-100 in their binary form, unpacked and packed; the form for Python is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_dataset
from tests.data import made

DataError = _errors.DataError
IMAGES = made.colour(9)
LABELS = np.array([0, 9, 3, 4, 5, 6, 7, 8, 1])
FINE = np.array([0, 99, 42, 4, 5, 6, 7, 8, 1])


def ten() -> dict[str, bytes]:
    parts = {f"data_batch_{i}.bin": made.cifar(IMAGES[i : i + 2], LABELS[i : i + 2]) for i in (1, 3, 5)}
    return {**parts, "test_batch.bin": made.cifar(IMAGES[7:], LABELS[7:]), "batches.meta.txt": b"airplane\n"}


def hundred() -> dict[str, bytes]:
    train, test = (made.cifar(IMAGES[part], FINE[part] // 5, FINE[part]) for part in (slice(7), slice(7, 9)))
    return {"train.bin": train, "test.bin": test, "fine_label_names.txt": b"apple\n"}


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_ten_classes(tmp_path: Path) -> None:
    folder = unpack(ten(), tmp_path / "here" / "cifar-10-batches-bin")
    packed = tmp_path / "cifar-10-binary.tar.gz"
    packed.write_bytes(made.tarred({f"cifar-10-batches-bin/{name}": content for name, content in ten().items()}))
    for path in (folder, folder.parent, folder / "data_batch_3.bin", folder / "test_batch.bin", packed):
        data = load_dataset(path)
        np.testing.assert_array_equal(data.train_images, IMAGES[1:7])
        np.testing.assert_array_equal(data.test_images, IMAGES[7:])
        assert data.train_labels.tolist() == LABELS[1:7].tolist()
        assert data.train_labels.dtype == np.int64
        assert (data.name, data.class_names[:2], len(data.class_names)) == ("cifar10", ("airplane", "automobile"), 10)


def test_the_hundred_classes(tmp_path: Path) -> None:
    folder = unpack(hundred(), tmp_path / "cifar-100-binary")
    packed = tmp_path / "cifar-100-binary.tar.gz"
    packed.write_bytes(made.tarred({f"cifar-100-binary/{name}": content for name, content in hundred().items()}))
    for path in (folder, tmp_path, folder / "train.bin", packed):
        data = load_dataset(path)
        np.testing.assert_array_equal(data.train_images, IMAGES[:7])
        assert (data.train_labels.tolist(), data.test_labels.tolist()) == (FINE[:7].tolist(), FINE[7:].tolist())
        assert (data.name, data.class_names[0], data.class_names[99]) == ("cifar100", "apple", "worm")
        assert len(set(data.class_names)) == 100


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test_batch.bin", b"", "test_batch.bin' is empty: get the file again"),
        ("test_batch.bin", ten()["test_batch.bin"][:-1], "has 6145 bytes, expected a multiple of 3073, as each image"),
        (
            "data_batch_1.bin",
            b"\x0a" + bytes(3072),
            "data_batch_1.bin' holds the label 10, expected 0 to 9: check that",
        ),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(unpack({**ten(), name: content}, tmp_path / "a"))
    files = {f"x/{key}": value for key, value in {**ten(), name: content}.items()}
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(made.tarred(files))
    with pytest.raises(DataError, match=rf"`{name}` in '.*cifar-10-binary.tar.gz' (has|holds)"):
        load_dataset(tmp_path / "cifar-10-binary.tar.gz")


def test_labels_of_groups(tmp_path: Path) -> None:
    files = {**hundred(), "test.bin": made.cifar(IMAGES[:1], np.array([20]), np.array([3]))}
    with pytest.raises(DataError, match=r"test\.bin' holds the label 20, expected 0 to 19"):
        load_dataset(unpack(files, tmp_path / "a"))


def test_files_that_lack(tmp_path: Path) -> None:
    whole = ten()
    folder = unpack({"data_batch_1.bin": whole["data_batch_1.bin"]}, tmp_path / "a")
    with pytest.raises(DataError, match=r"'.*a' lacks test_batch\.bin: get cifar-10-binary\.tar\.gz and unpack it"):
        load_dataset(folder / "data_batch_1.bin")
    folder = unpack({"test.bin": hundred()["test.bin"]}, tmp_path / "b")
    with pytest.raises(DataError, match=r"'.*b' lacks train\.bin: get cifar-100-binary\.tar\.gz and unpack it"):
        load_dataset(folder / "test.bin")


@pytest.mark.parametrize("content", [b"", b"hello", made.tarred(ten())[:500], made.tarred(ten())[:-20]])
def test_a_damaged_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"cifar-10-binary\.tar\.gz' cannot be read \(.*\): it is damaged, get it again"
    ):
        load_dataset(path)


class Trap:
    """Raises where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise AssertionError('unpickled')",)


def test_pickles_are_refused(tmp_path: Path) -> None:
    trap = pickle.dumps({"data": Trap()}, protocol=2)
    python = unpack({"data_batch_1": trap, "test_batch": trap, "batches.meta": trap}, tmp_path / "a")
    hundred_ = unpack({"train": trap, "test": trap, "meta": trap}, tmp_path / "b" / "cifar-100-python")
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(made.tarred({"cifar-10-batches-py/data_batch_1": trap}))
    for path in (python, python / "data_batch_1", tmp_path / "cifar-10-python.tar.gz"):
        with pytest.raises(
            DataError, match=r"form for Python, pickled objects, .* get cifar-10-binary\.tar\.gz in its"
        ):
            load_dataset(path)
    for path in (hundred_, hundred_.parent):
        with pytest.raises(DataError, match=r"never loaded: get cifar-100-binary\.tar\.gz in its place"):
            load_dataset(path)
    renamed = unpack({**ten(), "data_batch_1.bin": trap}, tmp_path / "c")
    with pytest.raises(DataError, match=r"data_batch_1\.bin' is CIFAR in its form for Python, pickled objects"):
        load_dataset(renamed)
