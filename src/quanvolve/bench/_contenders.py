"""Who takes part: this package, what a layer may cost at best, and every other library that computes the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quanvolve._errors import QuanvolveError
from quanvolve.bench._workloads import Workload


@dataclass(frozen=True)
class Contender:
    """A script that runs workloads with one library.

    Args:
        name: short, as on the command line.
        title: as in tables and charts.
        script: the script's file name, or its path.
        steps: what pip installs in an environment of its own, one tuple of arguments a step; empty if the environment
            of this package has all it needs.
        modules: which modules, all of them found in the environment of this package, make one of its own unnecessary.
        forward: whether it computes values alone.
        training: whether it takes training steps.
        noise: whether it computes with noise.
        shots: whether it draws shots.
        peer: whether it is a rival; ratios are to the best of these.
    """

    name: str
    title: str
    script: str | Path
    steps: tuple[tuple[str, ...], ...] = ()
    modules: tuple[str, ...] = ()
    forward: bool = True
    training: bool = True
    noise: bool = False
    shots: bool = False
    peer: bool = True

    def takes(self, workload: Workload) -> bool:
        """Whether the workload is for it."""
        able = self.training if workload.training else self.forward
        return able and (self.noise or not workload.noise) and (self.shots or not workload.shots)


_JAX = ("jax==0.7.1", "jaxlib==0.7.1")
_TORCH = "torch==2.13.0"
# torchquantum asks for much that it does not import: TensorFlow, and a torchvision that only fits a torch with CUDA.
_TORCHQUANTUM = (
    (
        *(_TORCH, "numpy==1.26.4", "qiskit==0.46.3", "qiskit-aer==0.14.2", "qiskit-ibm-runtime==0.20.0"),
        *("setuptools<81", "torchdiffeq", "opt-einsum", "dill", "pathos", "pylatexenc", "matplotlib", "tqdm"),
        *("multimethod", "toml", "pyyaml", "loguru", "h5py"),
    ),
    ("--no-deps", "torchquantum==0.1.8", "torchpack==0.3.1"),
)

OURS = "quanvolve"
CONTENDERS = {
    c.name: c
    for c in (
        Contender(OURS, "quanvolve", "ours.py", noise=True, shots=True, peer=False),
        Contender("conv2d", "nn.Conv2d, same shape (not quantum)", "conv2d.py", noise=True, shots=True, peer=False),
        Contender(
            "memory", "memory: the same bytes copied", "memory.py", training=False, noise=True, shots=True, peer=False
        ),
        Contender(
            "pennylane-jax",
            "PennyLane + JAX, compiled",
            "pennylane_jax.py",
            ((*_JAX, "pennylane==0.45.1"),),
            ("jax", "jaxlib"),
            noise=True,
            shots=True,
        ),
        Contender(
            "tensorcircuit",
            "TensorCircuit-NG + JAX, compiled",
            "tensorcircuit_ng.py",
            ((*_JAX, "tensorcircuit-ng==1.10.0"),),
            ("jax", "jaxlib", "tensorcircuit"),
            noise=True,
            shots=True,
        ),
        Contender(
            "pennylane", "PennyLane default.qubit, one broadcast", "pennylane_broadcast.py", noise=True, shots=True
        ),
        Contender(
            "torchquantum",
            "TorchQuantum, one batch",
            "torchquantum_batch.py",
            _TORCHQUANTUM,
            ("torchquantum",),
        ),
        Contender(
            "deepquantum",
            "DeepQuantum, one batch",
            "deepquantum_batch.py",
            ((_TORCH, "deepquantum==4.5.0"),),
            ("deepquantum",),
        ),
        Contender(
            "aer",
            "Qiskit Aer, EstimatorV2",
            "qiskit_aer_estimator.py",
            (("qiskit==2.6.2", "qiskit-aer==0.18.2"),),
            ("qiskit", "qiskit_aer"),
            training=False,
            noise=True,
            shots=True,
        ),
        Contender(
            "lightning", "PennyLane lightning.qubit, a call a window", "lightning.py", training=False, shots=True
        ),
        Contender(
            "pennylane-loop",
            "PennyLane default.qubit, a call a window",
            "pennylane_loop.py",
            training=False,
            noise=True,
            shots=True,
        ),
    )
}
"""By name: this package, the two bounds, then its peers."""


def choose_contenders(names: str | None) -> list[Contender]:
    """This package and the bounds, with the peers of a list such as "aer,pennylane"; with all, if not given.

    Raises:
        QuanvolveError: if there is no such peer.

    Examples:
        >>> [contender.name for contender in choose_contenders("aer")]
        ['quanvolve', 'conv2d', 'memory', 'aer']
    """
    if names is None:
        return list(CONTENDERS.values())
    peers = {name: c for name, c in CONTENDERS.items() if c.peer}
    wanted = list(dict.fromkeys(filter(None, (name.strip() for name in names.split(",")))))
    for name in wanted:
        if name not in peers:
            raise QuanvolveError(
                f"`peers` (={names!r}) has {name!r}, expected some of {', '.join(peers)}, with commas between",
                arguments=("peers",),
            )
    return [c for c in CONTENDERS.values() if not c.peer] + [peers[name] for name in wanted]


def script_of(contender: Contender) -> Path:
    """Its script: in the installed package, or beside it in its repository.

    Raises:
        QuanvolveError: if it is in neither.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "peers", here.parents[2] / "benchmarks" / "peers"):
        # An absolute path is kept by the joining.
        if (folder / contender.script).is_file():
            return folder / contender.script
    raise QuanvolveError(f"{contender.script} is not in {here / 'peers'}: install quanvolve again")
