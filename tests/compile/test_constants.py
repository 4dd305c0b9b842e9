"""Tables are copied to a device once."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve.compile import use_kernels
from quanvolve.compile.batch import _constants

CPU = torch.device("cpu")


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of all arrays that were made tensors, with the CPU in the place of a device of its own."""
    made = list[tuple[int, ...]]()
    whole = _constants._tensor

    def counted(array: np.ndarray, device: torch.device, dtype: torch.dtype | None) -> torch.Tensor:
        made.append(array.shape)
        return whole(array, device, dtype).clone()

    monkeypatch.setattr(_constants, "_tensor", counted)
    monkeypatch.setattr(_constants, "_ALREADY_THERE", ())
    return made


def test_on_the_cpu_an_array_is_not_copied() -> None:
    array = np.arange(3.0)
    assert _constants.constant(array, CPU).data_ptr() == array.ctypes.data


def test_each_array_and_view_and_type_has_a_tensor_of_its_own(copies: list[tuple[int, ...]]) -> None:
    array = np.arange(12.0).reshape(3, 4)
    for _ in range(2):
        assert _constants.constant(array, CPU).tolist() == array.tolist()
        assert _constants.constant(array[1], CPU).tolist() == array[1].tolist()
        assert _constants.constant(array[:, 1], CPU).tolist() == array[:, 1].tolist()
        assert _constants.constant(array, CPU, torch.float32).dtype == torch.float32
    assert copies == [(3, 4), (4,), (3,), (3, 4)]


def test_a_tensor_goes_with_its_array(copies: list[tuple[int, ...]]) -> None:
    array = np.arange(5.0)
    _constants.constant(array[1:], CPU)
    number = id(array)
    assert number in _constants._made
    del array
    gc.collect()
    assert number not in _constants._made


def test_what_inference_mode_made_is_of_use_to_autograd(copies: list[tuple[int, ...]]) -> None:
    array = np.arange(3.0)
    with torch.inference_mode():
        _constants.constant(array, CPU)
    weights = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (weights * _constants.constant(array, CPU)).sum().backward()
    assert weights.grad is not None
    assert copies == [(3,)]


LAYERS: dict[str, Callable[[], Quanv2d]] = {
    "polynomial": lambda: Quanv2d(1, 4, 2, seed=0),
    "channels on one wire and two": lambda: Quanv2d(1, 4, 2, seed=0, noise={"depolarizing": 0.01}),
    "sites with weights": lambda: Quanv2d(1, 4, 2, seed=0, encoding="dense"),
    "tensor train": lambda: Quanv2d(1, 4, 2, seed=0, engine="tensor_train"),
    "state vector": lambda: Quanv2d(1, 4, 2, seed=0, encoding="iqp"),
    "amplitudes": lambda: Quanv2d(1, 2, 2, seed=0, encoding="amplitude"),
    "density matrix": lambda: Quanv2d(1, 4, 2, seed=0, encoding="iqp", noise={"depolarizing": 0.01}),
    "shots": lambda: Quanv2d(1, 4, 2, seed=0, shots=50),
    "light cones": lambda: Quanv2d(1, 9, 3, seed=0, circuit="hardware_efficient", n_layers=1),
    "bits": lambda: Quanv2d(1, 4, 2, seed=0, encoding="threshold"),
    "a table": lambda: Quanv2d(1, 4, 2, seed=0, encoding="threshold", engine="table"),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_second_call_copies_nothing(kind: str, copies: list[tuple[int, ...]]) -> None:
    layer = LAYERS[kind]()
    images = torch.rand(2, 1, 6, 6)
    with use_kernels(False):
        layer(images).sum().backward()
        assert copies
        copies.clear()
        layer(images).sum().backward()
    assert not copies
