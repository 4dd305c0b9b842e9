"""Ways out of a tensor that are seldom thought of: a shape that depends on values, a copy, a branch inside PennyLane.

Many of them change a circuit on few windows only, which no number of trials would meet.
"""

from __future__ import annotations

import copy
import io
import math
import operator
import statistics

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, layers, measured, of_angles, whole_functions

CASES: list[KindCase] = []
case = whole_functions(CASES, "escapes", "")
angle = of_angles(CASES, "escapes", "")


@case()
def _qp_cond_in_a_narrow_range(inputs, weights):
    layers(inputs, weights)
    qp.cond((inputs[0] > 0.31) & (inputs[0] < 0.3101), qp.X)(0)
    return measured()


@case()
def _qp_cond_that_hardly_ever_holds(inputs, weights):
    layers(inputs, weights)
    qp.cond(inputs.sum() > 764.5, qp.RX)(0.3, wires=0)
    return measured()


@case()
def _qp_cond_on_a_weight(inputs, weights):
    layers(inputs, weights)
    qp.cond(weights[0] > 2.9, qp.RX)(0.3, wires=0)
    return measured()


@case()
def _qp_cond_with_an_else(inputs, weights):
    layers(inputs, weights)
    qp.cond(inputs[0] == 255.0, lambda: qp.RX(weights[0], wires=0), lambda: qp.RY(weights[1], wires=0))()
    return measured()


@case()
def _qp_while_loop_that_hardly_ever_runs(inputs, weights):
    layers(inputs, weights)

    @qp.while_loop(lambda x: x > 254.5)
    def body(x):
        qp.RX(0.7, wires=0)
        return x - 300

    body(inputs[0])
    return measured()


@angle()
def _size_of_a_rare_selection(x, w):
    return w[:3] * (1 + x[x > 254.5].numel())


@angle()
def _size_of_a_selection_in_a_narrow_range(x, w):
    return w[:3] * (1 + x[(x > 10.2) & (x < 10.201)].numel())


@angle()
def _shape_of_nonzero_in_a_narrow_range(x, w):
    return w[:3] * (1 + torch.nonzero((x > 10.2) & (x < 10.201)).shape[0])


@angle()
def _loop_over_a_selection_in_a_narrow_range(x, w):
    angles = w[:3]
    for entry in x[(x > 10.2) & (x < 10.201)]:
        angles = angles + 0.3 * entry
    return angles


@angle()
def _format_in_a_narrow_range(x, w):
    return (2.0 if f"{x[0].detach():.5f}" == "0.31000" else 1.0) * w[:3]


@angle()
def _repr_in_a_narrow_range(x, w):
    return (2.0 if "0.3100" in repr(x.detach()) else 1.0) * w[:3]


@angle()
def _allclose_of_pennylane_in_a_narrow_range(x, w):
    return w[:3] * (2.0 if qp.math.allclose(x[0], 0.31, atol=1e-5) else 1.0)


@angle()
def _shape_of_nonzero(x, w):
    return w[:3] * (1 + torch.nonzero(x > 254.5).shape[0])


@angle()
def _length_of_unique(x, w):
    return w[:3] * len(torch.unique(x.detach()))


@angle()
def _length_of_masked_select(x, w):
    return w[:3] * (1 + len(torch.masked_select(x, x > 254.5)))


@angle()
def _length_of_bincount(x, w):
    return w[:3] * len(torch.bincount(x.detach().abs().long()))


@angle()
def _size_of_a_sparse_tensor(x, w):
    return w[:3] * (1 + x.detach().clamp(min=254.5).sub(254.5).to_sparse()._nnz())


@angle()
def _repeats_by_a_tensor(x, w):
    return w[:3] * len(torch.repeat_interleave(w[:3], (x.detach() > 254.5).long() + 1))


@angle()
def _loop_over_a_selection(x, w):
    angles = w[:3]
    for entry in x[x > 254.5]:
        angles = angles + 0.3 * entry
    return angles


@angle()
def _dlpack(x, w):
    return torch.as_tensor(np.from_dlpack(x.detach()).copy()) * w[:3]


@angle()
def _an_array_of_numpy(x, w):
    return torch.as_tensor(np.array(x.detach())) * w[:3]


@angle()
def _numpy_by_force(x, w):
    return torch.as_tensor(x.numpy(force=True).copy()) * w[:3]


@angle()
def _numpy_of_data(x, w):
    return torch.as_tensor(x.data.numpy().copy()) * w[:3]


@angle()
def _a_generator_of_numbers(x, w):
    return math.fsum(x.tolist()) * w[:3]


@angle()
def _fsum(x, w):
    return math.fsum(x) * w[:3]


@angle()
def _statistics(x, w):
    return statistics.fmean(float(value) for value in x) * w[:3]


@angle()
def _operator_index(x, w):
    return operator.index(x[0].long()) * w[:3]


@angle()
def _round_of_a_tensor(x, w):
    return round(x[0].item(), 1) * w[:3]


@angle()
def _format(x, w):
    return float(f"{x[0].detach():.2f}") * w[:3]


@angle()
def _percent_format(x, w):
    return float("%.2f" % x[0]) * w[:3]  # noqa: UP031


@angle()
def _numbers_in_its_repr(x, w):
    return float(repr(x[0].detach()).split("(")[1].split(",")[0].rstrip(")")) * w[:3]


@angle()
def _a_file(x, w):
    file = io.BytesIO()
    torch.save(x.detach(), file)
    file.seek(0)
    return torch.load(file) * w[:3]


@angle()
def _storage(x, w):
    return x.detach().untyped_storage()[7] * w[:3]


@angle()
def _apply_in_place(x, w):
    return x.detach().clone().apply_(lambda value: value * 2) * w[:3]


@angle(EITHER)
def _a_deep_copy(x, w):
    return copy.deepcopy(x.detach()) * w[:3]


@angle(EITHER)
def _a_copy(x, w):
    return copy.copy(x) * w[:3]


@angle(EITHER)
def _a_view_by_stride(x, w):
    return torch.as_strided(x, (2,), (2,)) * w[:2]


@angle(EITHER)
def _a_view_of_bits(x, w):
    return (x.detach().view(torch.int64) % 7).double() * w[:3]


@angle(EITHER)
def _a_histogram(x, w):
    return torch.histc(x.detach(), 3, 0, 1) * w[:3]


@angle(EITHER)
def _inference_mode(x, w):
    with torch.inference_mode():
        fixed = torch.sin(x)
    return fixed.clone() * 0.3 + w[:3]


@angle(EITHER)
def _set_grad_enabled(x, w):
    with torch.set_grad_enabled(False):
        fixed = torch.sin(x)
    return fixed * w[:3] + x


@angle(EITHER)
def _detach_in_place(x, w):
    return torch.sin(x).detach_() * w[:3]


@angle(EITHER)
def _requires_grad_in_place(x, w):
    return torch.sin(x).detach().requires_grad_() * w[:3]


@angle(EITHER)
def _a_scripted_function(x, w):
    return torch.nn.functional.softplus(x, beta=2) * w[:3]


@angle(EITHER)
def _sum_of_python(x, w):
    return sum(x) * w[:3]


@angle(EITHER)
def _changes_its_weights_in_place(x, w):
    with torch.no_grad():
        w.detach().mul_(1.0)
    return x * w[:3]


@angle()
def _changes_its_inputs_in_place(x, w):
    x.data.add_(1.0)
    return x * w[:3]


@angle(EQUAL)
def _type_and_device(x, w):
    return x * w[:3] if x.device.type == "cpu" and x.is_floating_point() and x.dim() == 1 else w[:3]


@angle(EQUAL)
def _what_is_as_large_whatever_the_values(x, w):
    return w[:3] * len(torch.sort(x).values) * x.numel() + x
