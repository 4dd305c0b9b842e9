"""What angles read: the window itself, its bits, and the values of the circuit's program."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._precision import visible
from quanvolve.compile.tables._factored import factored
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._values import places_of_inputs, values_of_both, values_of_inputs, values_of_weights


def flat_weights(parsed: Parsed, weights: Mapping[str, Tensor], like: Tensor | None) -> Tensor:
    """All weights of every row, then the program's values of weights alone: shape (rows, numbers)."""
    circuit = parsed.circuit
    parts = [weights[name].reshape(len(weights[name]), -1) for name, _ in circuit.weight_shapes]
    if not parts:
        if like is None:
            return torch.empty(1, 0)
        return torch.empty(1, 0, dtype=like.dtype, device=like.device)
    program, which = circuit.program, values_of_weights(parsed)
    if program is not None and which:
        dummy = parts[0].new_empty(circuit.n_inputs)
        shaped = {name: weights[name] for name, _ in circuit.weight_shapes}
        parts.append(each(lambda row: program.run(dummy, row, which))(shaped))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def bits(parsed: Parsed, inputs: Tensor) -> Tensor:
    """The inputs, replaced by their bits where the circuit has a threshold."""
    threshold = parsed.circuit.threshold
    if threshold is None:
        return inputs
    # A step has the derivative zero almost everywhere; a layer in front of this one still gets its zeros.
    return keep_graph((inputs > threshold).to(inputs.dtype), inputs)


def extended(parsed: Parsed, inputs: Tensor) -> Tensor:
    """Inputs (..., n_inputs, positions), then the program's values that read inputs only: (..., n_values, positions).

    The places of values that read weights as well are filled with zeros.
    """
    circuit, program = parsed.circuit, parsed.circuit.program
    if program is None:
        return inputs
    products = factored(parsed)
    if products is not None:
        first, first_offset, second, second_offset = (
            torch.as_tensor(array, dtype=inputs.dtype, device=inputs.device) for array in products
        )
        values = (torch.matmul(first, inputs) + first_offset) * (torch.matmul(second, inputs) + second_offset)
        return torch.cat([inputs, _finite(values)], dim=-2)
    pure = values_of_inputs(parsed)
    full = inputs.new_zeros((*inputs.shape[:-2], len(program.values), inputs.shape[-1]))
    if pure and inputs.numel():
        flat = inputs.movedim(-2, -1).reshape(-1, circuit.n_inputs)
        values = _finite(each(lambda window: program.run(window, {}, pure))(flat))
        shaped = values.reshape(*inputs.shape[:-2], inputs.shape[-1], len(pure)).movedim(-1, -2)
        full = full.index_copy(-2, constant(places_of_inputs(parsed), inputs.device), shaped)
    return torch.cat([inputs, full], dim=-2)


def mixed(parsed: Parsed, inputs: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Values that read inputs and weights.

    Args:
        inputs: shape (rows, n_inputs, positions).
        weights: each of shape (rows, *shape).

    Returns:
        Tensor of shape (rows, values, positions).
    """
    which = values_of_both(parsed)
    program = parsed.circuit.program
    assert program is not None
    by_window = torch.vmap(lambda window, row: program.run(window, row, which), in_dims=(1, None), out_dims=1)
    return _finite(each(by_window)(inputs, dict(weights)))


def _finite(values: Tensor) -> Tensor:
    """The values, where these can be looked at and all of them are numbers.

    Raises:
        QuanvolveError: if some are not.
    """
    if visible(values) and not math.isfinite(values.detach().sum().item()):
        bad = ~torch.isfinite(values)
        if bad.any():  # and not large numbers whose sum overflows
            raise QuanvolveError(
                f"the circuit's functions make {int(bad.sum())} value(s) of the windows that are not finite, such as "
                f"{float(values[bad][0])}: an angle must be a number; keep the inputs where the functions are defined, "
                "or choose a smaller `scale`"
            )
    return values


def each(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`torch.vmap`, which torch 2.8 cannot export (pytorch/pytorch#153063): that is said rather than torch's assertion.

    Raises:
        QuanvolveError: while such a torch exports.
    """
    if torch.compiler.is_exporting() and importlib.util.find_spec("torch._functorch.predispatch") is None:
        raise QuanvolveError(
            f"torch {torch.__version__} cannot export circuits whose angles, amplitudes or outputs are computed (as "
            "those of encoding='iqp' and of circuit functions with torch operations are): use torch 2.9 or later"
        )
    batched: Callable[..., Tensor] = torch.vmap(function)
    return batched
