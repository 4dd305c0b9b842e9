"""How pictures of any size and kind become arrays of one: the same in training and in prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError

if TYPE_CHECKING:
    from PIL import Image

FITS = ("crop", "pad", "stretch")
_DEEP = ("I;16", "I;16L", "I;16B", "I")


@dataclass(frozen=True)
class Preparation:
    """What is done to every picture; part of a model that was trained on pictures, and done again when it predicts.

    A picture is turned as its EXIF orientation says, laid on black where it is transparent, brought from 16 to 8 bits,
    to grey or to colour, and resized with an antialiasing (bilinear) filter.

    Args:
        size: Height and width; None leaves it as it is.
        fit: "crop" (scaled until it covers, the middle cut out), "pad" (scaled until it fits, on black) or "stretch".
        channels: 1 for grey (by luma, ITU-R BT.601), 3 for colour.

    Examples:
        >>> from PIL import Image
        >>> Preparation((28, 28), "crop", 1).array(Image.new("RGB", (40, 30))).shape
        (28, 28)
        >>> print(Preparation((28, 28), "crop", 1))
        resized to 28x28 (crop), grey
    """

    size: tuple[int, int] | None
    fit: str = "crop"
    channels: int = 3

    def array(self, picture: Image.Image) -> NDArray[np.uint8]:
        """The picture as an array (H, W) of grey or (3, H, W) of colours."""
        from PIL import ImageOps

        turned = ImageOps.exif_transpose(picture)
        plain = self._resized(in_colours(turned, self.channels))
        array: NDArray[np.uint8] = np.array(plain)
        return array if self.channels == 1 else np.ascontiguousarray(np.moveaxis(array, 2, 0))

    def _resized(self, picture: Image.Image) -> Image.Image:
        from PIL import Image, ImageOps

        if self.size is None or picture.size == self.size[::-1]:
            return picture
        size = self.size[::-1]
        if self.fit == "crop":
            return ImageOps.fit(picture, size, Image.Resampling.BILINEAR)
        if self.fit == "pad":
            return ImageOps.pad(picture, size, Image.Resampling.BILINEAR)
        return picture.resize(size, Image.Resampling.BILINEAR)

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
            made = cls(None if size is None else (int(size[0]), int(size[1])), data["fit"], data["channels"])
        except (KeyError, IndexError, TypeError, ValueError):
            made = None
        if made is None or made.fit not in FITS or made.channels not in (1, 3) or set(data) != set(asdict(made)):
            raise DataError(f"the preparation of pictures is {data!r}, expected size, fit and channels: it is damaged")
        return made

    def __str__(self) -> str:
        size = "of any size" if self.size is None else f"resized to {self.size[0]}x{self.size[1]} ({self.fit})"
        return f"{size}, {'grey' if self.channels == 1 else 'colour'}"


def in_colours(picture: Image.Image, channels: int) -> Image.Image:
    """A picture of any mode as "L" or "RGB"; transparent pixels are laid on black."""
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    if picture.mode in _DEEP:
        deep = np.asarray(picture).astype(np.int64)
        picture = Image.fromarray((np.clip(deep, 0, 65535) // 257).astype(np.uint8))
    if picture.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        black = Image.new("RGB", picture.size)
        black.paste(rgba, mask=rgba)
        picture = black
    return picture if picture.mode == mode else picture.convert(mode)
