"""Names of files that somebody else has chosen, as paths that stay inside of a folder."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from quanvolve.studio._problems import Refused

_LONGEST, _LONGEST_PART, _DEEPEST = 1000, 200, 16  # bytes of a path and of each name in it; folders within each other
_SYSTEM = frozenset(("__macosx", "thumbs.db", "desktop.ini"))


def safe_path(name: str) -> PurePosixPath | None:
    """A relative path from the name of a file, with slashes of either kind between its parts.

    Args:
        name: as a request or an archive has it.

    Returns:
        The path; None for hidden files, and for what systems leave behind, which are not kept.

    Raises:
        Refused: if it leads out of the folder, is too long, or no name of a file everywhere.

    Examples:
        >>> safe_path("photos/cat/1.png"), safe_path("photos\\\\cat\\\\1.png"), safe_path("photos/.DS_Store")
        (PurePosixPath('photos/cat/1.png'), PurePosixPath('photos/cat/1.png'), None)
        >>> safe_path("../1.png")
        Traceback (most recent call last):
        quanvolve.studio._problems.Refused: 422: files: '../1.png' leads out of the data set: ...
    """
    shown = repr(name if len(name) <= 120 else f"{name[:117]}...")
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name[:1] in ("/", "\\") or parts[0][1:2] == ":":
        raise Refused(422, "name", f"files: {shown} leads out of the data set: send paths inside of its folder")
    parts = [part for part in parts if part != "."]
    if not all(map(_is_name, parts)) or not parts:
        raise Refused(
            422, "name", f"files: {shown} is no name of a file: use letters, digits and what else all systems allow"
        )
    sizes = [len(part.encode()) for part in parts]
    if sum(sizes) + len(parts) > _LONGEST or max(sizes) > _LONGEST_PART or len(parts) > _DEEPEST:
        raise Refused(
            422, "name", f"files: {shown} is too long: a path may have {_LONGEST} bytes, a name in it "
            f"{_LONGEST_PART}, and there may be {_DEEPEST} names in it",
        )  # fmt: skip
    if any(part.startswith(".") or part.lower() in _SYSTEM for part in parts):
        return None
    return PurePosixPath(*parts)


def _is_name(part: str) -> bool:
    """Whether all systems take it: no control character, nothing that is half a character, no end that is cut off."""
    kinds = {unicodedata.category(letter) for letter in part}
    return bool(part) and not kinds & {"Cc", "Cs", "Zl", "Zp"} and ":" not in part and part[-1] not in " ."
