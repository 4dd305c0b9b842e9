"""What a filter is: circuit descriptions, capture of the circuits of other programs, the catalogue of named circuits.

Its rooms are `description`, below all others, and `catalogue`, `capture`, `noise`, `draw` and `write`. Beside
`backends` this is the only place that knows PennyLane. It is imported only where a function of the user's is captured,
a circuit drawn as text or simulated, or where noise is a PennyLane model: named and stored circuits do without. Qiskit
is imported only where a circuit of it, or OpenQASM, is read, or one is written for it.
"""

from quanvolve.circuits.capture import PENNYLANE_NAMES as PENNYLANE_NAMES
from quanvolve.circuits.capture import Captured as Captured
from quanvolve.circuits.capture import Source as Source
from quanvolve.circuits.capture import TrainedFunction as TrainedFunction
from quanvolve.circuits.capture import capture as capture
from quanvolve.circuits.capture import captured as captured
from quanvolve.circuits.capture import circuit_of as circuit_of
from quanvolve.circuits.capture import from_openqasm as from_openqasm
from quanvolve.circuits.capture import from_qiskit as from_qiskit
from quanvolve.circuits.capture import from_script as from_script
from quanvolve.circuits.capture import in_torch_layer as in_torch_layer
from quanvolve.circuits.capture import is_openqasm as is_openqasm
from quanvolve.circuits.capture import pennylane_alone as pennylane_alone
from quanvolve.circuits.capture import qnode_of as qnode_of
from quanvolve.circuits.capture import simulate as simulate
from quanvolve.circuits.capture import source_of as source_of
from quanvolve.circuits.catalogue import ANSATZE as ANSATZE
from quanvolve.circuits.catalogue import BLOCKS as BLOCKS
from quanvolve.circuits.catalogue import ENCODINGS as ENCODINGS
from quanvolve.circuits.catalogue import POOLINGS as POOLINGS
from quanvolve.circuits.catalogue import READOUTS as READOUTS
from quanvolve.circuits.catalogue import list_circuits as list_circuits
from quanvolve.circuits.catalogue import look_up as look_up
from quanvolve.circuits.catalogue import named_block as named_block
from quanvolve.circuits.catalogue import named_circuit as named_circuit
from quanvolve.circuits.catalogue import plans_for as plans_for
from quanvolve.circuits.catalogue import qcnn_circuit as qcnn_circuit
from quanvolve.circuits.description import CHANNEL as CHANNEL
from quanvolve.circuits.description import CHANNELS as CHANNELS
from quanvolve.circuits.description import GATES as GATES
from quanvolve.circuits.description import PAULIS as PAULIS
from quanvolve.circuits.description import PROGRAM as PROGRAM
from quanvolve.circuits.description import QISKIT_NAMES as QISKIT_NAMES
from quanvolve.circuits.description import Angle as Angle
from quanvolve.circuits.description import Circuit as Circuit
from quanvolve.circuits.description import Gate as Gate
from quanvolve.circuits.description import Observable as Observable
from quanvolve.circuits.description import Preparation as Preparation
from quanvolve.circuits.description import Program as Program
from quanvolve.circuits.description import channel as channel
from quanvolve.circuits.description import channel_gate as channel_gate
from quanvolve.circuits.description import factor_text as factor_text
from quanvolve.circuits.description import kraus_of as kraus_of
from quanvolve.circuits.description import pauli_words as pauli_words
from quanvolve.circuits.description import rebase as rebase
from quanvolve.circuits.description import transfer_of as transfer_of
from quanvolve.circuits.description import value_texts as value_texts
from quanvolve.circuits.draw import draw_figure as draw_figure
from quanvolve.circuits.draw import draw_legend as draw_legend
from quanvolve.circuits.draw import draw_text as draw_text
from quanvolve.circuits.draw import drawing_height as drawing_height
from quanvolve.circuits.noise import absorbed as absorbed
from quanvolve.circuits.noise import aer_errors as aer_errors
from quanvolve.circuits.noise import through as through
from quanvolve.circuits.noise import with_noise as with_noise
from quanvolve.circuits.noise import with_readout_errors as with_readout_errors
from quanvolve.circuits.write import RESET as RESET
from quanvolve.circuits.write import Basis as Basis
from quanvolve.circuits.write import Bound as Bound
from quanvolve.circuits.write import BoundGate as BoundGate
from quanvolve.circuits.write import bases_of as bases_of
from quanvolve.circuits.write import bind as bind
from quanvolve.circuits.write import openqasm as openqasm
from quanvolve.circuits.write import outputs_in_words as outputs_in_words
from quanvolve.circuits.write import quantum_circuit as quantum_circuit
