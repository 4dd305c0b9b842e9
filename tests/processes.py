"""Code in several processes that know each other by torch's gloo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import PATIENCE

_BEGIN = """
import sys
import torch
from torch import distributed, nn
rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=int(sys.argv[3]))
torch.set_num_threads(1)
"""
_END = """
distributed.destroy_process_group()
"""


def run_processes(code: str, folder: Path, count: int = 2) -> list[str]:
    """Run code in processes that are numbered by `rank`.

    Args:
        code: it may use `torch`, `nn`, `distributed` and `rank`.
        folder: an empty one, where they meet.
        count: of processes.

    Returns:
        What each of them printed.
    """
    script = folder / "process.py"
    script.write_text(_BEGIN + code + _END)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    arguments = [str(folder / "meeting"), str(count)]
    running = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), *arguments], env=environment, cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(count)
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=PATIENCE) for process in running]
    finally:
        for process in running:
            process.kill()
    failed = [errors for process, (_, errors) in zip(running, ended, strict=True) if process.returncode]
    assert not failed, "\n".join(error[-3000:] for error in failed)
    # Some versions of torch print who has met.
    return ["".join(line for line in printed.splitlines(True) if "[Gloo]" not in line) for printed, _ in ended]
