"""Kernels for CUDA compiled for a GPU where there is none: what Triton's interpreter accepts, its compiler may not.

    python -m tests.compile.triton_build [--first] [FAMILY ...]

runs the cases of the contract with a compiler in place of the GPU: each launch is compiled for an H100, for the types
and alignments of its arguments, and nothing is computed. One line of JSON for each kernel tells what it takes. The
environment must not have TRITON_INTERPRET=1: :func:`built` starts a process without it. With --first only the first
case of each family is run, and in single precision.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class Built(NamedTuple):
    """A kernel that was compiled.

    Args:
        kernel: its module and name.
        types: of its arguments, with its constants.
        case: family, kind and number type of the contract's case whose launch it is first in.
        registers: of each thread.
        stack: bytes of local memory of each thread: registers that are spilled, or arrays.
        shared: bytes of shared memory of a program.
        warps: of a program.
        instructions: of its machine code.
        seconds: that compiling took.
    """

    kernel: str
    types: str
    case: str
    registers: int
    stack: int
    shared: int
    warps: int
    instructions: int
    seconds: float


def built(*families: str, first: bool = False, timeout: float = 600) -> list[Built]:
    """All kernels of some families (of all, if none is given), compiled for an H100 in a process of its own.

    Args:
        families: which.
        first: of each only the first case, in single precision.
        timeout: in seconds.

    Raises:
        AssertionError: with Triton's message if one of them does not compile.
    """
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    options = ["--first"] if first else []
    command = [sys.executable, "-m", "tests.compile.triton_build", *options, *families]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return [Built(**json.loads(line)) for line in done.stdout.splitlines()]


@contextmanager
def compiled_only() -> Iterator[list[dict[str, Any]]]:
    """In which launches of kernels compile them for an H100 and do nothing else; gives what was compiled so far."""
    from triton.backends.compiler import GPUTarget
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction

    from quanvolve.compile import kernels

    class Driver:
        def get_current_device(self) -> int:
            return 0

        def get_current_stream(self, device: int) -> int:
            return 0

        def get_current_target(self) -> GPUTarget:
            return GPUTarget("cuda", 90, 32)

    found: list[dict[str, Any]] = []
    seen = set[tuple[str, str]]()
    whole = JITFunction.run

    def run(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        kernel = whole(self, *args, grid=grid, warmup=True, **kwargs)
        seconds = time.perf_counter() - begin
        name = f"{self.fn.__module__.rpartition('.')[2]}.{self.fn.__name__}"
        types = ", ".join(
            f"{self.arg_names[at]}: {kernel.src.constants.get((at,), kind)}"
            for at, kind in enumerate(kernel.src.signature.values())
        )
        if (name, kernel.hash) not in seen:
            seen.add((name, kernel.hash))
            resources = _resources(kernel.asm["cubin"])
            found.append(
                {
                    "kernel": name, "types": types, **resources, "shared": kernel.metadata.shared,
                    "warps": kernel.metadata.num_warps, "seconds": round(seconds, 2),
                }
            )  # fmt: skip
        return kernel

    driver.set_active(Driver())
    JITFunction.run = run
    kernels._stand_ins["cpu"] = "cuda"
    try:
        yield found
    finally:
        del kernels._stand_ins["cpu"]
        JITFunction.run = whole


def _resources(cubin: bytes) -> dict[str, int]:
    """What the code takes, by the disassembler that comes with Triton."""
    from triton.backends import nvidia

    tools = Path(nvidia.__file__).parent / "bin"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()

        def told(*options: str) -> str:
            command = [str(tools / "cuobjdump"), *options, file.name]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        usage, code = told("--dump-resource-usage"), told("--dump-sass")
    registers, stack = (int(found[1]) for kind in ("REG", "STACK") if (found := re.search(rf"{kind}:(\d+)", usage)))
    instructions = len(re.findall(r"^\s+/\*[0-9a-f]{4,}\*/", code, re.MULTILINE))
    return {"registers": registers, "stack": stack, "instructions": instructions}


def main(families: Sequence[str], first: bool) -> None:
    """Compile the launches of the contract's cases, forward and backward, in both precisions; print what was made."""
    import torch

    from tests.compile import kernel_contract as contract

    dtypes = (torch.float32,) if first else (torch.float32, torch.float64)
    cases = list({family: (family, kind) for family, kind in reversed(contract.CASES)}.values())
    with compiled_only() as found:
        for family, kind in cases if first else contract.CASES:
            if (families and family not in families) or "cuda" not in contract.kernels.devices(family):
                continue
            for dtype in dtypes:
                before = len(found)
                case, tensors = contract.case_on(family, kind, "cuda", 3, dtype)
                if family == "states":
                    tensors[0] = tensors[0].detach().double()
                out = case.operator.call(case.tables, *tensors)
                torch.autograd.grad(out.sum(), [tensor for tensor in tensors if tensor.requires_grad])
                _print(found[before:], f"{family}, {kind}, {str(dtype).partition('.')[2]}")
        if (not families or "sample" in families) and "cuda" in contract.kernels.devices("sample"):
            for dtype in dtypes:
                before = len(found)
                contract.sample(*contract.words_to_draw(contract.place("cuda"), 5, dtype))
                _print(found[before:], f"sample, {str(dtype).partition('.')[2]}")


def _print(kernels: Sequence[dict[str, Any]], case: str) -> None:
    for kernel in kernels:
        print(json.dumps({**kernel, "case": case}), flush=True)


if __name__ == "__main__":
    main([argument for argument in sys.argv[1:] if argument != "--first"], "--first" in sys.argv)
