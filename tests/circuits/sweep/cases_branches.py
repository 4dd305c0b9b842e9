"""Branches on values: what a run at one window shows of them is not what another window would show.

Where it changes the circuit, capture must refuse the function; where it changes nothing, either is right, and a wrong
value or gradient never is.
"""

from __future__ import annotations

import math

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, layers, measured, whole_functions

CASES: list[KindCase] = []
case = whole_functions(
    CASES, "branches", "out of a tensor that depends on inputs or weights, in cases_branches.py, line"
)


@case()
def _if_on_an_input(inputs, weights):
    layers(inputs, weights)
    if inputs[0] > 0.5:
        qp.X(0)
    return measured()


@case()
def _if_on_a_weight(inputs, weights):
    layers(inputs, weights)
    if weights[0] > 0:
        qp.X(0)
    return measured()


@case()
def _if_on_a_sum_of_weights(inputs, weights):
    layers(inputs, weights)
    if (weights**2).sum() > 4.0:
        qp.CNOT(wires=[0, 1])
    return measured()


@case()
def _if_in_a_narrow_range(inputs, weights):
    layers(inputs, weights)
    if 0.47 < inputs[1] < 0.53:
        qp.X(0)
    return measured()


@case()
def _if_that_hardly_ever_holds(inputs, weights):
    layers(inputs, weights)
    if inputs.sum() > 740:
        qp.RX(0.3, wires=0)
    return measured()


@case()
def _if_all_are_zero(inputs, weights):
    layers(inputs, weights)
    if not inputs.any():
        qp.X(1)
    return measured()


@case()
def _if_equal_to_255(inputs, weights):
    layers(inputs, weights)
    if inputs[2] == 255:
        qp.X(1)
    return measured()


@case()
def _conditional_expression(inputs, weights):
    layers(inputs, weights)
    qp.RX(weights[0] if inputs[0] > 0.3 else weights[1], wires=0)
    return measured()


@case()
def _and_or_not(inputs, weights):
    layers(inputs, weights)
    if (inputs[0] > 0 and not inputs[1] > 0.5) or weights[2] > 1:
        qp.S(0)
    return measured()


@case()
def _while_loop(inputs, weights):
    layers(inputs, weights)
    rest = inputs[0]
    while rest > math.pi:
        rest = rest - math.pi
    qp.RX(rest, wires=0)
    return measured()


@case()
def _break_in_a_loop(inputs, weights):
    layers(inputs, weights)
    for k in range(3):
        if inputs[k] > 1:
            break
        qp.RZ(weights[k], wires=k)
    return measured()


@case()
def _in_a_list(inputs, weights):
    layers(inputs, weights)
    if inputs[0] in [0.0, 255.0]:
        qp.X(0)
    return measured()


@case()
def _in_a_set_of_numbers(inputs, weights):
    layers(inputs, weights)
    if float(inputs[0]) in {0.0, 255.0}:
        qp.X(0)
    return measured()


@case()
def _match_statement(inputs, weights):
    layers(inputs, weights)
    match int(inputs[0]):
        case 0:
            qp.X(0)
        case _:
            qp.Y(0)
    return measured()


@case()
def _bool(inputs, weights):
    layers(inputs, weights)
    qp.RX(float(bool(inputs[0] > 0.5)) * weights[0], wires=0)
    return measured()


@case()
def _any_and_all_of_python(inputs, weights):
    layers(inputs, weights)
    if all(x > 0.2 for x in inputs):
        qp.X(0)
    return measured()


@case()
def _torch_all(inputs, weights):
    layers(inputs, weights)
    if torch.all(inputs > 0.2):
        qp.X(0)
    return measured()


@case()
def _torch_equal(inputs, weights):
    layers(inputs, weights)
    if torch.equal(inputs, torch.zeros(3, dtype=torch.float64)):
        qp.X(0)
    return measured()


@case()
def _torch_allclose(inputs, weights):
    layers(inputs, weights)
    if torch.allclose(inputs, torch.zeros(3, dtype=torch.float64), atol=0.2):
        qp.X(0)
    return measured()


@case()
def _torch_is_nonzero(inputs, weights):
    layers(inputs, weights)
    if torch.is_nonzero(inputs[0]):
        qp.X(0)
    return measured()


@case()
def _max_of_python(inputs, weights):
    layers(inputs, weights)
    qp.RX(max(inputs[0], inputs[1]), wires=0)
    return measured()


@case()
def _sorted_of_python(inputs, weights):
    layers(inputs, weights)
    for wire, x in enumerate(sorted(inputs)):
        qp.RX(x, wires=wire)
    return measured()


@case()
def _comparison_of_lists(inputs, weights):
    layers(inputs, weights)
    if inputs.tolist() > [0.3, 0.3, 0.3]:
        qp.X(0)
    return measured()


@case(EITHER)
def _assert_on_a_value(inputs, weights):
    assert inputs[0] < 1e9
    layers(inputs, weights)
    return measured()


@case(EITHER)
def _raise_on_a_value(inputs, weights):
    if inputs.max() > 3:
        raise ValueError("too large")
    layers(inputs, weights)
    return measured()


@case()
def _try_and_except(inputs, weights):
    layers(inputs, weights)
    try:
        qp.RX(1.0 / (1 if inputs[0] > 0.5 else 0), wires=0)
    except ZeroDivisionError:
        qp.RY(0.4, wires=0)
    return measured()


@case()
def _gates_from_a_table_by_a_value(inputs, weights):
    layers(inputs, weights)
    [qp.X, qp.Y, qp.Z][int(inputs[0]) % 3](wires=0)
    return measured()


@case()
def _a_wire_from_a_value(inputs, weights):
    layers(inputs, weights)
    qp.X(wires=int(inputs[0] > 0.5))
    return measured()


@case()
def _argmax_as_a_wire(inputs, weights):
    layers(inputs, weights)
    qp.X(wires=int(torch.argmax(inputs)))
    return measured()


@case()
def _range_of_a_value(inputs, weights):
    layers(inputs, weights)
    for _ in range(int(abs(inputs[0])) % 3):
        qp.S(0)
    return measured()


@case()
def _a_list_index_from_a_value(inputs, weights):
    layers(inputs, weights)
    qp.RX([0.1, 0.2, 0.3][int(inputs[1] * 2) % 3], wires=0)
    return measured()


@case()
def _a_tensor_as_a_list_index(inputs, weights):
    layers(inputs, weights)
    qp.RX([0.1, 0.2, 0.3][(inputs[1] > 0.5).long()], wires=0)
    return measured()


@case()
def _a_measurement_chosen_by_a_value(inputs, weights):
    layers(inputs, weights)
    return [qp.expval(qp.Z(0) if inputs[0] > 0.5 else qp.X(0))]


@case()
def _an_observable_with_a_value(inputs, weights):
    layers(inputs, weights)
    return [qp.expval(qp.Hamiltonian([float(inputs[0]), 1.0], [qp.Z(0), qp.X(0)]))]


@case()
def _a_branch_inside_a_helper(inputs, weights):
    layers(inputs, weights)
    _helper(inputs)
    return measured()


def _helper(x):
    if x[0] > 0.5:
        qp.X(0)


@case()
def _a_pauli_word_from_a_value(inputs, weights):
    layers(inputs, weights)
    qp.PauliRot(0.3, "XY" if inputs[0] > 0.5 else "YX", wires=[0, 1])
    return measured()


@case()
def _a_number_of_repeats_from_a_value(inputs, weights):
    layers(inputs, weights)
    qp.IQPEmbedding(inputs[:2], wires=[0, 1], n_repeats=1 + int(inputs[0] > 0.5))
    return measured()


@case(says="")
def _qp_cond_on_an_input(inputs, weights):
    layers(inputs, weights)
    qp.cond(inputs[0] > 0.5, qp.X)(0)
    return measured()


@case()
def _qp_for_loop_over_a_value(inputs, weights):
    layers(inputs, weights)

    @qp.for_loop(int(abs(inputs[0])) % 3)
    def body(k):
        qp.S(0)

    body()
    return measured()


@case(says="")
def _qp_while_loop_on_a_value(inputs, weights):
    layers(inputs, weights)

    @qp.while_loop(lambda x: x > 1.0)
    def body(x):
        qp.RX(0.1, wires=0)
        return x / 4

    body(inputs[0])
    return measured()


@case(EQUAL)
def _qp_for_loop(inputs, weights):
    layers(inputs, weights)

    @qp.for_loop(3)
    def body(k):
        qp.RX(inputs[k] * weights[k], wires=k)

    body()
    return measured()


@case(EQUAL)
def _a_branch_on_a_shape(inputs, weights):
    layers(inputs, weights)
    if len(inputs) == 3 and inputs.shape[-1] > 2 and weights.ndim == 1 and inputs.dtype == torch.float64:
        qp.RX(weights[0] * inputs[1], wires=0)
    return measured()


@case(EQUAL)
def _a_branch_on_an_option(inputs, weights, flip=True):
    layers(inputs, weights)
    if flip:
        qp.X(0)
    return measured()


@case(EQUAL)
def _a_branch_on_requires_grad(inputs, weights):
    layers(inputs, weights)
    if isinstance(inputs, torch.Tensor) and not inputs.is_complex():
        qp.RX(weights[0] * inputs[1], wires=0)
    return measured()


@case(EQUAL)
def _is_none(inputs, weights, bias=None):
    layers(inputs, weights)
    if bias is None:
        qp.RX(weights[1], wires=0)
    return measured()


@case(says="not seen")
def _what_changes_from_call_to_call(inputs, weights):
    _calls.append(0)
    layers(inputs, weights)
    qp.RX(0.1 * (len(_calls) % 7), wires=0)
    return measured()


_calls: list[int] = []


@case(says="random")
def _random_numbers_of_torch(inputs, weights):
    layers(inputs, weights)
    qp.RX(torch.rand(()), wires=0)
    return measured()


@case(says="random")
def _random_numbers_of_numpy(inputs, weights):
    layers(inputs, weights)
    qp.RX(float(np.random.default_rng().uniform()), wires=0)
    return measured()


@case(says="dropout")
def _dropout(inputs, weights):
    layers(torch.nn.functional.dropout(inputs, 0.5, training=True), weights)
    return measured()


@case(says="rand_like")
def _random_numbers_times_weights(inputs, weights):
    layers(inputs, weights)
    qp.RX(torch.rand_like(weights)[0] * weights[0], wires=0)
    return measured()


@case(EQUAL)
def _random_structure_with_a_seed(inputs, weights):
    layers(inputs, weights)
    qp.RX(float(np.random.default_rng(3).uniform()) * weights[0], wires=0)
    return measured()
