"""Recording: what a circuit function computes from inputs and weights, call by call, while it runs once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._closed_over import ClosedOver
from quanvolve.circuits.capture._escapes import by_pennylane, leaves_tensors, refuse
from quanvolve.circuits.capture._linear import AFFINE, CONSTANT, OTHER, degree
from quanvolve.circuits.capture._precision import alike, changes, in_double, leaves_in
from quanvolve.circuits.description import (
    EVENLY,
    FROZEN_STACK,
    FUNCTIONS,
    PUT,
    Argument,
    Call,
    Program,
    Value,
    leaves_of,
    name_of,
    pruned,
)

_NOW: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_DETACHES = (Tensor.detach, torch.detach, Tensor.data.__get__)  # type: ignore[attr-defined]
# What these leave behind does not depend on what was there.
_FILLS: dict[str, Callable[[Any, Any], tuple[str, Any]]] = {
    "torch.Tensor.zero_": lambda args, before: ("torch.zeros_like", before[:1]),
    "torch.Tensor.fill_": lambda args, before: (PUT, (before[0], Ellipsis, args[1])),
    "torch.Tensor.copy_": lambda args, before: (PUT, (before[0], Ellipsis, args[1])),
}
_STACKS = (torch.tensor, torch.as_tensor, torch.asarray)
_OF_SHAPE = {Tensor.numel, Tensor.dim, Tensor.size, Tensor.shape.__get__, Tensor.ndim.__get__}  # type: ignore[attr-defined]
"""Functions that say how large a tensor is, and nothing of its values."""


class Recorder(TorchFunctionMode):
    """Records calls on the inputs and weights of a circuit function while it runs.

    Args:
        point: inputs and weights, by name.
        batch: the inputs with a batch axis of one, where the function is written for batches.
        closed_over: names the tensors that the function uses without taking them as arguments; they become weights.
    """

    def __init__(self, point: Mapping[str, Tensor], batch: Tensor | None, closed_over: ClosedOver) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.batch, self.batched = batch, batch is not None
        self.closed_over = closed_over
        self.brought: dict[str, Tensor] = {}
        # The tensors are kept along with their meaning: an id is only good while its tensor lives.
        self._known: dict[int, tuple[Tensor, Argument]] = {}
        self._degrees: dict[int, int] = {}
        self._tokens: list[Token[Recorder | None]] = []
        for name, tensor in point.items():
            self._know(tensor, ("inputs",) if name == "inputs" else ("weight", name), AFFINE)
        if batch is not None:
            self._know(batch, ("inputs",), AFFINE)

    def __enter__(self) -> Recorder:
        self._tokens.append(_NOW.set(self))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)  # type: ignore[no-untyped-call]
        _NOW.reset(self._tokens.pop())

    # -- while the function runs -------------------------------------------------------------------------------------

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        if function in _OF_SHAPE:
            return function(*args, **keywords)
        if function is Tensor.__iter__:
            return iter(self.__torch_function__(Tensor.unbind, types, args, keywords))
        if function in _DETACHES and id(args[0]) not in self._known:
            return function(*args, **keywords)  # a constant, even of a tensor that wants gradients
        args, keywords = self._in_doubles(function, args, keywords)
        tensors = [leaf for leaf in leaves_in([args, keywords]) if isinstance(leaf, Tensor)]
        known = [tensor for tensor in tensors if self._knows(tensor)]
        if not known:
            return function(*args, **keywords)
        if leaves_tensors(function, args):
            refuse(function, args)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True to a scalar")
                return function(*args, **keywords)
        before = args
        if (
            function is Tensor.__setitem__
            or name_of(function) in _FILLS
            or _not_in_place(name_of(function)) != name_of(function)
        ):
            if self._known.get(id(args[0]), (None, ("",)))[1][0] in ("inputs", "weight"):
                raise _own_arguments()
            # What a constant was before it is changed.
            before = tuple(a.clone() if isinstance(a, Tensor) and id(a) not in self._known else a for a in args)
        with warnings.catch_warnings():
            if function in _STACKS:
                warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True to a scalar")
            result = function(*args, **keywords)
        self._record(function, args, before, keywords, result)
        return result

    def _in_doubles(self, function: Any, args: Any, keywords: Any) -> tuple[Any, Any]:
        """Arguments with twins in double precision in place of what the function closes over."""
        if changes(function):
            return args, keywords

        def twin(value: Any) -> Any:
            if isinstance(value, Tensor):
                meaning = self._known[id(value)][1] if self._knows(value) else ("",)
                return self.brought.get(meaning[1], value) if meaning[0] == "weight" else value
            return type(value)(map(twin, value)) if type(value) in (list, tuple) else value

        def convert(tensor: Tensor) -> Tensor:
            if id(tensor) not in self._known:
                return in_double(tensor)
            double: Tensor = self.__torch_function__(Tensor.double, (), (tensor,))
            return double

        args, keywords = tuple(map(twin, args)), {name: twin(value) for name, value in keywords.items()}
        return alike(args, keywords, convert)

    def _knows(self, tensor: Tensor) -> bool:
        if id(tensor) in self._known:
            return True
        if not tensor.requires_grad:
            return False
        if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            self._lose(tensor, "a transform of torch.func")
        elif tensor.is_leaf:
            name = self.closed_over.name_of(tensor)
            self.brought[name] = in_double(tensor.detach()).clone().requires_grad_()
            self._know(tensor, ("weight", name), AFFINE)
            self._know(self.brought[name], ("weight", name), AFFINE)
        else:
            self._lose(tensor, "a tensor that was computed outside of the function and wants gradients")
        return True

    def _record(self, function: Any, args: Any, before: Any, keywords: Any, result: Any) -> None:
        results = [leaf for leaf in leaves_in(result) if isinstance(leaf, Tensor)]
        label = name_of(function)
        if function is Tensor.__setitem__:
            self._change(args[0], PUT, before)
            return
        if function in _DETACHES:
            function, label = Tensor.detach, "torch.Tensor.detach"
        copies = function is torch.tensor and isinstance(args[0], Tensor) and result.dtype == args[0].dtype
        if copies and not result.requires_grad and by_pennylane():
            # The gradient ends in this copy, and so it does in `default.qubit`.
            args, keywords, label = args[:1], {}, "torch.Tensor.detach"
        if not results or function is Tensor.requires_grad_:
            return  # a shape, a dtype, ...
        if function in _STACKS and isinstance(args[0], list | tuple):
            label, args, keywords = FROZEN_STACK, (list(args[0]),), {}
            if result.dim() != 1 or result.dtype != torch.float64:
                self._lose(result, "torch.tensor of tensors")
                return
        elif keywords.get("out") is not None:
            self._lose(keywords["out"], "the argument `out`")
            return
        if label in _FILLS:
            self._change(args[0], *_FILLS[label](args, before))
        elif _not_in_place(label) != label:
            self._change(args[0], _not_in_place(label), before, keywords)
        elif len(args) == 1 and not keywords and label in EVENLY:
            self._keep(EVENLY[label], args, {}, result)
        elif label in FUNCTIONS:
            self._keep(label, args, keywords, result)
        else:
            for tensor in results:
                if not any(tensor is argument for argument in args):  # such as what a hook returns
                    self._lose(tensor, label)

    def _change(self, tensor: Tensor, label: str, args: Any, keywords: Any = None) -> None:
        """A tensor got other entries: it means something else now, and what shares its memory nothing we know."""
        if label in FUNCTIONS:
            self._keep(label, args, keywords or {}, tensor)
        else:
            self._lose(tensor, label)
        base = tensor._base
        if base is not None:
            if not base.is_contiguous() or base.storage_offset():
                self._lose(base, "a change of a view of a tensor in place")
            else:
                self._keep_base(base, tensor)
        memory = tensor.untyped_storage()._cdata
        for other, meaning in list(self._known.values()):
            if other is not tensor and other is not tensor._base and other.untyped_storage()._cdata == memory:
                if meaning[0] in ("inputs", "weight"):
                    raise _own_arguments()
                self._lose(other, "a view of a tensor that was changed in place")

    def _keep_base(self, base: Tensor, view: Tensor) -> None:
        """What a tensor is after a view of it was changed: the same, with other entries where the view lies."""
        places = torch.arange(base.numel()).as_strided(view.shape, view.stride(), view.storage_offset())
        flat = base.detach().reshape(-1).clone()
        self._keep("torch.Tensor.reshape", (base, (-1,)), {}, flat)
        self._keep(PUT, (flat, places, view), {}, flat)
        self._keep("torch.Tensor.reshape", (flat, tuple(base.shape)), {}, base)

    def _keep(self, label: str, args: Any, keywords: Any, result: Any) -> None:
        results = [leaf for leaf in leaves_in(result) if isinstance(leaf, Tensor)]
        try:
            arguments = tuple(self._argument(a) for a in args)
            named = tuple((name, self._argument(a)) for name, a in keywords.items())
        except _LostError as lost:
            for tensor in results:
                self._lose(tensor, str(lost))
            return
        real = all(tensor.is_floating_point() for tensor in results)
        depends = degree(label, args, keywords, self._degrees, real)
        number = len(self.calls)
        self.calls.append(Call(label, arguments, named))
        if isinstance(result, Tensor):
            self._settle(result, ("call", number), depends)
        else:
            for position, tensor in enumerate(result):
                if isinstance(tensor, Tensor):
                    self._settle(tensor, ("item", number, position), depends)

    def _settle(self, tensor: Tensor, meaning: Argument, depends: int) -> None:
        if not torch.is_grad_enabled() and depends != CONSTANT:
            # Under no_grad: the value goes on, its gradient does not.
            self.calls.append(Call("torch.Tensor.detach", (meaning,)))
            meaning, depends = ("call", len(self.calls) - 1), OTHER
        self._know(tensor, meaning, depends)

    def _know(self, tensor: Tensor, meaning: Argument, depends: int) -> None:
        self._known[id(tensor)] = (tensor, meaning)
        self._degrees[id(tensor)] = depends

    def _lose(self, tensor: Tensor, why: str) -> None:
        self._know(tensor, ("lost", why), OTHER)

    def _argument(self, value: Any) -> Argument:
        if isinstance(value, Tensor):
            if id(value) in self._known:
                meaning = self._known[id(value)][1]
                if meaning[0] == "lost":
                    raise _LostError(meaning[1])
                return meaning
            kind = str(value.dtype).removeprefix("torch.")
            flat = value.detach().resolve_conj().flatten()
            if value.is_complex():
                return ("tensor", kind, tuple(value.shape), tuple(flat.real.tolist() + flat.imag.tolist()))
            if value.is_floating_point():
                flat = flat.nan_to_num()  # such as torch.empty, before it is filled
            return ("tensor", kind, tuple(value.shape), tuple(flat.tolist()))
        if isinstance(value, list | tuple):
            return ("list" if isinstance(value, list) else "tuple", tuple(self._argument(v) for v in value))
        if isinstance(value, slice):
            return ("slice", *(self._argument(part) for part in (value.start, value.stop, value.step)))
        if isinstance(value, torch.dtype):
            return ("dtype", str(value).removeprefix("torch."))
        if value is Ellipsis:
            return ("ellipsis",)
        if value is None or isinstance(value, bool | int | float | str):
            return ("constant", value)
        if isinstance(value, complex):
            return ("complex", value.real, value.imag)
        if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
            return self._argument(value.item())
        if isinstance(value, torch.device):
            return ("constant", "cpu")
        raise _LostError(f"an argument of type {type(value).__name__}")

    def measure(self, values: Tensor) -> None:
        """Record what follows from expectation values, too, which are ("measured",) where calls refer to them."""
        self._know(values, ("measured",), AFFINE)

    # -- afterwards --------------------------------------------------------------------------------------------------

    def depends(self, tensor: Tensor) -> int:
        """How a tensor depends on inputs and weights: `CONSTANT`, `AFFINE` or `OTHER`."""
        return self._degrees[id(tensor)] if self._knows(tensor) else CONSTANT

    def is_affine_result(self, tensor: Tensor) -> bool:
        """Whether a tensor came out of calls, and all of them are linear."""
        return self.depends(tensor) == AFFINE and self._known[id(tensor)][1][0] in ("call", "item")

    def reads(self, tensor: Tensor) -> tuple[bool, bool]:
        """Whether a tensor depends on inputs, and on weights."""
        if not self._knows(tensor):
            return False, False
        return self._reads(self._known[id(tensor)][1])

    def sources(self, tensor: Tensor) -> tuple[str, list[Tensor]] | None:
        """The name of the function whose result a tensor is, and the tensors it was called with."""
        meaning = self._known[id(tensor)][1] if id(tensor) in self._known else ()
        if not meaning or meaning[0] != "call":
            return None
        call = self.calls[meaning[1]]
        back = {entry[1]: entry[0] for entry in self._known.values()}
        return call.function, [back[leaf] for a in call.arguments for leaf in leaves_of(a) if leaf in back]

    def program(self, wanted: list[tuple[Tensor, int, str]]) -> Program:
        """The program that computes entries of tensors that were made while recording.

        Args:
            wanted: tensors, the flat index of the entry, and what to call it in an error.

        Raises:
            CaptureError: if a tensor depends on a function that cannot be recorded.
        """
        values = []
        for tensor, index, what in wanted:
            if not self._knows(tensor):
                values.append(Value(self._argument(tensor), index, False, False))
                continue
            meaning = self._known[id(tensor)][1]
            if meaning[0] == "lost":
                raise CaptureError(
                    f"{what} depends on inputs or weights through {meaning[1]}, which cannot be recorded: use "
                    "functions of torch that return new tensors (element-wise ones, sums, products, indexing)"
                )
            values.append(Value(meaning, index, *self._reads(meaning)))
        return pruned(Program(tuple(self.calls), tuple(values), self.batched))

    def _reads(self, meaning: Argument) -> tuple[bool, bool]:
        inputs = weights = False
        waiting, seen = [meaning], set()
        while waiting:
            argument = waiting.pop()
            if argument in seen:
                continue
            seen.add(argument)
            for leaf in leaves_of(argument):
                inputs |= leaf[0] == "inputs"
                weights |= leaf[0] == "weight"
                if leaf[0] in ("call", "item"):
                    call = self.calls[leaf[1]]
                    waiting += [*call.arguments, *(a for _, a in call.keywords)]
        return inputs, weights


def recorder_now() -> Recorder | None:
    """The recorder under which a circuit function runs, if it is recorded."""
    return _NOW.get()


class _LostError(Exception):
    """Something that a program cannot hold; the message names it."""


def _own_arguments() -> CaptureError:
    return CaptureError(
        "the circuit function changes its inputs or weights in place (such as `inputs[0] = ...`): work on a copy, with "
        "inputs.clone()"
    )


def _not_in_place(label: str) -> str:
    """The function that returns what one in place leaves behind."""
    owner, _, name = label.rpartition(".")
    if label in FUNCTIONS:
        return label
    if name.startswith("__i") and name.endswith("__"):
        return f"{owner}.__{name[3:]}"
    return f"{owner}.{name[:-1]}" if name.endswith("_") and not name.endswith("__") else label
