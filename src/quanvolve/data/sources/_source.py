"""What every source offers."""

from __future__ import annotations

from typing import Any, Protocol

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset


class Source(Protocol):
    """A kind of data: files of a format, or objects of a library.

    Attributes:
        kind: what it is called in messages, with its article, such as "an .npz file".
    """

    kind: str

    def takes(self, data: Any) -> bool:
        """Whether data are of this kind: from a path's ending and what is in a folder, or the type of an object.

        Nothing large is read, and no library imported that is not loaded already: an object of a library that was
        never imported cannot be here.
        """

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set.

        Raises:
            DataError: if it is missing, damaged or cannot be understood; one line, with the remedy.
        """
