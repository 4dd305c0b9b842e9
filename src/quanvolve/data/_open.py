"""Opening picture files of unknown origin: whatever is wrong with one is said in one line."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

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

WITHIN = "QUANVOLVE_PICTURES_WITHIN"
"""The variable of the environment with a folder outside of which no picture is opened: a table that somebody else has
made may name any file of this machine."""


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow from warning of large and of slightly damaged pictures: the first are refused, the others raise.

    The filters of warnings are those of all threads: whoever decodes in several does this around them all.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def opened_picture(
    path: str | os.PathLike[str] | bytes, most_pixels: int, name: str | None = None
) -> Iterator[Image.Image]:
    """A picture of which only the head has been read; what fails while it is decoded becomes an error of its file.

    Args:
        path: of the file; or what is in it.
        most_pixels: that whoever decodes it allows, for the message about one that Pillow itself refuses.
        name: what messages call it; None for the path in quotes.

    Raises:
        DataError: a file that is missing, damaged, of another kind, far too large, or not where it may be.
    """
    from PIL import Image, UnidentifiedImageError

    name = name or (repr("bytes") if isinstance(path, bytes) else quoted(path))
    if not isinstance(path, bytes):
        check_within(path, name)
    try:
        with _stream(path) as stream, Image.open(stream, formats=KINDS) as picture:
            if picture.format == "TIFF":
                silence_libtiff()
            yield picture
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{name} does not exist, expected an image: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{name} is a folder, expected an image: name the files inside it") from None
    except Image.DecompressionBombError:
        size = f"over {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels"
        raise DataError(f"{name} has {too_large(size, most_pixels)}") from None
    except UnidentifiedImageError:
        why = "is damaged or something else" if _length(path) else "has 0 bytes"
        raise DataError(
            f"{name} is not an image of a known kind ({', '.join(KINDS)}): it {why}; get it again"
        ) from None
    # On damaged files the decoders raise nearly anything: OSError, SyntaxError, struct.error, IndexError.
    except Exception as error:
        raise DataError(f"{name} is a damaged image ({reason(error)}): get the file again") from None


def check_within(path: str | os.PathLike[str], name: str) -> None:
    """Refuse a file outside of the one folder that is open, where the environment names one; see :data:`WITHIN`.

    Args:
        path: of the file.
        name: what messages call it.

    Raises:
        DataError: if it is outside; whether there is such a file is not said.
    """
    folder = os.environ.get(WITHIN)
    if folder and not os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), "")):
        raise DataError(f"{name} is not among the data: name files by their paths inside of them")


def _stream(path: str | os.PathLike[str] | bytes) -> IO[bytes]:
    return io.BytesIO(path) if isinstance(path, bytes) else open(path, "rb")


def _length(path: str | os.PathLike[str] | bytes) -> int:
    return len(path) if isinstance(path, bytes) else os.path.getsize(path)


def too_large(size: str, most_pixels: int) -> str:
    """What is said of a picture of that size."""
    return f"{size}, expected at most {most_pixels // 1_000_000} megapixels: make it smaller first"
