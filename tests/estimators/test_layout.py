"""What X is taken for: channels first or last, rows of a table, bright on dark or dark on bright; never in silence."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import quanvolve
from quanvolve import QuanvClassifier, QuanvTransformer

RANDOM = np.random.default_rng(0)


def last(X: np.ndarray) -> np.ndarray:
    return np.moveaxis(X, 1, -1)


SHAPES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "colour": ((3, 8, 8), {}),
    "colour, not square": ((3, 8, 6), {}),
    "grey": ((1, 6, 8), {}),
    "with opacity": ((4, 8, 8), {}),
    "volumes": ((3, 6, 6, 6), {"kernel_size": (2, 2, 2), "stride": (2, 2, 2)}),
}


@pytest.mark.parametrize("what", SHAPES)
def test_channels_last_are_recognised_and_said(what: str) -> None:
    shape, more = SHAPES[what]
    X = RANDOM.random((6, *shape))
    expected = QuanvTransformer(random_state=0, **more).fit(X)
    maps = expected.transform(X)
    with pytest.warns(UserWarning, match=rf"X .* read with the channels last, {shape[0]} channel.*channels=\"last\""):
        found = QuanvTransformer(random_state=0, **more).fit(last(X))
    assert found.image_shape_ == shape
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = QuanvTransformer(random_state=0, channels="last", **more).fit(last(X))
        for one in (found, said):
            np.testing.assert_array_equal(one.transform(last(X)), maps)
        np.testing.assert_array_equal(found.transform(X), maps, "the other order has a shape of its own")
        np.testing.assert_array_equal(expected.transform(last(X)), maps)


@pytest.mark.parametrize("shape", [(3, 32, 3), (4, 6, 4), (3, 8, 1)])
def test_both_orders_are_refused_until_one_is_said(shape: tuple[int, ...]) -> None:
    X = RANDOM.random((6, *shape))
    with pytest.raises(ValueError, match=r"X has the shape .*, which may be .* or .*: say `channels=\"first\"` or"):
        QuanvTransformer(kernel_size=1, stride=1).fit(X)
    first = QuanvTransformer(kernel_size=1, stride=1, channels="first").fit(X)
    assert first.image_shape_ == shape
    assert QuanvTransformer(kernel_size=1, stride=1, channels="last").fit(X).image_shape_ == (shape[-1], *shape[:-1])


def test_series_that_look_the_wrong_way_round_are_said() -> None:
    X = RANDOM.random((6, 100, 6))
    with pytest.warns(UserWarning, match=r'read as 100 channels of 6; `channels="last"` if the channels come last'):
        assert QuanvTransformer(kernel_size=(2,), stride=(2,)).fit(X).image_shape_ == (100, 6)
    series = QuanvTransformer(kernel_size=(2,), stride=(2,), channels="last", random_state=0).fit(X)
    assert series.image_shape_ == (6, 100)
    expected = QuanvTransformer(kernel_size=(2,), stride=(2,), random_state=0).fit(last(X))
    np.testing.assert_array_equal(series.transform(X), expected.transform(last(X)))


def test_many_channels_come_first_without_a_word() -> None:
    for shape in [(16, 8, 8), (2, 6, 6), (2, 6, 7)]:
        assert QuanvTransformer().fit(RANDOM.random((4, *shape))).image_shape_ == shape
    with pytest.warns(UserWarning, match=r'read as 8 channels of 8x16; `channels="last"`'):
        QuanvTransformer().fit(RANDOM.random((4, 8, 8, 16)))


def test_a_stated_shape_of_rows_with_the_channels_last_is_refused() -> None:
    X = RANDOM.random((6, 192))
    with pytest.raises(ValueError, match=r"\(8, 8, 3\)\) has the channels last, but rows of features are read channel"):
        QuanvTransformer(image_shape=(8, 8, 3)).fit(X)
    assert QuanvTransformer(image_shape=(8, 8, 3), channels="first").fit(X).image_shape_ == (8, 8, 3)


def test_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`channels` \(='front'\) must be one of 'auto', 'first', 'last'"):
        QuanvTransformer(channels="front").fit(RANDOM.random((4, 3, 8, 8)))


def test_classifiers_keep_the_order_when_they_are_saved(tmp_path: Path) -> None:
    X, y = RANDOM.random((12, 6, 6, 3)), np.arange(12) % 2
    clf = QuanvClassifier(max_epochs=1, random_state=0, channels="last").fit(X, y)
    clf.save(tmp_path)
    loaded = quanvolve.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.channels == "last"


class Table(np.ndarray):
    """An array that has columns, as data frames do."""

    columns = property(lambda self: range(self.shape[1]))


@pytest.mark.parametrize(("columns", "warned"), [(60, True), (64, False), (4, False)])
def test_a_table_without_a_shape_is_said_to_be_rows(columns: int, warned: bool) -> None:
    X = RANDOM.random((10, columns)).view(Table)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        QuanvTransformer().fit(X)
    assert any("taken as images of one row of 60 pixels" in str(one.message) for one in said) == warned


DIGITS = load_digits()


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    ("scaled", "text"),
    [
        (
            lambda X: X / 16,
            r"in \[0, 1\], but .* in \[0, 16\], of which each of its images spans at least twice as much",
        ),
        (lambda X: (X - 5) / 6, r"in \[-0.833333, 1.83333\], but the model .* spans at least twice as much"),
        (lambda X: -X, r"in \[-16, -0\], but the model was fitted on values in \[0, 16\]: bring X to that range"),
        (lambda X: 16 * X, r"in \[0, 256\], but the model was fitted on values in \[0, 16\]: bring X to that range"),
    ],
)
def test_another_scale_is_said(flat: bool, scaled: Any, text: str, tmp_path: Path) -> None:
    X = DIGITS.data if flat else DIGITS.images
    clf = QuanvClassifier(max_epochs=1, random_state=0).fit(X[:300], DIGITS.target[:300])
    clf.save(tmp_path)
    for one in (clf, quanvolve.load(tmp_path)):
        for new in (X[300:400], X[300:301]):
            with pytest.warns(UserWarning, match=f"X is {text}"):
                one.predict(scaled(new))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one.predict(X[300:])
            one.predict(X[300:] / 1.8)


def test_few_features_may_be_as_near_to_each_other_as_they_like() -> None:
    X = RANDOM.random((100, 10))
    clf = QuanvClassifier(max_epochs=1, random_state=0).fit(X, X[:, 0] > 0.5)
    clf.predict(np.full((1, 10), 0.5))


def test_a_warning_is_shown_at_every_line_that_leads_to_it() -> None:
    clf = QuanvClassifier(max_epochs=1, random_state=0).fit(DIGITS.data[:100], DIGITS.target[:100])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        clf.predict(16 - DIGITS.data[:20])
        clf.predict_proba(16 - DIGITS.data[:20])
    assert [one.filename for one in said] == [__file__] * 2
    assert said[1].lineno == said[0].lineno + 1


def test_lists_of_pictures_are_taken_as_they_are_or_not_at_all() -> None:
    pixels = RANDOM.integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)
    y = np.arange(20) % 2
    for arrays in (pixels, pixels[..., 0]):
        pictures = [Image.fromarray(array) for array in arrays]
        ours = QuanvClassifier(max_epochs=1, random_state=0, channels="last").fit(pictures, y)
        assert ours.input_range_ == (0.0, 255.0)
        same = QuanvClassifier(max_epochs=1, random_state=0, channels="last").fit(arrays, y)
        assert np.array_equal(ours.predict_proba(pictures), same.predict_proba(arrays))
    pictures[3] = pictures[3].convert("P")
    with pytest.raises(ValueError, match=re.escape("X holds pictures of 2 sizes and modes, such as 8x8 in 'L'")):
        QuanvClassifier().fit(pictures, y)


def test_a_shape_of_rows_does_not_cut_up_images() -> None:
    X = RANDOM.random((10, 6, 8))
    assert QuanvTransformer(image_shape=(1, 6, 8)).fit(X).image_shape_ == (1, 6, 8)
    for images, shape in ((X, (4, 12)), (RANDOM.random((10, 8, 8, 3)), (8, 8, 3))):
        transformer = QuanvTransformer(image_shape=shape, channels="last")
        with pytest.raises(ValueError, match=re.escape(f"`image_shape` (={shape}) is for rows of features, but X has")):
            transformer.fit(images)


@pytest.mark.parametrize("flat", [True, False])
def test_inverted_pictures_are_said(flat: bool, tmp_path: Path) -> None:
    X = DIGITS.data / 16 if flat else DIGITS.images / 16
    clf = QuanvClassifier(max_epochs=1, random_state=0).fit(X[:100], DIGITS.target[:100])
    clf.save(tmp_path)
    for one in (clf, quanvolve.load(tmp_path)):
        with pytest.warns(UserWarning, match=r"X is dark on bright, but the model .*: invert it, as 1 - X"):
            one.predict(1 - X[100:120])
        with pytest.warns(UserWarning, match="X is dark on bright"):
            one.predict(1 - X[100:101])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one.predict(X[100:200])
    ink = (255 - 255 * X).astype(np.uint8)
    fitted = QuanvTransformer().fit(ink)
    with pytest.warns(UserWarning, match=r"X is bright on dark, but the model .* on bright: invert it, as 255 - X"):
        fitted.transform(255 - ink)
