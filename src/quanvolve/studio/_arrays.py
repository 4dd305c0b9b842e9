"""Images in JSON, read row by row: numbers become arrays at once, and nothing else is taken.

A general reader makes an object of every number, string and list before anybody can look at them: up to 50 bytes for
each byte of a request, while no other request is answered. Here no more than a piece of a row is ever made.
"""

from __future__ import annotations

import array
import json
import re
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from quanvolve.studio._problems import Refused
from quanvolve.studio._wanted import still_wanted

Floats = npt.NDArray[np.float64]
_DEEPEST = 4  # channels, planes, rows and columns
_PIECE = 2**16  # characters of a row that are read at a time
_MOST_ROWS = 500_000
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBERS = b"0123456789eE+-., \t\r\n"
_OTHER = re.compile(r"[^0-9eE+\-., \t\r\n]")


def read_request(body: bytes, most_images: int, form_bytes: int) -> dict[str, Any]:
    """A request with images.

    Args:
        body: a JSON object in UTF-8.
        most_images: how many there may be.
        form_bytes: size of everything else in it.

    Returns:
        The object. In place of `image` there is an array, in place of `images` a list of them, float64.

    Raises:
        Refused: if it is something else, or too much.
        GivenUp: if nobody waits for it any longer.

    Examples:
        >>> read_request(b'{"image": [[0, 1], [0.5, 2e-1]], "drawing": true}', 10, 1000)
        {'image': array([[0. , 1. ],
               [0.5, 0.2]]), 'drawing': True}
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused(422, "invalid", f"byte {error.start} of the request is not UTF-8: send JSON in UTF-8") from None
    return _Reader(text, most_images, form_bytes).read()


class _Reader:
    """Goes through a text once; `_at` is where it is."""

    def __init__(self, text: str, most_images: int, form_bytes: int) -> None:
        self._text, self._at = text, 0
        self._most_images, self._form, self._form_left = most_images, form_bytes, form_bytes
        self._decoder = json.JSONDecoder(parse_constant=_no_number)

    def read(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if self._text.count("[") > _MOST_ROWS:
            raise Refused(413, "large", f"at most {_MOST_ROWS:,} rows are taken at a time: send fewer images")
        if self._next() != "{":
            self._expected("an object: {")
        self._at += 1
        more = self._next() != "}"
        while more:
            if self._next() != '"':
                self._expected("a name in double quotes")
            name = self._value()
            if name in fields:
                raise Refused(422, "invalid", f"{name[:80]}: it is there twice")
            if self._next() != ":":
                self._expected("a colon")
            self._at += 1
            start = self._next()
            if name == "image" and start == "[":
                fields[name] = self._image(name)
            elif name == "images" and start == "[":
                fields[name] = self._images(name)
            else:
                fields[name] = self._value()
            more = self._next() == ","
            self._at += more
        if self._next() != "}":
            self._expected("a comma or }")
        self._at += 1
        if self._next():
            self._expected("nothing more")
        return fields

    def _next(self) -> str:
        """The next character that is no space."""
        space = _SPACE.match(self._text, self._at)
        self._at = self._at if space is None else space.end()
        return self._text[self._at : self._at + 1]

    def _expected(self, what: str) -> NoReturn:
        character = self._text[self._at : self._at + 1]
        raise Refused(
            422, "invalid", f"character {self._at} of the request is {repr(character) if character else 'missing'}: "
            f"expected JSON, here {what}",
        ) from None  # fmt: skip

    def _value(self) -> Any:
        """A value that holds no image: of these there may be little."""
        try:
            value, used = self._decoder.raw_decode(self._text[self._at : self._at + self._form_left + 1])
        except Refused:
            raise
        except (ValueError, RecursionError):
            if len(self._text) - self._at <= self._form_left:
                self._expected("a value")
            used = self._form_left + 1
        self._at += used
        self._form_left -= used
        if self._form_left < 0:
            raise Refused(
                413, "large", f"a request may have {self._form:,} bytes beside its images: leave out the rest"
            ) from None
        return value

    def _images(self, name: str) -> list[Floats]:
        images: list[Floats] = []
        self._at += 1
        more = self._next() != "]"
        while more:
            if self._next() != "[":
                raise Refused(422, "invalid", f"{name}: an image or a drawing is an array of rows and columns")
            if len(images) == self._most_images:
                most = self._most_images
                raise Refused(413, "large", f"more than {most} images, at most {most} are taken at a time")
            images.append(self._image(name))
            more = self._next() == ","
            self._at += more
        if self._next() != "]":
            self._expected("a comma or ]")
        self._at += 1
        return images

    def _image(self, name: str) -> Floats:
        values, shape = array.array("d"), _Shape(name)
        self._list(name, values, shape, 0)
        image: Floats = np.frombuffer(values, np.float64) if values else np.empty(0)
        least, most = image.min(initial=0.0), image.max(initial=0.0)
        if least < -1e30 or most > 1e30:
            raise Refused(422, "invalid", f"{name}: expected finite numbers, none beyond 1e30")
        return image.reshape(shape.lengths)

    def _list(self, name: str, values: array.array[float], shape: _Shape, depth: int) -> None:
        """One list, whose end is found too."""
        self._at += 1
        if self._next() != "[":
            shape.see(depth, self._row(name, values), last=True)
            return
        if depth + 1 == _DEEPEST:
            raise Refused(422, "invalid", f"{name}: an image has at most {_DEEPEST} lists within each other")
        if self._rows(values, shape, depth):
            return
        count, more = 0, True
        while more:
            if self._next() != "[":
                shape.refuse()
            self._list(name, values, shape, depth + 1)
            count += 1
            more = self._next() == ","
            self._at += more
        if self._next() != "]":
            self._expected("a comma or ]")
        self._at += 1
        shape.see(depth, count, last=False)

    def _rows(self, values: array.array[float], shape: _Shape, depth: int) -> bool:
        """A whole list of short rows at once, which is what most images are; False if it is something else."""
        text, start = self._text, self._at
        end = text.find("]]", start, start + _PIECE)
        if end < 0 or text[start + 1] == "[":
            return False
        still_wanted()
        piece = text[start:end]
        if piece.encode().translate(None, _NUMBERS + b"[]"):
            return False
        try:
            rows = json.loads(f"[{piece}]]")
            lengths = set(map(len, rows))
            numbers = np.array(rows, np.float64) if len(lengths) == 1 else np.empty(0)
        except (ValueError, OverflowError, TypeError):  # no JSON, numbers beyond all floats, numbers beside lists
            return False
        for length in lengths:
            shape.see(depth + 1, length, last=True)
        values.frombytes(numbers.tobytes())
        shape.see(depth, len(rows), last=False)
        self._at = end + 2
        return True

    def _row(self, name: str, values: array.array[float]) -> int:
        """Numbers up to the end of their list; returns how many."""
        text, count = self._text, 0
        end = text.find("]", self._at)
        if end < 0:
            end = len(text)
        while True:
            still_wanted()
            start = self._at
            stop = end if end - start <= _PIECE else text.rfind(",", start, start + _PIECE)
            piece = self._numbers(name, start, stop if stop >= 0 else start + _PIECE)
            if not piece and (count or stop != end or text[start:end].strip()):
                raise Refused(422, "invalid", f"{name}: expected finite numbers, none beyond 1e30, with commas between "
                              f"them, in the list at character {start} of the request")  # fmt: skip
            try:
                values.extend(piece)
            except OverflowError:
                raise Refused(422, "invalid", f"{name}: expected finite numbers, none beyond 1e30") from None
            count += len(piece)
            self._at = stop + 1
            if stop == end:
                if end == len(text):
                    self._at = end
                    self._expected("]")
                return count

    def _numbers(self, name: str, start: int, stop: int) -> list[float]:
        """What stands between two places of the text; nothing if these are not numbers with commas between them."""
        piece = self._text[start:stop]
        if piece.encode().translate(None, _NUMBERS):
            other = _OTHER.search(self._text, start, stop)
            if other is None or other[0] == "[":
                _Shape(name).refuse()
            raise Refused(422, "invalid", f"{name}: expected finite numbers, none beyond 1e30; character "
                          f"{other.start()} of the request is {other[0]!r}")  # fmt: skip
        try:
            numbers: list[float] = json.loads(f"[{piece}]")
        except ValueError:
            return []
        return numbers


class _Shape:
    """The lengths of lists within each other, which must be the same everywhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[int, tuple[int, bool]] = {}

    def see(self, depth: int, length: int, last: bool) -> None:
        if self._known.setdefault(depth, (length, last)) != (length, last):
            self.refuse()

    def refuse(self) -> NoReturn:
        raise Refused(422, "invalid", f"{self._name}: expected arrays of numbers, all of the same shape")

    @property
    def lengths(self) -> list[int]:
        return [self._known[depth][0] for depth in sorted(self._known)]


def _no_number(name: str) -> NoReturn:
    raise Refused(422, "invalid", f"{name} is no number of JSON: expected finite ones")
