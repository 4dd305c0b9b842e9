"""Numbers and arrays that are taken out of tensors: they would be constants of a captured circuit."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, of_angles

CASES: list[KindCase] = []
angle = of_angles(CASES, "numbers", "out of a tensor that depends on inputs or weights, in cases_numbers.py, line")


@angle()
def _float(x, w):
    return float(x[0]) * w[:3]


@angle()
def _item(x, w):
    return x[0].item() * w[:3]


@angle()
def _tolist(x, w):
    return torch.tensor(x.tolist()) * w[:3]


@angle()
def _int(x, w):
    return int(x[0]) * w[:3]


@angle()
def _round_of_python(x, w):
    return round(float(x[0]), 1) * w[:3]


@angle()
def _math_sin(x, w):
    return math.sin(x[0]) * w[:3]


@angle()
def _math_floor(x, w):
    return math.floor(x[0]) * w[:3]


@angle()
def _float_of_a_weight(x, w):
    return float(w[0]) * x


@angle()
def _item_of_a_weight(x, w):
    return x * w[0].item() + w[1]


@angle()
def _complex(x, w):
    return complex(x[0]).real * w[:3]


@angle()
def _numpy(x, w):
    return torch.as_tensor(x.detach().numpy()) * w[:3]


@angle()
def _numpy_function_of_a_tensor(x, w):
    return torch.as_tensor(np.sin(x.detach())) * w[:3]


@angle()
def _np_asarray(x, w):
    return torch.as_tensor(np.asarray(x.detach()) * 2) * w[:3]


@angle()
def _np_asarray_of_a_weight(x, w):
    return torch.as_tensor(np.asarray(w.detach()[:3])) * x


@angle()
def _from_numpy_shares_memory(x, w):
    return torch.from_numpy(x.detach().numpy()) + w[:3]


@angle()
def _a_new_tensor_of_numbers(x, w):
    return torch.tensor([float(x[0]), float(x[1]), 0.1]) + w[:3]


@angle(says="torch.tensor")
def _a_new_tensor_of_a_tensor(x, w):
    return torch.tensor(x) + w[:3]


@angle(EITHER)
def _as_tensor_of_a_list_of_tensors(x, w):
    return torch.as_tensor([x[0], x[1], 0.3]) + w[:3]


@angle()
def _format_and_parse(x, w):
    return float(f"{float(x[0]):.3f}") * w[:3]


@angle()
def _string_and_parse(x, w):
    return float(str(x[0].item())) * w[:3]


@angle()
def _hash_of_a_value(x, w):
    return (hash(float(x[0])) % 7) * w[:3]


@angle()
def _a_number_out_of_no_grad(x, w):
    with torch.no_grad():
        factor = float(x.abs().max())
    return x / (factor + 1) + w[:3]


@angle()
def _a_number_through_a_closure(x, w):
    seen = {}
    seen["x"] = float(x[1])
    return (lambda: seen["x"])() * w[:3]


@angle()
def _normalised_by_a_number(x, w):
    return x / max(1.0, float(x.norm())) + w[:3]


@angle()
def _a_degree_from_a_value(x, w):
    return w[:3] ** (int(abs(x[0])) % 3)


@angle(EITHER)
def _a_number_that_does_nothing(x, w):
    float(x[0])
    return x * w[:3]


@angle(EITHER)
def _an_f_string_that_does_nothing(x, w):
    _ = f"{x[0]}"
    return x * w[:3]


@angle(EITHER)
def _repr_that_does_nothing(x, w):
    repr(x), str(w)
    return x * w[:3]


@angle(EITHER)
def _a_branch_that_does_nothing(x, w):
    return x * w[:3] if x[0] > 0.5 else w[:3] * x


@angle(EITHER)
def _a_number_times_zero(x, w):
    return 0.0 * float(x[0]) + w[:3] * x


@angle(EITHER)
def _a_memo_by_value(x, w):
    memo = {float(x[0]): 1.0}
    return x * w[:3] * memo[float(x[0])]


@angle(EITHER)
def _qp_math_is_zero(x, w):
    return x * w[:3] if qp.math.allclose(x, x) else w[:3]


@angle()
def _qp_math_allclose(x, w):
    return x * w[:3] if qp.math.allclose(x, 0.0, atol=0.3) else w[:3]


@angle()
def _qp_math_toarray(x, w):
    return torch.as_tensor(qp.math.toarray(x.detach())) * w[:3]


@angle()
def _qp_math_unwrap(x, w):
    return torch.tensor(qp.math.unwrap([x[0], x[1], x[2]])) * w[:3]


@angle(EITHER)
def _qp_numpy(x, w):
    return torch.as_tensor(qp.numpy.sin(x.detach().numpy())) * w[:3]


@angle(says="")
def _size_of_a_selection(x, w):
    return w[:3] * len(x[x > 0.5])


@angle(EITHER)
def _count_nonzero(x, w):
    return w[:3] * torch.count_nonzero(x)


@angle(EQUAL)
def _integers_of_torch(x, w):
    return w[:3] * x.long() + x.int()


@angle(EQUAL)
def _a_sign_by_where(x, w):
    return torch.where(x > 0.5, torch.ones_like(x), -torch.ones_like(x)) * w[:3]
