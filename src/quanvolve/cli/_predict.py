"""`quanvolve predict`: what a saved model takes images for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.cli._console import emit_json, emit_table
from quanvolve.cli._options import Json
from quanvolve.runs import load_model, size

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a saved model.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Pictures, .npy and .npz files; of series arrays.")
    ],
    json: Json = False,
) -> None:
    """Classify images, or predict their numbers.

    A model that was trained on picture files does with these what was done
    with those, whatever size they are. To other models, pictures must come in
    the size of the images that they were trained on; colour pictures are
    turned grey (by luma) for a model of grey images.

    Pictures and 8-bit arrays are brought to the range of the training images;
    other arrays are taken as they are.
    """
    from quanvolve.data import read_arrays, read_images

    clf = load_model(run)
    names: list[str] = []
    pixels: list[NDArray[Any]] = []
    scaled: list[bool] = []
    if len(clf.image_shape_) != 3:
        items = [item for path in files for item in read_arrays(path, tuple(clf.image_shape_))]
        names, pixels = [item.name for item in items], [item.pixels for item in items]
        scaled = [False] * len(items)
        files = []
    for path in files:
        is_array = path.suffix.lower() in (".npy", ".npz")
        for image in read_images(path, size=tuple(clf.image_shape_[1:]), preparation=clf.preparation_):
            in_steps = image.pixels.dtype == "uint8"
            names.append(image.name)
            scaled.append(in_steps or not is_array)
            pixels.append(_prepared(image.pixels, image.name, clf, in_steps, scaled[-1]))
    probabilities = _probabilities(clf, pixels, scaled)
    _require_finite(probabilities, names, pixels, clf)
    if hasattr(clf, "classes_"):
        _answer(run, clf, names, probabilities, json)
    else:
        _answer_numbers(run, names, probabilities, json)


def _prepared(pixels: NDArray[Any], name: str, clf: Any, in_steps: bool, scale: bool) -> NDArray[Any]:
    """An image of the model's form and range, (C, H, W)."""
    import numpy as np

    expected = tuple(clf.image_shape_)
    image = pixels[None] if pixels.ndim == 2 else pixels
    if image.shape[0] == 3 and expected[0] == 1:
        image = np.tensordot(np.array(_LUMA), image, axes=1)[None]
    if image.shape != expected and image.shape[1:] == expected[1:]:
        raise DataError(
            f"{name!r} has {image.shape[0]} channel(s), but the model takes {expected[0]}: give a picture in RGB, or "
            f"an array of shape (n, {', '.join(map(str, expected))})"
        )
    if image.shape != expected:
        raise DataError(f"{name!r} is {size(pixels.shape)}, but the model takes images of {size(expected)}: resize it")
    if not scale:
        return image.astype(np.float64)
    values = image / 255 if in_steps else image.astype(np.float64)
    if values.min() < 0 or values.max() > 1:
        raise DataError(
            f"{name!r} has values from {values.min():g} to {values.max():g}, expected a picture with values in [0, 1]"
        )
    low, high = clf.input_range_
    return np.asarray(low + values * (high - low))


def _probabilities(clf: Any, pixels: list[NDArray[Any]], scaled: list[bool]) -> NDArray[Any]:
    import numpy as np

    chosen = np.array(scaled)
    images = np.stack(pixels)
    classes = getattr(clf, "classes_", None)
    give = _numbers if classes is None else type(clf).predict_proba
    probabilities = np.empty((len(images), clf.n_outputs_ if classes is None else len(classes)))
    if chosen.any():
        with warnings.catch_warnings():
            # A dark picture looks as if it were on another scale, but its scale has just been set.
            warnings.simplefilter("ignore")
            probabilities[chosen] = give(clf, images[chosen])
    if not chosen.all():
        probabilities[~chosen] = give(clf, images[~chosen])
    return probabilities


def _numbers(model: Any, images: NDArray[Any]) -> NDArray[Any]:
    """The numbers that a regressor predicts, (n, targets)."""
    return model.predict(images).reshape(len(images), -1)  # type: ignore[no-any-return]


def _require_finite(probabilities: NDArray[Any], names: list[str], pixels: list[NDArray[Any]], clf: Any) -> None:
    """Refuse images so far beyond the training images that the model's arithmetic overflows."""
    import numpy as np

    for name, image, row in zip(names, pixels, probabilities, strict=True):
        if not np.isfinite(row).all():
            low, high = clf.input_range_
            raise DataError(
                f"{name!r} has values from {image.min():g} to {image.max():g}, for which the model gives no "
                f"answer: bring it to the range of the training images, [{low:g}, {high:g}]"
            )


def _answer(run: Path, clf: Any, names: list[str], probabilities: NDArray[Any], json: bool) -> None:
    classes = clf.classes_.tolist()
    labels = getattr(clf, "label_names_", None) or []
    if len(labels) != len(classes):
        # Without a name for each label, the labels speak for themselves.
        labels = [str(label) for label in classes]
    if getattr(clf, "multilabel_", False):
        _answer_labels(run, labels, names, probabilities, json)
        return
    best = probabilities.argmax(axis=1)
    if json:
        predictions = [
            {
                "name": name,
                "label": classes[k],
                "label_name": labels[k],
                "probability": float(row[k]),
                "probabilities": {str(label): float(p) for label, p in zip(classes, row, strict=True)},
            }
            for name, k, row in zip(names, best, probabilities, strict=True)
        ]
        emit_json({"run": str(run), "predictions": predictions})
        return
    emit_table(
        (
            (one_line(name), one_line(labels[k]), f"{row[k]:.4f}")
            for name, k, row in zip(names, best, probabilities, strict=True)
        ),
        ("image", "label", "probability"),
        right=(2,),
    )


def _answer_labels(run: Path, labels: list[str], names: list[str], probabilities: NDArray[Any], json: bool) -> None:
    found = [[label for label, p in zip(labels, row, strict=True) if p > 0.5] for row in probabilities]
    if json:
        predictions = [
            {
                "name": name,
                "labels": chosen,
                "probabilities": {label: float(p) for label, p in zip(labels, row, strict=True)},
            }
            for name, chosen, row in zip(names, found, probabilities, strict=True)
        ]
        emit_json({"run": str(run), "predictions": predictions})
        return
    emit_table(
        (
            (one_line(name), one_line(", ".join(chosen)) or "none", " ".join(f"{p:.4f}" for p in row))
            for name, chosen, row in zip(names, found, probabilities, strict=True)
        ),
        ("image", "labels", "probabilities"),
    )


def _answer_numbers(run: Path, names: list[str], numbers: NDArray[Any], json: bool) -> None:
    if json:
        predictions = [
            {"name": name, "prediction": row[0] if len(row) == 1 else row}
            for name, row in zip(names, numbers.tolist(), strict=True)
        ]
        emit_json({"run": str(run), "predictions": predictions})
        return
    columns = range(1, numbers.shape[1] + 1)
    titles = ("prediction",) if len(columns) == 1 else tuple(f"target {column}" for column in columns)
    emit_table(
        ((one_line(name), *(f"{number:.6g}" for number in row)) for name, row in zip(names, numbers, strict=True)),
        ("image", *titles),
        right=tuple(columns),
    )
