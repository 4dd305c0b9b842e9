"""Circuits of PennyLane, Qiskit and OpenQASM become descriptions, and descriptions run on PennyLane."""

from quanvolve.circuits.capture._capture import Captured as Captured
from quanvolve.circuits.capture._capture import capture as capture
from quanvolve.circuits.capture._capture import captured as captured
from quanvolve.circuits.capture._openqasm import from_openqasm as from_openqasm
from quanvolve.circuits.capture._openqasm import is_openqasm as is_openqasm
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone as pennylane_alone
from quanvolve.circuits.capture._qiskit import from_qiskit as from_qiskit
from quanvolve.circuits.capture._qnode import qnode_of as qnode_of
from quanvolve.circuits.capture._scripts import TrainedFunction as TrainedFunction
from quanvolve.circuits.capture._scripts import from_script as from_script
from quanvolve.circuits.capture._scripts import in_torch_layer as in_torch_layer
from quanvolve.circuits.capture._simulate import PENNYLANE_NAMES as PENNYLANE_NAMES
from quanvolve.circuits.capture._simulate import simulate as simulate
from quanvolve.circuits.capture._source import Source as Source
from quanvolve.circuits.capture._source import circuit_of as circuit_of
from quanvolve.circuits.capture._sources import source_of as source_of
