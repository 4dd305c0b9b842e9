"""What is absurd, or can never run, is refused before anything is built, by the package's own errors."""

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import quanvolve.nn._filters as filters
from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, Circuit, named_circuit
from quanvolve.compile import NO_PLAN, Layout, Planner, engines
from quanvolve.compile.tables._cones import cone
from quanvolve.nn import quanv1d, quanv2d, quanv3d
from quanvolve.nn._limits import STATE, fitting
from tests.circuits.pennylane_catalogue import CROSSED

FEW_BYTES = 4_000_000
MOST = 2**31 - 1
CLASSES: list[tuple[type[nn.Module], dict[str, Any]]] = [
    (Quanv1d, {"in_channels": 1, "out_channels": 2, "kernel_size": 2}),
    (Quanv2d, {"in_channels": 1, "out_channels": 2, "kernel_size": (1, 2)}),
    (Quanv3d, {"in_channels": 1, "out_channels": 2, "kernel_size": (1, 1, 2)}),
    (QuantumLinear, {"in_features": 2, "out_features": 2}),
]
SIZES = ("in_channels", "out_channels", "in_features", "out_features", "kernel_size")
COUNTS = (*SIZES, "stride", "dilation", "padding", "groups", "n_qubits", "n_layers", "shots", "seed")
KINDS = ("sparse", "csr", "nested", "quantised", "complex", "whole numbers", "bits")
OTHERS = ("basic_entangler", "random", "none")


def takes(layer: type[nn.Module], argument: str) -> bool:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "padding", "groups")
    if layer is QuantumLinear:
        return argument not in names
    return argument not in ("in_features", "out_features")


def refused(make: Callable[[], object]) -> str:
    """The text of the error, which came without anything large."""
    named_circuit("basic_entangler", 2)  # PennyLane is loaded
    tracemalloc.start()
    try:
        with pytest.raises(QuanvolveError) as caught:
            make()
        assert tracemalloc.get_traced_memory()[1] < FEW_BYTES
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert "\n" not in text
    assert isinstance(caught.value, ValueError)
    return text


@pytest.mark.parametrize("argument", COUNTS)
@pytest.mark.parametrize(("layer", "given"), CLASSES, ids=lambda value: getattr(value, "__name__", ""))
def test_whole_numbers_of_every_size(layer: type[nn.Module], given: dict[str, Any], argument: str) -> None:
    if not takes(layer, argument):
        assert layer is QuantumLinear or "features" in argument
        return
    for value in (-(10**400), -1, 10**30, 10**400):
        text = refused(lambda v=value: layer(**{**given, argument: v}))
        assert f"`{argument}` (=" in text or "`in_features`" in text or "`kernel_size`" in text
        assert len(text) < 400
    if argument in (*SIZES, "padding", "n_qubits", "n_layers", "groups"):
        for circuit in (*OTHERS, "strongly_entangling"):
            assert "`" in refused(lambda c=circuit: layer(**{**given, argument: 10**9, "circuit": c}))
    elif argument in ("stride", "dilation", "shots", "seed"):
        layer(**{**given, argument: 10**9})


@pytest.mark.parametrize("argument", ["in_channels", "out_channels"])
def test_sizes_that_only_together_are_too_large(argument: str) -> None:
    text = refused(lambda: Quanv2d(10**6, 10**6, 2))
    assert "weights, at most 268435456 are possible: use a smaller `in_channels` or `out_channels`" in text
    text = refused(lambda: Quanv2d(2**10, 2**10, 2, circuit="random"))
    assert "262144 random structures, at most 65536 are possible" in text


@pytest.mark.parametrize("function", [False, True])
def test_functions_with_absurd_sizes(function: bool) -> None:
    import pennylane as qp

    def circuit(inputs: Any, weights: Any) -> Any:
        qp.RX(weights[0], wires=0)
        return qp.expval(qp.Z(0))

    text = refused(lambda: Quanv2d(1, 1, 2, circuit=circuit, weight_shapes={"weights": 10**9}))
    assert "`weight_shapes` gives 'weights' more than 20000 weights" in text
    text = refused(lambda: Quanv2d(1, 1, 2, circuit=circuit, weight_shapes={"weights": 1}, n_qubits=10**9))
    assert "`n_qubits` (=1000000000) must be a whole number from 1 to 256" in text
    text = refused(lambda: Quanv2d(1, 1, 10**4, circuit=circuit, weight_shapes={"weights": 1}))
    assert "a window has 100000000 values, a circuit reads at most 65536: use a smaller `kernel_size`" in text


def test_same_padding_of_an_absurd_dilation() -> None:
    text = refused(lambda: Quanv2d(1, 4, 2, padding="same", dilation=10**9))
    assert "`padding` (='same') alone makes images of more than 1073741824 pixels" in text


@pytest.mark.parametrize("seed", [-1, 2**64, 2**70, -(2**63)])
def test_seeds_that_generators_do_not_take(seed: int) -> None:
    for layer, given in CLASSES:
        text = refused(lambda made=layer, g=given: made(**g, seed=seed))
        assert f"`seed` (={seed}) must be a whole number from 0 to 2**64 - 1, or None" in text
    Quanv2d(1, 2, (1, 2), seed=2**64 - 1)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (10**400, r"`scale` \(=10\*\*400 or so\) must be finite"),
        (-(10**400), r"`scale` \(=-10\*\*400 or so\) must be finite"),
        (1e39, r"`scale` \(=1e\+39\) must be finite in the layer's precision, torch.float32"),
        (torch.ones(1, dtype=torch.complex64), r"`scale` came as a complex tensor, expected a dense one"),
        (torch.ones(1).to_sparse(), r"`scale` came as a sparse tensor, expected a dense one"),
    ],
)
def test_scales_that_are_no_numbers(scale: Any, message: str) -> None:
    for layer, given in CLASSES:
        assert re.search(message, refused(lambda made=layer, g=given: made(**g, scale=scale)))


# -- tensors -----------------------------------------------------------------------------------------------------------


def odd(shape: tuple[int, ...]) -> dict[str, tuple[torch.Tensor, str]]:
    x = torch.rand(shape)
    return {
        "sparse": (
            x.to_sparse(),
            r"came as a sparse tensor, expected a dense one of real numbers: use tensor\.to_dense",
        ),
        "csr": (x.flatten(0, -2).to_sparse_csr(), r"came as a sparse tensor"),
        "nested": (torch.nested.nested_tensor([x[0], x[0]]), r"came as a nested tensor.*to_padded_tensor"),
        "quantised": (
            torch.quantize_per_tensor(x, 0.1, 0, torch.quint8),
            r"came as a quantised tensor.*tensor\.dequantize\(\)",
        ),
        "complex": (x.to(torch.complex64), r"came as a complex tensor.*tensor\.real"),
        "whole numbers": (x.long(), r"are int64 and the layer is float32: convert one of them"),
        "bits": (x.bool(), r"are bool and the layer is float32"),
    }


@pytest.mark.filterwarnings("ignore")  # torch warns of sparse, nested and quantised tensors as such
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_other_kinds(kind: str) -> None:
    for (layer, given), shape in zip(CLASSES, [(2, 1, 4), (2, 1, 3, 4), (2, 1, 2, 3, 4), (3, 2)], strict=True):
        tensor, message = odd(shape)[kind]
        with pytest.raises(QuanvolveError, match=message):
            layer(**given)(tensor)
    circuit = named_circuit("basic_entangler", 2, n_layers=1)
    twins = [(quanv1d, (2, 1, 4), 2), (quanv2d, (2, 1, 3, 4), (1, 2)), (quanv3d, (2, 1, 2, 3, 4), (1, 1, 2))]
    for twin, shape, kernel in twins:
        tensor, message = odd(shape)[kind]
        with pytest.raises(QuanvolveError, match=message):
            twin(tensor, torch.zeros(1, 1, 1, 2), circuit, kernel)


def test_a_layer_without_weights_takes_real_numbers_only() -> None:
    import pennylane as qp

    def plain(inputs: Any) -> Any:
        qp.RY(inputs[0], wires=0)
        return qp.expval(qp.Z(0))

    layer = Quanv2d(1, 1, 1, circuit=plain)
    with pytest.raises(QuanvolveError, match=r"the images are int64, expected numbers such as torch\.float32"):
        layer(torch.ones(1, 1, 2, 2, dtype=torch.int64))
    with pytest.raises(QuanvolveError, match="the images came as a complex tensor"):
        layer(torch.ones(1, 1, 2, 2, dtype=torch.complex64))


@pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_a_layer_stays_real(dtype: torch.dtype) -> None:
    for layer, given in CLASSES:
        made = layer(**given)
        for whole in (made, nn.Sequential(made)):
            with pytest.raises(QuanvolveError, match=rf"cannot be converted to {dtype}: its weights are angles"):
                whole.to(dtype)
        assert made.weights.dtype == torch.float32
    with pytest.raises(QuanvolveError, match=r"`dtype` \(=torch\.complex64\) must be a real floating type"):
        Quanv2d(1, 2, 2, dtype=dtype if dtype == torch.complex64 else torch.complex64)


# -- widths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", [65, 784, 6912, 60_000])
@pytest.mark.parametrize("circuit", ["strongly_entangling", "basic_entangler"])
def test_impossible_widths_build_nothing(features: int, circuit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any, **options: Any) -> Circuit:
        raise AssertionError("nothing may be built")

    monkeypatch.setattr(filters, "named_circuit", never)
    text = refused(lambda: QuantumLinear(features, 10, circuit=circuit))
    assert text.startswith(f"{NO_PLAN}: the circuit has {features} qubits, and circuit='{circuit}' takes at most 64: ")
    assert "encoding='amplitude' (" in text


@pytest.mark.parametrize("encoding", ["iqp", "zz_feature_map", "amplitude"])
def test_impossible_state_vectors_build_nothing(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "named_circuit", None)
    text = refused(lambda: QuantumLinear(40, 10, encoding=encoding, n_qubits=40))
    assert f"the circuit has 40 qubits, and encoding='{encoding}' takes at most 16" in text
    assert text.endswith("or choose a smaller `n_qubits`, or leave it out")


@pytest.mark.parametrize("name", [name for name, entry in ANSATZE.items() if entry.spreads])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("readout", ["z", "y", "zz", "popcount_expected"])
def test_circuits_that_spread_do_so(name: str, layers: int, readout: str) -> None:
    circuit = named_circuit(name, 11, n_layers=layers, readout=readout)
    assert max(len(cone(circuit, (output,))[0]) for output in range(circuit.n_outputs)) == 11


def test_wide_circuits_with_small_light_cones_still_run() -> None:
    layer = QuantumLinear(70, 70, circuit="identity_blocks", n_layers=1, seed=0)
    assert layer(torch.rand(2, 70)).shape == (2, 70)


# -- advice ------------------------------------------------------------------------------------------------------------


def advice_in(text: str) -> list[dict[str, Any]]:
    """Every change that an error or a plan's description advises, as arguments."""
    found: list[dict[str, Any]] = []
    for name, most in re.findall(r"encoding='(\w+)' (?:\(\d+ qubits?\)|with `n_qubits` of at most (\d+))", text):
        found.append({"encoding": name, "engine": "auto", "n_qubits": int(most) if most else None})
    for name in re.findall(r"engine='(\w+)' may", text):
        found.append({"engine": name, "trainable": False})
    able = re.search(r"engines that can: (.*)$", text)
    if able and able[1] != "none":
        found += [{"engine": name} for name in re.findall(r"'(\w+)'", able[1])]
    return found


def _pairs() -> list[Any]:
    """Every circuit with two encodings, and every encoding with two circuits; all others take minutes."""
    return [
        pytest.param(
            circuit, encoding,
            marks=[] if circuit in ("strongly_entangling", "none") or encoding in ("ry", "iqp") else pytest.mark.slow,
        )
        for circuit in CROSSED
        for encoding in ENCODINGS
    ]  # fmt: skip


@pytest.mark.parametrize(("circuit", "encoding"), _pairs())
def test_each_advice_works(circuit: str, encoding: str) -> None:
    seen = 0
    for inputs in (2, 17, 66):
        for engine in ("auto", *(engines()[1:] if inputs == 2 else ())):
            given: dict[str, Any] = {
                "circuit": circuit,
                "encoding": encoding,
                "engine": engine,
                "n_layers": 2,
                "seed": 0,
            }
            try:
                text = QuantumLinear(inputs, 2, **given, trainable="truncated" not in engine).plan
            except QuanvolveError as error:
                text = str(error)
            for change in advice_in(text):
                seen += 1
                QuantumLinear(inputs, 2, **{**given, **change})
    # Two values are one amplitude-encoded qubit, on which a QCNN has no level.
    assert seen or encoding == "reupload" or (circuit.startswith("qcnn") and encoding == "amplitude"), (
        "some engines are refused"
    )


def test_what_a_truncated_train_refuses_is_not_advised_it() -> None:
    for encoding in ("amplitude", "iqp", "reupload"):
        text = Quanv2d(1, 4, 4 if encoding == "amplitude" else 3, encoding=encoding, n_layers=9).plan
        assert "truncated_train" not in text
        planner = Planner([named_circuit("strongly_entangling", 15, encoding="iqp")], Layout(1, 1, 1, 15))
        assert "slow" in str(planner)
        assert "truncated_train" not in str(planner)


def test_fitting_encodings_have_few_qubits() -> None:
    for readout in READOUTS:
        for text in fitting("strongly_entangling", readout, 784, 2, STATE):
            assert "amplitude" in text or "reupload" in text


def test_trajectories_are_advised_only_where_they_run() -> None:
    noise = {"depolarizing": 0.01}
    with pytest.raises(PlanError, match=r"engines that can: engine='trajectories'$|engines that can: .*'trajectories'"):
        Quanv2d(1, 9, 3, encoding="iqp", noise=noise, engine="density")
    with pytest.raises(PlanError) as caught:
        Quanv2d(1, 9, 3, encoding="iqp", noise=noise, engine="density", shots=10)
    assert "trajectories" not in str(caught.value)
