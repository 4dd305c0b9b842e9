"""Which requests may be large, by their paths."""

from __future__ import annotations

import re

_WITH_IMAGES = ("/predict", "/predict/files", "/feature-maps")
_DATA = re.compile(r"/api/v1/data/[^/]*/files")


def with_images(path: str) -> bool:
    """Whether the body of a request holds images, which are kept in memory.

    Examples:
        >>> with_images("/api/v1/models/0123456789ab/predict"), with_images("/api/v1/jobs")
        (True, False)
    """
    return path.endswith(_WITH_IMAGES)


def streamed(path: str) -> bool:
    """Whether the body of a request goes to the disk as it comes.

    Examples:
        >>> streamed("/api/v1/data/0123456789ab/files"), streamed("/api/v1/models/0123456789ab/predict/files")
        (True, False)
    """
    return _DATA.fullmatch(path) is not None
