"""What a filter is: circuit descriptions, capture of PennyLane functions, the catalogue of named circuits.

This is the only room that knows PennyLane, and it imports it only when a circuit is captured or drawn.
"""

from quanvolve.circuits._ansatze import ANSATZE as ANSATZE
from quanvolve.circuits._bases import Basis as Basis
from quanvolve.circuits._bases import bases_of as bases_of
from quanvolve.circuits._bound import Bound as Bound
from quanvolve.circuits._bound import BoundGate as BoundGate
from quanvolve.circuits._bound import bind as bind
from quanvolve.circuits._capture import capture as capture
from quanvolve.circuits._catalogue import list_circuits as list_circuits
from quanvolve.circuits._catalogue import look_up as look_up
from quanvolve.circuits._catalogue import named_circuit as named_circuit
from quanvolve.circuits._catalogue import plans_for as plans_for
from quanvolve.circuits._channels import CHANNELS as CHANNELS
from quanvolve.circuits._channels import channel as channel
from quanvolve.circuits._channels import channel_gate as channel_gate
from quanvolve.circuits._channels import kraus_of as kraus_of
from quanvolve.circuits._channels import transfer_of as transfer_of
from quanvolve.circuits._description import CHANNEL as CHANNEL
from quanvolve.circuits._description import PROGRAM as PROGRAM
from quanvolve.circuits._description import Angle as Angle
from quanvolve.circuits._description import Circuit as Circuit
from quanvolve.circuits._description import Gate as Gate
from quanvolve.circuits._description import Observable as Observable
from quanvolve.circuits._description import Preparation as Preparation
from quanvolve.circuits._draw_figure import draw_figure as draw_figure
from quanvolve.circuits._draw_figure import draw_legend as draw_legend
from quanvolve.circuits._draw_figure import drawing_height as drawing_height
from quanvolve.circuits._draw_text import draw_text as draw_text
from quanvolve.circuits._encodings import ENCODINGS as ENCODINGS
from quanvolve.circuits._gates import GATES as GATES
from quanvolve.circuits._gates import PAULIS as PAULIS
from quanvolve.circuits._gates import pauli_words as pauli_words
from quanvolve.circuits._labels import factor_text as factor_text
from quanvolve.circuits._noise import with_noise as with_noise
from quanvolve.circuits._noise_readout import absorbed as absorbed
from quanvolve.circuits._noise_readout import through as through
from quanvolve.circuits._noise_readout import with_readout_errors as with_readout_errors
from quanvolve.circuits._openqasm import openqasm as openqasm
from quanvolve.circuits._openqasm import outputs_in_words as outputs_in_words
from quanvolve.circuits._pennylane_lock import pennylane_alone as pennylane_alone
from quanvolve.circuits._program_text import value_texts as value_texts
from quanvolve.circuits._readouts import READOUTS as READOUTS
from quanvolve.circuits._rebase import QISKIT_NAMES as QISKIT_NAMES
from quanvolve.circuits._rebase import rebase as rebase
from quanvolve.circuits._simulate import PENNYLANE_NAMES as PENNYLANE_NAMES
from quanvolve.circuits._simulate import simulate as simulate
