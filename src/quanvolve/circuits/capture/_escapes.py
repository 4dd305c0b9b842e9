"""Values that leave tensors: what a circuit function makes of them, capture would keep as it was for one window."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError

_WHAT: dict[Any, str] = {
    Tensor.__bool__: "a truth value",
    Tensor.__contains__: "a truth value",
    torch.is_nonzero: "a truth value",
    Tensor.is_nonzero: "a truth value",
    torch.equal: "a truth value",
    Tensor.equal: "a truth value",
    torch.allclose: "a truth value",
    Tensor.allclose: "a truth value",
    Tensor.__float__: "a number",
    Tensor.__int__: "a number",
    Tensor.__index__: "a number",
    Tensor.__complex__: "a number",
    Tensor.item: "a number",
    Tensor.tolist: "numbers",
    Tensor.numpy: "a NumPy array",
    Tensor.__array__: "a NumPy array",
    Tensor.__array_wrap__: "a NumPy array",
    Tensor.__dlpack__: "its memory",
    Tensor.untyped_storage: "its memory",
    Tensor.storage: "its memory",
    Tensor.data_ptr: "its memory",
    Tensor.__repr__: "a text",
    Tensor.__format__: "a text",
    torch.nonzero: "a size",
    Tensor.nonzero: "a size",
    torch.argwhere: "a size",
    Tensor.argwhere: "a size",
    torch.masked_select: "a size",
    Tensor.masked_select: "a size",
    torch.unique: "a size",
    Tensor.unique: "a size",
    torch.unique_consecutive: "a size",
    Tensor.unique_consecutive: "a size",
}
_REMEDIES = {
    "a truth value": "use torch.where in place of a branch, so that both sides are kept",
    "its memory": "use functions of torch",
    "a text": "print after the layer, or what `inputs.shape` says",
    "a size": "use torch.where in place of a selection, so that tensors keep their sizes",
}
_FOR_CALLERS = ("pennylane.math", "pennylane.control_flow", "pennylane.ops.op_math.condition", "pennylane.compiler")
_LIBRARIES = ("torch", "numpy", "scipy", "autoray", "pennylane", "contextlib.py")


def leaves_tensors(function: Any, args: Any) -> bool:
    """Whether this call of a function of torch takes a value, or a size that values decide, out of a tensor."""
    if function in (torch.where, Tensor.__getitem__):
        return _what(function, args) is not None
    return function in _WHAT


def _what(function: Any, args: Any) -> str | None:
    if function is torch.where:
        return "a size" if len(args) == 1 else None
    if function is Tensor.__getitem__:
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        masked = any(isinstance(part, Tensor) and part.dtype in (torch.bool, torch.uint8) for part in index)
        return "a size" if masked else None
    return _WHAT[function]


def refuse(function: Any, args: Any) -> None:
    """Refuse a value that user's code takes out of a tensor; what PennyLane does inside its operations may pass.

    Its checks (is the norm one?) and decompositions look at values; whether more than that depends on them shows at
    further points.

    Raises:
        CaptureError: with file and line.
    """
    if by_pennylane():
        return
    outer = _who_asks()
    what = _what(function, args) or "a value"
    place = "" if outer is None else f", in {_place(outer)}"
    raise CaptureError(
        f"the circuit function takes {what} out of a tensor that depends on inputs or weights{place}: what follows "
        "from it would stay as it is for one window; "
        f"{_REMEDIES.get(what, 'use functions of torch, which return tensors, such as torch.sin in place of math.sin')}"
    )


def by_pennylane() -> bool:
    """Whether it is an operation of PennyLane that calls a function of torch, and not the user's own code."""
    frame = _who_asks()
    return frame is not None and _library(frame) == "pennylane"


def _who_asks() -> FrameType | None:
    """The innermost frame of an operation of PennyLane or of user's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        library = _library(frame)
        if library == "pennylane" and not _acts_for_its_caller(frame):
            return frame
        if library is None and Path(frame.f_code.co_filename).parent != Path(__file__).parent:
            return frame
        frame = frame.f_back
    return None


def _library(frame: FrameType) -> str | None:
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if name in _LIBRARIES:
        return name
    return "contextlib" if name == "contextlib" else None


def _acts_for_its_caller(frame: FrameType) -> bool:
    """Functions of PennyLane that decide for whoever called them."""
    return str(frame.f_globals.get("__name__", "")).startswith(_FOR_CALLERS)


def _place(frame: FrameType) -> str:
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line, frame.f_globals).strip()
    return f"{Path(file).name}, line {line}" + (f" (`{text}`)" if text else "")
