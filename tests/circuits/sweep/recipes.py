"""How each operation of PennyLane is made: from its class where its signature tells, else by a constructor here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

Build = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Recipe:
    """An operation that is made of some numbers.

    Attributes:
        kind: the class, or the function, that makes it.
        name: the kind, and what is special about it.
        build: from a tensor of shape (n_params,) to the operation.
        n_params: numbers that it reads; none if it is constant.
        n_wires: it acts on the first wires.
        zeroed: those that it expects in the state zero: work wires, and what it prepares.
    """

    kind: str
    name: str
    build: Build
    n_params: int
    n_wires: int
    zeroed: tuple[int, ...] = ()


_TABLE: list[Recipe] = []


def _add(
    kind: str, build: Build, n_params: int, n_wires: int, zeroed: tuple[int, ...] | range = (), note: str = ""
) -> None:
    name = f"{kind} ({note})" if note else kind
    _TABLE.append(Recipe(kind, name, build, n_params, n_wires, tuple(zeroed)))


LEFT_OUT = {
    "continuous variables": "no qubits",
    "qutrits": "no qubits",
    "channels": "noise: among the kinds of `kinds`",
    "abstract": "a base class, or what a modifier makes",
    "elsewhere": "resource estimation, pulses, circuit cutting and drawing: no gates of a qubit circuit",
    "measured": "mid-circuit measurements: among the kinds of `kinds`",
}
_ABSTRACT = """
Adjoint AdjointOperation CompositeOp Conditional Controlled ControlledOp Exp Pow PowOperation SProd ScalarSymbolicOp
Sum SymbolicOp StatePrepBase Operation Operator Channel CVObservable CVOperation SubroutineOp CollectedSubroutine
TmpPauliRot ErrorOperation ResourcesOperation BasisStateProjector StateVectorProjector Projector Hermitian
SparseHamiltonian CV LinearCombination LabelledOp MarkedOp CVOperator
"""
_MEASURED = ["MidMeasure", "PauliMeasure", "Allocate", "Deallocate"]
_CONTINUOUS = ["DisplacementEmbedding", "SqueezingEmbedding", "CVNeuralNetLayers", "Interferometer"]
_ELSEWHERE = ("drawer", "fourier", "pulse", "qcut", "resource", "estimator", "io", "labs", "ftqc", "devices", "spin")


def reason_left_out(kind: type) -> str | None:
    """Why an operator class has no recipe, if it shall have none."""
    module = kind.__module__.removeprefix("pennylane.")
    if kind.__name__ in _ABSTRACT.split() or kind.__name__.startswith("_"):
        return "abstract"
    if kind.__name__ in _MEASURED:
        return "measured"
    if module.split(".")[0] in _ELSEWHERE or not kind.__module__.startswith("pennylane."):
        return "elsewhere"
    if "qutrit" in module or "Qutrit" in kind.__name__:
        return "qutrits"
    if module.startswith("ops.cv") or kind.__name__ in _CONTINUOUS:
        return "continuous variables"
    return "channels" if issubclass(kind, qp.operation.Channel) else None


@cache
def operator_classes() -> tuple[type, ...]:
    """All operator classes of PennyLane's packages `ops` and `templates`, and others that it then knows."""
    for package in ("pennylane.ops", "pennylane.templates"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    seen: dict[type, None] = {}

    def below(kind: type) -> Iterator[type]:
        for inner in kind.__subclasses__():
            if inner not in seen:
                seen[inner] = None
                yield inner
                yield from below(inner)

    return tuple(sorted(below(qp.operation.Operator), key=lambda kind: (kind.__module__, kind.__name__)))


def missing() -> list[str]:
    """Operator classes that have neither a recipe nor a reason to be left out."""
    made = {recipe.kind for recipe in recipes()}
    return [k.__name__ for k in operator_classes() if reason_left_out(k) is None and k.__name__ not in made]


@cache
def recipes() -> tuple[Recipe, ...]:
    """Those of the table, and one for each class that takes some numbers and a fixed number of wires."""
    made = {recipe.kind for recipe in _TABLE}
    plain = []
    for kind in operator_classes():
        n_params, n_wires = getattr(kind, "num_params", None), getattr(kind, "num_wires", None)
        if kind.__name__ in made or reason_left_out(kind) or not isinstance(n_params, int):
            continue
        if isinstance(n_wires, int):
            plain.append(Recipe(kind.__name__, kind.__name__, _of_numbers(kind, n_params, n_wires), n_params, n_wires))
    return (*plain, *_TABLE)


def _of_numbers(kind: Any, n_params: int, n_wires: int) -> Build:
    return lambda p: kind(*(p[k] for k in range(n_params)), wires=range(n_wires))


# -- what several of them need -----------------------------------------------------------------------------------------


def _state(p: Tensor, n: int) -> Tensor:
    """Amplitudes, of norm 1, that are never all zero."""
    amplitudes = torch.cos(p[:n] + torch.arange(n)) + 1.5
    return amplitudes / torch.linalg.norm(amplitudes)


def _rotation(angle: Tensor) -> Tensor:
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([c, -s]), torch.stack([s, c])]).to(torch.complex128)


def _unitary(n_wires: int) -> np.ndarray:
    """A constant matrix that is unitary and nothing else."""
    rng = np.random.default_rng(n_wires)
    size = (2**n_wires, 2**n_wires)
    matrix, _ = np.linalg.qr(rng.normal(size=size) + 1j * rng.normal(size=size))
    return matrix


def _orthogonal(n: int) -> np.ndarray:
    matrix, _ = np.linalg.qr(np.random.default_rng(n).normal(size=(n, n)))
    return matrix


def _energy(coefficients: Any = (0.3, -0.7, 0.5)) -> Any:
    return qp.Hamiltonian(list(coefficients), [qp.Z(0) @ qp.Z(1), qp.X(0), qp.Y(1)])


def _block(weights: Any, wires: Any) -> None:
    qp.CNOT(wires=[wires[0], wires[1]])
    qp.RY(weights[0], wires=wires[0])
    qp.RY(weights[1], wires=wires[1])


def _inside(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Some operations as one."""
    return qp.prod(function)(*arguments, **keywords)


def _turned(p: Tensor) -> Any:
    return qp.RY(p[0], 2) @ qp.RX(p[1], 2)


# -- gates -------------------------------------------------------------------------------------------------------------

_add("Identity", lambda p: qp.Identity(wires=[0, 1]), 0, 2)
_add("GlobalPhase", lambda p: qp.GlobalPhase(p[0], wires=0), 1, 1)
_add("GlobalPhase", lambda p: qp.GlobalPhase(p[0]), 1, 1, note="no wires")
_add("Barrier", lambda p: qp.Barrier(wires=[0, 1]), 0, 2)
_add("WireCut", lambda p: qp.WireCut(wires=0), 0, 1)
_add("Snapshot", lambda p: qp.Snapshot("here"), 0, 1)
_add("MultiRZ", lambda p: qp.MultiRZ(p[0], wires=[0, 1, 2]), 1, 3)
_add("MultiRZ", lambda p: qp.MultiRZ(p[0], wires=[0]), 1, 1, note="one wire")
_add("PauliRot", lambda p: qp.PauliRot(p[0], "XYZ", wires=[0, 1, 2]), 1, 3)
_add("PauliRot", lambda p: qp.PauliRot(p[0], "IXI", wires=[0, 1, 2]), 1, 3, note="with I")
_add("PauliRot", lambda p: qp.PauliRot(p[0], "II", wires=[0, 1]), 1, 2, note="only I")
_add("PCPhase", lambda p: qp.PCPhase(p[0], dim=3, wires=[0, 1]), 1, 2)
_add("PCPhase", lambda p: qp.PCPhase(p[0], dim=5, wires=[0, 1, 2]), 1, 3, note="three wires")
_add("SpecialUnitary", lambda p: qp.SpecialUnitary(p[:3] / 3, wires=0), 3, 1)
_add("SpecialUnitary", lambda p: qp.SpecialUnitary(p / 5, wires=[0, 1]), 15, 2, note="two wires")
_add("QubitUnitary", lambda p: qp.QubitUnitary(_unitary(1), wires=0), 0, 1)
_add("QubitUnitary", lambda p: qp.QubitUnitary(_unitary(2), wires=[0, 1]), 0, 2, note="two wires")
_add("QubitUnitary", lambda p: qp.QubitUnitary(_unitary(3), wires=[0, 1, 2]), 0, 3, note="three wires")
_add("QubitUnitary", lambda p: qp.QubitUnitary(_rotation(p[0]), wires=0), 1, 1, note="of an angle")
_add(
    "QubitUnitary",
    lambda p: qp.QubitUnitary(torch.kron(_rotation(p[0]), _rotation(p[1])), wires=[0, 1]),
    2,
    2,
    note="two wires, of angles",
)
_add("DiagonalQubitUnitary", lambda p: qp.DiagonalQubitUnitary(np.exp(1j * np.arange(4.0)), wires=[0, 1]), 0, 2)
_add("DiagonalQubitUnitary", lambda p: qp.DiagonalQubitUnitary(torch.exp(1j * p), wires=[0, 1]), 4, 2, note="of angles")
_add("BlockEncode", lambda p: qp.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[0, 1]), 0, 2)
_add("BlockEncode", lambda p: qp.BlockEncode(torch.cos(p).reshape(2, 2) / 4, wires=[0, 1]), 4, 2, note="of numbers")
_add("ControlledQubitUnitary", lambda p: qp.ControlledQubitUnitary(_unitary(1), wires=[0, 1, 2]), 0, 3)
_add(
    "ControlledQubitUnitary",
    lambda p: qp.ControlledQubitUnitary(_rotation(p[0]), wires=[0, 1, 2], control_values=[0, 1]),
    1,
    3,
    note="of an angle",
)
_add(
    "ControlledQubitUnitary",
    lambda p: qp.ControlledQubitUnitary(_unitary(2), wires=[0, 1, 2]),
    0,
    3,
    note="two wires",
)
_add("MultiControlledX", lambda p: qp.MultiControlledX(wires=[0, 1, 2, 3]), 0, 4)
_add(
    "MultiControlledX",
    lambda p: qp.MultiControlledX(wires=[0, 1, 2, 3, 4], control_values=[1, 0, 1, 1]),
    0,
    5,
    note="values",
)
_add(
    "MultiControlledX",
    lambda p: qp.MultiControlledX(wires=[0, 1, 2, 3], work_wires=[4]),
    0,
    5,
    note="work wires",
)
_add("IntegerComparator", lambda p: qp.IntegerComparator(2, wires=[0, 1, 2]), 0, 3)
_add("IntegerComparator", lambda p: qp.IntegerComparator(3, wires=[0, 1, 2], geq=False), 0, 3, note="less")
_add("QubitSum", lambda p: qp.QubitSum(wires=[0, 1, 2]), 0, 3)
_add("QubitCarry", lambda p: qp.QubitCarry(wires=[0, 1, 2, 3]), 0, 4)
_add("Prod", lambda p: qp.prod(qp.RX(p[0], 0), qp.CNOT([0, 1]), qp.RZ(p[1], 1)), 2, 2)
_add("Prod", lambda p: qp.s_prod(1.0, qp.RX(p[0], 0)) @ qp.Hadamard(0), 1, 1, note="scaled")
_add("ChangeOpBasis", lambda p: qp.change_op_basis(qp.Hadamard(0), qp.RZ(p[0], 0)), 1, 1)
_add("ctrl", lambda p: qp.ctrl(qp.Rot(p[0], p[1], p[2], 0), control=[1, 2]), 3, 3)
_add("ctrl", lambda p: qp.ctrl(qp.QFT(wires=[0, 1]), control=2), 0, 3, note="QFT")
_add("ctrl", lambda p: qp.ctrl(qp.RX(p[0], 0), control=[1, 2, 3], control_values=[0, 1, 0]), 1, 4, note="three")
_add("ctrl", lambda p: qp.ctrl(_inside(_two_gates, p), control=2), 2, 3, note="a function")
_add("adjoint", lambda p: qp.adjoint(_inside(_two_gates, p)), 2, 2, note="a function")
_add("map_wires", lambda p: qp.map_wires(qp.CRX(p[0], wires=[0, 1]), {0: 1, 1: 0}), 1, 2)
_add("simplify", lambda p: qp.simplify(qp.adjoint(qp.RX(p[0], 0)) @ qp.RX(p[1], 0)), 2, 1)


def _two_gates(p: Tensor) -> None:
    qp.CRY(p[0], wires=[0, 1])
    qp.PhaseShift(p[1], wires=0)


# -- evolution ---------------------------------------------------------------------------------------------------------

_add("Evolution", lambda p: qp.evolve(qp.X(0) @ qp.Y(1), p[0]), 1, 2)
_add("Evolution", lambda p: qp.evolve(_energy(), p[0]), 1, 2, note="a sum")
_add("Evolution", lambda p: qp.evolve(2.0 * qp.Z(0), p[0]), 1, 1, note="scaled")
_add("Evolution", lambda p: qp.evolve(qp.Hermitian(np.array([[1.0, 2.0], [2.0, 0.0]]), 0), p[0]), 1, 1, note="matrix")
_add("exp", lambda p: qp.exp(qp.X(0) @ qp.X(1), 1j * p[0]), 1, 2)
_add("exp", lambda p: qp.exp(_energy(), 1j * p[0]), 1, 2, note="a sum")
_add("exp", lambda p: qp.exp(qp.Z(0), -0.7j), 0, 1, note="constant")
_add("TrotterProduct", lambda p: qp.TrotterProduct(_energy(), time=p[0], n=2, order=2), 1, 2)
_add(
    "TrotterProduct",
    lambda p: qp.TrotterProduct(qp.dot(p[:3], [qp.Z(0) @ qp.Z(1), qp.X(0), qp.Y(1)]), time=0.7),
    3,
    2,
    note="coefficients",
)
_add("TrotterizedQfunc", lambda p: qp.trotterize(_step, n=2, order=2)(p[0], p[1], wires=[0, 1]), 2, 2)
_add("ApproxTimeEvolution", lambda p: qp.ApproxTimeEvolution(_energy(), p[0], 2), 1, 2)
_add(
    "CommutingEvolution",
    lambda p: qp.CommutingEvolution(qp.Hamiltonian([1.0, -2.0], [qp.X(0) @ qp.Y(1), qp.Y(0) @ qp.X(1)]), p[0]),
    1,
    2,
)
_add("QDrift", lambda p: qp.QDrift(_energy(), time=p[0], n=3, seed=7), 1, 2)
_add("QDrift", lambda p: qp.QDrift(_energy(), time=0.8, n=3, seed=7), 0, 2, note="constant")


def _step(time: Any, angle: Any, wires: Any) -> None:
    qp.RX(time * angle, wires[0])
    qp.IsingZZ(time, wires=wires)


# -- states ------------------------------------------------------------------------------------------------------------

_HALF = np.array([1.0, 1j, -1.0, 0.5]) / np.sqrt(3.25)
_add("StatePrep", lambda p: qp.StatePrep(_state(p, 4), wires=[0, 1]), 4, 2, range(2))
_add("StatePrep", lambda p: qp.StatePrep(_HALF, wires=[0, 1]), 0, 2, range(2), note="constant, complex")
_add("StatePrep", lambda p: qp.StatePrep(p + 3.0, wires=[0, 1], normalize=True), 4, 2, range(2), note="normalize")
_add("BasisState", lambda p: qp.BasisState(np.array([1, 0, 1]), wires=[0, 1, 2]), 0, 3, range(3))
_add("BasisState", lambda p: qp.BasisState(2, wires=[0, 1]), 0, 2, range(2), note="a number")
_add("BasisEmbedding", lambda p: qp.BasisEmbedding([0, 1], wires=[0, 1]), 0, 2, range(2))
_add("BasisEmbedding", lambda p: qp.BasisEmbedding((p > 0.5).int(), wires=[0, 1]), 2, 2, range(2), note="of bits")
_add("QubitDensityMatrix", lambda p: qp.QubitDensityMatrix(np.diag([0.5, 0.5]), wires=0), 0, 1, range(1))
_add("AmplitudeEmbedding", lambda p: qp.AmplitudeEmbedding(_state(p, 4), wires=[0, 1]), 4, 2, range(2))
_add(
    "AmplitudeEmbedding",
    lambda p: qp.AmplitudeEmbedding(p + 0.1, wires=[0, 1], pad_with=0.3, normalize=True),
    3,
    2,
    range(2),
    note="padded",
)
_add("MottonenStatePreparation", lambda p: qp.MottonenStatePreparation(_HALF, wires=[0, 1]), 0, 2, range(2))
_add(
    "MottonenStatePreparation",
    lambda p: qp.MottonenStatePreparation(_state(p, 4), wires=[0, 1]),
    4,
    2,
    range(2),
    note="of numbers",
)
_add("MultiplexerStatePreparation", lambda p: qp.MultiplexerStatePreparation(_HALF, wires=[0, 1]), 0, 2, range(2))
_add(
    "MultiplexerStatePreparation",
    lambda p: qp.MultiplexerStatePreparation(_state(p, 4), wires=[0, 1]),
    4,
    2,
    range(2),
    note="of numbers",
)
_add("ArbitraryStatePreparation", lambda p: qp.ArbitraryStatePreparation(p, wires=[0, 1]), 6, 2, range(2))
_add("CosineWindow", lambda p: qp.CosineWindow(wires=[0, 1]), 0, 2, range(2))
_add(
    "QROMStatePreparation",
    lambda p: qp.QROMStatePreparation(np.abs(_HALF), wires=[0, 1], precision_wires=[2, 3], work_wires=[4]),
    0,
    5,
    range(5),
)
_MPS = (
    np.array([[0.0, 0.107], [0.994, 0.0]]),
    np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]),
    np.array([[-1.0, -0.0], [-0.0, -1.0]]),
)
_add("MPSPrep", lambda p: qp.MPSPrep(list(_MPS), wires=[0, 1, 2]), 0, 3, range(3))
_add("MPSPrep", lambda p: qp.MPSPrep(list(_MPS), wires=[0, 1, 2], work_wires=[3]), 0, 4, range(4), note="work wires")
_add(
    "SumOfSlatersPrep",
    lambda p: qp.SumOfSlatersPrep(np.array([0.6, 0.8]), wires=[0, 1, 2], indices=[1, 6]),
    0,
    3,
    range(3),
)
_add(
    "Superposition",
    lambda p: qp.Superposition(np.array([0.6, 0.8]), [[1, 0, 1], [0, 1, 1]], wires=[0, 1, 2], work_wire=3),
    0,
    4,
    range(4),
)
_add(
    "Superposition",
    lambda p: qp.Superposition(_state(p, 2), [[1, 0, 1], [0, 1, 1]], wires=[0, 1, 2], work_wire=3),
    2,
    4,
    range(4),
    note="of numbers",
)

# -- embeddings and layers ---------------------------------------------------------------------------------------------

for _axis in "XYZ":
    _add(
        "AngleEmbedding",
        lambda p, _axis=_axis: qp.AngleEmbedding(p, wires=range(3), rotation=_axis),
        3,
        3,
        note=_axis,
    )
_add("IQPEmbedding", lambda p: qp.IQPEmbedding(p, wires=range(3), n_repeats=2), 3, 3)
_add("QAOAEmbedding", lambda p: qp.QAOAEmbedding(p[:2], p[2:5].reshape(1, 3), wires=range(2)), 5, 2)
_add("QAOAEmbedding", lambda p: qp.QAOAEmbedding([0.3], p.reshape(1, 6), wires=range(3)), 6, 3, note="three")
_add("BasicEntanglerLayers", lambda p: qp.BasicEntanglerLayers(p.reshape(2, 3), wires=range(3)), 6, 3)
_add(
    "BasicEntanglerLayers",
    lambda p: qp.BasicEntanglerLayers(p.reshape(1, 2), wires=range(2), rotation=qp.RZ),
    2,
    2,
    note="RZ",
)
_add("StronglyEntanglingLayers", lambda p: qp.StronglyEntanglingLayers(p.reshape(2, 3, 3), wires=range(3)), 18, 3)
_add(
    "StronglyEntanglingLayers",
    lambda p: qp.StronglyEntanglingLayers(p.reshape(1, 3, 3), wires=range(3), ranges=[2], imprimitive=qp.ISWAP),
    9,
    3,
    note="ISWAP",
)
_add("RandomLayers", lambda p: qp.RandomLayers(p.reshape(2, 3), wires=range(3), seed=3), 6, 3)
_add("SimplifiedTwoDesign", lambda p: qp.SimplifiedTwoDesign(p[:3], p[3:].reshape(1, 2, 2), wires=range(3)), 7, 3)
_add("GateFabric", lambda p: qp.GateFabric(p.reshape(1, 1, 2), wires=range(4), init_state=[1, 1, 0, 0]), 2, 4, range(4))
_add(
    "GateFabric",
    lambda p: qp.GateFabric(p.reshape(1, 1, 2), wires=range(4), init_state=[1, 1, 0, 0], include_pi=True),
    2,
    4,
    range(4),
    note="with pi",
)
_add("ParticleConservingU1", lambda p: qp.ParticleConservingU1(p.reshape(1, 2, 2), wires=range(3)), 4, 3)
_add(
    "ParticleConservingU2",
    lambda p: qp.ParticleConservingU2(p.reshape(1, 5), wires=range(3), init_state=[1, 1, 0]),
    5,
    3,
    range(3),
)
_add("layer", lambda p: _inside(_layers, p), 4, 2)
_add("MPS", lambda p: qp.MPS(range(3), 2, _block, 2, p.reshape(2, 2)), 4, 3)
_add("TTN", lambda p: qp.TTN(range(4), 2, _block, 2, p.reshape(3, 2)), 6, 4)
_add("MERA", lambda p: qp.MERA(range(4), 2, _block, 2, p.reshape(5, 2)), 10, 4)
_add(
    "TwoLocalSwapNetwork",
    lambda p: qp.TwoLocalSwapNetwork(range(3), _met, p, fermionic=True, shift=False),
    3,
    3,
)
_add("TwoLocalSwapNetwork", lambda p: qp.TwoLocalSwapNetwork(range(4)), 0, 4, note="only swaps")


def _layers(p: Tensor) -> None:
    qp.layer(_block, 2, p.reshape(2, 2), wires=[0, 1])


def _met(index: Any, wires: Any, param: Any = None) -> Any:
    return qp.CRY(param, wires=index)


# -- subroutines -------------------------------------------------------------------------------------------------------

_add("QFT", lambda p: qp.QFT(wires=range(3)), 0, 3)
_add("AQFT", lambda p: qp.AQFT(order=1, wires=range(3)), 0, 3)
_add("Permute", lambda p: qp.Permute([2, 0, 1], wires=range(3)), 0, 3)
_add("FlipSign", lambda p: qp.FlipSign([1, 0, 1], wires=range(3)), 0, 3)
_add("GroverOperator", lambda p: qp.GroverOperator(wires=range(3)), 0, 3)
_add("ArbitraryUnitary", lambda p: qp.ArbitraryUnitary(p, wires=range(2)), 15, 2)
_add("ArbitraryUnitary", lambda p: qp.ArbitraryUnitary(p, wires=[0]), 3, 1, note="one wire")
_add("IQP", lambda p: qp.IQP(p, num_wires=3, pattern=[[[0]], [[0, 1]], [[1, 2]]]), 3, 3)
_add("IQP", lambda p: qp.IQP(p, num_wires=2, pattern=[[[0]], [[0, 1]]], spin_sym=True), 2, 2, note="spin symmetry")
_add("SelectPauliRot", lambda p: qp.SelectPauliRot(p, control_wires=[0, 1], target_wire=2), 4, 3)
_add("SelectPauliRot", lambda p: qp.SelectPauliRot(p, [0, 1], 2, rot_axis="Y"), 4, 3, note="Y")
_add("Select", lambda p: qp.Select([qp.X(2), qp.RY(p[0], 2), qp.Z(2), qp.RX(p[1], 2)], control=[0, 1]), 2, 3)
_add("Select", lambda p: qp.Select([qp.RY(p[0], 2), _turned(p), qp.H(2)], control=[0, 1]), 2, 3, note="three")
_add("Select", lambda p: qp.Select([qp.X(2), qp.H(2), qp.S(2)], control=[0, 1], partial=True), 0, 3, note="partial")
_add(
    "Select",
    lambda p: qp.Select([qp.X(2), qp.RY(p[0], 2), qp.Z(2)], control=[0, 1], work_wires=[3]),
    1,
    4,
    (3,),
    note="work wires",
)
_DATA = [[0, 1], [1, 1], [1, 0], [0, 0]]
_add("QROM", lambda p: qp.QROM(_DATA, control_wires=[0, 1], target_wires=[2, 3], work_wires=None), 0, 4)
_add("QROM", lambda p: qp.QROM(_DATA, [0, 1], [2, 3], work_wires=[4], clean=False), 0, 5, note="work wires")
_add("QROM", lambda p: qp.QROM(_DATA, [0, 1], [2, 3], work_wires=[4, 5], clean=True), 0, 6, note="clean")
_add("BBQRAM", lambda p: qp.BBQRAM([[1], [0]], [0], [1], work_wires=[2, 3, 4, 5]), 0, 6, range(2, 6))
_add("HybridQRAM", lambda p: qp.HybridQRAM([[1], [0], [1], [1]], [0, 1], [2], [3, 4, 5, 6, 7], 1), 0, 8, range(3, 8))
_add("SelectOnlyQRAM", lambda p: qp.SelectOnlyQRAM(_DATA, [0, 1], [2, 3]), 0, 4)
_add("ControlledSequence", lambda p: qp.ControlledSequence(qp.RX(p[0], 2), control=[0, 1]), 1, 3)
_add("QuantumPhaseEstimation", lambda p: qp.QuantumPhaseEstimation(qp.RZ(p[0], 0), estimation_wires=[1, 2]), 1, 3)
_add(
    "QuantumPhaseEstimation",
    lambda p: qp.QuantumPhaseEstimation(_unitary(1), [0], [1, 2]),
    0,
    3,
    note="matrix",
)
_add("QuantumMonteCarlo", lambda p: qp.QuantumMonteCarlo([0.3, 0.7], lambda i: i / 2, [0, 1], [2, 3]), 0, 4)
_add("AmplitudeAmplification", lambda p: qp.AmplitudeAmplification(_hadamards(), qp.FlipSign(2, [0, 1]), 2), 0, 2)
_add(
    "AmplitudeAmplification",
    lambda p: qp.AmplitudeAmplification(_hadamards(), qp.FlipSign(2, [0, 1]), 3, fixed_point=True, work_wire=2),
    0,
    3,
    note="fixed point",
)
_add("Reflection", lambda p: qp.Reflection(_hadamards(), p[0]), 1, 2)
_add("Reflection", lambda p: qp.Reflection(qp.RY(p[0], 0) @ qp.RX(p[1], 1), 0.7), 2, 2, note="of angles")
_LCU = (0.3, 0.2, 0.1)
_add("PrepSelPrep", lambda p: qp.PrepSelPrep(qp.dot(_LCU, [qp.X(0), qp.Z(0), qp.Y(0)]), control=[1, 2]), 0, 3, (1, 2))
_add(
    "PrepSelPrep",
    lambda p: qp.PrepSelPrep(qp.dot(p, [qp.X(0), qp.Z(0)]), control=[1]),
    2,
    2,
    (1,),
    note="coefficients",
)
_add("Qubitization", lambda p: qp.Qubitization(qp.dot(_LCU, [qp.X(0), qp.Z(0), qp.Y(0)]), control=[1, 2]), 0, 3, (1, 2))
_add(
    "QSVT",
    lambda p: qp.QSVT(
        qp.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[0, 1]),
        [qp.PCPhase(p[k], dim=2, wires=[0, 1]) for k in range(3)],
    ),
    3,
    2,
)
_add("QSVT", lambda p: _inside(_qsvt), 0, 2, note="qsvt")
_add("GQSP", lambda p: qp.GQSP(qp.RX(0.3, 1), p.reshape(3, 3), control=0), 9, 2)
_add("FABLE", lambda p: qp.FABLE(np.array([[0.1, 0.2], [0.3, -0.2]]), wires=range(3)), 0, 3)
_add("FABLE", lambda p: qp.FABLE(torch.cos(p).reshape(2, 2) / 3, wires=range(3)), 4, 3, note="of numbers")
_add("HilbertSchmidt", lambda p: qp.HilbertSchmidt(qp.RZ(p[0], 1), qp.Hadamard(0)), 1, 2)
_add(
    "LocalHilbertSchmidt",
    lambda p: qp.LocalHilbertSchmidt([qp.RZ(p[0], 2), qp.RZ(p[1], 3)], [qp.CZ(wires=[0, 1])]),
    2,
    4,
)
_add("TemporaryAND", lambda p: qp.TemporaryAND(wires=[0, 1, 2]), 0, 3, (2,))
_add("TemporaryAND", lambda p: qp.TemporaryAND([0, 1, 2], control_values=(0, 1)), 0, 3, (2,), note="values")


def _hadamards() -> Any:
    return qp.Hadamard(0) @ qp.Hadamard(1)


def _qsvt() -> None:
    qp.qsvt(np.array([[0.1, 0.2], [0.3, 0.4]]), [0.0, 0.2, 0.0, 0.3], encoding_wires=[0, 1], block_encoding="embedding")


_add("Adder", lambda p: qp.Adder(2, [0, 1, 2]), 0, 3)
_add("Adder", lambda p: qp.Adder(2, [0, 1], mod=3, work_wires=[2, 3]), 0, 4, (2, 3), note="modulo")
_add("PhaseAdder", lambda p: qp.PhaseAdder(3, [0, 1, 2]), 0, 3)
_add("PhaseAdder", lambda p: qp.PhaseAdder(2, [0, 1, 2], mod=3, work_wire=[3]), 0, 4, (3,), note="modulo")
_add("SemiAdder", lambda p: qp.SemiAdder([0, 1], [2, 3], work_wires=[4]), 0, 5, (4,))
_add("OutAdder", lambda p: qp.OutAdder([0], [1], [2, 3]), 0, 4)
_add("Multiplier", lambda p: qp.Multiplier(3, [0, 1], work_wires=[2, 3]), 0, 4, (2, 3))
_add("OutMultiplier", lambda p: qp.OutMultiplier([0], [1], [2, 3]), 0, 4)
_add("OutPoly", lambda p: qp.OutPoly(lambda x, y: x**2 + y, [[0], [1]], [2, 3]), 0, 4)
_add("ModExp", lambda p: qp.ModExp([0], [1, 2], base=3, work_wires=[3, 4]), 0, 5, range(1, 5))

# -- chemistry ---------------------------------------------------------------------------------------------------------

_add("FermionicSingleExcitation", lambda p: qp.FermionicSingleExcitation(p[0], wires=[0, 1, 2]), 1, 3)
_add("FermionicDoubleExcitation", lambda p: qp.FermionicDoubleExcitation(p[0], [0, 1], [2, 3]), 1, 4)
_add(
    "AllSinglesDoubles",
    lambda p: qp.AllSinglesDoubles(p, range(4), np.array([1, 1, 0, 0]), [[0, 2], [1, 3]], [[0, 1, 2, 3]]),
    3,
    4,
    range(4),
)
_add("BasisRotation", lambda p: qp.BasisRotation(wires=range(3), unitary_matrix=_orthogonal(3)), 0, 3)
_add("BasisRotation", lambda p: qp.BasisRotation(wires=range(2), unitary_matrix=_unitary(1)), 0, 2, note="complex")
_add(
    "BasisRotation", lambda p: qp.BasisRotation(wires=[0, 1], unitary_matrix=_rotation(p[0])), 1, 2, note="of an angle"
)
_add(
    "UCCSD",
    lambda p: qp.UCCSD(
        p,
        range(4),
        s_wires=[[0, 1, 2], [1, 2, 3]],
        d_wires=[[[0, 1], [2, 3]]],
        init_state=np.array([1, 1, 0, 0]),
    ),
    3,
    4,
    range(4),
)
_add(
    "kUpCCGSD",
    lambda p: qp.kUpCCGSD(p.reshape(1, 6), range(4), k=1, delta_sz=0, init_state=np.array([1, 1, 0, 0])),
    6,
    4,
    range(4),
)
