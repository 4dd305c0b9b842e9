"""Quantum convolutions on devices: PennyLane's, and Qiskit's through primitives.

Beside `circuits`, which reads and writes its circuits, this is the only room that knows Qiskit, and it imports it only
when a backend of it is made.
"""

from quanvolve.backends._backend import Backend as Backend
from quanvolve.backends._backend import measure as measure
from quanvolve.backends._cache import Cache as Cache
from quanvolve.backends._calibrate import Calibration as Calibration
from quanvolve.backends._calibrate import calibrate as calibrate
from quanvolve.backends._calibrate import calibrate_model as calibrate_model
from quanvolve.backends._calibrate import calibrated_model as calibrated_model
from quanvolve.backends._calibrate import check_model as check_model
from quanvolve.backends._calibrate import with_noise_of as with_noise_of
from quanvolve.backends._design import Design as Design
from quanvolve.backends._estimate import Estimate as Estimate
from quanvolve.backends._estimate import LayerEstimate as LayerEstimate
from quanvolve.backends._estimate import estimate as estimate
from quanvolve.backends._extrapolate import extrapolate as extrapolate
from quanvolve.backends._layer import on_backend as on_backend
from quanvolve.backends._layer import quantisation_error as quantisation_error
from quanvolve.backends._layer import quantise as quantise
from quanvolve.backends._layer import run_layer as run_layer
from quanvolve.backends._mitigate import Mitigated as Mitigated
from quanvolve.backends._mitigate import mitigate as mitigate
from quanvolve.backends._mitigate import mitigate_model as mitigate_model
from quanvolve.backends._named import named_backend as named_backend
from quanvolve.backends._pennylane import PennyLaneBackend as PennyLaneBackend
from quanvolve.backends._qiskit import QiskitBackend as QiskitBackend
from quanvolve.backends._readout import ReadoutErrors as ReadoutErrors
from quanvolve.backends._readout import readout_errors as readout_errors
from quanvolve.backends._settings import Measured as Measured
from quanvolve.backends._transpile import Transpiled as Transpiled
from quanvolve.backends._tree_circuit import TreeCircuit as TreeCircuit
from quanvolve.backends._tree_circuit import tree_circuit as tree_circuit
from quanvolve.backends._tree_circuit import tree_circuits as tree_circuits
from quanvolve.backends._tree_circuit import tree_qubits as tree_qubits
from quanvolve.backends._tree_estimate import TreeSize as TreeSize
from quanvolve.backends._tree_estimate import tree_size as tree_size
from quanvolve.backends._tree_noise import tree_noise as tree_noise
from quanvolve.backends._tree_run import run_tree as run_tree
from quanvolve.backends._work import Rates as Rates
from quanvolve.backends._work import Work as Work
from quanvolve.backends._written import qiskit_circuit as qiskit_circuit
from quanvolve.backends._written import save_qpy as save_qpy
