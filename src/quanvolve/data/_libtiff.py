"""libtiff's own words about damaged pictures, which it writes to standard error past Python."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module


@cache
def silence_libtiff() -> bool:
    """Take the handlers of messages away from the libtiff that Pillow uses: Pillow's exception says what is wrong.

    They are of the whole process. Sending its standard error elsewhere for a while instead would lose what other
    threads write meanwhile.

    Returns:
        Whether that libtiff can be reached; where it cannot, its lines are seen beside the error.
    """
    try:
        # Looked up in the library and in what it is linked with.
        library = ctypes.CDLL(import_module("PIL._imaging").__file__)
        handlers = (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler)
    except (OSError, AttributeError):
        return False
    for handler in handlers:
        handler.restype, handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        handler(None)
    return True
