"""QuanvTransformer: shapes, ranges, and equality with the layer it holds."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from quanvolve import Quanv2d, QuanvTransformer
from quanvolve._errors import QuanvolveError

IMAGES = load_digits().images
LABELS = load_digits().target


def test_equals_the_layer_on_scaled_images():
    transformer = QuanvTransformer(n_filters=3, random_state=0).fit(IMAGES)
    assert transformer.input_range_ == (0.0, 16.0)
    images = torch.from_numpy(IMAGES[:5] / 16).unsqueeze(1)
    expected = transformer.module_.double()(images).flatten(1).numpy()
    np.testing.assert_allclose(transformer.transform(IMAGES[:5]), expected, atol=1e-12)
    assert isinstance(transformer.module_, Quanv2d)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.arange(64, dtype=np.uint8).reshape(4, 16), (0.0, 255.0)),
        (np.linspace(0.1, 0.9, 64).reshape(4, 16), (0.0, 1.0)),
        (np.linspace(-2, 7, 64).reshape(4, 16), (-2.0, 7.0)),
        (np.arange(64).reshape(4, 16), (0.0, 63.0)),
    ],
)
def test_learned_range(X, expected):
    assert QuanvTransformer(random_state=0).fit(X).input_range_ == expected


@pytest.mark.parametrize(
    ("X", "image_shape", "expected"),
    [
        (np.ones((2, 36)), None, (1, 6, 6)),
        (np.ones((2, 35)), None, (1, 1, 35)),
        (np.ones((2, 35)), (5, 7), (1, 5, 7)),
        (np.ones((2, 36)), (3, 3, 4), (3, 3, 4)),
        (np.ones((2, 5, 7)), None, (1, 5, 7)),
        (np.ones((2, 3, 5, 7)), None, (3, 5, 7)),
    ],
)
def test_image_shapes(X, image_shape, expected):
    transformer = QuanvTransformer(image_shape=image_shape, random_state=0).fit(X)
    assert transformer.image_shape_ == expected
    out = transformer.transform(X)
    assert out.shape == (2, int(np.prod(transformer.output_shape_)))
    assert len(transformer.get_feature_names_out()) == out.shape[1]


def test_a_single_row_of_features_is_read_by_one_row_windows():
    transformer = QuanvTransformer(n_filters=1, kernel_size=3, stride=2, random_state=0).fit(np.ones((2, 7)))
    assert transformer.module_.geometry.kernel_size == (1, 3)
    assert transformer.output_shape_ == (3, 1, 3)


def test_dtypes():
    X = IMAGES[:10] / 16
    transformer = QuanvTransformer(random_state=0).fit(X)
    double, single = transformer.transform(X), transformer.transform(X.astype(np.float32))
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, atol=1e-5)
    pixels = (X * 255).astype(np.uint8)
    assert QuanvTransformer(random_state=0).fit_transform(pixels).dtype == np.float32


def test_rank_does_not_matter():
    flat, square = IMAGES[:20].reshape(20, -1), IMAGES[:20]
    one = QuanvTransformer(random_state=3).fit_transform(flat)
    other = QuanvTransformer(random_state=3).fit_transform(square)
    np.testing.assert_array_equal(one, other)


def test_pandas_output_and_names():
    frame = QuanvTransformer(n_filters=1, random_state=0).set_output(transform="pandas").fit_transform(IMAGES[:4])
    assert frame.columns[0] == "quanv0_0_0"
    assert frame.columns[-1] == "quanv3_3_3"


def test_pipeline_and_grid_search():
    pipeline = make_pipeline(QuanvTransformer(random_state=0), LogisticRegression(max_iter=500))
    search = GridSearchCV(pipeline, {"quanvtransformer__n_filters": [1, 2]}, cv=2).fit(IMAGES[:200], LABELS[:200])
    assert search.best_score_ > 0.8


def test_a_function_as_circuit():
    import pennylane as qp

    def circuit(inputs, angle):
        qp.AngleEmbedding(np.pi * inputs, wires=range(4), rotation="Y")
        qp.CRX(angle, wires=[0, 1])
        return qp.probs(wires=[0, 1])

    transformer = QuanvTransformer(n_filters=2, circuit=circuit, weight_shapes={"angle": 1}, random_state=0)
    out = transformer.fit_transform(IMAGES[:3])
    assert transformer.output_shape_ == (8, 4, 4)
    np.testing.assert_allclose(out.reshape(3, 2, 4, 16).sum(axis=2), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"image_shape": (5, 5)}, np.ones((2, 36)), r"`image_shape` \(=\(5, 5\)\) must be .* with 36 pixels"),
        ({"n_filters": 0}, np.ones((2, 36)), r"`n_filters` \(=0\) must be a whole number of at least 1"),
        ({"kernel_size": "2"}, np.ones((2, 36)), r"`kernel_size` \(='2'\) must be a whole number"),
        ({"stride": (1, 2, 3)}, np.ones((2, 36)), r"`stride` \(=\(1, 2, 3\)\) must be"),
        ({"kernel_size": 7}, np.ones((2, 5, 5)), r"a window of 7x7 is larger than the padded image of 5x5"),
        ({"circuit": "randon"}, np.ones((2, 36)), r"`circuit` \(='randon'\) .* did you mean 'random'\?"),
        ({}, np.full((2, 36), np.nan), "Input X contains NaN"),
        ({}, np.full((2, 36), np.inf), "Input X contains infinity"),
        ({}, np.ones((2, 1, 1, 1, 6, 6)), r"X has shape \(2, 1, 1, 1, 6, 6\), expected"),
    ],
)
def test_refusals(params, X, message):
    with pytest.raises(ValueError, match=message):
        QuanvTransformer(**params).fit(X)


def test_another_number_of_pixels_is_refused():
    transformer = QuanvTransformer(random_state=0).fit(np.ones((2, 36)))
    with pytest.raises(ValueError, match="25 features"):
        transformer.transform(np.ones((2, 25)))


@pytest.mark.parametrize(("fitted", "given"), [(np.uint8, float), (float, np.uint8)])
def test_images_on_another_scale_are_pointed_out(fitted, given):
    pixels = {np.uint8: np.full((2, 36), 200, np.uint8), float: np.full((2, 36), 0.8)}
    transformer = QuanvTransformer(random_state=0).fit(pixels[fitted])
    with pytest.warns(UserWarning, match="but the model was fitted on values in"):
        transformer.transform(pixels[given])


def test_errors_are_also_value_errors():
    assert issubclass(QuanvolveError, ValueError)


@pytest.mark.parametrize("given", [(4, 16), (1, 4, 16), (1, 1, 8, 8)])
def test_images_of_another_shape_with_as_many_pixels_are_refused(given):
    transformer = QuanvTransformer(random_state=0).fit(IMAGES[:20])
    with pytest.raises(ValueError, match=r"but the model was fitted on \(1, 8, 8\)|expected \(n, features\)"):
        transformer.transform(IMAGES[:20].reshape(20, *given))


def test_a_list_of_images_is_stacked():
    expected = QuanvTransformer(random_state=0).fit_transform(IMAGES[:5])
    np.testing.assert_array_equal(QuanvTransformer(random_state=0).fit_transform(list(IMAGES[:5])), expected)
    with pytest.raises(ValueError, match=r"the images have the shapes \[\(4, 4\), \(8, 8\)\], expected one shape"):
        QuanvTransformer().fit([IMAGES[0], IMAGES[1][:4, :4]])


@pytest.mark.parametrize("factor", [16, -3])
def test_values_far_outside_the_fitted_range_are_pointed_out(factor):
    transformer = QuanvTransformer(random_state=0).fit(IMAGES[:20] / 16)
    with pytest.warns(UserWarning, match=r"but the model was fitted on values in \[0, 1\]"):
        transformer.transform(factor * IMAGES[:20] / 16)
