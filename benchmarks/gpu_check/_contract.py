"""The contract of kernels on the device: values, both derivatives, precision, strides, empty batches, repetition."""

from __future__ import annotations

from typing import Any

import torch
from benchmarks.gpu_check._table import Table


def contract(table: Table) -> None:
    """Every check of every family that has a kernel for the device."""
    from tests.compile import kernel_contract

    from quanvolve.compile import kernels

    needed = {family for family, _ in kernel_contract.CASES} | {"sample"}  # the others join some of these in one call
    missing = sorted(family for family in needed if table.device.type not in kernels.devices(family))
    if missing:
        table.line("contract of kernels", ", ".join(missing), "no kernel: plain torch runs")
    for family, device, kind in kernel_contract.EVERY:
        if device == table.device.type:
            for check in kernel_contract.CHECKS:

                def held(check: Any = check, case: tuple[str, str, str] = (family, device, kind)) -> dict[str, Any]:
                    check(*case)
                    return {}

                table.attempt("contract of kernels", f"{family}, {kind}: {check.__name__}", held)
    if table.device.type in kernels.devices("sample"):
        for places in (0, 1, 5):

            def drawn(places: int = places) -> dict[str, Any]:
                kernel_contract.shots_repeat_with_their_seed(table.device.type, places)
                return {}

            table.attempt("contract of kernels", f"sample, {places} places", drawn)
    if table.gpu:
        torch.cuda.empty_cache()
