"""The named circuits: encodings, ansatze and readouts, written in the gates of `description`."""

from quanvolve.circuits.catalogue._ansatz import Ansatz as Ansatz
from quanvolve.circuits.catalogue._ansatze import ANSATZE as ANSATZE
from quanvolve.circuits.catalogue._blocks import BLOCKS as BLOCKS
from quanvolve.circuits.catalogue._blocks import Block as Block
from quanvolve.circuits.catalogue._catalogue import list_circuits as list_circuits
from quanvolve.circuits.catalogue._catalogue import look_up as look_up
from quanvolve.circuits.catalogue._catalogue import named_block as named_block
from quanvolve.circuits.catalogue._catalogue import named_circuit as named_circuit
from quanvolve.circuits.catalogue._catalogue import plans_for as plans_for
from quanvolve.circuits.catalogue._catalogue import qcnn_circuit as qcnn_circuit
from quanvolve.circuits.catalogue._encodings import ENCODINGS as ENCODINGS
from quanvolve.circuits.catalogue._encodings import Encoding as Encoding
from quanvolve.circuits.catalogue._parts import Layer as Layer
from quanvolve.circuits.catalogue._parts import pixel as pixel
from quanvolve.circuits.catalogue._parts import weight as weight
from quanvolve.circuits.catalogue._qcnn import POOLINGS as POOLINGS
from quanvolve.circuits.catalogue._readouts import READOUTS as READOUTS
from quanvolve.circuits.catalogue._readouts import Readout as Readout
