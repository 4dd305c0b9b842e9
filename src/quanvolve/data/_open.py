"""Opening picture files of unknown origin: whatever is wrong with one is said in one line."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from quanvolve._errors import DataError
from quanvolve.data._libtiff import silence_libtiff
from quanvolve.data._text import quoted, reason

if TYPE_CHECKING:
    from PIL import Image

# Pillow is asked for these alone: some of its other formats start external programs.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".pgm": "PPM",
    ".ppm": "PPM",
}
KINDS = sorted(set(FORMATS.values()))


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow from warning of large and of slightly damaged pictures: the first are refused, the others raise.

    The filters of warnings are those of all threads: whoever decodes in several does this around them all.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def opened_picture(path: str | os.PathLike[str], most_pixels: int) -> Iterator[Image.Image]:
    """A picture of which only the head has been read; what fails while it is decoded becomes an error of its file.

    Args:
        path: of the file.
        most_pixels: that whoever decodes it allows, for the message about one that Pillow itself refuses.

    Raises:
        DataError: a file that is missing, damaged, of another kind, or far too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with open(path, "rb") as stream, Image.open(stream, formats=KINDS) as picture:
            if picture.format == "TIFF":
                silence_libtiff()
            yield picture
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{quoted(path)} does not exist, expected an image: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{quoted(path)} is a folder, expected an image: name the files inside it") from None
    except Image.DecompressionBombError:
        size = f"over {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels"
        raise DataError(f"{quoted(path)} has {too_large(size, most_pixels)}") from None
    except UnidentifiedImageError:
        why = "is damaged or something else" if os.path.getsize(path) else "has 0 bytes"
        raise DataError(
            f"{quoted(path)} is not an image of a known kind ({', '.join(KINDS)}): it {why}; get it again"
        ) from None
    # On damaged files the decoders raise nearly anything: OSError, SyntaxError, struct.error, IndexError.
    except Exception as error:
        raise DataError(f"{quoted(path)} is a damaged image ({reason(error)}): get the file again") from None


def too_large(size: str, most_pixels: int) -> str:
    """What is said of a picture of that size."""
    return f"{size}, expected at most {most_pixels // 1_000_000} megapixels: make it smaller first"
