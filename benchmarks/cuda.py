"""Whether kernels and layers are right on a GPU, and how fast: one command, under six minutes.

    python benchmarks/cuda.py --output FOLDER

writes `cuda.csv` and `cuda.md` into the folder; it needs torch and what this package depends on. In turn: the contract
of the kernels on the real device; W1 to W6 and coherent trees beside `nn.Conv2d` (cuDNN) of the same shape, with the
memory they take; PennyLane's TorchLayer and TorchQuantum; models trained to their accuracy; layers of every kind beside
plain torch on the CPU, to 1e-5 in float32 and 1e-10 in float64; what torch offers (streams, CUDA graphs, torch.compile,
autocast, channels_last ...); compute-sanitizer. What is not installed is left out, and a line says so; so is what there
is no time for. A case that fails is a line that says how, and the command exits with 1. `--device cpu` tries the script
where there is no GPU.

Times are medians of repeated calls between CUDA events; the bandwidth of a copy tells how far from its limit a forward
pass is. Ratios are of one run on one machine. `benchmarks/costs.py --device cuda --fit` then measures what the planner
reckons with.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
elsewhere = [place for place in sys.path if Path(place).resolve() != HERE]

if __name__ == "cuda":  # what torch imports by this name is NVIDIA's package; a script beside this one is being run
    before, sys.path[:] = sys.path[:], elsewhere
    del sys.modules["cuda"]
    try:
        sys.modules["cuda"] = importlib.import_module("cuda")
    finally:
        sys.path[:] = before
else:
    sys.path[:] = [*elsewhere, str(HERE.parent)]
    from benchmarks.gpu_check._command import main

    if __name__ == "__main__":
        sys.exit(main())
