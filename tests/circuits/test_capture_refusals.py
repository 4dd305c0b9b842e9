"""What cannot be captured is refused, naming the operation and its position."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve._errors import CaptureError
from quanvolve.circuits import capture

REFUSED: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {}


def refused(message: str, weight_shapes: dict[str, Any] | None = None) -> Callable[..., Any]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        REFUSED[function.__name__] = (function, weight_shapes or {}, message)
        return function

    return register


def z0() -> Any:
    return qp.expval(qp.Z(0))


@refused(
    r"takes a number out of a tensor .*, in test_capture_refusals\.py, line \d+ \(`qp\.RY\(float.*such as torch\.sin"
)
def detached_inputs(inputs):
    qp.RY(float(inputs[0].detach()), wires=0)
    return z0()


@refused(r"operation 0 \(RY\) has an angle.*through torch\.special\.\w+, which cannot be recorded")
def unknown_function(inputs):
    qp.RY(torch.special.airy_ai(inputs)[1] ** 2, wires=0)
    return z0()


@refused(r"takes a truth value out of a tensor .*line \d+ \(`qp\.RY\(inputs\[0\] \*\* 2 if .*use torch\.where")
def branches_on_values(inputs):
    qp.RY(inputs[0] ** 2 if inputs[0] > 0.01 else torch.sin(inputs[0]), wires=0)
    return z0()


@refused(r"failed on a window of 4 inputs: ValueError: .*norm")
def amplitudes_without_normalising(inputs):
    qp.AmplitudeEmbedding(inputs, wires=range(2))
    return z0()


@refused(r"takes a truth value out of a tensor .*line \d+ \(`if inputs\[0\] > 0\.01:`\)")
def gate_chosen_by_value(inputs):
    if inputs[0] > 0.01:
        qp.RX(inputs[0], wires=0)
    else:
        qp.RZ(inputs[0], wires=0)
    return z0()


@refused(r"takes a truth value out of a tensor .*line \d+ \(`if inputs\[1\] > 0\.01:`\)")
def gate_for_some_values_only(inputs):
    qp.RX(inputs[0], wires=0)
    if inputs[1] > 0.01:
        qp.PauliX(wires=0)
    return z0()


@refused(r"takes a truth value out of a tensor .*line \d+ \(`if inputs\[0\] < 0:`\)")
def gate_chosen_by_sign(inputs):
    if inputs[0] < 0:
        qp.PauliX(wires=0)
    qp.RX(inputs[0], wires=0)
    return z0()


@refused(r"must give a shape to every weight.*missing \['v'\], unknown \[\]; .*\['inputs', 'w', 'v'\]", {"w": 3})
def missing_shape(inputs, w, v):
    qp.RX(inputs[0] + v + w[0], wires=0)
    return z0()


@refused(r"missing \[\], unknown \['weights'\]", {"w": 3, "weights": 2})
def unknown_shape(inputs, w):
    qp.RX(inputs[0] + w[0], wires=0)
    return z0()


@refused(r"'inputs' is the window, not a weight", {"inputs": 4})
def shape_of_inputs(inputs):
    qp.RX(inputs[0], wires=0)
    return z0()


@refused(r"shape of weight 'w' must be positive, got \(0, 2\)", {"w": (0, 2)})
def empty_shape(inputs, w):
    qp.RX(inputs[0], wires=0)
    return z0()


@refused(r"takes \['inputs', 'w'\] by place only, expected arguments .*leave the `/` out of its signature", {"w": 3})
def weights_by_place_only(inputs, w, /):
    qp.RX(inputs[0] + w[0], wires=0)
    return z0()


@refused(r"must have an argument named 'inputs', it has \['x', 'w'\].*TorchLayer", {"w": 3})
def no_inputs(x, w):
    qp.RX(x[0] + w[0], wires=0)
    return z0()


@refused(r"variable number of positional arguments")
def star_arguments(inputs, *w):
    qp.RX(inputs[0], wires=0)
    return z0()


@refused(r"measurement 0 \(StateMP\) cannot be captured: a layer puts out real numbers and no states; return expecta")
def state(inputs):
    qp.RX(inputs[0], wires=0)
    return qp.state()


@refused(r"measurement 1 \(VnEntropyMP\) cannot be captured: an entropy is not linear in the state; return expectation")
def entropy(inputs):
    qp.RX(inputs[0], wires=0)
    return z0(), qp.vn_entropy(wires=[0])


@refused(r"measurement 0 \(SampleMP\) cannot be captured: samples are drawn at random; .* give the layer `shots=`")
def samples(inputs):
    qp.RX(inputs[0], wires=0)
    return qp.sample(wires=0)


@refused(r"returned no measurement: return expectation values \(qp.expval\), variances \(qp.var\)")
def nothing(inputs):
    qp.RX(inputs[0], wires=0)


@refused(r"returned no measurement")
def an_empty_list(inputs):
    qp.RX(inputs[0], wires=0)
    return []


@refused(r"measurement 0 \(Tensor\) cannot be captured")
def a_number(inputs):
    qp.RX(inputs[0], wires=0)
    return inputs[0]


@refused(r"measurement 0 \(expval of \w+\) has coefficients that depend on the inputs: .* weights may be")
def observable_of_inputs(inputs):
    qp.RX(inputs[0], wires=0)
    return qp.expval(qp.Hamiltonian([inputs[1], 1.0], [qp.Z(0), qp.X(0)]))


@refused(r"measurement 0 \(expval of \w+\) has the complex coefficient .*must be Hermitian")
def complex_observable(inputs):
    qp.RX(inputs[0], wires=0)
    return qp.expval(2.0 * qp.Z(0) + 1.0j * qp.X(0))


@refused(r"measurement 0 \(expval of \w+\) has the complex coefficient .*must be Hermitian", {"w": ()})
def complex_observable_of_weights(inputs, w):
    qp.RX(inputs[0], wires=0)
    return qp.expval(2.0 * qp.Z(0) + 1.0j * w * qp.X(0))


@refused(r"measurement 1 \(purity\) of 6 wires has 4,096 Pauli words, at most 5 wires are possible")
def purity_of_many_wires(inputs):
    qp.RX(inputs[0], wires=0)
    return qp.expval(qp.Z(0)), qp.purity(wires=range(6))


@refused(
    r"measurement 0 \(var of \w+\) is a sum of 300 Pauli words, .* for at most 256: measure its parts", {"w": (300,)}
)
def variance_of_many_words(inputs, w):
    qp.RX(inputs[0], wires=0)
    words = [qp.prod(*(getattr(qp, p)(k) for k, p in enumerate(own))) for own in itertools.product("XYZ", repeat=6)]
    return qp.var(qp.dot(w, words[:300]))


@refused(
    r"measurement 0 \(expval of Prod\) has coefficients that depend on weights inside of Prod, .*qp.dot", {"w": ()}
)
def coefficients_inside_of_a_product(inputs, w):
    qp.RX(inputs[0], wires=0)
    return qp.expval((w * qp.Projector([0], wires=0)) @ qp.Z(1))


@refused(r"failed on a window of 4 inputs: IndexError: index 4 is out of bounds")
def index_beyond_the_window(inputs):
    qp.RX(inputs[4], wires=0)
    return z0()


@refused(r"failed on a window of 4 inputs: IndexError: index 4 is out of bounds")
def index_beyond_the_window_with_a_batch_axis(inputs):
    qp.RX(inputs[:, 4], wires=0)
    return z0()


@refused(r"failed on a window of 4 inputs: .*ValueError: Features must be of length 3 or less")
def too_few_wires(inputs):
    qp.AngleEmbedding(inputs, wires=range(3))
    return z0()


@refused(r"failed on a window of 4 inputs: ZeroDivisionError: division by zero")
def a_mistake_in_the_function(inputs):
    qp.RX(inputs[0] * (1 / 0), wires=0)
    return z0()


@refused(r"operation 1 \(RY\) has an angle of shape \(4,\), expected a single number: index `inputs`")
def a_whole_window_as_an_angle(inputs):
    qp.RX(inputs[0], wires=0)
    qp.RY(inputs, wires=1)
    return z0()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    function, shapes, message = REFUSED[name]
    with pytest.raises(CaptureError, match=message) as caught:
        capture(function, 4, shapes)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 400


def test_the_operation_is_counted_as_the_user_wrote_it() -> None:
    def function(inputs, w):
        qp.AngleEmbedding(inputs, wires=range(4))  # 0, four gates
        qp.StronglyEntanglingLayers(w, wires=range(4))  # 1, many gates
        qp.CRX(torch.special.airy_ai(inputs)[1] ** 2, wires=[2, 3])  # 2
        return z0()

    with pytest.raises(CaptureError, match=r"operation 2 \(CRX\) has an angle, in its \w+ on wire 3, that depends"):
        capture(function, 4, {"w": (1, 4, 3)})


def test_a_channel_inside_a_template_is_named_with_it() -> None:
    class Noisy(qp.operation.Operation):
        num_wires = 1
        num_params = 1

        @staticmethod
        def compute_decomposition(strength, wires):
            return [qp.X(wires), qp.AmplitudeDamping(strength, wires=wires)]

    def function(inputs):
        qp.RX(inputs[0], wires=0)
        Noisy(0.5 + 0.01 * inputs[0], wires=0)
        return z0()

    with pytest.raises(CaptureError, match=r"operation 1 \(Noisy\) .* strength of AmplitudeDamping depends on in"):
        capture(function, 1)


def rotations(inputs):
    qp.RX(inputs[0], wires=0)
    qp.RX(inputs[1], wires=0)
    return z0()


def test_transforms_of_a_qnode_that_make_several_circuits_are_refused() -> None:
    @qp.transforms.split_non_commuting
    @qp.qnode(qp.device("default.qubit", wires=1))
    def node(inputs):
        qp.RX(inputs[0], wires=0)
        return qp.expval(qp.Z(0)), qp.expval(qp.X(0))

    with pytest.raises(
        CaptureError, match=r"transforms applied to it .*split_non_commuting.* make 2 circuits of one"
    ) as caught:
        capture(node, 1)
    assert "\n" not in str(caught.value)


def test_several_numbers_of_shots_are_refused() -> None:
    node = qp.QNode(rotations, qp.device("default.qubit", wires=1), shots=[10, 20])
    with pytest.raises(CaptureError, match=r"several numbers of shots .*: give one number, as `shots`"):
        capture(node, 2)


def test_what_a_device_does_is_not_dropped_silently() -> None:
    with pytest.raises(CaptureError, match=r"readout error of 0\.1, which capture would drop: .*`noise`"):
        capture(qp.QNode(rotations, qp.device("default.mixed", wires=1, readout_prob=0.1)), 2)

    class Machine(qp.devices.Device):
        name = "machine"

        def execute(self, circuits, execution_config=None):
            raise AssertionError

    with pytest.raises(
        CaptureError, match=r"on the device 'machine', which capture cannot see into.*`noise` and `shots`"
    ):
        capture(qp.QNode(rotations, Machine(wires=1)), 2)


def chooses(*operations: Any) -> Callable[..., Any]:
    """A function that does something else in each call, as one does that depends on what no tensor shows."""
    turns = iter(operations * 40)

    def function(inputs):
        next(turns)()
        qp.AngleEmbedding(inputs, wires=range(4))
        return z0()

    return function


def test_a_gate_that_is_there_at_times_only_is_named_itself() -> None:
    function = chooses(lambda: qp.RX(0.1, wires=0), lambda: None)
    with pytest.raises(CaptureError, match=r"operation 0 \(.*RX\).* for other values of inputs or weights"):
        capture(function, 4)


def test_a_number_that_changes_between_runs_is_refused() -> None:
    function = chooses(lambda: qp.RX(0.1, wires=0), lambda: qp.RX(0.2, wires=0))
    with pytest.raises(
        CaptureError, match=r"operation 0 \(RX\) has an angle that changes .*it is 0\.2, what was captured gives 0\.1"
    ):
        capture(function, 4)


def test_measurements_that_change_are_refused() -> None:
    turns = iter(range(40))

    def function(inputs):
        qp.AngleEmbedding(inputs, wires=range(4))
        return qp.expval(qp.Z(next(turns) % 2))

    with pytest.raises(CaptureError, match="measurements change with the values of inputs or weights"):
        capture(function, 4)


ESCAPES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "bool": (lambda x: bool(x[0] > 0), "a truth value"),
    "if": (lambda x: 1.0 if x[0] > 0 else 2.0, "a truth value"),
    "and": (lambda x: x[0] > 0 and x[1], "a truth value"),
    "in": (lambda x: 0.5 in x, "a truth value"),
    "max of Python": (lambda x: max(x), "a truth value"),
    "allclose": (lambda x: torch.allclose(x, x), "a truth value"),
    "equal": (lambda x: torch.equal(x, x), "a truth value"),
    "allclose of PennyLane": (lambda x: qp.math.allclose(x, 0.5), "a NumPy array"),
    "float": (lambda x: float(x[0]), "a number"),
    "int": (lambda x: int(x[0]), "a number"),
    "complex": (lambda x: complex(x[0]), "a number"),
    "range": (lambda x: range(torch.round(x[0]).long()), "a number"),
    "item": (lambda x: x[0].item(), "a number"),
    "math": (lambda x: math.sin(x[0]), "a number"),
    "tolist": (lambda x: x.tolist(), "numbers"),
    "numpy": (lambda x: x.detach().numpy(), "a NumPy array"),
    "asarray": (lambda x: np.asarray(x.detach()), "a NumPy array"),
    "function of numpy": (lambda x: np.sin(x.detach()), "a NumPy array"),
    "format": (lambda x: f"{x[0]:.3f}", "a text"),
    "repr": (lambda x: repr(x), "a text"),
    "size of a mask": (lambda x: x[x > 0.5].numel(), "a size"),
    "nonzero": (lambda x: torch.nonzero(x > 0.5), "a size"),
    "where": (lambda x: torch.where(x > 0.5), "a size"),
    "masked_select": (lambda x: x.masked_select(x > 0.5), "a size"),
    "cond": (lambda x: qp.cond(x[0] > 0, qp.X)(0), "a truth value"),
    "cond with else": (lambda x: qp.cond(x[0] > 0, qp.X, qp.Y)(0), "a truth value"),
    "while": (lambda x: qp.while_loop(lambda i: i < x[0])(lambda i: i + 1)(0), "a truth value"),
    "from_dlpack": (lambda x: np.from_dlpack(x.detach()), "its memory"),
}


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("name", ESCAPES)
def test_values_that_leave_tensors_are_refused_with_their_line(name: str, batched: bool) -> None:
    escape, what = ESCAPES[name]

    def function(inputs):
        row = inputs[:, :4][0] if batched else inputs
        escape(row)
        qp.AngleEmbedding(inputs, wires=range(4))
        return z0()

    text = (
        rf"takes {what} out of a tensor that depends on inputs or weights, in test_capture_refusals\.py, line \d+ \(`"
    )
    with pytest.raises(CaptureError, match=text + r".*lambda x.*`\): what follows from it would stay as it is"):
        capture(function, 4)


def test_what_is_not_a_value_may_be_asked_for() -> None:
    def function(inputs):
        assert len(inputs) == 4
        assert inputs.shape == (4,)
        assert inputs.dtype == torch.float64
        assert inputs.ndim == 1
        assert not inputs.is_complex()
        for wire, angle in enumerate(inputs):
            qp.RY(angle, wires=wire)
            assert f"{angle.shape}"
        return z0()

    assert len(capture(function, 4).gates) == 4


def test_inputs_that_are_changed_in_place_are_refused() -> None:
    def assigned(inputs):
        inputs[0] = 0.0
        qp.AngleEmbedding(inputs, wires=range(4))
        return z0()

    def added(inputs):
        inputs.detach().add_(1.0)
        qp.AngleEmbedding(inputs, wires=range(4))
        return z0()

    for function in (assigned, added):
        with pytest.raises(CaptureError, match="in place"):
            capture(function, 4)


def test_functions_with_gradients_of_their_own_are_refused() -> None:
    class StraightThrough(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.round(x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    def function(inputs):
        qp.AngleEmbedding(StraightThrough.apply(inputs) * 2, wires=range(4))
        return z0()

    with pytest.raises(
        CaptureError, match=r"computed by StraightThrough, a torch.autograd.Function: .* \(y - x\).detach"
    ):
        capture(function, 4)


def test_transforms_of_torch_are_refused() -> None:
    def function(inputs):
        slope = torch.func.grad(lambda x: (x**2).sum())(inputs)
        qp.AngleEmbedding(slope, wires=range(4))
        return z0()

    with pytest.raises(CaptureError, match=r"operation 0 \(AngleEmbedding\).*cannot be recorded"):
        capture(function, 4)


def test_what_was_computed_outside_and_wants_gradients_is_refused() -> None:
    outside = torch.ones(4, requires_grad=True) * 2

    def function(inputs):
        qp.AngleEmbedding(inputs * outside, wires=range(4))
        return z0()

    with pytest.raises(CaptureError, match="computed outside of the function and wants gradients"):
        capture(function, 4)


def weighted(inputs, w):
    qp.RX(inputs[0] + w.sum(), wires=0)
    return z0()


@pytest.mark.parametrize("size", [2.5, (2, 2.0), "22", None, True, (True, 2), [[2, 2]], {2: 2}], ids=str)
def test_what_is_no_shape_is_named(size: Any) -> None:
    with pytest.raises(CaptureError, match=r"shape of weight 'w' must be a whole number or whole .*, got") as caught:
        capture(weighted, 4, {"w": size})
    assert str(caught.value).endswith(repr(size))


@pytest.mark.parametrize("shapes", [[("w", (2, 2))], "w", 3], ids=str)
def test_shapes_have_names(shapes: Any) -> None:
    with pytest.raises(
        CaptureError, match=r"`weight_shapes` \(=.*\) must be a mapping from .* \{'weights': \(2, 4\)\}"
    ):
        capture(weighted, 4, shapes)


def test_constants_may_be_arguments_by_place() -> None:
    def function(shift=0.5, /, *, inputs, w):
        return weighted(inputs + shift, w)

    assert capture(function, 4, {"w": 2}).weight_shapes == (("w", (2,)),)
