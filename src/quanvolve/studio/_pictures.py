"""Pictures from people: decoding within limits, and drawings in the form of the images that a model knows."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from quanvolve.studio._problems import Refused

Floats = npt.NDArray[np.float32]
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_MOST_SCANS = 100  # of a progressive JPEG, which have about ten; each goes over the whole picture
_INK = 0.15  # of the brightest; what is darker does not count as part of a drawing
# How much of the image's side a digit takes, and where its centre of mass is, in pixels from the middle of the image:
# MNIST's are scaled to 20 of 28 pixels, and their centres lie half a pixel right and below; those of scikit-learn fill
# their images.
_FORMS = {"digits": (1.0, 0.0)}
_MNIST_FORM = (20 / 28, 0.5)


def decoded(
    content: bytes, most_pixels: int, colour: bool = False, allowed: Callable[[tuple[int, int]], None] | None = None
) -> Floats:
    """A picture as brightness in [0, 1].

    Args:
        content: the bytes of a PNG, JPEG, BMP, GIF or WebP file; of several frames the first counts.
        most_pixels: refuse larger ones before they are unpacked.
        colour: three channels in place of brightness.
        allowed: told of rows and columns before the picture is unpacked, which it may refuse.

    Returns:
        Shape (H, W), or (3, H, W).

    Raises:
        Refused: if it is something else, damaged, or too large.
    """
    with opened(content, most_pixels) as image:
        if allowed is not None:
            allowed(image.size[::-1])
        image.load()
        whole: Image.Image = image
        if "A" in image.getbands() or "transparency" in image.info:
            paper = Image.new("RGBA", image.size, "white")
            whole = Image.alpha_composite(paper, image.convert("RGBA"))
        values = np.asarray(whole.convert("RGB" if colour else "L"), np.float32)
        values /= 255
    return np.ascontiguousarray(values.transpose(2, 0, 1) if colour else values)


@contextmanager
def opened(content: bytes, most_pixels: int, in_part: int | None = None) -> Iterator[Image.Image]:
    """A picture of which only the head has been read.

    Args:
        content: the bytes of a file.
        most_pixels: that it may have.
        in_part: that a JPEG may have which can be unpacked at a fraction of its size.

    Raises:
        Refused: if it is something else, damaged, or too large; also if unpacking fails later.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                wide, tall = image.size
                if in_part is not None and image.format == "JPEG" and not image.info.get("progressive"):
                    most_pixels = max(most_pixels, in_part)
                if wide * tall > most_pixels:
                    raise Refused(
                        413, "large", f"the picture has {wide} x {tall} pixels, at most {most_pixels:,} are taken"
                    )
                if image.format == "JPEG" and content.count(b"\xff\xda") > _MOST_SCANS:
                    raise Refused(413, "large", f"the picture is a JPEG of more than {_MOST_SCANS} scans: save it anew")
                yield image
    except Refused:
        raise
    except Image.DecompressionBombError:
        raise Refused(
            413, "large", f"the picture has far more pixels than the {most_pixels:,} that are taken"
        ) from None
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise Refused(
            415, "picture", f"this is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP): {_reason(error)}"
        ) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return "it is of another kind, or damaged" if "cannot identify" in text or not text else text[:120]


def as_drawn(picture: Any, size: tuple[int, int], dataset: str = "mnist") -> Floats:
    """A drawing in the form of a data set's digits: cut out, scaled and centred as MNIST's were.

    Args:
        picture: brightness, shape (H, W), of any scale. Dark strokes on bright paper are exchanged.
        size: rows and columns of the result.
        dataset: whose form; "digits" fill the whole image, others leave MNIST's margin.

    Returns:
        Values in [0, 1], bright strokes on black; all zero for an empty drawing.

    References:
        LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998): digits were scaled to fit a box of 20
        x 20 pixels, keeping their proportions, and placed so that their centre of mass is that of the 28 x 28 image.

    Examples:
        >>> import numpy as np
        >>> stroke = np.zeros((100, 100)); stroke[20:60, 30:35] = 1
        >>> made = as_drawn(stroke, (28, 28))
        >>> rows = np.flatnonzero(made.max(axis=1) > 0.2); int(rows[-1] - rows[0] + 1)
        20
    """
    pixels = np.asarray(picture, np.float32)
    low, high = float(pixels.min(initial=0)), float(pixels.max(initial=0))
    pixels = (pixels - low) / ((high - low) or 1.0)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if float(np.median(border)) > 0.5:
        pixels = 1 - pixels
    inked = pixels > _INK
    empty = np.zeros(size, np.float32)
    if not inked.any():
        return empty
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tall, wide = cut.shape
    box, offset = _FORMS.get(dataset, _MNIST_FORM)
    factor = box * min(size) / max(tall, wide)
    target = max(1, round(wide * factor)), max(1, round(tall * factor))
    way = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(cut).resize(target, way), np.float32)
    small = np.clip(small / (small.max() or 1.0), 0, 1)
    return _placed(small, empty, offset)


def _placed(small: Floats, into: Floats, offset: float) -> Floats:
    """Put the centre of mass of one image near the middle of the other, as far as it stays inside."""
    place = []
    for axis, (extent, room) in enumerate(zip(small.shape, into.shape, strict=True)):
        mass = small.sum(axis=1 - axis)
        centre = float((mass * (np.arange(extent) + 0.5)).sum() / mass.sum())
        place.append(int(np.clip(round(room / 2 + offset - centre), 0, max(room - extent, 0))))
    rows, columns = min(small.shape[0], into.shape[0]), min(small.shape[1], into.shape[1])
    into[place[0] : place[0] + rows, place[1] : place[1] + columns] = small[:rows, :columns]
    return into
