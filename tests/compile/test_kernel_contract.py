"""The contract of kernels, for each family and device; see `kernel_contract`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quanvolve.compile import kernels
from tests.compile import kernel_contract as contract

every = pytest.mark.parametrize(("family", "device", "kind"), contract.EVERY)


def test_every_family_is_here() -> None:
    assert {family for family, _ in contract.CASES} | {"sample", "filters"} == set(kernels.FAMILIES)


@every
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_the_kernel(family: str, device: str, kind: str, check: Callable[[str, str, str], None]) -> None:
    with contract.kernels_of(device):
        check(family, device, kind)


@pytest.mark.parametrize(("family", "device", "kind"), [case for case in contract.EVERY if case[1] == "cpu"])
def test_a_forked_process_computes_the_same(family: str, device: str, kind: str) -> None:
    contract.a_forked_process_computes_the_same(family, device, kind)


@pytest.mark.parametrize("device", kernels.devices("sample"))
@pytest.mark.parametrize("places", [0, 1, 5])
def test_shots_repeat_with_their_seed(device: str, places: int) -> None:
    with contract.kernels_of(device):
        contract.shots_repeat_with_their_seed(device, places)
