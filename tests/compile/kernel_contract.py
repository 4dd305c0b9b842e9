"""What every kernel offers, whatever its family and device: the reference's values and derivatives, for every batch.

The checks need no pytest, so that a machine with a GPU can run them. Kernels for CUDA run in Triton's interpreter where
there is no GPU.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.circuits import BLOCKS, Angle, Circuit, Gate, Observable, named_circuit
from quanvolve.compile import arranged, compile_circuit, kernels, use_kernels
from quanvolve.compile.ops._cartan import cartan
from quanvolve.compile.ops._coefficients import coefficients
from quanvolve.compile.ops._leaves import leaves
from quanvolve.compile.ops._network import network
from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.ops._polynomial import polynomial
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.ops._states import states
from quanvolve.compile.ops._tree import tree
from quanvolve.compile.tables._cartan import CartanTables, is_cartan
from quanvolve.compile.tables._chains import chains_of
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._leaves import LeafTables
from quanvolve.compile.tables._network import NetworkTables, count_terms
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._polynomial import PolynomialTables
from quanvolve.compile.tables._products import pattern, products
from quanvolve.compile.tables._sampling import ShotTables, sampling_of
from quanvolve.compile.tables._states import StateTables
from quanvolve.compile.tables._tree import TreeLevel, TreeTables
from tests.compile.triton_interpreter import patched_once

LAYOUT = Layout(groups=2, filters=2, channels=2, outputs=7)
GRID = Grid((2, 2), (1, 2), (1, 1))


class Case(NamedTuple):
    """An operator, its tables, and tensors for a number of images or windows."""

    operator: Operator[Any] | _OfSome
    tables: Tables
    tensors: Callable[[int], list[Tensor]]


def circuits(name: str, count: int, **options: Any) -> list[Circuit]:
    return [named_circuit(name, 4, **{"n_layers": 2, "seed": seed, **options}) for seed in range(count)]


def drawn(*shape: int) -> Tensor:
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def images(count: int) -> Tensor:
    return drawn(count, 4, 5, 6)


class _OfSome:
    """The operator of polynomials as a function of those coefficients that circuits can have."""

    def __init__(self, some: Tensor) -> None:
        self.some, self.takes = some, polynomial.takes

    def _masked(self, coefficients: Tensor) -> Tensor:
        return coefficients * self.some.to(coefficients)

    def __call__(self, tables: Any, pixels: Tensor, coefficients: Tensor) -> Tensor:
        return polynomial(tables, pixels, self._masked(coefficients))

    def call(self, tables: Any, pixels: Tensor, coefficients: Tensor) -> Tensor:
        return polynomial.call(tables, pixels, self._masked(coefficients))

    def reference(self, tables: Any, pixels: Tensor, coefficients: Tensor) -> Tensor:
        return polynomial.reference(tables, pixels, self._masked(coefficients))


def _polynomial(name: str, count: int) -> Case:
    recipes = [compile_circuit(circuit) for circuit in circuits(name, count)]
    few = products(recipes, LAYOUT)
    assert (few is None) == (name == "strongly_entangling")
    tables = PolynomialTables.for_windows(recipes, few, LAYOUT, GRID, 1.5)
    some = torch.ones(1)
    if few is not None:  # a circuit never has the others
        patterns = [torch.from_numpy(pattern(recipe)) for recipe in recipes]
        some = arranged(torch.stack(patterns).double(), LAYOUT)
    return Case(_OfSome(some), tables, lambda n: [images(n), drawn(2, 7, 2, recipes[0].n_features)])


def _network(name: str, count: int) -> Case:
    layout = Layout(groups=2, filters=1, channels=2, outputs=3)
    chains = [chains_of(circuit) for circuit in circuits(name, count)]
    tables = NetworkTables.for_windows(chains, layout, GRID, 1.5)
    size = sum(map(count_terms, chains)) * (layout.rows if count == 1 else 1)
    return Case(network, tables, lambda n: [images(n), drawn(size)])


def _coefficients(name: str, count: int) -> Case:
    recipes = [compile_circuit(circuit) for circuit in circuits(name, count)]
    size = recipes[0].circuit.n_weights
    return Case(coefficients, CoefficientTables.of_recipes(recipes), lambda n: [drawn(LAYOUT.rows, size)])


def _states(name: str, count: int, filters: int, **options: Any) -> Case:
    parsed = [Parsed(circuit) for circuit in circuits(name, count, **options)]
    size = parsed[0].circuit.n_weights
    tables = StateTables.of_circuits(parsed, filters)
    return Case(states, tables, lambda n: [drawn(2, 2, 4, n), drawn(4 * filters, size)])


def _tree(sizes: tuple[int, ...], shared: bool) -> Case:
    """Two levels: two blocks with inputs of these sizes, then one that reads them in the other order."""
    a_block = sum(sizes) - len(sizes)
    starts = [sum(sizes[:k]) - k for k in range(len(sizes))]
    rows = np.array([[block * a_block + start for start in starts] for block in range(2)])
    levels = [TreeLevel(sizes, rows, 3, shared), TreeLevel((4, 4), np.array([[3, 0]]), 3, False)]
    tables = TreeTables.of_levels(2, levels)
    return Case(tree, tables, lambda n: [drawn(2 * a_block, n) - 0.5, (drawn(2, tables.numbers) - 0.5) / 2])


def _cartan(encoding: str | None) -> Case:
    gates = (*BLOCKS["su4"].gates(np.arange(15), (0, 1)),)[:-6]
    encoded = () if encoding is None else tuple(Gate(encoding, (q,), Angle(inputs=((q, 1.0),))) for q in range(2))
    words = tuple(Observable(((1.0, ((0, letter),)),)) for letter in "XYZ")
    recipe = compile_circuit(Circuit(2, 2, (*encoded, *gates), words, (("weights", (1, 9)),)))
    assert is_cartan(recipe)
    return Case(cartan, CartanTables.of_recipe(recipe), lambda n: [6 * drawn(n, 9)])


def _leaves() -> Case:
    """Cosines and sines of some of the pixels, and of none."""
    pixels = np.array([4, 4, 0, 79, -1, -1, 33])
    sines = np.array([True, False, True, False, True, False, False])
    return Case(leaves, LeafTables.of_pixels(pixels, sines, 1.7, 80), lambda n: [drawn(n, 2, 5, 8)])


CASES: dict[tuple[str, str], Callable[[], Case]] = {
    ("polynomial", "dense"): lambda: _polynomial("strongly_entangling", 1),
    ("polynomial", "few products"): lambda: _polynomial("random", LAYOUT.rows),
    ("network", "one circuit"): lambda: _network("strongly_entangling", 1),
    ("network", "one for each row"): lambda: _network("random", 4),
    ("coefficients", "one circuit"): lambda: _coefficients("strongly_entangling", 1),
    ("coefficients", "one for each row"): lambda: _coefficients("random", LAYOUT.rows),
    ("states", "one circuit"): lambda: _states("strongly_entangling", 1, 2),
    ("states", "one for each row"): lambda: _states("random", 4, 1, n_layers=1),
    ("tree", "two encoded qubits"): lambda: _tree((3, 3), False),
    ("tree", "shared numbers"): lambda: _tree((4, 4), True),
    ("tree", "inputs of different sizes"): lambda: _tree((3, 1, 4, 2), False),
    ("tree", "one input"): lambda: _tree((9,), False),
    ("leaves", "some pixels"): _leaves,
    ("cartan", "all words"): lambda: _cartan(None),
    ("cartan", "encoded"): lambda: _cartan("RX"),
    ("states", "amplitudes"): lambda: _states("strongly_entangling", 1, 2, encoding="amplitude", n_wires=3),
    ("states", "amplitudes, one for each row"): lambda: _states("random", 4, 1, n_layers=1, encoding="amplitude"),
}
EVERY = [(family, device, kind) for family, kind in CASES for device in kernels.devices(family)]
"""What there is a kernel for."""
INTERPRETED = not torch.cuda.is_available()
"""Whether kernels for CUDA are run on tensors of the CPU."""


@contextmanager
def kernels_of(device: str) -> Iterator[None]:
    """In which the kernels of a device are run."""
    if device != "cuda" or not INTERPRETED:
        yield
        return
    with kernels.interpreted(), patched_once():
        yield


def place(device: str) -> str:
    """Where the tensors are that kernels of a device are run on."""
    return "cpu" if INTERPRETED else device


def case_on(family: str, kind: str, device: str, count: int, dtype: torch.dtype = torch.float64) -> tuple[Case, Any]:
    case = CASES[family, kind]()
    return case, [tensor.to(place(device), dtype).requires_grad_() for tensor in case.tensors(count)]


def first_and_second(run: Callable[..., Tensor], tensors: list[Tensor]) -> list[Tensor]:
    out = run(*tensors)
    shape = torch.arange(out.numel(), dtype=out.dtype, device=out.device).cos().reshape(out.shape)
    first = torch.autograd.grad((out * shape).sum(), tensors, create_graph=True)
    total = sum(((one * one.detach().cos()).sum() for one in first), out.new_zeros(()))
    second = torch.autograd.grad(total, tensors, allow_unused=True)
    return [out, *first, *(one if one is not None else torch.zeros(()) for one in second)]


def values_and_both_derivatives_are_the_reference_s(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 3)
    assert case.operator.takes(case.tables, *tensors)
    found = first_and_second(lambda *given: case.operator.call(case.tables, *given), tensors)
    expected = first_and_second(lambda *given: case.operator.reference(case.tables, *given), tensors)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def single_precision_rounds_only(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 3, torch.float32)
    if family == "states":
        tensors[0] = tensors[0].detach().double()  # what angles read is in double precision always
    found = case.operator.call(case.tables, *tensors)
    assert found.dtype == torch.float32
    expected = case.operator.reference(case.tables, *(tensor.detach().double() for tensor in tensors))
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-5)


def torch_s_own_checks_of_operators(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 2)
    operator = getattr(torch.ops.quanvolve, family).default
    checks = ("test_schema", "test_faketensor", "test_autograd_registration")
    torch.library.opcheck(operator, (*tensors, case.tables.handle), test_utils=checks)


def an_empty_batch(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 0)
    found = case.operator(case.tables, *tensors)
    assert found.shape == case.operator.reference(case.tables, *tensors).shape
    assert all(grad is not None for grad in torch.autograd.grad(found.sum(), tensors))


def any_strides(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 3)
    expected = first_and_second(lambda *given: case.operator.call(case.tables, *given), tensors)
    strided = []
    for tensor in tensors:
        wide = torch.stack([tensor.detach()] * 2, dim=-1)
        given = wide[..., 0]  # every second number
        if given.dim() == 4 and family != "states":
            given = given.contiguous(memory_format=torch.channels_last)
        assert tensor.numel() < 2 or not given.is_contiguous()
        strided.append(given.requires_grad_())
    for one, other in zip(
        first_and_second(lambda *given: case.operator.call(case.tables, *given), strided), expected, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def only_the_wanted_gradients(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 2)
    whole = torch.autograd.grad(case.operator.call(case.tables, *tensors).sum(), tensors)
    for number, expected in enumerate(whole):
        alone = [tensor.detach().requires_grad_(k == number) for k, tensor in enumerate(tensors)]
        (found,) = torch.autograd.grad(case.operator.call(case.tables, *alone).sum(), alone[number])
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


def threads_and_repetitions_change_no_bit(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 5)

    def run(_: int) -> list[Tensor]:
        out = case.operator.call(case.tables, *(tensor.detach().requires_grad_() for tensor in tensors))
        return [out.detach()]

    expected = run(0)
    with ThreadPoolExecutor(1 if device == "cuda" and INTERPRETED else 4) as pool:
        for found in pool.map(run, range(3 if device == "cuda" else 16)):
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def _in_child(family: str, kind: str, device: str, into: Any) -> None:
    case, tensors = case_on(family, kind, device, 3)
    with torch.no_grad():
        into.send(case.operator.call(case.tables, *tensors).tolist())


def a_forked_process_computes_the_same(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 3)
    with torch.no_grad():
        expected = case.operator.call(case.tables, *tensors)
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=_in_child, args=(family, kind, device, there))
    child.start()
    there.close()
    found = torch.tensor(here.recv(), dtype=torch.float64)
    child.join()
    torch.testing.assert_close(found, expected.cpu(), rtol=0, atol=0)


def without_kernels_the_reference_runs(family: str, device: str, kind: str) -> None:
    case, tensors = case_on(family, kind, device, 2)
    with use_kernels(False):
        assert not case.operator.takes(case.tables, *tensors)
        torch.testing.assert_close(case.operator(case.tables, *tensors), case.operator.reference(case.tables, *tensors))


def words_to_draw(where: str, places: int, dtype: torch.dtype = torch.float64) -> tuple[ShotTables, Tensor]:
    """Tables of three qubits and 50 shots, and expectation values for four rows."""
    tables = ShotTables.of_sampling(sampling_of(named_circuit("basic_entangler", 3)), 50)
    return tables, (drawn(4, 7, 5) / 4)[:, :, :places].to(where, dtype)


def shots_repeat_with_their_seed(device: str, places: int) -> None:
    tables, words = words_to_draw(place(device), places)
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(sample(tables, words))
    assert torch.equal(*draws)
    assert draws[0].shape == (4, 3, places)
    assert bool((draws[0].abs() <= 1).all())


CHECKS = (
    values_and_both_derivatives_are_the_reference_s, single_precision_rounds_only, torch_s_own_checks_of_operators,
    an_empty_batch, any_strides, only_the_wanted_gradients, threads_and_repetitions_change_no_bit,
    without_kernels_the_reference_runs,
)  # fmt: skip
"""Each takes family, device and kind; beside them is `a_forked_process_computes_the_same`, which a GPU cannot."""
