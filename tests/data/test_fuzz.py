"""Files of unknown origin: whatever is in them, they are read or refused, in one line and without a word beside it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quanvolve._errors import DataError
from quanvolve.data import load_dataset, load_npz, load_series, read_idx, read_images, write_idx
from quanvolve.data._libtiff import silence_libtiff
from tests.data import made

RNG = np.random.RandomState(0)
IMAGES = RNG.randint(0, 256, (6, 9, 9)).astype(np.uint8)


def _npz(compressed: bool) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, images=IMAGES, labels=np.array(["ä", "b\U0001f600"] * 3))
    return buffer.getvalue()


def _picture(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(IMAGES[0], (4, 4))).save(buffer, kind, **options)
    return buffer.getvalue()


def _idx() -> bytes:
    path = Path("images-idx3-ubyte")
    write_idx(path, IMAGES)
    content = path.read_bytes()
    path.unlink()
    return content


SERIES = b"# a comment\n@problemName Ramp\n@classLabel true up down\n@data\n0,1,2:3,4,5:up\n2,1,0:5,4,3:down\n"
ARFF = (
    b"% a comment\n@relation Ramp\n@attribute bag relational\n@attribute a numeric\n@end bag\n@attribute b {up,down}\n"
)
COLOUR = made.colour(3)
NAMES = ("Coffee_TRAIN.tsv", "Coffee_TEST.tsv")


FILES: dict[str, tuple[Callable[[], bytes], Callable[[Path], object]]] = {
    "a.npz": (lambda: _npz(False), load_npz),
    "b.npz": (lambda: _npz(True), load_npz),
    "idx": (_idx, read_idx),
    "idx.gz": (lambda: gzip.compress(_idx()), read_idx),
    "Ramp_TRAIN.ts": (lambda: SERIES, load_series),
    "Ramp_TRAIN.txt": (lambda: b"1 0.5 0.25\n2 0.75 1e3\n", load_series),
    "Ramp_TRAIN.tsv": (lambda: b"1\t0.5\t0.25\n2\t0.75\t1e3\n", load_dataset),
    "Ramp_TRAIN.arff": (lambda: ARFF + b"@data\n'0,1\\n2,3',up\n\"4,5\\n6,7\",'down'\n", load_dataset),
    "train-images-idx3-ubyte.gz": (lambda: made.idx(IMAGES), load_dataset),
    "train_32x32.mat": (lambda: made.mat(COLOUR[:, :, :4, :5], np.array([1, 10, 3])), load_dataset),
    "test_32x32.mat": (lambda: made.mat(COLOUR[:, :, :4, :5], np.array([1, 10, 3]), False), load_dataset),
    "data_batch_1.bin": (lambda: made.cifar(COLOUR[:2], np.array([1, 9])), load_dataset),
    "train.bin": (lambda: made.cifar(COLOUR[:2], np.array([1, 9]), np.array([1, 99])), load_dataset),
    "cifar-100-binary.tar.gz": (
        lambda: made.tarred({name: made.cifar(COLOUR[:1], *[np.array([1])] * 2) for name in ("train.bin", "test.bin")}),
        load_dataset,
    ),
    "usps.bz2": (lambda: made.usps(np.zeros((2, 16, 16)), np.array([0, 9])), load_dataset),
    "Coffee.zip": (
        lambda: made.zipped(dict.fromkeys(NAMES, b"1\t0.5\t0.25\n2\t0.75\t1e3\n")),
        lambda path: load_dataset("ucr/Coffee", data_dir=path.parent),
    ),
    "a.png": (lambda: _picture("PNG"), read_images),
    "a.jpg": (lambda: _picture("JPEG"), read_images),
    "a.gif": (lambda: _picture("GIF"), read_images),
    "a.webp": (lambda: _picture("WEBP"), read_images),
    "a.bmp": (lambda: _picture("BMP"), read_images),
    "a.pgm": (lambda: _picture("PPM"), read_images),
    **{
        f"{name}.tif": (lambda name=name: _picture("TIFF", compression=name), read_images)  # type: ignore[misc]
        for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    },
}


# The other files of a data set, which stay whole.
BESIDE: dict[str, tuple[tuple[str, Callable[[], bytes]], ...]] = {
    "train-images-idx3-ubyte.gz": (
        ("train-labels-idx1-ubyte.gz", lambda: made.idx(np.arange(6))),
        ("t10k-images-idx3-ubyte.gz", lambda: made.idx(IMAGES)),
        ("t10k-labels-idx1-ubyte.gz", lambda: made.idx(np.arange(6))),
    ),
    "train_32x32.mat": (("test_32x32.mat", FILES["test_32x32.mat"][0]),),
    "test_32x32.mat": (("train_32x32.mat", FILES["train_32x32.mat"][0]),),
    "data_batch_1.bin": (("test_batch.bin", FILES["data_batch_1.bin"][0]),),
    "train.bin": (("test.bin", FILES["train.bin"][0]),),
    "usps.bz2": (("usps.t.bz2", FILES["usps.bz2"][0]),),
    **{name: ((name.replace("TRAIN", "TEST"), make),) for name, (make, _) in FILES.items() if name.startswith("Ramp")},
}


def damaged(content: bytes, changes: list[tuple[float, int]], end: float) -> bytes:
    found = bytearray(content)
    for where, value in changes:
        found[int(where * (len(found) - 1))] = value
    return bytes(found[: max(1, int(end * len(found)))])


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, read = FILES[name]
    content, path = make(), tmp_path / name
    for other, make_other in BESIDE.get(name, ()):
        (tmp_path / other).write_bytes(make_other())
    path.write_bytes(content)
    read(path)
    share = st.floats(0, 1)
    said: list[str] = []

    @given(st.lists(st.tuples(share, st.integers(0, 255)), max_size=12), st.just(1.0) | share)
    def one(changes: list[tuple[float, int]], end: float) -> None:
        path.write_bytes(damaged(content, changes, end))
        try:
            read(path)
        except DataError as error:
            said.append(str(error))

    one()
    assert said
    assert [message for message in said if not message.isprintable()] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("number", [0xD800, 0xDFFF, 0x110000, 0xFFFFFFFF])
def test_labels_with_numbers_that_are_no_characters(number: int, order: str, tmp_path: Path) -> None:
    numbers = np.full((10, 3), ord("a"), f"{order}u4")
    numbers[4, 1] = number
    labels = numbers.view(f"{order}U3")[:, 0]
    np.savez(tmp_path / "x.npz", images=np.zeros((10, 4, 4)), labels=labels)
    message = rf"`labels` in '.*x\.npz' holds the number {number:#x} in place of a character, in label 4, which no text"
    with pytest.raises(DataError, match=message):
        load_npz(tmp_path / "x.npz")


def test_labels_of_any_characters_are_kept(tmp_path: Path) -> None:
    for labels in (["", "\0", "\ud7ff", "\U0010ffff"] * 3, [""] * 12):
        np.savez(tmp_path / "x.npz", images=np.zeros((12, 4, 4)), labels=np.array(labels))
        found = load_npz(tmp_path / "x.npz")
        assert len(found.train_labels) + len(found.test_labels) == 12


def test_libtiff_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert silence_libtiff()
    content = bytearray(_picture("TIFF", compression="tiff_lzw"))
    content[20:60] = bytes(value ^ 0x5A for value in content[20:60])
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tif' is a damaged image \(.*\): get the file again"):
        read_images(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


def test_names_in_files_are_shown_escaped(tmp_path: Path) -> None:
    for read in (load_npz, read_images):
        np.savez(tmp_path / "x.npz", **{"two\nlines": np.zeros(3), "\x1b[31m": np.zeros(3)})
        with pytest.raises(DataError) as error:
            read(tmp_path / "x.npz")
        assert str(error.value).isprintable()
        assert "two lines" in str(error.value)
