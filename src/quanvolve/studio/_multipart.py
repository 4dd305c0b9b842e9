"""Uploads of several files, taken apart within limits."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData, UploadFile

from quanvolve.studio._problems import Refused
from quanvolve.studio._wanted import still_wanted

_PIECE = 2**16  # bytes after which somebody may have given up
_HEADERS = 2**12  # bytes of the headers of a part, far more than name and file name need


def read_form(body: bytes, content_type: str, most_files: int, form_bytes: int) -> FormData:
    """The parts of a form.

    Args:
        body: of the request.
        content_type: multipart/form-data, with its boundary.
        most_files: how many files there may be.
        form_bytes: size of each of the other values, of which there may be as many.

    Returns:
        Texts and `UploadFile`s, which are in memory.

    Raises:
        Refused: if it is something else, or too much.
        GivenUp: if nobody waits for it any longer.

    Examples:
        >>> body = b'--x\\r\\ncontent-disposition: form-data; name="drawing"\\r\\n\\r\\nfalse\\r\\n--x--\\r\\n'
        >>> read_form(body, "multipart/form-data; boundary=x", 10, 100)
        FormData([('drawing', 'false')])
    """
    parts = Parts(most_files, form_bytes)
    feed = feeder(content_type, parts)
    for start in range(0, len(body), _PIECE):
        still_wanted()
        feed(body[start : start + _PIECE])
    return FormData(parts.found)


def feeder(content_type: str, parts: Parts) -> Callable[[bytes], None]:
    """What takes a form apart, piece by piece.

    Args:
        content_type: multipart/form-data, with its boundary.
        parts: told of all that is in it.

    Returns:
        A function that is given the bytes; it raises `Refused` if they are something else, or too much.

    Raises:
        Refused: if it is another type.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refused(415, "media", "files: expected a request of multipart/form-data with its boundary")
    names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "headers_finished",
             "end")  # fmt: skip
    callbacks: Any = {f"on_{name}": getattr(parts, name) for name in names}

    def invalid(error: FormParserError) -> Refused:
        text = " ".join(str(error).split())[:120]
        return Refused(422, "invalid", f"the request is no whole multipart/form-data ({text})")

    try:
        parser = MultipartParser(options[b"boundary"], callbacks)
    except FormParserError as error:
        raise invalid(error) from None

    def feed(piece: bytes) -> None:
        try:
            parser.write(piece)
        except FormParserError as error:
            raise invalid(error) from None

    return feed


class Parts:
    """What the parser tells of."""

    def __init__(self, most_files: int, form_bytes: int) -> None:
        self.found: list[tuple[str, str | UploadFile]] = []
        self.whole = False  # the last boundary has come
        self._most_files, self._form_bytes = most_files, form_bytes
        self._files = 0

    def end(self) -> None:
        self.whole = True

    def part_begin(self) -> None:
        if len(self.found) >= self._most_files + 8:
            raise Refused(413, "large", f"at most {self._most_files} files are taken at a time")
        self._field, self._value, self._size = bytearray(), bytearray(), 0
        self._disposition, self._data = b"", bytearray()
        self._name = ""
        self._file_name: str | None = None

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += self._counted(data, start, end)

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data, start, end)

    def _counted(self, data: bytes, start: int, end: int) -> bytes:
        self._size += end - start + 2
        if self._size > _HEADERS:
            raise Refused(413, "large", f"the headers of a file may have {_HEADERS:,} bytes: send its name only")
        return data[start:end]

    def header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise Refused(422, "invalid", "a part of the request has no name: expected files as `files`")
        self._name = options[b"name"].decode(errors="replace")
        if b"filename" in options:
            self._file_name = options[b"filename"].decode(errors="replace")
            self._files += 1
            if self._files > self._most_files:
                most = self._most_files
                raise Refused(413, "large", f"more than {most} files, at most {most} are taken at a time")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file_name is None and len(self._data) + end - start > self._form_bytes:
            raise Refused(413, "large", f"{self._name[:80]}: a value may have {self._form_bytes:,} bytes")
        self._data += data[start:end]

    def part_end(self) -> None:
        if self._file_name is None:
            value: str | UploadFile = self._data.decode(errors="replace")
        else:
            value = UploadFile(io.BytesIO(self._data), size=len(self._data), filename=self._file_name)
        self.found.append((self._name, value))
