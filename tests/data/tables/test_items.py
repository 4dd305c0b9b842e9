"""Lists of pictures and arrays with labels, and data sets and loaders of torch."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from quanvolve._errors import DataError
from quanvolve.data import Preparation, load_dataset


def pictures(n: int = 10, size: tuple[int, int] = (8, 6), mode: str = "L") -> list[Image.Image]:
    """Of one value each, 20 times their number."""
    return [Image.new(mode, size, 20 * k if mode == "L" else (20 * k, 0, 1)) for k in range(n)]


LABELS = ["cat", "dog"] * 5


class Pictures(Dataset[tuple[Image.Image, int]]):
    """As torchvision's data sets are."""

    classes = ("cat", "dog")

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return pictures()[index], index % 2


def firsts(data: Any) -> list[tuple[int, Any]]:
    images, labels = [*data.train_images, *data.test_images], [*data.train_labels, *data.test_labels]
    return sorted((int(image.flat[0]), label) for image, label in zip(images, labels, strict=True))


def test_pictures_and_labels() -> None:
    data = load_dataset((pictures(), LABELS))
    assert repr(data) == "Dataset('items': 8 train + 2 test, 6x8 uint8, 2 classes)"
    assert firsts(data) == [(20 * k, LABELS[k]) for k in range(10)]
    assert firsts(load_dataset(list(zip(pictures(), LABELS, strict=True)))) == firsts(data)
    for labels in (np.arange(10) % 2, torch.arange(10) % 2, (np.arange(10) % 2)[:, None], (0, 1) * 5):
        assert [label for _, label in firsts(load_dataset((pictures(), labels)))] == [0, 1] * 5


def test_paths(tmp_path: Path) -> None:
    files = [tmp_path / f"{k}.png" for k in range(10)]
    for file, picture in zip(files, pictures(), strict=True):
        picture.save(file)
    expected = [(20 * k, LABELS[k]) for k in range(10)]
    assert firsts(load_dataset((files, LABELS))) == expected
    assert firsts(load_dataset(([str(file) for file in files], LABELS))) == expected
    files[3].write_bytes(files[3].read_bytes()[:-30])
    with pytest.raises(DataError, match=r"item 3 of \(images, labels\): '.*3.png' is a damaged image"):
        load_dataset((files, LABELS))
    files[3].write_text("no picture")
    with pytest.raises(DataError, match=r"item 3 of \(images, labels\): '.*3.png' is not an image of a known kind"):
        load_dataset((files, LABELS))
    files[3].unlink()
    with pytest.raises(DataError, match=r"item 3 of \(images, labels\): '.*3.png' does not exist"):
        load_dataset((files, LABELS))
    files[3].mkdir()
    with pytest.raises(DataError, match=r"item 3 of \(images, labels\): '.*3.png' is a folder"):
        load_dataset((files, LABELS))


def test_pictures_of_any_size_and_kind_are_prepared() -> None:
    mixed = [*pictures(5, (30, 20)), *pictures(5, (9, 14), "RGB")]
    with pytest.raises(
        DataError, match=r"item 5 of \(images, labels\) is 14x9, but item 0 .* 20x30: say to which"
    ) as e:
        load_dataset((mixed, LABELS))
    assert e.value.arguments == ("image_size",)
    data = load_dataset((mixed, LABELS), image_size=(6, 8), fit="stretch")
    assert data.preparation == Preparation((6, 8), "stretch", 3)
    images = np.concatenate([data.train_images, data.test_images])
    expected = [data.preparation.array(picture) for picture in mixed]
    assert images.shape == (10, 3, 6, 8)
    assert set(map(bytes, images)) == set(map(bytes, expected))
    grey = load_dataset((mixed, LABELS), image_size=(6, 8), grayscale=True)
    assert (grey.preparation, grey.train_images.shape) == (Preparation((6, 8), "crop", 1), (8, 6, 8))


def test_grey_pictures_saved_in_colours() -> None:
    same = [picture.convert("RGB") for picture in pictures()]
    assert firsts(load_dataset((same, LABELS))) == firsts(load_dataset((pictures(), LABELS)))
    assert load_dataset((same, LABELS)).train_images.shape == (8, 6, 8)
    coloured = load_dataset((pictures(), LABELS), grayscale=False)
    assert (coloured.train_images.shape, coloured.preparation) == ((8, 3, 6, 8), Preparation((6, 8), "crop", 3))


def test_a_picture_too_large() -> None:
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    with pytest.raises(
        DataError, match=r"item 0 of \(images, labels\) has over 178956970 pixels, expected at most 64 megapixels"
    ):
        load_dataset(([stream.getvalue()] * 2, [0, 1]), image_size=8)
    with pytest.raises(DataError, match=r"item 0 of \(images, labels\): the picture holds floating-point numbers"):
        load_dataset(([Image.new("F", (4, 4))] * 2, [0, 1]))


@pytest.mark.parametrize(
    ("shape", "asked", "result", "dims"),
    [
        ((5,), {}, (5,), 1),
        ((), {}, (1,), 1),
        ((6, 8), {}, (6, 8), 2),
        ((2, 8), {"columns": "series"}, (2, 8), 1),
        ((3, 6, 8), {}, (3, 6, 8), 2),
        ((6, 8, 3), {}, (3, 6, 8), 2),
        ((6, 8, 5), {"channels": "last"}, (5, 6, 8), 2),
        ((3, 6, 4), {"channels": "first"}, (3, 6, 4), 2),
        ((1, 6, 7, 8), {}, (1, 6, 7, 8), 3),
    ],
)
@pytest.mark.parametrize("of", [np.asarray, torch.as_tensor])
def test_arrays(of: Any, shape: tuple[int, ...], asked: dict[str, str], result: tuple[int, ...], dims: int) -> None:
    arrays = np.random.RandomState(0).rand(10, *shape).astype(np.float32)
    data = load_dataset((of(arrays), LABELS), **asked)
    assert (data.train_images.shape[1:], data.train_images.dtype, data.dims) == (result, np.float32, dims)
    moved = np.moveaxis(arrays, 3, 1) if len(shape) == 3 and shape != result else arrays
    together = np.concatenate([data.train_images, data.test_images])
    assert set(map(bytes, together)) == {np.ascontiguousarray(array).tobytes() for array in moved}
    assert ("moved to the front" in data.notes[0]) == (len(shape) == 3 and shape != result)


def test_arrays_that_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"shape \(3, 6, 4\), of which the first axis or the last may be the channels"
    ) as e:
        load_dataset((np.zeros((10, 3, 6, 4)), LABELS))
    assert e.value.arguments == ("channels",)
    for data, message in (
        (
            (np.zeros((10, 2, 2, 2, 2, 2)), LABELS),
            r"arrays of shape \(2, 2, 2, 2, 2\), expected at most \(C, D, H, W\)",
        ),
        (([np.zeros(3)] * 9 + [np.zeros(4)], LABELS), r"item 9 .* is 4, but item 0 .* is 3: make all equal"),
        (
            ([np.zeros((2, 2))] * 9 + pictures(1), LABELS),
            r"item 9 .* is a picture, but item 0 .* is an array: give one",
        ),
        (([{"a": 1}] * 10, LABELS), r"item 0 of \(images, labels\) holds \{'a': 1\} \(dict\), expected a picture of"),
        ((np.full((10, 2), np.nan), LABELS), r"\(images, labels\) holds 20 NaN or infinite pixels out of 20"),
        ((pictures(9), LABELS), r"\(images, labels\) holds 9 images and 10 labels: give one label an image"),
        ((pictures(10), [None, *LABELS[1:]]), r"item 0 of \(images, labels\) has no label"),
        (
            [(pictures(1)[0], (1, 2))] * 2,
            r"item 0 of the list has the label \(1, 2\) \(tuple\), expected a whole number",
        ),
        ([(pictures(1)[0], 1), pictures(1)[0]], r"item 1 of the list is one Image, expected a picture or an array and"),
    ):
        with pytest.raises(DataError, match=message):
            load_dataset(data)
    with pytest.raises(DataError, match=r"shape \(3, 6, 5\), expected series \(C, L\): reshape them"):
        load_dataset((np.zeros((10, 3, 6, 5)), LABELS), columns="series")
    with pytest.raises(
        DataError, match="holds images of 6x5 as float64, and only pictures and grey or coloured images"
    ):
        load_dataset((np.zeros((10, 3, 6, 5)), LABELS), image_size=4)
    with pytest.raises(DataError, match="data of the type dict cannot be read"):
        load_dataset({"a": 1})


def test_bytes_in_colour_are_resized() -> None:
    arrays = np.random.RandomState(0).randint(0, 256, (10, 9, 9, 3)).astype(np.uint8)
    data = load_dataset((arrays, LABELS), image_size=4)
    assert data.preparation == Preparation((4, 4), "crop", 3)
    expected = {bytes(data.preparation.array(Image.fromarray(array))) for array in arrays}
    assert set(map(bytes, np.concatenate([data.train_images, data.test_images]))) == expected


def test_train_and_test_as_arrays() -> None:
    rng = np.random.RandomState(0)
    train, test = ((rng.rand(n, 4, 4), np.arange(n) % 2) for n in (10, 4))
    data = load_dataset((train, test))
    np.testing.assert_array_equal(data.train_images, train[0])
    np.testing.assert_array_equal(data.test_images, test[0])
    np.testing.assert_array_equal(data.test_labels, test[1])
    test[1][2:] = 7
    assert load_dataset((train, test)).class_names == ("0", "1", "7")
    with pytest.raises(DataError, match=r"item 0 of \(images, labels\) is 3x4, but item 0 of .* is 4x4"):
        load_dataset((train, (test[0][:, 1:], test[1])))


def test_train_and_test_as_files(tmp_path: Path) -> None:
    for name, rows in (("train", "0,1\n1,2\n"), ("test", "1,3\n0,4\n1,5\n"), ("short", "1\n")):
        (tmp_path / f"{name}.csv").write_text("label,a\n" + rows)
    data = load_dataset((tmp_path / "train.csv", str(tmp_path / "test.csv")))
    assert (data.train_images.tolist(), data.test_images.tolist()) == ([[1], [2]], [[3], [4], [5]])
    assert (data.name, data.test_labels.tolist()) == ("train", [1, 0, 1])
    (tmp_path / "test.csv").write_text("label,a\n1,3\n0,\n")
    with pytest.raises(
        DataError, match=f"^row 3 of {re.escape(repr(str(tmp_path / 'test.csv')))} has no number in the"
    ):
        load_dataset((tmp_path / "train.csv", tmp_path / "test.csv"))


def test_a_data_set_of_torch() -> None:
    data = load_dataset(Pictures())
    assert (data.name, data.class_names) == ("Pictures", ("cat", "dog"))
    looped = sorted((int(np.array(picture)[0, 0]), label) for picture, label in (Pictures()[k] for k in range(10)))
    assert firsts(data) == looped
    few = load_dataset(Subset(Subset(Pictures(), range(2, 8)), [0, 1, 2, 3]))
    assert (few.name, few.class_names, few.dims) == ("Pictures", ("cat", "dog"), 2)
    assert firsts(few) == [(40, 0), (60, 1), (80, 0), (100, 1)]
    pair = load_dataset((Pictures(), Subset(Pictures(), [3, 2])), image_size=4)
    assert pair.test_labels.tolist() == [1, 0]
    assert pair.train_images.shape == (10, 4, 4)
    mixed = load_dataset((Pictures(), (pictures(2), [0, 1])))
    assert len(mixed.test_labels) == 2
    tensors = TensorDataset(torch.rand(10, 3, 6, 8, requires_grad=True), torch.arange(10) % 2)
    assert load_dataset(tensors).train_images.shape == (8, 3, 6, 8)


class Endless(IterableDataset[int]):
    def __iter__(self) -> Any:
        return iter(int, 1)


def test_data_sets_of_torch_that_are_refused() -> None:
    with pytest.raises(DataError, match="the torch data set Endless has no length and no items by number"):
        load_dataset(Endless())
    with pytest.raises(
        DataError, match="item 0 of the torch data set TensorDataset is 1 values, expected a picture or"
    ):
        load_dataset(TensorDataset(torch.rand(4, 2)))
    with pytest.raises(DataError, match="the torch data set Subset is empty, expected pictures or arrays with labels"):
        load_dataset(Subset(Pictures(), []))
    regression = TensorDataset(torch.rand(4, 2), torch.rand(4))
    with pytest.raises(
        DataError, match=r"item 0 of .* has the label 0\.\d+, expected classes as whole numbers or text"
    ):
        load_dataset(regression)
    beyond = Subset(Pictures(), range(10))
    Pictures.classes = ("cat",)  # type: ignore[assignment]
    try:
        with pytest.raises(DataError, match="item 1 of the torch data set Subset has the label 1, expected 0 to 0, as"):
            load_dataset(beyond)
    finally:
        Pictures.classes = ("cat", "dog")


def test_a_loader() -> None:
    tensors = TensorDataset(torch.arange(40.0).reshape(10, 1, 2, 2), torch.arange(10) % 2)
    data = load_dataset(DataLoader(tensors, batch_size=3))
    same = load_dataset(tensors)
    np.testing.assert_array_equal(data.train_images, same.train_images)
    assert data.notes == same.notes
    shuffled = load_dataset(DataLoader(tensors, batch_size=3, shuffle=True, drop_last=True))
    assert len(shuffled.train_labels) + len(shuffled.test_labels) == 9
    assert shuffled.notes[:2] == (
        "the loader shuffles, and which items are for the test changes with it: give its dataset",
        "the loader leaves out the last batch if it is not full",
    )
    alone = DataLoader(tensors, batch_size=2, collate_fn=lambda batch: torch.stack([image for image, _ in batch]))
    with pytest.raises(
        DataError, match="batch 0 of the loader of the torch data set TensorDataset is no pair of items"
    ):
        load_dataset(alone)
