"""What a saved model may hold. A folder can come from a stranger: it is checked before anything large is built."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import ModelError
from quanvolve._untrusted import MOST_BYTES, parse_json

MOST_TENSOR_BYTES = 2**30
"""Bytes of all weights of a model."""
MOST_HEADER_BYTES = 2**24
"""Bytes of the list of tensors at the start of their file."""
MOST_PIXELS = 2**28
"""Values of an image, or of its feature maps."""
MOST_ROWS = 2**20
"""Pairs of an input channel and an output channel of the filters."""
MOST_WINDOW = 2**20
"""Values of a window in one channel."""
MOST_CLASSES = 100_000
MOST_LABEL_BYTES = 2**26
"""Bytes of all labels of the classes together, as NumPy keeps them."""

LABEL_KINDS = "biufUO"
_EXTRA = "_extra_state"
_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def check_shapes(config: Mapping[str, Any]) -> None:
    """Refuse images, maps and windows that are too large.

    Raises:
        ModelError: naming the entry of the configuration.
    """
    image, maps = (
        _sizes(name, config[name], 4, f"one to four axes with at most {MOST_PIXELS:,} values", MOST_PIXELS)
        for name in ("image_shape", "output_shape")
    )
    if image[0] * maps[0] > MOST_ROWS:
        raise ModelError(f"there are filters for {image[0]} x {maps[0]} channels, expected at most {MOST_ROWS:,} pairs")
    _check_padded(image, config["params"].get("padding", 0))
    for name in ("kernel_size", "stride"):
        value = config["params"].get(name)
        numbers = value if isinstance(value, list) else [value]
        _sizes(name, numbers, 3, f"one to three numbers, at most {MOST_WINDOW:,} values", MOST_WINDOW)


def _sizes(name: str, value: Any, axes: int, expected: str, most: int) -> tuple[int, ...]:
    """Numbers along one axis or more, whose product is limited."""
    sizes = whole_numbers(name, value)
    if not 1 <= len(sizes) <= axes or math.prod(sizes) > most:
        raise ModelError(f"`{name}` is {_shown(sizes)}, expected {expected}")
    return sizes


def _check_padded(image: tuple[int, ...], padding: Any) -> None:
    """Refuse padding that makes images too large; words and what is no number are left to the layer."""
    sides = padding if isinstance(padding, list) else [padding] * (len(image) - 1)
    if all(type(side) is int and side >= 0 for side in sides) and len(sides) == len(image) - 1:
        padded = [n + 2 * side for n, side in zip(image[1:], sides, strict=True)]
        if image[0] * math.prod(padded) > MOST_PIXELS:
            raise ModelError(f"`padding` is {_shown(padding)}, which makes images of more than {MOST_PIXELS:,} values")


def whole_numbers(name: str, value: Any) -> tuple[int, ...]:
    """A list of positive whole numbers.

    Raises:
        ModelError: if it is something else.
    """
    if not isinstance(value, list) or not all(type(n) is int and n >= 1 for n in value[:9]) or len(value) > 8:
        raise ModelError(f"`{name}` is {_shown(value)}, expected a few whole numbers of at least 1")
    return tuple(value)


def labels_of(entry: Any) -> npt.NDArray[Any]:
    """The labels of the classes.

    Args:
        entry: with `dtype`, as NumPy writes it, and `values`.

    Raises:
        ModelError: if there are too many, they take too much memory, or are not what the dtype holds.
    """
    values, text = entry["values"], entry["dtype"]
    if not isinstance(values, list) or not all(isinstance(value, bool | int | float | str) for value in values):
        raise ModelError("the labels are not a list of numbers or texts")
    if not 2 <= len(values) <= MOST_CLASSES:
        raise ModelError(f"there are {len(values):,} labels, expected 2 to {MOST_CLASSES:,}")
    dtype = np.dtype(text) if isinstance(text, str) else None
    if dtype is None or dtype.kind not in LABEL_KINDS:
        raise ModelError(f"labels of type {_shown(text)} are not valid")
    if dtype.itemsize * len(values) > MOST_LABEL_BYTES:
        raise ModelError(
            f"{len(values)} labels of type {dtype} take {dtype.itemsize * len(values):,} bytes, expected at most "
            f"{MOST_LABEL_BYTES:,}"
        )
    classes = np.array(values, dtype=dtype)
    if classes.ndim != 1 or classes.tolist() != values:
        raise ModelError(f"the labels cannot be of type {dtype}")
    if len(set(values)) < len(values):
        raise ModelError(f"the {len(values)} labels are not all different")
    return classes


def texts(name: str, value: Any, count: int, of: str) -> list[str]:
    """A list of so many texts.

    Raises:
        ModelError: if it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ModelError(f"`{name}` is not a list of texts")
    if len(value) != count:
        raise ModelError(f"there are {len(value):,} {name.replace('_', ' ')} for {count:,} {of}")
    return value


def bytes_of(state: Mapping[str, Tensor]) -> int:
    """Bytes of all tensors but the descriptions of circuits."""
    return sum(t.numel() * t.element_size() for name, t in state.items() if not name.endswith(_EXTRA))


def check_weights(state: Mapping[str, Tensor]) -> None:
    """Refuse more weights than a file may have, and any that is not finite.

    Raises:
        ModelError: naming the tensor.
    """
    if bytes_of(state) > MOST_TENSOR_BYTES:
        raise ModelError(f"the weights take {bytes_of(state):,} bytes, expected at most {MOST_TENSOR_BYTES:,}")
    for name, tensor in state.items():
        if tensor.device.type != "meta" and tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"the tensor {name!r} has values that are not finite")


def check_size(size: int, expected: Mapping[str, Tensor]) -> None:
    """Refuse a file that is too large for its model, before it is read.

    Args:
        size: bytes of the file.
        expected: the tensors of the model, which need not hold numbers.

    Raises:
        ModelError: naming both sizes.
    """
    check_weights(expected)
    most = bytes_of(expected) + MOST_HEADER_BYTES + sum(MOST_BYTES for name in expected if name.endswith(_EXTRA))
    if size > most:
        raise ModelError(f"its model.safetensors has {size:,} bytes, expected at most {most:,}")


def check_header(payload: bytes, expected: Mapping[str, Tensor]) -> None:
    """Refuse tensors of other names, types or shapes than the model's, before they are made.

    Args:
        payload: a file of safetensors.
        expected: the tensors of the model, which need not hold numbers.

    Raises:
        ModelError: naming the tensor.
    """
    entries = _header(payload)
    if set(entries) != set(expected):
        missing, more = sorted(set(expected) - set(entries)), sorted(set(entries) - set(expected))
        raise ModelError(f"its tensors are of another model: missing {_shown(missing)}, unexpected {_shown(more)}")
    for name, entry in entries.items():
        tensor = expected[name]
        dtype, shape = _DTYPES.get(entry["dtype"]), tuple(entry["shape"])
        if dtype != tensor.dtype:
            raise ModelError(f"the tensor {name!r} is {_shown(entry['dtype'])}, expected {_name(tensor.dtype)}")
        # The description of the circuits may be written otherwise than this version would.
        fits = len(shape) == 1 if name.endswith(_EXTRA) else shape == tuple(tensor.shape)
        if not fits:
            raise ModelError(f"the tensor {name!r} has the shape {_shown(shape)}, expected {tuple(tensor.shape)}")


def _header(payload: bytes) -> dict[str, Any]:
    size = int.from_bytes(payload[:8], "little")
    if not 2 <= size <= min(MOST_HEADER_BYTES, len(payload) - 8):
        raise ModelError(f"it is not a file of safetensors: its header would have {size:,} bytes")
    try:
        header = parse_json(payload[8 : 8 + size])
    except ValueError as error:
        raise ModelError(f"it is not a file of safetensors: its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise ModelError("it is not a file of safetensors: its header is no object")
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


def _name(dtype: torch.dtype) -> str:
    return next((name for name, known in _DTYPES.items() if known == dtype), str(dtype))


def _shown(value: Any) -> str:
    """A value in a message, short whatever it is."""
    text = json.dumps(value, default=repr) if isinstance(value, list | tuple | dict) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
