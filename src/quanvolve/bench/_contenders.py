"""Who takes part: this package, a classical convolution, and every other library that computes the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quanvolve._errors import QuanvolveError


@dataclass(frozen=True)
class Contender:
    """A script that runs the workloads with one library.

    Args:
        name: short, as on the command line.
        title: as in tables.
        script: file name without ending.
        requirements: what its own environment needs, in the order of installation steps; empty if this one serves.
        training: whether it takes part in the training steps.
    """

    name: str
    title: str
    script: str
    requirements: tuple[tuple[str, ...], ...] = ()
    training: bool = True


_TORCH = ("torch==2.13.0", "numpy<2.5")
_JAX = ("jax==0.7.1", "jaxlib==0.7.1")

OURS, CONV = "quanvolve", "conv2d"

CONTENDERS = {
    c.name: c
    for c in (
        Contender(OURS, "quanvolve", "ours"),
        Contender(CONV, "nn.Conv2d (not quantum)", "conv2d"),
        Contender("pennylane-jax", "PennyLane + JAX, jit(vmap)", "pennylane_jax", ((*_JAX, "pennylane==0.45.1"),)),
        Contender("tensorcircuit", "TensorCircuit-NG, JAX", "tensorcircuit_ng", ((*_JAX, "tensorcircuit-ng"),)),
        Contender("pennylane", "PennyLane default.qubit, broadcast", "pennylane_broadcast"),
        Contender("deepquantum", "DeepQuantum", "deepquantum_batch", (_TORCH, ("deepquantum",))),
        Contender(
            "torchquantum",
            "TorchQuantum",
            "torchquantum_batch",
            (("torch==2.13.0", "numpy<2"), ("torchquantum", "qiskit<1", "numpy<2", "setuptools<81")),
        ),
        Contender("aer", "Qiskit Aer", "qiskit_aer_estimator", (("qiskit==2.6.2", "qiskit-aer==0.18.2"),), False),
        Contender("lightning", "PennyLane lightning.qubit, a call a window", "lightning", (), False),
        Contender("pennylane-loop", "PennyLane, a call a window (the demo)", "pennylane_loop", (), False),
    )
}
"""By name: this package, the classical convolution, then the peers."""


def chosen(names: str | None) -> list[Contender]:
    """This package, the classical convolution, and the peers of a list such as "aer,pennylane"; all, if not given.

    Raises:
        QuanvolveError: if there is no such peer.
    """
    peers = [name for name in CONTENDERS if name not in (OURS, CONV)]
    if names is None:
        return list(CONTENDERS.values())
    found = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in peers:
            raise QuanvolveError(f"no peer is called {name!r}: choose from {', '.join(peers)}")
        found.append(name)
    return [CONTENDERS[name] for name in (OURS, CONV, *found)]


def scripts() -> Path:
    """The folder of the contenders' scripts: in the installed package, or beside it in its repository.

    Raises:
        QuanvolveError: if neither has it.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "peers", here.parents[2] / "benchmarks" / "peers"):
        if (folder / "_driver.py").exists():
            return folder
    raise QuanvolveError(f"the scripts of the benchmark are not in {here / 'peers'}: install the package again")
