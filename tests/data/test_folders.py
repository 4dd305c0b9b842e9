"""Folders of pictures: which files are read, as what, and what is said of the others."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quanvolve import load_dataset
from quanvolve._errors import DataError
from quanvolve.data import Dataset, Preparation, _pictures
from quanvolve.data.sources import find_source
from quanvolve.data.sources._labels import _FILES
from tests.data.pictures import damaged, folder_of, painted


def without_order(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


def all_images(data: Dataset) -> np.ndarray:
    parts = [data.train_images, data.test_images, *([] if data.valid_images is None else [data.valid_images])]
    return np.concatenate(parts)


@pytest.mark.parametrize("ending", ["png", "PNG", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif", "pgm"])
def test_one_tree_is_split(tmp_path: Path, ending: str) -> None:
    data = load_dataset(folder_of(tmp_path / "pets", {"cat": 15, "dog": 10}, ending=ending))
    assert repr(data) == "Dataset('pets': 20 train + 5 test, 8x8 uint8, 2 classes)"
    assert data.class_names == ("cat", "dog")
    assert [int((data.test_labels == kind).sum()) for kind in data.class_names] == [3, 2]
    assert data.preparation == Preparation((8, 8), "crop", 1)
    assert "no test set: 20% of each class were set aside as one (seed 0)" in data.notes
    assert data.valid_images is None
    if ending in ("png", "bmp", "tif", "pgm"):
        expected = [np.asarray(painted(number)).tobytes() for number in range(25)]
        assert without_order(all_images(data)) == sorted(expected)


def test_the_split_is_the_same_each_time_and_another_for_another_seed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 20, "dog": 20})
    first, again = load_dataset(folder), load_dataset(str(folder))
    np.testing.assert_array_equal(first.test_images, again.test_images)
    other = load_dataset(folder, seed=1)
    assert without_order(other.test_images) != without_order(first.test_images)
    assert without_order(all_images(other)) == without_order(all_images(first))
    assert len(load_dataset(folder, test_fraction=0.5).test_labels) == 20
    assert len(load_dataset(folder, test_fraction=0.99).train_labels) >= 2


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 1),
    share=st.floats(0.01, 0.99),
)
def test_every_class_of_two_keeps_one_to_train_with(counts: list[int], share: float) -> None:
    from quanvolve.data._split import set_aside

    labels = np.repeat(np.arange(len(counts)), counts)
    test = set_aside(labels, 0, share)
    assert 1 <= test.sum() < len(labels)
    if max(counts) > 1:
        for kind, count in enumerate(counts):
            assert (labels[~test] == kind).sum() >= (1 if count > 1 else 0)


@pytest.mark.parametrize(
    ("train", "valid", "test"),
    [("train", "val", "test"), ("Training", "VALIDATION", "Testing"), ("TRAIN", "valid", "Test")],
)
def test_parts(tmp_path: Path, train: str, valid: str, test: str) -> None:
    for name, count in ((train, 4), (valid, 3), (test, 2)):
        folder_of(tmp_path / "pets" / name, {"cat": count, "dog": count})
    data = load_dataset(tmp_path / "pets")
    assert (len(data.train_labels), len(data.test_labels)) == (8, 4)
    assert data.valid_images is not None
    assert data.valid_labels is not None
    assert data.valid_labels.tolist() == ["cat"] * 3 + ["dog"] * 3
    np.testing.assert_array_equal(data.valid_images[0], np.asarray(painted(0)))
    assert data.notes == ()


def test_parts_are_pieces_of_one_array(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        folder_of(tmp_path / "pets" / name, {"cat": 4, "dog": 4}, mode="RGB")
    data = load_dataset(tmp_path / "pets", image_size=4)
    assert data.valid_images is not None
    assert data.train_images.base is data.test_images.base is data.valid_images.base


def test_without_a_test_folder_training_pictures_are_set_aside(tmp_path: Path) -> None:
    for name in ("train", "val"):
        folder_of(tmp_path / "pets" / name, {"cat": 10, "dog": 10})
    data = load_dataset(tmp_path / "pets")
    assert data.valid_labels is not None
    assert (len(data.train_labels), len(data.valid_labels), len(data.test_labels)) == (16, 20, 4)
    # A competition keeps the labels of its test set.
    (tmp_path / "pets" / "test").mkdir()
    painted(1).save(tmp_path / "pets" / "test" / "a.png")
    again = load_dataset(tmp_path / "pets")
    assert len(again.test_labels) == 4
    assert any("left out 1 picture in" in note and "no folders of classes" in note for note in again.notes)


def test_folders_around_and_inside_the_classes(tmp_path: Path) -> None:
    inner = tmp_path / "archive" / "PetImages"
    folder_of(inner / "cat", {"black": 5, "white": 5})
    folder_of(inner, {"dog": 10, ".hidden": 3})
    (inner / "none").mkdir()
    (inner / "dog" / "notes.txt").write_text("x")
    (inner / "dog" / "Thumbs.db").write_text("x")
    (inner / "dog" / "photo.heic").write_text("x")
    painted(0).save(inner / "dog" / "._001.png")
    data = load_dataset(tmp_path / "archive")
    assert data.class_names == ("cat", "dog")
    assert len(all_images(data)) == 20
    assert f"the classes are in {str(inner)!r}" == data.notes[0]
    assert f"no picture in 'none' in {str(inner)!r}" in data.notes
    assert "passed over 2 files of other kinds (.heic, .txt)" in data.notes


def test_links(tmp_path: Path) -> None:
    folder_of(tmp_path / "store", {"a": 5})
    folder_of(tmp_path / "pets", {"cat": 5})
    (tmp_path / "pets" / "dog").symlink_to(tmp_path / "store" / "a")
    (tmp_path / "pets" / "cat" / "again").symlink_to(tmp_path / "pets")
    os.mkfifo(tmp_path / "pets" / "cat" / "pipe.png")
    data = load_dataset(tmp_path / "pets")
    assert data.class_names == ("cat", "dog")
    assert len(all_images(data)) == 10


def test_names_that_are_numbers_are_labels_that_are_numbers(tmp_path: Path) -> None:
    data = load_dataset(folder_of(tmp_path / "digits", {str(digit): 2 for digit in range(11)}))
    assert data.train_labels.dtype == np.int64
    assert data.class_names == tuple(str(digit) for digit in range(11))
    data = load_dataset(folder_of(tmp_path / "codes", {"01": 2, "2": 2}))
    assert data.class_names == ("01", "2")


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("image_size", "size"), [(6, (6, 6)), ((4, 9), (4, 9))])
@pytest.mark.parametrize("grayscale", [None, True])
def test_sizes(
    tmp_path: Path, fit: str, image_size: int | tuple[int, int], size: tuple[int, int], grayscale: bool | None
) -> None:
    for number in range(6):
        folder_of(tmp_path / "all" / f"{number % 2}{number}", {"x": 1}, size=(7 + number, 20 - number), mode="RGB")
    asked = {"image_size": image_size, "fit": fit, "grayscale": grayscale}
    data = load_dataset(tmp_path / "all", **asked)
    assert data.train_images.shape[1:] == (size if grayscale else (3, *size))
    assert data.preparation == Preparation(size, fit, 1 if grayscale else 3)
    # What is kept with the model does the same again.
    files = sorted((tmp_path / "all").rglob("*.png"))
    again = [data.preparation.array(Image.open(path)).tobytes() for path in files]
    assert without_order(all_images(data)) == sorted(again)


def test_different_sizes_are_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3})
    painted(9, (8, 9)).save(folder / "dog" / "wide.png")
    with pytest.raises(DataError, match=r"the pictures are of different sizes.*8x8.*8x9.*such as `image_size=28`$"):
        load_dataset(folder)
    assert load_dataset(folder, image_size=8).train_images.shape[1:] == (8, 8)


def test_colours(tmp_path: Path) -> None:
    """Grey if no picture has colours, however it is saved; colour from the first that has some."""
    folder = folder_of(tmp_path / "pets", {"cat": 4, "dog": 4})
    grey = load_dataset(folder)
    for path in sorted(folder.rglob("*.png"))[::2]:
        with Image.open(path) as picture:
            saved = picture.convert("RGB")
        saved.save(path)
    as_colours = load_dataset(folder)
    np.testing.assert_array_equal(as_colours.train_images, grey.train_images)
    assert as_colours.preparation == grey.preparation
    painted(99, mode="RGB").save(folder / "dog" / "z.png")
    data = load_dataset(folder)
    assert data.train_images.shape[1:] == (3, 8, 8)
    assert data.preparation == Preparation((8, 8), "crop", 3)
    kept = {image.tobytes() for image in all_images(data)}
    assert {np.stack([image] * 3).tobytes() for image in all_images(grey)} < kept
    assert load_dataset(folder, grayscale=True).train_images.shape[1:] == (8, 8)


@pytest.mark.parametrize("fault", sorted(damaged()))
def test_a_file_that_cannot_be_read_is_named_and_left_out(tmp_path: Path, fault: str) -> None:
    name, content, said = damaged()[fault]
    folder = folder_of(tmp_path / "pets", {"cat": 10, "dog": 10})
    clean = load_dataset(folder)
    (folder / "cat" / name).write_bytes(content)
    with pytest.warns(UserWarning, match="1 of 21 pictures in .* cannot be used, and are left out: ") as caught:
        data = load_dataset(folder)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    (note,) = (note for note in data.notes if note.startswith("left out: "))
    assert re.search(f"cat/{re.escape(name)}'.*{said}", note)
    assert "\n" not in note
    assert without_order(all_images(data)) == without_order(all_images(clean))
    assert len(data.train_labels) + len(data.test_labels) == 20


def test_many_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 10, "dog": 10})
    for number in range(3):
        (folder / "cat" / f"bad{number}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"^3 of 23 pictures in .* cannot be used, the first: '.*bad0\.png' is not an"):
        load_dataset(folder)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"has 0 bytes; get it again; so it is with all 23$"):
        load_dataset(folder)


def test_a_wrong_ending_is_no_fault_and_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 4, "dog": 4})
    (folder / "cat" / "000.png").rename(folder / "cat" / "000.jpg")
    frames = [painted(number).convert("P") for number in (50, 51)]
    frames[0].convert("RGB").save(
        folder / "dog" / "camera.jpg", "MPO", save_all=True, append_images=[frames[1].convert("RGB")]
    )
    for ending, how in (("gif", {}), ("webp", {"lossless": True}), ("png", {}), ("tif", {})):
        frames[0].convert("RGB").save(
            folder / "dog" / f"moving.{ending}", save_all=True, append_images=[frames[1].convert("RGB")], **how
        )
    data = load_dataset(folder)
    moving = ", ".join(repr(str(folder / "dog" / f"moving.{ending}")) for ending in ("gif", "png", "tif"))
    assert f"4 files of several pictures: the first was taken ({moving}, ...)" in data.notes
    wrong = repr(str(folder / "cat" / "000.jpg"))
    assert f"1 picture of another kind than the ending says, read all the same ({wrong})" in data.notes
    kept = [image.tobytes() for image in all_images(data)]
    assert kept.count(np.asarray(painted(50)).tobytes()) >= 2
    assert np.asarray(painted(51)).tobytes() not in kept
    assert np.asarray(painted(0)).tobytes() in kept


def test_pictures_of_16_bits(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / "deep" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        values = (np.asarray(painted(number)).astype(np.uint16) * 257).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / "deep" / str(number % 2) / f"{number}.png")
    data = load_dataset(tmp_path / "deep")
    assert "4 pictures of 16 bits: brought to 8 bits" in data.notes
    expected = sorted(np.asarray(painted(number)).tobytes() for number in range(4))
    assert without_order(all_images(data)) == expected
    for path in (tmp_path / "deep").rglob("*.png"):
        with Image.open(path) as picture:
            dark = np.asarray(picture) // 16
        Image.fromarray(dark.astype(np.uint16)).save(path)
    (note,) = (note for note in load_dataset(tmp_path / "deep").notes if "16 bits" in note)
    assert "none is brighter than 6% of their range" in note


def test_large_files_are_decoded_in_threads_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 90, "dog": 90}, size=(12, 10), mode="RGB")
    (folder / "cat" / "bad.png").write_bytes(b"")
    asked = {"image_size": 5}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = load_dataset(folder, **asked)
        monkeypatch.setattr(_pictures, "_LARGE", 0)
        monkeypatch.setattr(_pictures.os, "cpu_count", lambda: 4)
        together = load_dataset(folder, **asked)
    np.testing.assert_array_equal(alone.train_images, together.train_images)
    np.testing.assert_array_equal(alone.test_images, together.test_images)
    assert alone.notes == together.notes


def test_more_than_the_memory_is_refused_before_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3}, mode="RGB")
    monkeypatch.setattr(_pictures, "_memory", lambda: 1000)
    with pytest.raises(DataError, match=r"^6 pictures of 3x8x8 take 0\.0 GB, more than the memory of this machine: "):
        load_dataset(folder)
    assert load_dataset(folder, image_size=4).train_images.shape == (5, 3, 4, 4)


def test_folders_without_classes(tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    painted(0).save(tmp_path / "loose" / "a.png")
    with pytest.raises(DataError, match=r"holds 1 picture but no folders of classes: put those of each class into"):
        load_dataset(tmp_path / "loose")
    folder_of(tmp_path / "halves" / "val", {"a": 2})
    folder_of(tmp_path / "halves" / "test", {"a": 2})
    with pytest.raises(DataError, match=r"has 'val' and 'test' but no pictures to train with"):
        load_dataset(tmp_path / "halves")
    for part in ("train", "test"):
        (tmp_path / "flat" / part).mkdir(parents=True)
        painted(0).save(tmp_path / "flat" / part / "a.png")
    with pytest.raises(DataError, match=r"flat/train' holds pictures but no folders of classes"):
        load_dataset(tmp_path / "flat")
    (tmp_path / "flat" / "test" / "a.png").unlink()
    with pytest.raises(DataError, match=r"flat/train' holds pictures but no folders of classes"):
        load_dataset(tmp_path / "flat")
    with pytest.raises(DataError, match=r"is the only picture, expected at least 2"):
        load_dataset(folder_of(tmp_path / "single", {"a": 1}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        DataError, match=r"is a folder without any file in it; known: .*a folder of pictures in folders of"
    ):
        load_dataset(tmp_path / "empty")
    with pytest.raises(DataError, match=r"`label=kind` names a column, but '.*' has no table"):
        load_dataset(folder_of(tmp_path / "pets", {"a": 3, "b": 3}), label="kind")


def test_a_class_may_be_called_like_a_part(tmp_path: Path) -> None:
    data = load_dataset(folder_of(tmp_path / "vehicles", {"train": 5, "car": 5}))
    assert data.class_names == ("car", "train")


def table(folder: Path, text: str, name: str = "labels.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("file", _FILES)
@pytest.mark.parametrize("label", ["label", "Class", "breed", "anything"])
def test_a_table_of_labels(tmp_path: Path, file: str, label: str) -> None:
    """Kaggle's: identifiers without an ending, pictures in a folder beside it."""
    (tmp_path / "dogs" / "images").mkdir(parents=True)
    for number in range(10):
        painted(number).save(tmp_path / "dogs" / "images" / f"id{number}.png")
    rows = "".join(f"id{number},{'pug' if number % 2 else 'collie'}\n" for number in range(10))
    data = load_dataset(table(tmp_path / "dogs", f"{file},{label}\n{rows}"))
    assert data.class_names == ("collie", "pug")
    assert len(data.test_labels) == 2
    assert f"labels from the column {label!r} of 'labels.csv', files from {file!r}" in data.notes
    by_content = {np.asarray(painted(number)).tobytes(): "pug" if number % 2 else "collie" for number in range(10)}
    for image, kind in zip(data.train_images, data.train_labels, strict=True):
        assert by_content[image.tobytes()] == kind


def test_more_columns(tmp_path: Path) -> None:
    folder = tmp_path / "skin"
    for number in range(10):
        folder.mkdir(exist_ok=True)
        painted(number).save(folder / f"{number}.png")
    rows = "".join(f"{number}.png;{40 + number};{'ab'[number % 2]};{'xy'[number // 5]}\n" for number in range(10))
    table(folder, f"image;age;sex;kind\n{rows}")
    with pytest.raises(
        DataError, match=r"the columns 'image', 'age', 'sex', 'kind', of which several may be the label"
    ):
        load_dataset(folder)
    assert load_dataset(folder, label="kind").class_names == ("x", "y")
    assert load_dataset(folder, label="sex").class_names == ("a", "b")
    with pytest.raises(DataError, match=r"has no column `label=size`, but 'image', 'age', 'sex', 'kind'"):
        load_dataset(folder, label="size")


def test_a_column_says_the_part(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    parts = ["train"] * 6 + ["val"] * 2 + ["Test"] * 2
    folder.mkdir()
    for number in range(10):
        painted(number).save(folder / f"{number}.png")
    rows = "".join(f"{number}.png,{number % 2},{part}\n" for number, part in enumerate(parts))
    data = load_dataset(table(folder, f"file,label,split\n{rows}"))
    assert data.valid_labels is not None
    assert (len(data.train_labels), len(data.valid_labels), len(data.test_labels)) == (6, 2, 2)
    np.testing.assert_array_equal(data.test_images[0], np.asarray(painted(8)))


def test_a_table_for_each_part(tmp_path: Path) -> None:
    """The same names in both folders; a test set without labels is left out."""
    for part, start in (("train", 0), ("test", 50)):
        (tmp_path / "set" / part).mkdir(parents=True)
        for number in range(6):
            painted(start + number).save(tmp_path / "set" / part / f"{number}.png")
    rows = "".join(f"{number},{number % 2}\n" for number in range(6))
    table(tmp_path / "set", f"id,label\n{rows}", "train.csv")
    table(tmp_path / "set", f"id,label\n{rows}", "test_labels.csv")
    data = load_dataset(tmp_path / "set")
    np.testing.assert_array_equal(data.train_images[0], np.asarray(painted(0)))
    np.testing.assert_array_equal(data.test_images[0], np.asarray(painted(50)))
    table(tmp_path / "set", "id\n" + "".join(f"{number}\n" for number in range(6)), "test_labels.csv")
    data = load_dataset(tmp_path / "set")
    assert (len(data.train_labels), len(data.test_labels)) == (5, 1)
    assert any(note.startswith("left out a table: ") for note in data.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows, expected a header"),
        ("file,label\n", "has no rows, expected a header"),
        ("file,label\n0.png\n", r"has 1 value in row 2, expected 2"),
        ("file,label\nx.png,a\n", "none of them names pictures that are there"),
        ("file\n0.png\n", "has the column 'file' alone"),
        ("file,label\n0.png,\n", "no row of '.*' is to train with"),
        ("file,label\n\xff", r"cannot be read as a table \(.*\): save it as CSV in UTF-8"),
        ('file,label\n"0.png,a\n', "has 1 value in row 2"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    painted(0).save(folder / "0.png")
    (folder / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=said) as caught:
        load_dataset(folder)
    assert "\n" not in str(caught.value)


def test_rows_and_pictures_that_do_not_meet(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(8):
        painted(number).save(folder / f"{number}.png")
    rows = "".join(f"{number}.png,{number % 2}\n" for number in range(6))
    data = load_dataset(table(folder, f"file,label\n{rows}gone.png,1\n7.png,\n"))
    assert len(all_images(data)) == 6
    assert "left out 1 row of 'labels.csv' without a picture, such as 'gone.png'" in data.notes
    assert "left out 1 row of 'labels.csv' without a label" in data.notes
    assert "left out 2 pictures that no row of the table names" in data.notes


def test_names_that_may_be_several_pictures(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / "set" / "images" / place).mkdir(parents=True)
        painted(0).save(tmp_path / "set" / "images" / place / "0.png")
    table(tmp_path / "set", "file,label\n0.png,x\nb/0.png,y\n")
    with pytest.raises(DataError, match=r"names '0\.png', which may be '.*a/0\.png' or '.*b/0\.png': give the path"):
        load_dataset(tmp_path / "set")


def test_several_tables(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(4):
        painted(number).save(folder / f"{number}.png")
    rows = "".join(f"{number}.png,{number % 2}\n" for number in range(4))
    table(folder, f"file,label\n{rows}", "one.csv")
    table(folder, f"file,label\n{rows}", "two.csv")
    with pytest.raises(DataError, match=r"has the tables 'one\.csv', 'two\.csv', and none says .* `label=one\.csv`"):
        load_dataset(folder)
    assert load_dataset(folder, label="two.csv").class_names == ("0", "1")


def test_folders_of_classes_come_before_a_table(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 5, "dog": 5})
    rows = "".join(
        f"{path.relative_to(folder)},{'xy'[i % 2]}\n" for i, path in enumerate(sorted(folder.rglob("*.png")))
    )
    table(folder, f"file,kind\n{rows}", "info.csv")
    data = load_dataset(folder)
    assert data.class_names == ("cat", "dog")
    assert "the folders are the classes: 'info.csv' is not looked at" in data.notes
    assert load_dataset(folder, label="kind").class_names == ("x", "y")


def test_a_folder_of_pictures_is_told_from_others(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("x")
    assert find_source(tmp_path / "text") is None
    with pytest.raises(
        DataError, match=r"text' is a folder without data of a known kind \(1 file: \.txt\); known: an "
    ):
        load_dataset(tmp_path / "text")
    (tmp_path / "text" / "b.HEIC").write_text("x")
    with pytest.raises(DataError, match=r"\(2 files: \.heic, \.txt\): convert the pictures to PNG or JPEG; known: an"):
        load_dataset(tmp_path / "text")
    source = find_source(folder_of(tmp_path / "pets", {"cat": 1}))
    assert source is not None
    assert source.kind == "a folder of pictures in folders of classes"
