"""What a circuit is, as plain immutable data: gates, angles, programs, channels, observables, limits.

Nothing here needs PennyLane.
"""

from quanvolve.circuits.description._channels import CHANNELS as CHANNELS
from quanvolve.circuits.description._channels import channel as channel
from quanvolve.circuits.description._channels import channel_gate as channel_gate
from quanvolve.circuits.description._channels import kraus_of as kraus_of
from quanvolve.circuits.description._channels import transfer_of as transfer_of
from quanvolve.circuits.description._description import CHANNEL as CHANNEL
from quanvolve.circuits.description._description import PROGRAM as PROGRAM
from quanvolve.circuits.description._description import Angle as Angle
from quanvolve.circuits.description._description import Circuit as Circuit
from quanvolve.circuits.description._description import Gate as Gate
from quanvolve.circuits.description._description import Observable as Observable
from quanvolve.circuits.description._description import Preparation as Preparation
from quanvolve.circuits.description._factors import factor_text as factor_text
from quanvolve.circuits.description._functions import EVENLY as EVENLY
from quanvolve.circuits.description._functions import FROZEN_STACK as FROZEN_STACK
from quanvolve.circuits.description._functions import FUNCTIONS as FUNCTIONS
from quanvolve.circuits.description._functions import PUT as PUT
from quanvolve.circuits.description._functions import name_of as name_of
from quanvolve.circuits.description._gates import GATES as GATES
from quanvolve.circuits.description._gates import PAULIS as PAULIS
from quanvolve.circuits.description._gates import pauli_words as pauli_words
from quanvolve.circuits.description._program import Argument as Argument
from quanvolve.circuits.description._program import Call as Call
from quanvolve.circuits.description._program import Program as Program
from quanvolve.circuits.description._program import Value as Value
from quanvolve.circuits.description._program import leaves_of as leaves_of
from quanvolve.circuits.description._program import pruned as pruned
from quanvolve.circuits.description._program_text import resolved as resolved
from quanvolve.circuits.description._program_text import value_texts as value_texts
from quanvolve.circuits.description._rebase import QISKIT_NAMES as QISKIT_NAMES
from quanvolve.circuits.description._rebase import rebase as rebase
