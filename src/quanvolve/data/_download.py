"""Downloading one file: mirrors, resuming, a checksum, and a final name only for a verified file."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from quanvolve._errors import DataError
from quanvolve.data._cache import offline
from quanvolve.data._check import Check
from quanvolve.data._part import Part
from quanvolve.data._text import plural, quoted, reason

Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, the bytes that are there and the bytes in total (None while unknown)."""

_CHUNK = 1 << 16

# No file of a data set here comes near; a server that never stops sending must not fill the disk.
_MAX_BYTES = 1 << 30


class _MirrorError(Exception):
    """This mirror did not deliver. `again` says that another request to it is worth while."""

    def __init__(self, message: str, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


def download(
    urls: Sequence[str],
    path: str | os.PathLike[str],
    md5: str | None,
    *,
    timeout: float = 30,
    progress: Progress | None = None,
    files: str = "the four files",
) -> Path:
    """Download one file from the first mirror that delivers it.

    The bytes go to a `.part` file beside `path`, from which a later call resumes. Only a complete file with
    the right checksum gets its final name.

    Args:
        urls: The addresses of the same file, in the order in which they are tried.
        path: Where the file is to lie. A file that is there with the right checksum is kept, and nothing is
            loaded.
        md5: The checksum expected, in hexadecimal. None where nobody published one: the file must then be a `.zip`
            archive whose own checksums hold.
        timeout: Seconds without an answer after which a mirror is given up.
        progress: Called as `progress(name, done_bytes, total_bytes)`; the total is None while unknown.
        files: What a person can put into a folder instead, for messages.

    Returns:
        The path of the file.

    Raises:
        DataError: No mirror delivered the file, `QUANVOLVE_OFFLINE` forbids downloads, or the folder cannot
            be written.

    Examples:
        >>> import os
        >>> from unittest import mock
        >>> from quanvolve.data import download
        >>> with mock.patch.dict(os.environ, QUANVOLVE_OFFLINE="1"):
        ...     download(["https://example.org/a.gz"], "a.gz", "d41d8cd98f00b204e9800998ecf8427e")
        Traceback (most recent call last):
        ...
        quanvolve._errors.DataError: a.gz is not here and QUANVOLVE_OFFLINE forbids downloading it: ...
    """
    path = Path(path)
    check = Check(md5)
    remedy = f"put {files} in a folder and pass `data_dir=DIR`, or use the bundled 'digits'"
    if os.path.exists(path) and check.fault(path) is None:
        return path
    if offline():
        raise DataError(
            f"{path.name} is not here and QUANVOLVE_OFFLINE forbids downloading it: unset QUANVOLVE_OFFLINE, {remedy}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Part(path)
        try:
            last = _from_any(urls, part, check, timeout, progress, path.name)
            if last is None:
                part.finish(path)
                return path
        finally:
            # Also on Ctrl-C, so that the next call resumes.
            part.release()
    except OSError as error:
        raise DataError(
            f"cannot write {path.name} in {quoted(path.parent)} ({reason(error)}): set QUANVOLVE_CACHE to a "
            f"folder with room that is writable"
        ) from None
    raise DataError(f"could not download {path.name} (tried {plural(len(urls), 'mirror')}; last: {last}): {remedy}")


def _from_any(
    urls: Sequence[str], part: Part, check: Check, timeout: float, progress: Progress | None, name: str
) -> str | None:
    """Fill `part` with the verified file; the reason of the last failure where no mirror delivers it."""
    # A process killed between its last byte and the renaming leaves a complete file.
    if part.size and check.fault(part.file) is None:
        return None
    last = "no mirror is known"
    for url in urls:
        for attempt in (1, 2):
            try:
                _from_one(url, part, check, timeout, progress, name)
                return None
            except _MirrorError as error:
                last = str(error)
                if attempt == 2 or not error.again:
                    break
    return last


def _from_one(url: str, part: Part, check: Check, timeout: float, progress: Progress | None, name: str) -> None:
    """One request for the bytes that are missing."""
    if not url.startswith(("http://", "https://")):
        raise _MirrorError(f"{url!r} is no web address")
    have = part.begin()
    request = urllib.request.Request(url, headers={"User-Agent": "quanvolve"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            # The part is no beginning of this file.
            part.clear()
        raise _MirrorError(f"HTTP {error.code} from {url}", again=error.code == 416 and have > 0) from None
    except urllib.error.URLError as error:
        why = error.reason if isinstance(error.reason, str) else reason(error.reason)
        raise _MirrorError(f"{why} from {url}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _MirrorError(f"{reason(error)} from {url}") from None
    with answer:
        if answer.status == 206:
            start, total = _content_range(answer.headers.get("Content-Range", ""))
            if start != have:
                part.clear()
                raise _MirrorError(f"bytes from {start} instead of {have} from {url}", again=True)
            if total is None and (rest := _number(answer.headers.get("Content-Length"))) is not None:
                total = have + rest
        else:
            have, total = 0, _number(answer.headers.get("Content-Length"))
            part.clear()
        done = _stream(answer, part, url, total, have, progress, name)
    if total is not None and done < total:
        raise _MirrorError(f"only {done} of {total} bytes from {url}", again=True)
    if not part.file.exists():
        # This process was asleep for so long that another one took its bytes over.
        raise _MirrorError(f"interrupted while loading from {url}", again=True)
    fault = check.fault(part.file)
    if fault is not None:
        part.clear()
        # After resuming, the fault may lie in the bytes that were there before; a whole file leaves no such
        # doubt.
        raise _MirrorError(f"{fault} from {url}", again=have > 0)


def _stream(
    answer: http.client.HTTPResponse,
    part: Part,
    url: str,
    total: int | None,
    done: int,
    progress: Progress | None,
    name: str,
) -> int:
    """Append what the server sends; the bytes that are there at its end."""
    with part.file.open("ab") as out:
        while True:
            try:
                chunk = answer.read1(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _MirrorError(f"{reason(error)} after {done} bytes from {url}", again=True) from None
            if not chunk:
                return done
            done += len(chunk)
            if done > _MAX_BYTES:
                out.truncate(0)
                raise _MirrorError(f"more than {_MAX_BYTES} bytes from {url}")
            out.write(chunk)
            if progress is not None:
                progress(name, done, total)


def _content_range(text: str) -> tuple[int | None, int | None]:
    """Start and total of `bytes START-END/TOTAL`, each None where it is not given."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", text.strip())
    return (int(match[1]), _number(match[2])) if match else (None, None)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
