"""Kernels for CUDA go through Triton's compiler, for a GPU that need not be there."""

from __future__ import annotations

import pytest

from quanvolve.compile import kernels
from tests.compile.triton_build import built

FAMILIES = [family for family in kernels.FAMILIES if "cuda" in kernels.devices(family)]
LONG = {"polynomial", "states", "tree"}
"""Families with many kernels, which take a minute."""


@pytest.mark.parametrize(
    "family", [pytest.param(family, marks=[pytest.mark.slow] if family in LONG else []) for family in FAMILIES]
)
def test_every_kernel_is_compiled_for_a_gpu(family: str) -> None:
    found = built(family)
    assert {one.case.split(", ")[0] for one in found} == {family}
    assert all(one.instructions > 0 for one in found)
    assert max(one.registers for one in found) <= 255
