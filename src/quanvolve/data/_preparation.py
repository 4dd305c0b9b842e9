"""How pictures of any size and kind become arrays of one: the same in training and in prediction."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._open import too_large

if TYPE_CHECKING:
    from PIL import Image

FITS = ("crop", "pad", "stretch")
MOST_PIXELS = 64_000_000
"""Of a picture when it is decoded; JPEGs are decoded smaller where that is enough."""
GREY_MODES = frozenset(("L", "1", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"))
"""Pillow's modes without colours."""
_DEEP = frozenset(("I", "I;16", "I;16L", "I;16B", "I;16N"))
_WITH_ALPHA = frozenset(("LA", "La", "RGBA", "RGBa", "PA"))
_ORIENTED = frozenset(("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"))
"""Where Pillow keeps what may say that a picture is turned; TIFF files it turns itself."""
_ORIENTATION = 0x0112
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""Numbers of `PIL.Image.Transpose`, by the orientations of EXIF."""
_ON_ITS_SIDE = (5, 6, 7, 8)


@dataclass(frozen=True)
class Preparation:
    """What is done to every picture; part of a model that was trained on pictures, and done again when it predicts.

    A picture is turned as its EXIF orientation says, laid on black where it is transparent, brought from 16 to 8 bits,
    to grey or to colour, and resized with an antialiasing (bilinear) filter. Of an animation, the first frame is taken.
    JPEG files are decoded at an eighth, a quarter or half of their size where that is at least twice the size wanted.

    Args:
        size: Height and width; None leaves it as it is.
        fit: "crop" (scaled until it covers, the middle cut out), "pad" (scaled until it fits, on black) or "stretch".
        channels: 1 for grey (by luma, ITU-R BT.601), 3 for colour.

    Examples:
        >>> from PIL import Image
        >>> Preparation((28, 28), "crop", 1).array(Image.new("RGB", (40, 30))).shape
        (28, 28)
        >>> print(Preparation((28, 28), "crop", 1))
        28x28 (crop), grey
    """

    size: tuple[int, int] | None
    fit: str = "crop"
    channels: int = 3

    def array(self, picture: Image.Image) -> NDArray[np.uint8]:
        """The picture as an array (H, W) of grey or (3, H, W) of colours.

        Raises:
            DataError: if it has too many pixels, or values without a known range; it does not name the file.
        """
        array = np.array(self.picture(picture))
        return array if self.channels == 1 else np.ascontiguousarray(np.moveaxis(array, 2, 0))

    def picture(self, picture: Image.Image) -> Image.Image:
        """The same as a picture, of mode "L" or "RGB".

        Raises:
            DataError: as :meth:`array`.
        """
        from PIL import Image

        extent = None
        if self.size is not None and picture.format in ("JPEG", "MPO"):
            extent = _decode_smaller(picture, self.size)
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(f"the picture has {too_large(f'{picture.width}x{picture.height} pixels', MOST_PIXELS)}")
        picture.load()
        orientation = 1 if _ORIENTED.isdisjoint(picture.info) else picture.getexif().get(_ORIENTATION, 1)
        plain = _in_colours(picture, self.channels)
        if self.size is not None:
            # What is turned is the small picture.
            size = self.size if orientation in _ON_ITS_SIDE else self.size[::-1]
            plain = self._resized(plain, size, extent or plain.size)
        if orientation in _TURNS:
            plain = plain.transpose(Image.Transpose(_TURNS[orientation]))
        if self.size is not None and plain.size != self.size[::-1]:
            plain = _on_black(plain, self.size[::-1])
        return plain

    def _resized(self, picture: Image.Image, size: tuple[int, int], extent: tuple[float, float]) -> Image.Image:
        """The picture scaled to cover a size, and cut there; to be within it, or to be it. All are width and height.

        Args:
            picture: any.
            size: that is wanted.
            extent: of the picture, without what a decoder adds to fill its last block.
        """
        if picture.size == size == extent:
            return picture
        from PIL import Image

        box = (0.0, 0.0, *extent)
        scales = size[0] / extent[0], size[1] / extent[1]
        if self.fit == "crop":
            # What is cut off at the left and at the top, or nothing.
            left, top = (max(0.0, (e - n / max(scales)) / 2) for e, n in zip(extent, size, strict=True))
            box = (left, top, extent[0] - left, extent[1] - top)
        elif self.fit == "pad":
            size = max(1, round(extent[0] * min(scales))), max(1, round(extent[1] * min(scales)))
        return picture.resize(size, Image.Resampling.BILINEAR, box)

    def shape(self) -> tuple[int, ...] | None:
        """Channels, height and width of what it makes; None where the height and width are those of the picture."""
        return None if self.size is None else (self.channels, *self.size)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Preparation:
        """What :meth:`to_dict` gave.

        Raises:
            DataError: if it is something else.
        """
        try:
            size = data["size"]
            made = cls(None if size is None else tuple(size), data["fit"], data["channels"])
            if set(data) == set(asdict(made)) and made._is_valid():
                return made
        except (KeyError, TypeError):
            pass
        raise DataError(
            f"the preparation of pictures is {str(data)[:200]}, expected size, fit and channels: it is damaged"
        )

    def _is_valid(self) -> bool:
        numbers = (1, 1) if self.size is None else self.size
        return (
            len(numbers) == 2
            and all(type(n) is int and n >= 1 for n in numbers)
            and math.prod(numbers) <= MOST_PIXELS
            and self.fit in FITS
            and type(self.channels) is int
            and self.channels in (1, 3)
        )

    def __str__(self) -> str:
        size = "of any size" if self.size is None else f"{self.size[0]}x{self.size[1]} ({self.fit})"
        return f"{size}, {'grey' if self.channels == 1 else 'colour'}"


def _decode_smaller(picture: Image.Image, size: tuple[int, int]) -> tuple[float, float] | None:
    """Let the decoder of JPEG, which averages blocks, leave at least twice the pixels that are wanted each way.

    The resampling that follows has then at least as much as `Image.thumbnail` has with its reducing_gap of 2.

    Returns:
        Width and height of the picture among its pixels: the last block may reach beyond its edge.
    """
    longest = 2 * max(size)  # the orientation is not known yet
    scale = max(longest / picture.width, longest / picture.height)
    if scale >= 1:
        return None
    done = picture.draft(None, (math.ceil(picture.width * scale), math.ceil(picture.height * scale)))
    return None if done is None else (done[1][2], done[1][3])


def _on_black(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    whole = Image.new(picture.mode, size)
    whole.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return whole


def _in_colours(picture: Image.Image, channels: int) -> Image.Image:
    """A picture of any mode as "L" or "RGB"; transparent pixels are laid on black."""
    mode = "L" if channels == 1 else "RGB"
    if picture.mode == mode and "transparency" not in picture.info:
        return picture
    from PIL import Image

    if picture.mode == "F":
        raise DataError(
            "the picture holds floating-point numbers, of which none says what is white: save it with 8 or 16 bits, or "
            "all of them as arrays in an .npz file"
        )
    if picture.mode in _DEEP:
        return _in_colours(Image.fromarray(_in_8_bits(np.asarray(picture))), channels)
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size)
        picture.paste(rgba, mask=rgba)
    return picture if picture.mode == mode else picture.convert(mode)


def _in_8_bits(deep: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = int(deep.min()), int(deep.max())
    if low < 0 or high > 65535:
        raise DataError(
            f"the picture holds grey values from {low} to {high}, expected 0 to 65535 (16 bits): save it with 8 or 16 "
            "bits"
        )
    return ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)
