"""Kernels for CUDA go through Triton's compiler, for a GPU that need not be there."""

from __future__ import annotations

import pytest

from quanvolve.compile import kernels
from tests.compile.triton_build import Built, built

FAMILIES = {family for family in kernels.FAMILIES if "cuda" in kernels.devices(family)}


def _fit(found: list[Built]) -> None:
    assert {one.case.split(", ")[0] for one in found} == FAMILIES
    for one in found:
        assert one.instructions > 0
        assert one.registers <= 255
        # Cosines in double keep 40 bytes in memory of their own; registers that are spilled would need more.
        assert one.stack <= 64, one


def test_one_case_of_each_family_is_compiled_for_a_gpu() -> None:
    _fit(built(first=True))


@pytest.mark.slow
def test_every_case_is_compiled_for_a_gpu() -> None:
    _fit(built())
