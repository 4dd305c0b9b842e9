"""IDX files: what is written is read again, and nothing damaged is read at all."""

import gzip
import re
import struct
from pathlib import Path

import hypothesis
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import strategies as st

from quanvolve import _errors
from quanvolve.data import read_idx, write_idx

DataError = _errors.DataError
DTYPES = ["u1", "i1", "i2", "i4", "f4", "f8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    ),
    name=st.sampled_from(["a-ubyte", "a-ubyte.gz"]),
    swapped=st.booleans(),
)
def test_round_trip(folder: Path, array: np.ndarray, name: str, swapped: bool) -> None:
    given = array.astype(array.dtype.newbyteorder("S")) if swapped else array
    write_idx(folder / name, given)
    read = read_idx(folder / name)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)
    assert (folder / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


@pytest.mark.parametrize(
    ("code", "form", "kind"),
    [
        (0x08, "B", "u1"),
        (0x09, "b", "i1"),
        (0x0B, "h", "i2"),
        (0x0C, "i", "i4"),
        (0x0D, "f", "f4"),
        (0x0E, "d", "f8"),
    ],
)
def test_bytes_of_the_format(tmp_path: Path, code: int, form: str, kind: str) -> None:
    """The layout written down here by hand, not by `write_idx`."""
    values = [1, 2, 3, 4, 5, 6]
    content = struct.pack(">BBBBII", 0, 0, code, 2, 2, 3) + struct.pack(f">6{form}", *values)
    (tmp_path / "x").write_bytes(content)
    read = read_idx(tmp_path / "x")
    assert read.dtype == np.dtype(kind)
    assert read.tolist() == [[1, 2, 3], [4, 5, 6]]
    write_idx(tmp_path / "y", read)
    assert (tmp_path / "y").read_bytes() == content


def test_compression_is_seen_in_the_bytes_not_in_the_name(tmp_path: Path) -> None:
    write_idx(tmp_path / "x.gz", np.arange(5, dtype=np.uint8))
    (tmp_path / "x.gz").rename(tmp_path / "x")
    assert read_idx(tmp_path / "x").tolist() == [0, 1, 2, 3, 4]
    write_idx(tmp_path / "y", np.arange(5, dtype=np.uint8))
    (tmp_path / "y").rename(tmp_path / "y.gz")
    assert read_idx(str(tmp_path / "y.gz")).tolist() == [0, 1, 2, 3, 4]


IMAGES = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 2, 2) + bytes(range(8))

BROKEN = {
    "empty": (b"", "is empty, expected an IDX file"),
    "text": (b"<html>not found</html>", "starts with the bytes 3c 68 74 6d, expected an IDX file"),
    "three bytes": (b"\0\0\x08", "starts with the bytes 00 00 08, expected"),
    "unknown type": (b"\0\0\x0a\x01\0\0\0\x01\0", "starts with the bytes 00 00 0a 01, expected"),
    "rank 0": (b"\0\0\x08\0", "rank 0, expected rank 1 to 4"),
    "rank 5": (b"\0\0\x08\x05" + b"\0\0\0\x01" * 5 + b"\0", "rank 5, expected rank 1 to 4"),
    "half a header": (IMAGES[:10], "is truncated: its header has 10 bytes, expected 16"),
    "no values": (IMAGES[:16], "is truncated: it holds 0 of 8 bytes of data for the shape (2, 2, 2) of"),
    "truncated": (IMAGES[:-1], "is truncated: it holds 7 of 8 bytes of data for the shape (2, 2, 2) of"),
    "overlong": (IMAGES + b"\0", "goes on after the 8 bytes of data for the shape (2, 2, 2) of its header"),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("case", BROKEN)
def test_broken(tmp_path: Path, case: str, compressed: bool) -> None:
    content, message = BROKEN[case]
    (tmp_path / "f.idx").write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "f.idx")
    text = str(caught.value)
    assert message in text
    assert text.startswith(repr(str(tmp_path / "f.idx")))
    assert "\n" not in text


@pytest.mark.parametrize("compressed", [False, True])
def test_absurd_sizes_are_not_believed(tmp_path: Path, compressed: bool) -> None:
    content = b"\0\0\x0e\x04" + b"\xff" * 16 + b"\0" * 100
    (tmp_path / "f").write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(DataError, match=r"is too short for \d{30,} bytes of data"):
        read_idx(tmp_path / "f")


def test_gzip_bomb_is_left_after_the_promised_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(gzip.compress(IMAGES + bytes(50_000_000)))
    read: list[int] = []
    original = gzip.GzipFile.read

    def counting(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        data = original(self, size)
        read.append(len(data))
        return data

    monkeypatch.setattr(gzip.GzipFile, "read", counting)
    with pytest.raises(DataError, match="goes on after the 8 bytes"):
        read_idx(tmp_path / "f")
    assert sum(read) == len(IMAGES) + 1


def test_damaged_gzip(tmp_path: Path) -> None:
    good = gzip.compress(IMAGES)
    damage = {
        "cut": (good[:-12], "end-of-stream"),
        "checksum": (good[:-8] + b"\0\0\0\0" + good[-4:], "CRC check failed"),
        "garbled": (good[:10] + b"\xff" * (len(good) - 10), "invalid"),
        "header": (good[:5], "end-of-stream"),
    }
    for content, message in damage.values():
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(DataError, match=f"is a damaged gzip file .*{message}.*get the file again"):
            read_idx(tmp_path / "f")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist, expected an IDX file: check the path"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DataError, match="is a folder, expected an IDX file"):
        read_idx(tmp_path)
    for name, why in (("x" * 5000, "File name too long"), ("a\0b", "embedded null byte")):
        with pytest.raises(DataError, match=rf"cannot be read \({why}\)"):
            read_idx(tmp_path / name)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot be read \(Not a directory\)"):
        read_idx(tmp_path / "file" / "x")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3, np.int64), "has the type int64, expected one that IDX has (uint8, int8, int16,"),
        (np.zeros(3, bool), "has the type bool"),
        (np.array(["a"]), "has the type <U1"),
        (np.zeros((), np.uint8), "has the shape (), expected rank 1 to 4"),
        (np.zeros((1,) * 5, np.uint8), "has the shape (1, 1, 1, 1, 1), expected rank 1 to 4"),
    ],
)
def test_cannot_be_written_as_idx(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        write_idx(tmp_path / "x", array)
    assert list(tmp_path.iterdir()) == []


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path / "x", np.arange(3, dtype=np.uint8))

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as out:
            out.write(content[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"'.*x' cannot be written \(No space left on device\)"):
        write_idx(tmp_path / "x", np.arange(4, dtype=np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert read_idx(tmp_path / "x").tolist() == [0, 1, 2]


def test_written_file_gets_its_name_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path / "x", np.arange(3, dtype=np.uint8))

    def refuse(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(DataError, match=r"cannot be written \(Input/output error\): choose a folder"):
        write_idx(tmp_path / "x", np.arange(4, dtype=np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert read_idx(tmp_path / "x").tolist() == [0, 1, 2]


def test_writing_into_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be written .* choose a folder that exists"):
        write_idx(tmp_path / "absent" / "x", np.arange(3, dtype=np.uint8))


def test_equal_arrays_make_equal_files(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(9, dtype=np.int16).reshape(3, 3).T)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
